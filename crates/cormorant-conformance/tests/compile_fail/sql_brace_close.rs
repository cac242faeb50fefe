use cormorant::prelude::*;

fn main() {
    let query = sql!("SELECT name FROM items WHERE id = id}");
}
