use cormorant::prelude::*;

#[derive(DbEnum, Clone, PartialEq)]
struct Status {
    name: String,
}

fn main() {}
