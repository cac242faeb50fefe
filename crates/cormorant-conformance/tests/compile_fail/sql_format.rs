use cormorant::prelude::*;

#[derive(Model)]
struct Item {
    id: i64,
    name: String,
    views: i64,
}

fn main() {
    let table = "items";
    let query = sql!(format!("SELECT name FROM {table}"));
}
