//! Models.

use toasty::Deferred;

#[derive(Debug, toasty::Model)]
pub struct User {
    #[key]
    #[auto]
    pub id: i32,
    pub name: String,
    pub hair_color: Option<String>,
    #[has_many]
    pub posts: Deferred<Vec<Post>>,
}

#[derive(Debug, toasty::Model)]
pub struct Post {
    #[key]
    #[auto]
    pub id: i32,
    #[index]
    pub user_id: i32,
    #[belongs_to]
    pub user: Deferred<User>,
    pub title: String,
    pub body: Option<String>,
}
