use cormorant::prelude::*;

#[derive(DbEnum)]
enum Status {
    Draft,
    Done,
}

fn main() {}
