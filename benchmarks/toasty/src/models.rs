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
    #[has_many]
    pub comments: Deferred<Vec<Comment>>,
}

#[derive(Debug, toasty::Model)]
pub struct Comment {
    #[key]
    #[auto]
    pub id: i32,
    #[index]
    pub post_id: i32,
    #[belongs_to]
    pub post: Deferred<Post>,
    pub text: String,
}
