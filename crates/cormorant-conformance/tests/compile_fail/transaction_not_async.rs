use cormorant::prelude::*;

#[derive(Model)]
struct Item {
    id: i64,
    name: String,
    views: i64,
}

fn main() -> cormorant::Result<()> {
    let db = Database::connect("sqlite::memory:").wait()?;
    db.transaction(|tx| Ok(())).wait()?;
    Ok(())
}
