//! Queries that grow up: relation paths, nested loading, aggregates, set-based writes, transactions, raw SQL.
use cormorant::prelude::*;

#[derive(Model, Clone, Debug)]
struct User {
    id: i64,
    #[model(unique, max_length = 80)]
    email: String,
    name: String,
    #[model(via = author)]
    posts: HasMany<Post>, // the other side of Post.author; `via` because Post has two keys to User
}

#[derive(Model, Clone, Debug)]
struct Post {
    id: i64,
    #[model(on_delete = cascade)]
    author: ForeignKey<User>, // column author_id, indexed
    editor: Option<ForeignKey<User>>,
    title: String,
    status: Status,
    #[model(default = 0)]
    views: i64,
    published_at: Option<Timestamp>,
    comments: HasMany<Comment>,
    tags: ManyToMany<Tag>,
}

#[derive(Model, Clone, Debug)]
struct Comment {
    id: i64,
    #[model(on_delete = cascade)]
    post: ForeignKey<Post>,
    body: String,
    approved: bool,
}

#[derive(Model, Clone, Debug)]
struct Tag {
    id: i64,
    #[model(unique)]
    name: String,
    posts: ManyToMany<Post>,
}

#[derive(DbEnum, Clone, Copy, Debug, PartialEq)]
enum Status {
    Draft,
    Published,
}

/// A reusable filter is a plain function.
fn published(p: PathOf<Post>) -> Predicate<Post> {
    p.status().eq(Status::Published) & p.published_at().is_not_null()
}

async fn tour(db: &Database) -> cormorant::Result<()> {
    let bob = User::builder().email("bob@example.org").name("Bob").insert(db).await?;
    Post::builder()
        .author(&bob)
        .title("Hello")
        .status(Status::Published)
        .published_at(Timestamp::now())
        .insert(db)
        .await?;

    // A filter follows relations; the join is written for you, once.
    let posts = Post::filter(|p| p.author().name().eq("Bob") & p.tags().none(|t| t.name().eq("spam")))
        .filter(published)
        .include(|p| p.author())
        .include(|p| p.comments().filter(|c| c.approved().eq(true)).order_by(|c| c.id().desc()).limit(3)) // 3 per post
        .order_by(|p| p.published_at().desc())
        .page(1, 20)
        .all(db)
        .await?;
    println!("{} posts by {}", posts.len(), posts[0].author.get()?.name);

    // Select what you need: tuples, or any struct that derives FromRow.
    let busiest: Vec<(String, i64, Option<i64>)> = User::query()
        .select(|u| (u.name(), u.posts().count(), u.posts().sum(|p| p.views())))
        .filter(|u| u.posts().count().gt(0))
        .order_by(|u| u.posts().count().desc())
        .limit(10)
        .all(db)
        .await?;
    let per_status: Vec<(Status, i64)> =
        Post::query().group_by(|p| p.status()).select(|p| (p.status(), count())).all(db).await?;
    let with_comments: Vec<(Record<Post>, i64)> = Post::query().select(|p| (p, p.comments().count())).all(db).await?;
    let editors: Vec<Option<String>> = Post::query().select(|p| p.editor().name()).all(db).await?; // nullable hop: Option
    let namesakes = User::filter(|u| u.posts().any(|p| p.title().eq(u.name().outer()))).count(db).await?;
    println!("{busiest:?} {per_status:?} {} {editors:?} {namesakes}", with_comments.len());

    // Set-based writes never load a row.
    let touched = Post::filter(|p| p.author().eq(&bob)).update(db, |p| p.views().set(p.views() + 1)).await?;
    let (user, created) = User::builder().email("ann@example.org").name("Ann").get_or_insert(db, |u| u.email()).await?;
    println!("{touched} {} {created}", user.name); // one INSERT … ON CONFLICT DO NOTHING, then a SELECT only if it was there

    // A transaction is a closure; `?` rolls it back; nesting is a savepoint.
    db.transaction(async |tx| {
        let mut post = Post::filter(|p| p.title().eq("Hello")).lock(Lock::Update).one(tx).await?;
        post.views += 1;
        post.save(tx).await?;
        tx.transaction(async |inner| Comment::builder().post(&post).body("Nice").approved(true).insert(inner).await)
            .await?;
        Ok(())
    })
    .await?;

    // When SQL says it best. The braces are bound as parameters, whatever they hold.
    let pattern = "%ell%";
    let rows: Vec<(i64, String)> =
        sql!("SELECT id, title FROM posts WHERE title LIKE {pattern} ORDER BY id").all(db).await?;
    println!("{rows:?}");
    Ok(())
}

#[tokio::main]
async fn main() -> cormorant::Result<()> {
    let url = std::env::var("DATABASE_URL").unwrap_or("sqlite::memory:".into()); // an empty database
    let db = Database::connect(&url).await?;
    db.create_all().await?;
    tour(&db).await
}
