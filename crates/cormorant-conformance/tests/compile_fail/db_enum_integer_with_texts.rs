use cormorant::prelude::*;

#[derive(DbEnum, Clone, PartialEq)]
#[db_enum(integer, rename_all = "lowercase")]
enum Status {
    Draft,
    #[db_enum(rename = "2")]
    Done,
}

fn main() {}
