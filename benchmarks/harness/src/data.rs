//! Tables and rows, the same for everybody. The tables are those of Diesel's own benchmarks.

use crate::place::CHECKED;
use crate::{Backend, Case};

/// The colour that the medium complex query asks for.
pub const WANTED_COLOR: &str = "black";

/// How many users there are where a case reads or changes single ones; their keys are 1 to this.
const USERS: usize = 1_000;

/// How many posts each user has, and comments each post, where they have any.
pub const OF_EACH: usize = 10;

/// A user that is not in the database yet, as a program holds it.
pub struct NewUser {
    pub name: String,
    pub hair_color: Option<String>,
}

/// New users. Making them is part of the operation that inserts them: who needs them in another struct pays for it.
pub fn new_users(rows: usize) -> impl ExactSizeIterator<Item = NewUser> {
    (0..rows).map(|n| NewUser { name: format!("User {n}"), hair_color: Some("hair_color".to_owned()) })
}

/// A post that is not in the database yet, of a user that need not be either.
pub struct NewPost {
    /// Where its user is in their list.
    pub user: usize,
    pub title: String,
    pub body: Option<String>,
}

/// New posts, ten for each of so many users. As with users, making them is a part of what is measured.
pub fn new_posts(users: usize) -> impl ExactSizeIterator<Item = NewPost> {
    (0..users * OF_EACH).map(|n| {
        let (user, n) = (n / OF_EACH, n % OF_EACH);
        NewPost { user, title: format!("Post {n} by user {user}"), body: Some("body".to_owned()) }
    })
}

/// Keys of users, one after the other, spread over the table.
pub struct Keys(usize);

impl Keys {
    pub fn new() -> Self {
        Self(0)
    }

    pub fn next_key(&mut self) -> i32 {
        self.0 = (self.0 + 37) % USERS;
        self.0 as i32 + 1
    }

    /// The keys that are looked up at once.
    pub fn at_once() -> impl ExactSizeIterator<Item = i32> + Clone {
        (0..32).map(|n| n * 31 + 1)
    }
}

impl Default for Keys {
    fn default() -> Self {
        Self::new()
    }
}

/// Colours to dye hair in: never the same twice in a row.
#[derive(Default)]
pub struct Colors(bool);

impl Colors {
    pub fn new() -> Self {
        Self::default()
    }

    pub fn next_color(&mut self) -> Option<String> {
        self.0 = !self.0;
        Some(if self.0 { "red" } else { "green" }.to_owned())
    }
}

/// Colours for everybody at once: each another one, and never the one they had.
#[derive(Default)]
pub struct OwnColors(usize);

impl OwnColors {
    pub fn new() -> Self {
        Self::default()
    }

    pub fn next_colors(&mut self) -> impl Iterator<Item = Option<String>> + use<> {
        self.0 += 1;
        let round = self.0;
        (0..).map(move |n| Some(format!("color {round:08} of {n}")))
    }
}

/// The statements that make the tables of a case and fill them. They bind nothing, and each is one line.
pub fn set_up(backend: Backend, case: Case, rows: usize) -> Vec<String> {
    let mut statements: Vec<String> = schema(backend).iter().map(|&statement| statement.to_owned()).collect();
    statements.extend(match case {
        Case::TrivialQuery => users(rows, |_| "NULL"),
        Case::MediumComplexQuery | Case::HasMany | Case::ThreeLevels => users(rows, alternating),
        Case::Insert | Case::CommitGraph | Case::DeleteGraph => Vec::new(),
        _ => users(USERS, alternating),
    });
    if case.is_relations() {
        statements.extend(posts(rows));
        statements.extend(if case == Case::ThreeLevels { comments(rows * OF_EACH) } else { Vec::new() });
    }
    if case.is_unit_of_work() {
        statements.extend(CHECKED.map(str::to_owned));
    }
    if case.is_relations() || case.is_unit_of_work() {
        statements.extend(indexes(backend).iter().map(|&statement| statement.to_owned()));
    }
    if backend == Backend::Postgres {
        statements.push("VACUUM ANALYZE users, posts, comments".to_owned());
    }
    statements
}

