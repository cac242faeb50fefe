use cormorant::prelude::*;

#[derive(FromRow)]
struct Line<T> {
    value: T,
}

fn main() {}
