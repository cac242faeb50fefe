use cormorant::prelude::*;

#[derive(DbEnum, Clone, PartialEq)]
enum Status<T> {
    Draft,
    Done,
}

fn main() {}
