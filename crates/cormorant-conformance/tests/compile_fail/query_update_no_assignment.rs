use cormorant::prelude::*;

#[derive(Model)]
struct Item {
    id: i64,
    name: String,
    views: i64,
}

async fn update(db: &Database) -> cormorant::Result<u64> {
    Item::query().update(db, |i| i.views() + 1).await
}

fn main() {}
