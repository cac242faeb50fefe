use cormorant::prelude::*;

#[derive(Model)]
struct User {
    id: i64,
    #[model(unique)]
    email: String,
}

async fn insert(db: &Database) -> cormorant::Result<Record<User>> {
    User::builder().email("a").upsert(db, |u| (u.id(), u.email().asc())).await
}

fn main() {}
