use cormorant::prelude::*;

#[derive(Model)]
struct Item {
    id: i64,
    name: String,
    views: i64,
}

fn main() {
    let ids = vec![1, 2, 3];
    let query = sql!("SELECT name FROM items WHERE id IN ({ids})");
}
