use cormorant::prelude::*;

fn main() {
    let names = vec!["a", "b"];
    let query = sql!("SELECT name FROM items WHERE name IN ({names})");
}
