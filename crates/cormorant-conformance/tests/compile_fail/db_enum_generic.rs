use cormorant::prelude::*;

#[derive(DbEnum, Clone, PartialEq)]
enum Status<const N: usize> {
    Draft,
    Done,
}

fn main() {}
