use cormorant::prelude::*;

fn main() {
    let table = "items";
    let query = sql!(format!("SELECT name FROM {table}"));
}
