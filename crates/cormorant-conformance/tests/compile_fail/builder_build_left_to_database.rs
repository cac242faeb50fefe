use cormorant::prelude::*;

#[derive(Model)]
struct Item {
    id: i64,
    #[model(db_default = "CURRENT_TIMESTAMP")]
    added: Timestamp,
}

fn main() {
    let item = Item::builder().build();
}
