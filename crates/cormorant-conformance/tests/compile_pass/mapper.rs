//! A mapper leaves no warning, and its names meet none of the program's.
#![deny(warnings)]

use cormorant::prelude::*;

mod domain {
    pub struct Event {
        pub(super) entity: i64,
        pub(super) columns: String,
        pub(super) row: Option<bool>,
    }

    impl Event {
        pub fn it(&self) -> &str {
            &self.columns
        }
    }
}

/// What the expansion calls by these names is another thing.
fn entity(event: &domain::Event) -> i64 {
    event.entity
}

fn columns(entity: i64, columns: String, row: Option<bool>) -> domain::Event {
    domain::Event { entity, columns, row }
}

#[derive(Mapper)]
#[mapper(entity = domain::Event, build = columns)]
pub(crate) struct Events {
    #[mapper(key, get = entity)]
    entity: i64,
    #[mapper(get = domain::Event::it)]
    columns: String,
    #[mapper(get = |it| it.row)]
    row: Option<bool>,
}

/// Nothing names it.
#[derive(Mapper)]
#[mapper(entity = domain::Event, table = "unused", build = columns)]
struct Unused {
    #[mapper(key, get = |it| it.entity)]
    entity: i64,
    #[mapper(get = |event| event.columns.clone())]
    columns: String,
    #[mapper(get = |event| { let entity = event.row; entity })]
    row: Option<bool>,
}

fn main() {
    fn in_a_function() -> &'static str {
        struct Local(i64);
        impl Local {
            fn new(id: i64) -> Self {
                Self(id)
            }
            fn id(&self) -> i64 {
                self.0
            }
        }
        #[derive(Mapper)]
        #[mapper(entity = Local, build = Local::new)]
        struct Locals {
            id: i64,
        }
        Locals::TABLE.name
    }
    assert_eq!(in_a_function(), "locals");
    assert_eq!(Events::TABLE.name, "events");
    let _ = Events::filter(|e| e.columns().eq("a") & e.row().is_null());
    let _ = models![Events];
}
