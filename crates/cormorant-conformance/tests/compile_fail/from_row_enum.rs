use cormorant::prelude::*;

#[derive(FromRow)]
enum Line {
    Name(String),
}

fn main() {}
