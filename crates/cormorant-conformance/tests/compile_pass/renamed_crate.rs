//! The library under another name: `::cormorant` is something else here.
#![deny(warnings)]
extern crate cormorant as orm;
extern crate std as cormorant;

use orm::prelude::*;

mod models {
    pub(crate) use orm as library;
}

#[derive(Model)]
#[model(crate = "orm")]
struct Author {
    id: i64,
    name: String,
}

#[derive(Model)]
#[model(crate = "crate::models::library")]
struct Book {
    id: i64,
    author: Option<ForeignKey<Author>>,
    #[model(precision = 5, scale = 2, default = dec!(9.90))]
    price: Decimal,
    number: Uuid,
}

#[derive(FromRow)]
#[from_row(crate = "orm")]
struct Line {
    name: String,
}

fn main() {
    let _ = Book::query().select(|b| b.author().name());
    let _ = Author::query().select(|a| Line::columns(a.name()));
    let name = "Ann";
    let _ = sql!("SELECT name FROM authors WHERE name = {name} AND id IN ({..[1, 2]})");
    let _ = orm::sql!("SELECT 1",);
}
