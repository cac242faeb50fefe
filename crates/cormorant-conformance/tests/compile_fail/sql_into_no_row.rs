use cormorant::prelude::*;

fn main() -> cormorant::Result<()> {
    let db = Database::connect("sqlite::memory:").wait()?;
    let rows: Vec<std::thread::Thread> = sql!("SELECT name FROM items").all(&db).wait()?;
    Ok(())
}
