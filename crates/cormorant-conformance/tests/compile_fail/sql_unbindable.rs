use cormorant::prelude::*;

struct Item;

fn main() {
    let item = Item;
    let query = sql!("SELECT name FROM items WHERE id = {item}");
}
