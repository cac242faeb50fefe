use cormorant::prelude::*;

#[derive(DbEnum, Clone, PartialEq)]
#[db_enum(integer)]
#[repr(u64)]
enum Size {
    Small = 1,
    Large = u64::MAX,
}

fn main() {}
