//! Rows.

use sqlx::FromRow;

#[derive(FromRow)]
pub struct User {
    pub id: i32,
    pub name: String,
    pub hair_color: Option<String>,
}

#[derive(FromRow)]
pub struct Post {
    pub id: i32,
    pub user_id: i32,
    #[expect(dead_code, reason = "read to be compared with what others read")]
    title: String,
    #[expect(dead_code, reason = "read to be compared with what others read")]
    body: Option<String>,
}

#[derive(FromRow)]
pub struct Comment {
    #[expect(dead_code, reason = "read to be compared with what others read")]
    id: i32,
    pub post_id: i32,
    #[expect(dead_code, reason = "read to be compared with what others read")]
    text: String,
}

/// The cells of a post that there may be.
#[derive(FromRow)]
struct PostCells {
    post_id: Option<i32>,
    user_id: Option<i32>,
    title: Option<String>,
    body: Option<String>,
}

#[derive(FromRow)]
pub struct UserAndCells {
    #[sqlx(flatten)]
    user: User,
    #[sqlx(flatten)]
    post: PostCells,
}

impl From<UserAndCells> for (User, Option<Post>) {
    fn from(UserAndCells { user, post }: UserAndCells) -> Self {
        let post = match (post.post_id, post.user_id, post.title) {
            (Some(id), Some(user_id), Some(title)) => Some(Post { id, user_id, title, body: post.body }),
            _ => None,
        };
        (user, post)
    }
}
