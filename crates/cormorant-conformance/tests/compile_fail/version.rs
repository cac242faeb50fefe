use cormorant::prelude::*;

#[derive(Model)]
struct Page {
    id: i64,
    #[model(version)]
    stamp: Option<i64>,
    #[model(version, default = 7)]
    count: i64,
    #[model(version)]
    name: String,
}

fn main() {}
