use cormorant::prelude::*;

#[derive(DbEnum, Clone, PartialEq)]
#[db_enum(rename_al = "lowercase", rename = "x")]
enum Status {
    #[db_enum(renam = "d")]
    Draft,
    #[db_enum(integer)]
    Done,
}

fn main() {}
