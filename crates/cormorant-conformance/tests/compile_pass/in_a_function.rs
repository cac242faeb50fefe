//! A model inside a function, and two of one name in two functions.
#![deny(warnings, dead_code)]
use cormorant::prelude::*;

fn one() -> &'static str {
    #[derive(Model)]
    struct Item {
        id: i64,
        name: String,
    }
    let item = Item::builder().name("a").build();
    assert_eq!((item.id, item.name.as_str()), (0, "a"));
    Item::TABLE.name
}

fn other() -> &'static str {
    #[derive(Model)]
    #[model(table = "others")]
    struct Item {
        id: i64,
    }
    assert_eq!(Item::builder().build().id, 0);
    Item::TABLE.name
}

fn main() {
    assert_eq!((one(), other()), ("items", "others"));
}
