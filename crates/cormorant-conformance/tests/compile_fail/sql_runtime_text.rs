use cormorant::prelude::*;

fn main() {
    let text = String::from("SELECT name FROM items");
    let query = sql!(text);
}
