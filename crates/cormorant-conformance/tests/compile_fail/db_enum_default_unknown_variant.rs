use cormorant::prelude::*;

#[derive(DbEnum, Clone, PartialEq)]
enum Status {
    Draft,
    Done,
}

#[derive(Model)]
struct Post {
    id: i64,
    #[model(default = Status::Drafft)]
    status: Status,
}

fn main() {}
