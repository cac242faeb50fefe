use cormorant::prelude::*;

#[derive(Clone, PartialEq)]
enum Status {
    Draft,
    Done,
}

#[derive(Model)]
struct Post {
    id: i64,
    status: Status,
}

fn main() {}
