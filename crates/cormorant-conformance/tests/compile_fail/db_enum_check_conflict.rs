use cormorant::prelude::*;

#[derive(DbEnum, Clone, PartialEq)]
enum Status {
    Draft,
    Done,
}

#[derive(Model)]
#[model(check(status = "status <> 'done' OR id > 0"))]
struct Post {
    id: i64,
    status: Status,
}

fn main() {}
