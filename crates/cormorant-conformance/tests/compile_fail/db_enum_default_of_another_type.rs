use cormorant::prelude::*;

#[derive(DbEnum, Clone, PartialEq)]
enum Status {
    Draft,
    Done,
}

#[derive(DbEnum, Clone, PartialEq)]
enum Level {
    Low,
}

#[derive(Model)]
struct Post {
    id: i64,
    #[model(default = Level::Low)]
    status: Status,
}

fn main() {}
