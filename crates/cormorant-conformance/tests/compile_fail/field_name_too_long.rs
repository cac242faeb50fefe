use cormorant::prelude::*;

#[derive(Model)]
struct Item {
    id: i64,
    #[model(column = "a_name_that_goes_on_and_on_and_on_and_on_until_it_has_64_bytes_x_")]
    name: String,
}

fn main() {}
