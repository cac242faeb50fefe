use cormorant::prelude::*;

#[derive(Model)]
struct User {
    id: i64,
    #[model(unique)]
    email: String,
    name: String,
}

async fn insert(db: &Database) -> cormorant::Result<(Record<User>, bool)> {
    User::builder().email("a").get_or_insert(db, |u| u.email()).await
}

fn main() {}
