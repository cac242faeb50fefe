use cormorant::prelude::*;

#[derive(Model)]
struct Item {
    id: i64,
    name: String,
    views: i64,
}

async fn insert(url: String) -> cormorant::Result<Record<Item>> {
    Item::builder().name("a").views(1).insert(&url).await
}

fn main() {}
