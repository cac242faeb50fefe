use cormorant::prelude::*;

struct Line;

async fn lines(db: &Database) -> cormorant::Result<Vec<Line>> {
    sql!("SELECT name FROM items").all(db).await
}

fn main() {}
