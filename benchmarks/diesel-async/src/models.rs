//! Tables and rows.

use diesel::prelude::*;

diesel::table! {
    users {
        id -> Integer,
        name -> Text,
        hair_color -> Nullable<Text>,
    }
}

diesel::table! {
    posts {
        id -> Integer,
        user_id -> Integer,
        title -> Text,
        body -> Nullable<Text>,
    }
}

diesel::table! {
    comments {
        id -> Integer,
        post_id -> Integer,
        text -> Text,
    }
}

diesel::joinable!(posts -> users (user_id));
diesel::joinable!(comments -> posts (post_id));
diesel::allow_tables_to_appear_in_same_query!(users, posts, comments);

#[derive(Queryable, Identifiable, AsChangeset)]
#[diesel(table_name = users, treat_none_as_null = true)]
pub struct User {
    pub id: i32,
    pub name: String,
    pub hair_color: Option<String>,
}

#[derive(Queryable, Identifiable, Associations)]
#[diesel(table_name = posts, belongs_to(User))]
#[expect(dead_code, reason = "read to be compared with what others read")]
pub struct Post {
    id: i32,
    user_id: i32,
    title: String,
    body: Option<String>,
}

#[derive(Queryable, Identifiable, Associations)]
#[diesel(table_name = comments, belongs_to(Post))]
#[expect(dead_code, reason = "read to be compared with what others read")]
pub struct Comment {
    id: i32,
    post_id: i32,
    text: String,
}

#[derive(Insertable)]
#[diesel(table_name = users, treat_none_as_default_value = false)]
pub struct NewUser {
    pub name: String,
    pub hair_color: Option<String>,
}

impl From<harness::data::NewUser> for NewUser {
    fn from(user: harness::data::NewUser) -> Self {
        Self { name: user.name, hair_color: user.hair_color }
    }
}
