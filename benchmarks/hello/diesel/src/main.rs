//! Five models, an insert, a filter, a relation.
// A benchmark of builds: what is not called is built all the same.
#![allow(dead_code)]

use diesel::connection::SimpleConnection;
use diesel::prelude::*;

diesel::table! {
    users (id) { id -> BigInt, name -> Text, email -> Nullable<Text>, }
}
diesel::table! {
    posts (id) { id -> BigInt, author_id -> BigInt, title -> Text, body -> Text, views -> Integer, }
}
diesel::table! {
    comments (id) { id -> BigInt, post_id -> BigInt, author_id -> BigInt, text -> Text, }
}
diesel::table! {
    tags (id) { id -> BigInt, post_id -> BigInt, name -> Text, }
}
diesel::table! {
    likes (id) { id -> BigInt, post_id -> BigInt, user_id -> BigInt, }
}
diesel::joinable!(posts -> users (author_id));
diesel::joinable!(comments -> posts (post_id));
diesel::joinable!(comments -> users (author_id));
diesel::joinable!(tags -> posts (post_id));
diesel::joinable!(likes -> posts (post_id));
diesel::joinable!(likes -> users (user_id));
diesel::allow_tables_to_appear_in_same_query!(users, posts, comments, tags, likes);

#[derive(Queryable, Selectable, Identifiable, Insertable)]
#[diesel(table_name = users)]
struct User {
    #[diesel(skip_insertion)]
    id: i64,
    name: String,
    email: Option<String>,
}

#[derive(Queryable, Selectable, Identifiable, Insertable, Associations)]
#[diesel(table_name = posts, belongs_to(User, foreign_key = author_id))]
struct Post {
    #[diesel(skip_insertion)]
    id: i64,
    author_id: i64,
    title: String,
    body: String,
    views: i32,
}

#[derive(Queryable, Selectable, Identifiable, Insertable, Associations)]
#[diesel(table_name = comments, belongs_to(Post), belongs_to(User, foreign_key = author_id))]
struct Comment {
    #[diesel(skip_insertion)]
    id: i64,
    post_id: i64,
    author_id: i64,
    text: String,
}

#[derive(Queryable, Selectable, Identifiable, Insertable, Associations)]
#[diesel(table_name = tags, belongs_to(Post))]
struct Tag {
    #[diesel(skip_insertion)]
    id: i64,
    post_id: i64,
    name: String,
}

#[derive(Queryable, Selectable, Identifiable, Insertable, Associations)]
#[diesel(table_name = likes, belongs_to(Post), belongs_to(User))]
struct Like {
    #[diesel(skip_insertion)]
    id: i64,
    post_id: i64,
    user_id: i64,
}

fn main() -> Result<(), Box<dyn std::error::Error>> {
    let mut db = SqliteConnection::establish(":memory:")?;
    db.batch_execute(include_str!("../../schema.sql"))?;

    let ann = User { id: 0, name: "Ann".into(), email: None };
    let ann: i64 = diesel::insert_into(users::table).values(&ann).returning(users::id).get_result(&mut db)?;
    let post = Post { id: 0, author_id: ann, title: "Hello".into(), body: "world".into(), views: 3 };
    diesel::insert_into(posts::table).values(&post).execute(&mut db)?;

    let read = posts::table.filter(posts::views.gt(2)).select(Post::as_select()).load(&mut db)?;
    let hers =
        posts::table.inner_join(users::table).filter(users::name.eq("Ann")).select(Post::as_select()).load(&mut db)?;
    println!("{} {} {}", read.len(), hers.len(), hers[0].title);
    Ok(())
}
