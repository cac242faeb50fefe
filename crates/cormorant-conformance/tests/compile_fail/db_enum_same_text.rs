use cormorant::prelude::*;

#[derive(DbEnum, Clone, PartialEq)]
enum Status {
    InReview,
    #[db_enum(rename = "in_review")]
    Reviewed,
}

fn main() {}
