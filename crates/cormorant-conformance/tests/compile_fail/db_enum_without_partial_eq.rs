use cormorant::prelude::*;

#[derive(DbEnum, Clone)]
enum Status {
    Draft,
    Done,
}

fn main() {}
