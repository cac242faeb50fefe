use cormorant::prelude::*;

#[derive(Model)]
struct Item(i64, String);

fn main() {}
