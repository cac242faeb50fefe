use cormorant::prelude::*;

fn main() {
    let _ = sql!("SELECT 1" "FROM items");
}
