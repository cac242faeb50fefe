use cormorant::prelude::*;

#[derive(DbEnum, Clone, PartialEq)]
enum Status {}

fn main() {}
