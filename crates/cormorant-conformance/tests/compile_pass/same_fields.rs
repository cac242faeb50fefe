//! Two models with the same fields in one module, and models that nothing uses.
#![deny(warnings, dead_code)]
use cormorant::prelude::*;

#[derive(Model)]
struct Cat {
    id: i64,
    name: String,
    owner: ForeignKey<Owner>,
}

#[derive(Model)]
struct Dog {
    id: i64,
    name: String,
    owner: ForeignKey<Owner>,
}

#[derive(Model)]
struct Owner {
    id: i64,
    name: String,
}

#[derive(FromRow)]
struct Line {
    name: String,
}

#[derive(FromRow)]
struct OtherLine {
    name: String,
}

fn main() {
    let _: fn(Line, OtherLine) -> bool = |line, other| line.name == other.name;
}
