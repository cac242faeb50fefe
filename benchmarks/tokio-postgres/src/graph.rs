//! Units of work by hand: a statement per table, whose rows are lists, in one transaction.

use harness::data::{NewPost, NewUser, OwnColors, new_posts, new_users};
use harness::{Meter, measure};
use tokio_postgres::types::ToSql;
use tokio_postgres::{Client, Statement};

use crate::insert::execute_all;
use crate::rows::{all, user};
use crate::system::{NO_VALUES, TRIVIAL};

const USERS: &str = "INSERT INTO users (name, hair_color) SELECT * FROM unnest($1::text[], $2::text[]) RETURNING id";
const POSTS: &str = "INSERT INTO posts (user_id, title, body) \
                     SELECT * FROM unnest($1::int[], $2::text[], $3::text[]) RETURNING id";
const CHANGE: &str = "UPDATE users SET hair_color = new.hair_color \
                      FROM unnest($1::int[], $2::text[]) AS new (id, hair_color) WHERE users.id = new.id";
const DELETE_USERS: &str = "DELETE FROM users WHERE id = ANY($1)";
const DELETE_POSTS: &str = "DELETE FROM posts WHERE id = ANY($1)";

/// Users and their posts, as they were written.
struct Graph {
    users: (Vec<NewUser>, Vec<i32>),
    posts: (Vec<NewPost>, Vec<i32>),
}

/// Those that insert users and posts.
struct Inserts(Statement, Statement);

impl Inserts {
    async fn prepare(client: &Client) -> Self {
        Self(client.prepare(USERS).await.unwrap(), client.prepare(POSTS).await.unwrap())
    }

    async fn run(&self, client: &mut Client, users: usize) -> Graph {
        let (users, posts): (Vec<NewUser>, Vec<NewPost>) = (new_users(users).collect(), new_posts(users).collect());
        let transaction = client.transaction().await.unwrap();
        let names: Vec<&str> = users.iter().map(|user| user.name.as_str()).collect();
        let colors: Vec<Option<&str>> = users.iter().map(|user| user.hair_color.as_deref()).collect();
        let lists: [&(dyn ToSql + Sync); 2] = [&names, &colors];
        let inserted = transaction.query_raw(&self.0, lists).await.unwrap();
        let user_keys = all(inserted, |row| row.get::<_, i32>(0)).await;

        let owners: Vec<i32> = posts.iter().map(|post| user_keys[post.user]).collect();
        let titles: Vec<&str> = posts.iter().map(|post| post.title.as_str()).collect();
        let bodies: Vec<Option<&str>> = posts.iter().map(|post| post.body.as_deref()).collect();
        let lists: [&(dyn ToSql + Sync); 3] = [&owners, &titles, &bodies];
        let inserted = transaction.query_raw(&self.1, lists).await.unwrap();
        let post_keys = all(inserted, |row| row.get::<_, i32>(0)).await;
        transaction.commit().await.unwrap();
        Graph { users: (users, user_keys), posts: (posts, post_keys) }
    }
}

pub async fn commit(client: &mut Client, users: usize, meter: &mut Meter, clear: &[&str]) {
    let inserts = Inserts::prepare(client).await;
    measure!(meter, inserts.run(client, users).await, after: execute_all(client, clear).await);
}

pub async fn change(client: &mut Client, meter: &mut Meter, clear: &[&str]) {
    let loaded = client.prepare(TRIVIAL).await.unwrap();
    let mut users = all(client.query_raw(&loaded, NO_VALUES).await.unwrap(), user).await;
    let statement = client.prepare(CHANGE).await.unwrap();
    let mut new = OwnColors::new();
    measure!(meter, {
        users.iter_mut().zip(new.next_colors()).for_each(|(user, color)| user.hair_color = color);
        let keys: Vec<i32> = users.iter().map(|user| user.id).collect();
        let colors: Vec<Option<&str>> = users.iter().map(|user| user.hair_color.as_deref()).collect();
        let transaction = client.transaction().await.unwrap();
        let changed = transaction.execute(&statement, &[&keys, &colors]).await.unwrap();
        assert_eq!(changed, users.len() as u64);
        transaction.commit().await.unwrap();
    }, after: execute_all(client, clear).await);
}

pub async fn delete(client: &mut Client, users: usize, meter: &mut Meter, clear: &[&str]) {
    let inserts = Inserts::prepare(client).await;
    let deletes = [client.prepare(DELETE_POSTS).await.unwrap(), client.prepare(DELETE_USERS).await.unwrap()];
    measure!(meter, given: graph = inserts.run(client, users).await, {
        let transaction = client.transaction().await.unwrap();
        for (statement, keys) in deletes.iter().zip([&graph.posts.1, &graph.users.1]) {
            let deleted = transaction.execute(statement, &[keys]).await.unwrap();
            assert_eq!(deleted, keys.len() as u64);
        }
        transaction.commit().await.unwrap();
    }, after: execute_all(client, clear).await);
}
