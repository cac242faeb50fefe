use cormorant::prelude::*;

#[derive(FromRow)]
#[from_row(krate = "orm")]
struct Line {
    name: String,
}

fn main() {}
