use cormorant::prelude::*;

#[derive(FromRow)]
struct Line {
    value: std::thread::Thread,
}

fn main() {}
