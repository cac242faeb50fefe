use cormorant::prelude::*;
use std::collections::HashMap;

#[derive(Model)]
struct Item {
    id: i64,
    tags: HashMap<String, String>,
}

fn main() {}
