use cormorant::prelude::*;

#[derive(Model)]
struct User {
    id: i64,
}

#[derive(Model)]
struct Profile {
    id: i64,
    #[model(unique)]
    user: ForeignKey<User>,
}

async fn insert(db: &Database) -> cormorant::Result<(Record<Profile>, bool)> {
    Profile::builder().user(1).get_or_insert(db, |p| p.user()).await
}

fn main() {}
