//! Relations: asking about related rows, and loading them.

use cormorant::prelude::*;
use cormorant::{ErrorKind, Result};
use cormorant_conformance::{Fixture, conformance};

#[derive(Model, Clone, Debug, PartialEq)]
#[model(table = "rel_users")]
struct User {
    id: i64,
    name: String,
    #[model(via = author)]
    posts: HasMany<Post>,
    #[model(via = editor)]
    edited: HasMany<Post>,
    profile: HasOne<Profile>,
}

#[derive(Model, Clone, Debug, PartialEq)]
#[model(table = "rel_profiles")]
struct Profile {
    id: i64,
    user: OneToOne<User>,
    bio: String,
}

#[derive(Model, Clone, Debug, PartialEq)]
#[model(table = "rel_posts")]
struct Post {
    id: i64,
    #[model(on_delete = cascade)]
    author: ForeignKey<User>,
    editor: Option<ForeignKey<User>>,
    title: String,
    #[model(default = 0)]
    views: i64,
    comments: HasMany<Comment>,
    tags: ManyToMany<Tag>,
}

#[derive(Model, Clone, Debug, PartialEq)]
#[model(table = "rel_comments")]
struct Comment {
    id: i64,
    #[model(on_delete = cascade)]
    post: ForeignKey<Post>,
    body: String,
    approved: bool,
}

#[derive(Model, Clone, Debug, PartialEq)]
#[model(table = "rel_tags")]
struct Tag {
    id: i64,
    #[model(unique)]
    name: String,
    posts: ManyToMany<Post>,
}

/// Linked with itself, and with data on the links.
#[derive(Model, Clone, Debug, PartialEq)]
#[model(table = "rel_people")]
struct Person {
    id: i64,
    name: String,
    #[model(inverse = followers)]
    follows: ManyToMany<Person>,
    #[model(inverse = follows)]
    followers: ManyToMany<Person>,
    #[model(through = Friendship, via = one)]
    friends: ManyToMany<Person>,
    boss: Option<ForeignKey<Person>>,
    staff: HasMany<Person>,
}

#[derive(Model, Clone, Debug, PartialEq)]
#[model(table = "rel_friendships")]
struct Friendship {
    #[model(key)]
    one: ForeignKey<Person>,
    #[model(key)]
    other: ForeignKey<Person>,
    since: i64,
}

/// Two users, four posts, comments and tags.
async fn seed(test: &Fixture) -> Result<()> {
    let db = &test.db;
    db.create(models![User, Profile, Post, Comment, Tag]).await?;
    let ann = User::builder().name("Ann").insert(db).await?;
    let bob = User::builder().name("Bob").insert(db).await?;
    User::builder().name("Cid").insert(db).await?;
    Profile::builder().user(&ann).bio("birds").insert(db).await?;
    let mut posts = Vec::new();
    for (author, editor, title, views) in
        [(&ann, Some(&bob), "Hello", 3), (&ann, None, "Ann", 5), (&bob, Some(&ann), "Bye", 2), (&bob, None, "Bob", 7)]
    {
        let post = Post::builder().author(author).editor(editor.map(ForeignKey::from)).title(title).views(views);
        posts.push(post.insert(db).await?);
    }
    for (post, body, approved) in [(0, "a", true), (0, "b", true), (0, "c", false), (0, "d", true), (2, "e", true)] {
        Comment::builder().post(&posts[post]).body(body).approved(approved).insert(db).await?;
    }
    let rust = Tag::builder().name("rust").insert(db).await?;
    let spam = Tag::builder().name("spam").insert(db).await?;
    Tag::builder().name("none").insert(db).await?;
    for (post, tag) in [(0, &rust), (0, &spam), (1, &rust), (3, &spam)] {
        let (post, tag) = (posts[post].id, tag.id);
        sql!("INSERT INTO rel_posts_rel_tags (post_id, tag_id) VALUES ({post}, {tag})").execute(db).await?;
    }
    test.statements();
    Ok(())
}

