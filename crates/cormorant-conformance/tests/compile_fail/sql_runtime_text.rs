use cormorant::prelude::*;

#[derive(Model)]
struct Item {
    id: i64,
    name: String,
    views: i64,
}

fn main() {
    let text = String::from("SELECT name FROM items");
    let query = sql!(text);
}
