use cormorant::prelude::*;

#[derive(DbEnum, Clone, PartialEq)]
#[db_enum(rename_all = "snake")]
enum Status {
    #[db_enum(rename = 1)]
    Draft,
    #[db_enum(rename)]
    Done,
}

fn main() {}
