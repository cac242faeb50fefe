use cormorant::prelude::*;

#[derive(Model)]
struct Item {
    id: i64,
    name: String,
    views: i64,
}

async fn insert(db: &Database) -> cormorant::Result<Vec<Record<Item>>> {
    Item::insert_many(db, [Item::builder().name("a")]).await
}

fn main() {}
