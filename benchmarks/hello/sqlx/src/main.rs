//! Five models, an insert, a filter, a relation.
// A benchmark of builds: what is not called is built all the same.
#![allow(dead_code)]

use sqlx::sqlite::SqlitePoolOptions;

#[derive(sqlx::FromRow)]
struct User {
    id: i64,
    name: String,
    email: Option<String>,
}

#[derive(sqlx::FromRow)]
struct Post {
    id: i64,
    author_id: i64,
    title: String,
    body: String,
    views: i32,
}

#[derive(sqlx::FromRow)]
struct Comment {
    id: i64,
    post_id: i64,
    author_id: i64,
    text: String,
}

#[derive(sqlx::FromRow)]
struct Tag {
    id: i64,
    post_id: i64,
    name: String,
}

#[derive(sqlx::FromRow)]
struct Like {
    id: i64,
    post_id: i64,
    user_id: i64,
}

#[tokio::main]
async fn main() -> sqlx::Result<()> {
    let db = SqlitePoolOptions::new().max_connections(1).connect("sqlite::memory:").await?;
    sqlx::raw_sql(include_str!("../../schema.sql")).execute(&db).await?;

    let ann = sqlx::query("INSERT INTO users (name) VALUES (?)").bind("Ann").execute(&db).await?.last_insert_rowid();
    sqlx::query("INSERT INTO posts (author_id, title, body, views) VALUES (?, ?, ?, ?)")
        .bind(ann)
        .bind("Hello")
        .bind("world")
        .bind(3)
        .execute(&db)
        .await?;

    let read: Vec<Post> = sqlx::query_as("SELECT * FROM posts WHERE views > ?").bind(2).fetch_all(&db).await?;
    let hers: Vec<Post> =
        sqlx::query_as("SELECT posts.* FROM posts JOIN users ON users.id = posts.author_id WHERE users.name = ?")
            .bind("Ann")
            .fetch_all(&db)
            .await?;
    println!("{} {} {}", read.len(), hers.len(), hers[0].title);
    Ok(())
}
