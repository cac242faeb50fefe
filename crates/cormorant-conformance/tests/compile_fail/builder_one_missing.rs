use cormorant::prelude::*;

#[derive(Model)]
struct Item {
    id: i64,
    name: String,
    views: i64,
}

async fn insert(db: &Database) -> cormorant::Result<Record<Item>> {
    Item::builder().name("a").insert(db).await
}

fn main() {}
