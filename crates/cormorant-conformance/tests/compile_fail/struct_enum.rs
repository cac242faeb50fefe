use cormorant::prelude::*;

#[derive(Model)]
enum Status {
    Draft,
    Published,
}

fn main() {}
