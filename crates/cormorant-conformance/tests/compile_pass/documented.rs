//! Strict about documentation, beyond what an `allow` could lift.
#![deny(warnings)]
#![forbid(missing_docs)]
use cormorant::prelude::*;

/// A thing.
#[derive(Model)]
pub struct Item {
    /// The key.
    pub id: i64,
    /// What it is called,
    /// in one line.
    #[model(max_length = 24)]
    pub name: String,
    /// Where it comes from.
    pub origin: Option<ForeignKey<Item>>,
    plain: i64,
}

/// A line.
#[derive(FromRow)]
pub struct Line {
    /// A name.
    pub name: String,
}

fn main() {}