fn schema(backend: Backend) -> [&'static str; 6] {
    let [users, posts, comments] = match backend {
        Backend::Sqlite => [
            "CREATE TABLE users (id INTEGER PRIMARY KEY AUTOINCREMENT NOT NULL, name TEXT NOT NULL, hair_color TEXT)",
            "CREATE TABLE posts (id INTEGER PRIMARY KEY AUTOINCREMENT NOT NULL, user_id INTEGER NOT NULL \
             REFERENCES users (id), title TEXT NOT NULL, body TEXT)",
            "CREATE TABLE comments (id INTEGER PRIMARY KEY AUTOINCREMENT NOT NULL, post_id INTEGER NOT NULL \
             REFERENCES posts (id), text TEXT NOT NULL)",
        ],
        Backend::Postgres => [
            "CREATE TABLE users (id SERIAL PRIMARY KEY, name TEXT NOT NULL, hair_color TEXT)",
            "CREATE TABLE posts (id SERIAL PRIMARY KEY, user_id INTEGER NOT NULL REFERENCES users (id), \
             title TEXT NOT NULL, body TEXT)",
            "CREATE TABLE comments (id SERIAL PRIMARY KEY, post_id INTEGER NOT NULL REFERENCES posts (id), \
             text TEXT NOT NULL)",
        ],
        Backend::Mariadb => [
            "CREATE TABLE users (id INTEGER PRIMARY KEY AUTO_INCREMENT, name TEXT NOT NULL, hair_color TEXT) \
             CHARACTER SET utf8mb4",
            "CREATE TABLE posts (id INTEGER PRIMARY KEY AUTO_INCREMENT, user_id INTEGER NOT NULL, \
             title TEXT NOT NULL, body TEXT, FOREIGN KEY (user_id) REFERENCES users (id)) CHARACTER SET utf8mb4",
            "CREATE TABLE comments (id INTEGER PRIMARY KEY AUTO_INCREMENT, post_id INTEGER NOT NULL, \
             text TEXT NOT NULL, FOREIGN KEY (post_id) REFERENCES posts (id)) CHARACTER SET utf8mb4",
        ],
    };
    let [first, second, third] =
        ["DROP TABLE IF EXISTS comments", "DROP TABLE IF EXISTS posts", "DROP TABLE IF EXISTS users"];
    [first, second, third, users, posts, comments]
}

/// Those that a program which follows foreign keys backwards has. MariaDB makes them of itself.
fn indexes(backend: Backend) -> &'static [&'static str] {
    match backend {
        Backend::Mariadb => &[],
        Backend::Sqlite | Backend::Postgres => {
            &["CREATE INDEX posts_user_id ON posts (user_id)", "CREATE INDEX comments_post_id ON comments (post_id)"]
        }
    }
}

/// The first user is the one whose hair has the colour that is asked for.
fn alternating(n: usize) -> &'static str {
    if n.is_multiple_of(2) { "'black'" } else { "'brown'" }
}

fn users(rows: usize, hair_color: fn(usize) -> &'static str) -> Vec<String> {
    inserts("users (name, hair_color)", rows, |n| format!("('User {n}', {})", hair_color(n)))
}

/// Of each user so many, one user after the other.
fn posts(users: usize) -> Vec<String> {
    inserts("posts (user_id, title)", users * OF_EACH, |n| {
        let (user, n) = (n / OF_EACH + 1, n % OF_EACH);
        format!("({user}, 'Post {n} by user {user}')")
    })
}

fn comments(posts: usize) -> Vec<String> {
    inserts("comments (post_id, text)", posts * OF_EACH, |n| {
        let (post, n) = (n / OF_EACH + 1, n % OF_EACH);
        format!("({post}, 'Comment {n} on post {post}')")
    })
}

fn inserts(columns: &str, rows: usize, values: impl Fn(usize) -> String) -> Vec<String> {
    let numbers: Vec<usize> = (0..rows).collect();
    let insert = |chunk: &[usize]| {
        let rows: Vec<String> = chunk.iter().map(|&n| values(n)).collect();
        format!("INSERT INTO {columns} VALUES {}", rows.join(", "))
    };
    numbers.chunks(500).map(insert).collect()
}