conformance! {
    async fn a_query_asks_about_related_rows(test: &Fixture) {
        seed(test).await?;
        let db = &test.db;
        let names = async |query: cormorant::Query<User, User>| {
            query.order_by(|u| u.id().asc()).select(|u| u.name()).all(db).await
        };
        assert_eq!(names(User::filter(|u| u.posts().any(|p| p.views().gt(5)))).await?, ["Bob"]);
        assert_eq!(names(User::filter(|u| u.posts().none(|p| p.views().gt(5)))).await?, ["Ann", "Cid"]);
        assert_eq!(names(User::filter(|u| u.posts().all(|p| p.views().gt(2)))).await?, ["Ann", "Cid"]);
        assert_eq!(names(User::filter(|u| u.posts().count().eq(2))).await?, ["Ann", "Bob"]);
        assert_eq!(names(User::filter(|u| u.edited().any(|p| p.title().eq("Bye")))).await?, ["Ann"]);
        assert_eq!(names(User::filter(|u| u.posts().any(|p| p.title().eq(u.name().outer())))).await?, ["Ann", "Bob"]);
        assert_eq!(names(User::filter(|u| u.posts().any(|p| p.comments().any(|c| c.body().eq("e"))))).await?, ["Bob"]);
        // The user's name two queries deeper, and the post's one deeper.
        let deep = User::filter(|u| {
            u.posts().any(|p| p.comments().none(|c| c.body().eq(u.name().outer().outer()) & c.id().eq(p.id().outer())))
        });
        assert_eq!(names(deep).await?, ["Ann", "Bob"]);
        assert_eq!(names(User::filter(|u| u.profile().bio().eq("birds"))).await?, ["Ann"]);
        assert_eq!(names(User::filter(|u| u.profile().is_null())).await?, ["Bob", "Cid"]);
        let titles = Post::filter(|p| p.tags().any(|t| t.name().eq("rust")) & p.tags().none(|t| t.name().eq("spam")));
        assert_eq!(titles.select(|p| p.title()).all(db).await?, ["Ann"]);
        let by_author = Post::filter(|p| p.author().posts().any(|other| other.title().eq("Bye")));
        assert_eq!(by_author.order_by(|p| p.id().asc()).select(|p| p.title()).all(db).await?, ["Bye", "Bob"]);
    }

    async fn related_rows_are_counted_and_summed(test: &Fixture) {
        seed(test).await?;
        let db = &test.db;
        type Figures = (String, i64, Option<i64>, Option<f64>, Option<i64>, Option<String>);
        let figures: Vec<Figures> = User::query()
            .order_by(|u| (u.posts().count().desc(), u.id().asc()))
            .select(|u| {
                let posts = || u.posts();
                (
                    u.name(),
                    posts().filter(|p| p.views().gt(2)).count(),
                    posts().sum(|p| p.views()),
                    posts().avg(|p| p.views()),
                    posts().min(|p| p.views()),
                    posts().max(|p| p.title()),
                )
            })
            .all(db)
            .await?;
        let text = |text: &str| Some(text.to_owned());
        assert_eq!(figures, [
            ("Ann".to_owned(), 2, Some(8), Some(4.0), Some(3), text("Hello")),
            ("Bob".to_owned(), 1, Some(9), Some(4.5), Some(2), text("Bye")),
            ("Cid".to_owned(), 0, None, None, None, None),
        ]);
        let tags: Vec<(Record<Post>, i64)> =
            Post::query().order_by(|p| p.id().asc()).select(|p| (p, p.tags().count())).all(db).await?;
        assert_eq!(tags.iter().map(|(_, tags)| *tags).collect::<Vec<_>>(), [2, 1, 0, 1]);
        assert_eq!(test.statements().len(), 2);
    }

    async fn included_rows_are_there(test: &Fixture) {
        seed(test).await?;
        let db = &test.db;
        let posts = Post::query()
            .include(|p| p.author().profile())
            .include(|p| p.editor())
            .include(|p| p.comments().filter(|c| c.approved().eq(true)).order_by(|c| c.id().desc()).limit(2))
            .include(|p| p.tags().order_by(|t| t.name().asc()).include(|t| t.posts().order_by(|p| p.id().asc())))
            .order_by(|p| p.id().asc())
            .all(db)
            .await?;
        assert_eq!(test.statements().len(), 7, "posts, author, profile, editor, comments, tags, their posts");
        let authors: Vec<&str> = posts.iter().map(|p| p.author.get().unwrap().name.as_str()).collect();
        assert_eq!(authors, ["Ann", "Ann", "Bob", "Bob"]);
        let bios: Vec<_> = posts.iter().map(|p| p.author.get().unwrap().profile.get().unwrap().is_some()).collect();
        assert_eq!(bios, [true, true, false, false]);
        let editors: Vec<Option<&str>> =
            posts.iter().map(|p| p.editor.as_ref().map(|e| e.get().unwrap().name.as_str())).collect();
        assert_eq!(editors, [Some("Bob"), None, Some("Ann"), None]);
        let comments: Vec<Vec<&str>> =
            posts.iter().map(|p| p.comments.get().unwrap().iter().map(|c| c.body.as_str()).collect()).collect();
        assert_eq!(comments, [vec!["d", "b"], vec![], vec!["e"], vec![]]);
        let tags: Vec<Vec<(&str, Vec<i64>)>> = posts
            .iter()
            .map(|p| {
                let tags = p.tags.get().unwrap().iter();
                tags.map(|t| (t.name.as_str(), t.posts.get().unwrap().iter().map(|p| p.id).collect())).collect()
            })
            .collect();
        let (rust, spam) = (("rust", vec![1, 2]), ("spam", vec![1, 4]));
        assert_eq!(tags, [vec![rust.clone(), spam.clone()], vec![rust], vec![], vec![spam]]);
    }

    async fn a_relation_that_was_not_loaded_says_what_to_write(test: &Fixture) {
        seed(test).await?;
        let db = &test.db;
        let mut post = Post::get(db, 1).await?;
        let refused = post.comments.get().unwrap_err();
        assert_eq!(refused.kind(), ErrorKind::NotLoaded);
        assert_eq!(
            refused.to_string(),
            "Post.comments is not loaded: add `.include(|p| p.comments())` to the query, or call `post.comments().all(&db)`"
        );
        assert_eq!(
            post.author.get().unwrap_err().to_string(),
            "Post.author is not loaded: add `.include(|p| p.author())` to the query, or call `post.load(&db, |p| p.author())`"
        );
        post.load(db, |p| p.author()).await?;
        post.load(db, |p| p.comments()).await?;
        assert_eq!((post.author.get()?.name.as_str(), post.comments.get()?.len()), ("Ann", 4));
        assert!(!post.is_changed());
        let mut posts = Post::query().all(db).await?;
        test.statements();
        load_all(&mut posts, db, |p| p.tags()).await?;
        assert_eq!(test.statements().len(), 1);
        assert_eq!(posts.iter().map(|p| p.tags.get().unwrap().len()).sum::<usize>(), 4);
        let twice = Post::query().include(|p| p.tags()).include(|p| p.tags().limit(1)).all(db).await.unwrap_err();
        assert_eq!(twice.kind(), ErrorKind::Misuse, "{twice}");
    }

    async fn verbs_change_links(test: &Fixture) {
        seed(test).await?;
        let db = &test.db;
        let post = Post::filter(|p| p.id().eq(1)).include(|p| p.tags()).one(db).await?;
        let none = Tag::filter(|t| t.name().eq("none")).one(db).await?;
        let names = async || post.tags().query().order_by(|t| t.name().asc()).select(|t| t.name()).all(db).await;
        test.statements();
        post.tags().add(db, [&none, &none]).await?;
        assert_eq!(test.statements().len(), 1);
        let refused = post.tags.get().unwrap_err();
        assert_eq!(
            refused.to_string(),
            "Post.tags is not loaded: it was loaded, and changed in the database since: load it again"
        );
        post.tags().add(db, [&none]).await?; // it is linked already
        assert_eq!(names().await?, ["none", "rust", "spam"]);
        post.tags().remove(db, [1, 2]).await?;
        assert_eq!(names().await?, ["none"]);
        test.statements();
        post.tags().set(db, [1, 3]).await?;
        let sent = test.statements();
        assert_eq!(sent.len(), 2, "SELECT, INSERT: {sent:?}");
        assert_eq!(names().await?, ["none", "rust"]);
        post.tags().set(db, [2]).await?;
        assert_eq!(names().await?, ["spam"]);
        let new = post.tags().create(db, Tag::builder().name("new")).await?;
        assert_eq!((names().await?, post.tags().count(db).await?), (vec!["new".to_owned(), "spam".to_owned()], 2));
        assert_eq!(new.posts().all(db).await?.len(), 1);
        assert_eq!(post.tags().filter(|t| t.name().starts_with("n")).count(db).await?, 1);
        let missing = post.tags().add(db, [99]).await.unwrap_err();
        assert_eq!(missing.kind(), ErrorKind::ForeignKey, "{missing}");
        post.tags().clear(db).await?;
        assert_eq!(names().await?, [""; 0]);
        // All or nothing: the tag is not kept without its link, nor the link without the tag.
        let twice = post.tags().create(db, Tag::builder().name("rust")).await.unwrap_err();
        assert_eq!(twice.kind(), ErrorKind::Unique, "{twice}");
        let unsaved = Record::new(Post::builder().author(1).title("x").build());
        let refused = unsaved.tags().add(db, [&new]).await.unwrap_err();
        assert!(refused.to_string().contains("the Post is not saved yet: insert it first"), "{refused}");
        let refused = unsaved.tags().all(db).await.unwrap_err();
        assert!(refused.to_string().contains("the Post is not saved yet: insert it first"), "{refused}");
    }

    async fn verbs_change_children(test: &Fixture) {
        seed(test).await?;
        let db = &test.db;
        let ann = User::filter(|u| u.name().eq("Ann")).include(|u| u.edited()).one(db).await?;
        let bob = User::filter(|u| u.name().eq("Bob")).one(db).await?;
        let titles = async |user: &User| user.edited().query().order_by(|p| p.id().asc()).select(|p| p.title()).all(db).await;
        assert_eq!(titles(&ann).await?, ["Bye"]);
        test.statements();
        ann.edited().add(db, [1, 2]).await?;
        assert_eq!(test.statements().len(), 1);
        assert!(!ann.edited.is_loaded());
        assert_eq!(titles(&ann).await?, ["Hello", "Ann", "Bye"]);
        ann.edited().remove(db, [1]).await?;
        bob.edited().remove(db, [2]).await?; // that one is Ann's
        assert_eq!(titles(&ann).await?, ["Ann", "Bye"]);
        ann.edited().set(db, [3, 4]).await?;
        assert_eq!(titles(&ann).await?, ["Bye", "Bob"]);
        let new = ann.edited().create(db, |post| post.author(&bob).title("New")).await?;
        assert_eq!(new.editor, Some(ForeignKey::from(&ann)));
        assert_eq!(ann.posts().create(db, |post| post.title("Own")).await?.author, ForeignKey::from(&ann));
        assert_eq!(ann.posts().count(db).await?, 3);
        ann.edited().clear(db).await?;
        assert_eq!(titles(&ann).await?, [""; 0]);
        let refused = ann.posts().clear(db).await.unwrap_err();
        assert_eq!(refused.kind(), ErrorKind::Misuse);
        assert_eq!(
            refused.to_string(),
            "Post.author is never NULL, so a row cannot be without it: delete the rows, or add them to another"
        );
        let stale = ann.edited().add(db, [1, 99]).await.unwrap_err();
        assert!(stale.is_stale(), "{stale}");
    }

    async fn queries_stand_inside_others(test: &Fixture) {
        use cormorant::expr::exists;
        seed(test).await?;
        let db = &test.db;
        let by_name = Tag::filter(|t| exists(Post::filter(|p| p.title().eq(t.name().outer()))));
        assert_eq!(by_name.count(db).await?, 0);
        let authors = User::filter(|u| exists(Post::filter(|p| p.author().id().eq(u.id().outer()) & p.views().gt(5))));
        assert_eq!(authors.select(|u| u.name()).all(db).await?, ["Bob"]);
        // Each author's most read post, by a value from a query over the same table.
        let most = Post::filter(|p| {
            let own = Post::filter(|other| other.author().id().eq(p.author().id().outer()));
            p.views().eq(own.select(|other| other.views().max()).value().or(0))
        });
        assert_eq!(most.order_by(|p| p.id().asc()).select(|p| p.title()).all(db).await?, ["Ann", "Bob"]);
        // The first of several rows, in the query's order, and NULL where there is none.
        let firsts: Vec<(String, Option<String>)> = User::query()
            .order_by(|u| u.id().asc())
            .select(|u| {
                let posts = Post::filter(|p| p.author().id().eq(u.id().outer())).order_by(|p| p.views().desc());
                (u.name(), posts.select(|p| p.title()).value())
            })
            .all(db)
            .await?;
        let text = |text: &str| text.to_owned();
        assert_eq!(firsts, [
            (text("Ann"), Some(text("Ann"))),
            (text("Bob"), Some(text("Bob"))),
            (text("Cid"), None),
        ]);
        assert_eq!(Post::filter(|p| p.tags().any(|t| t.name().eq("spam"))).delete(db).await?, 2);
        let touched = User::filter(|u| u.posts().count().eq(1)).update(db, |u| u.name().set("one")).await?;
        assert_eq!(touched, 2);
        assert!(User::filter(|u| u.posts().any(|p| p.title().eq("Bye"))).exists(db).await?);
        assert_eq!(User::filter(|u| u.posts().any(|p| p.views().gt(0))).page(1, 1).all(db).await?.len(), 1);
    }

    async fn a_model_is_related_with_itself(test: &Fixture) {
        let db = &test.db;
        db.create(models![Person, Friendship]).await?;
        let ann = Person::builder().name("Ann").insert(db).await?;
        let bob = Person::builder().name("Bob").boss(&ann).insert(db).await?;
        let cid = Person::builder().name("Cid").boss(&bob).insert(db).await?;
        ann.follows().add(db, [&bob, &cid]).await?;
        bob.follows().add(db, [&ann]).await?;
        cid.followers().add(db, [&bob]).await?;
        ann.friends().link(db, |link| link.other(&cid).since(1999)).await?;
        let mut people = Person::query()
            .include(|p| p.follows().order_by(|f| f.id().asc()))
            .include(|p| p.followers().order_by(|f| f.id().asc()).include(|f| f.boss()))
            .include(|p| p.friends())
            .include(|p| p.staff().include(|s| s.staff()))
            .order_by(|p| p.id().asc())
            .all(db)
            .await?;
        let names = |rows: &[Record<Person>]| rows.iter().map(|p| p.name.clone()).collect::<Vec<_>>().join(" ");
        let seen: Vec<_> = people
            .iter()
            .map(|p| [&p.follows, &p.followers, &p.friends, &p.staff].map(|rows| names(rows.get().unwrap())))
            .collect();
        assert_eq!(seen, [["Bob Cid", "Bob", "Cid", "Bob"], ["Ann Cid", "Ann", "", "Cid"], ["", "Ann Bob", "", ""]]);
        assert_eq!(names(people[0].staff.get()?[0].staff.get()?), "Cid");
        assert_eq!(people[2].followers.get()?[1].boss.as_ref().unwrap().get()?.name, "Ann");
        assert_eq!(Person::filter(|p| p.follows().any(|f| f.boss().name().eq("Ann"))).count(db).await?, 1);
        assert_eq!(Person::filter(|p| p.friends().any(|f| f.name().eq("Cid"))).one(db).await?.id, ann.id);
        // What was loaded is a row like any other.
        people[0].staff.get_mut()?[0].name = "Robert".to_owned();
        people[0].staff.get_mut()?[0].save(db).await?;
        assert_eq!(Person::get(db, bob.id).await?.name, "Robert");
    }
}
