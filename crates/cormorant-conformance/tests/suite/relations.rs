//! Relations: asking about related rows, and loading them.

use cormorant::prelude::*;
use cormorant::{ErrorKind, Result};
use cormorant_conformance::{Backend, Fixture, conformance};

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

#[derive(Model, Clone, Debug, PartialEq)]
#[model(table = "rel_guests")]
struct Guest {
    id: i64,
    visits: HasMany<Visit>,
}

/// Its key has two columns.
#[derive(Model, Clone, Debug, PartialEq)]
#[model(table = "rel_visits")]
struct Visit {
    #[model(key)]
    place: i64,
    #[model(key)]
    day: i64,
    guest: Option<ForeignKey<Guest>>,
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
        assert_eq!(
            User::get(db, 1).await?.profile.get().unwrap_err().to_string(),
            "User.profile is not loaded: add `.include(|u| u.profile())` to the query, or call `user.load(&db, |u| u.profile())`"
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

#[derive(Model, Clone, Debug, PartialEq)]
#[model(table = "rel_students")]
struct Student {
    id: i64,
    boss: Option<ForeignKey<Student>>,
    team: HasMany<Student>,
    #[model(through = Enrollment)]
    courses: ManyToMany<Course>,
    #[model(default = 0)]
    size: i64,
}

#[derive(Model, Clone, Debug, PartialEq)]
#[model(table = "rel_courses")]
struct Course {
    id: String,
    name: String,
}

/// Links with data of their own: the same two may be linked twice, and a link may lead nowhere.
#[derive(Model, Clone, Debug, PartialEq)]
#[model(table = "rel_enrollments")]
struct Enrollment {
    id: i64,
    student: ForeignKey<Student>,
    course: Option<ForeignKey<Course>>,
    #[model(default = 1)]
    year: i64,
}

#[derive(Model, Clone, Debug, PartialEq)]
#[model(table = "rel_members")]
struct Member {
    id: i64,
    #[model(through = Membership)]
    clubs: ManyToMany<Club>,
}

#[derive(Model, Clone, Debug, PartialEq)]
#[model(table = "rel_clubs")]
struct Club {
    id: i64,
    #[model(through = Membership)]
    members: ManyToMany<Member>,
}

#[derive(Model, Clone, Debug, PartialEq)]
#[model(table = "rel_memberships", unique(member, club))]
struct Membership {
    id: i64,
    member: ForeignKey<Member>,
    club: ForeignKey<Club>,
    #[model(default = true)]
    paid: bool,
}

async fn seed_courses(test: &Fixture) -> Result<()> {
    let db = &test.db;
    db.create(models![Student, Course, Enrollment]).await?;
    let ann = Student::builder().insert(db).await?;
    let bob = ann.team().create(db, |student| student).await?;
    for id in ["a", "b"] {
        Course::builder().id(id).name(id).insert(db).await?;
    }
    for (student, course) in [(&ann, Some("a")), (&ann, None), (&bob, Some("a")), (&bob, Some("b"))] {
        Enrollment::builder().student(student).course(course.map(|c| ForeignKey::to(c.to_owned()))).insert(db).await?;
    }
    test.statements();
    Ok(())
}

conformance! {
    async fn a_link_that_leads_nowhere_is_none(test: &Fixture) {
        seed_courses(test).await?;
        let db = &test.db;
        let students = Student::query().order_by(|s| s.id().asc()).include(|s| s.courses()).all(db).await?;
        assert_eq!(students.iter().map(|s| s.courses.get().unwrap().len()).collect::<Vec<_>>(), [1, 2]);
        let firsts = Student::query().order_by(|s| s.id().asc()).include(|s| s.courses().limit(1)).all(db).await?;
        assert_eq!(firsts.iter().map(|s| s.courses.get().unwrap()[0].id.as_str()).collect::<Vec<_>>(), ["a", "a"]);
        let counts = Student::query().order_by(|s| s.id().asc()).select(|s| s.courses().count()).all(db).await?;
        assert_eq!(counts, [1, 2]);
        let others = Student::filter(|s| s.courses().all(|c| c.name().eq("a"))).select(|s| s.id()).all(db).await?;
        assert_eq!(others, [1]);
        assert_eq!(students[0].courses().count(db).await?, 1);
    }

    async fn verbs_change_links_that_are_models(test: &Fixture) {
        seed_courses(test).await?;
        let db = &test.db;
        let ann = Student::get(db, 1).await?;
        // Nothing would say that two are linked already.
        let refused = ann.courses().add(db, ["b".to_owned()]).await.unwrap_err();
        assert_eq!(refused.kind(), ErrorKind::Misuse);
        assert_eq!(
            refused.to_string(),
            "two rows may be linked twice by Enrollment: insert rows of Enrollment, or say `#[model(unique(student, course))]` there, and this links them once"
        );
        assert_eq!(ann.courses().set(db, ["a".to_owned(), "b".to_owned()]).await.unwrap_err().kind(), ErrorKind::Misuse);
        ann.courses().set(db, ["a".to_owned()]).await?; // it is linked already
        assert_eq!(ann.courses().query().select(|c| c.id()).all(db).await?, ["a"]);
        ann.courses().remove(db, ["a".to_owned()]).await?;
        assert_eq!(ann.courses().count(db).await?, 0);
        assert_eq!(Enrollment::filter(|e| e.student().id().eq(1)).count(db).await?, 1);
        // Once they are unique together.
        db.create(models![Member, Club, Membership]).await?;
        let (member, club) = (Member::builder().insert(db).await?, Club::builder().insert(db).await?);
        member.clubs().add(db, [&club]).await?;
        member.clubs().add(db, [&club]).await?;
        assert_eq!((member.clubs().count(db).await?, Membership::query().count(db).await?), (1, 1));
        assert_eq!(club.members().all(db).await?[0].id, member.id);
    }

    async fn models_of_two_functions_have_links_of_their_own(test: &Fixture) {
        let db = &test.db;
        async fn by_number(db: &Database) -> Result<String> {
            #[derive(Model)]
            struct Shelf { id: i64, jars: ManyToMany<Jar> }
            #[derive(Model)]
            struct Jar { id: i64, shelves: ManyToMany<Shelf> }
            let mut log = String::new();
            let jars = Shelf::filter(|s| s.jars().any(|j| j.id().eq(1)));
            log.push_str(&jars.to_sql(cormorant::Dialect::Sqlite)?);
            let shelf = Record::new(Shelf::builder().build());
            assert!(shelf.jars().all(db).await.is_err());
            assert!(Record::new(Jar::builder().build()).shelves().all(db).await.is_err());
            Ok(log)
        }
        by_number(db).await?;
        #[derive(Model)]
        struct Shelf { id: String, jars: ManyToMany<Jar> }
        #[derive(Model)]
        struct Jar { id: String, shelves: ManyToMany<Shelf> }
        db.create(models![Shelf, Jar]).await?;
        let shelf = Shelf::builder().id("top").insert(db).await?;
        shelf.jars().create(db, Jar::builder().id("jam")).await?;
        let jar = Jar::query().include(|j| j.shelves()).one(db).await?;
        assert_eq!(jar.shelves.get()?[0].id, "top");
    }

    async fn rows_are_grouped_by_relation_counts(test: &Fixture) {
        seed(test).await?;
        let db = &test.db;
        let sizes = User::query()
            .group_by(|u| u.posts().filter(|p| p.views().gt(1)).count())
            .order_by(|u| u.posts().filter(|p| p.views().gt(1)).count().asc())
            .select(|u| (u.posts().filter(|p| p.views().gt(1)).count(), count()));
        assert_eq!(sizes.all(db).await?, [(0, 1), (2, 2)]);
        let by_author = Post::query()
            .group_by(|p| p.author().id())
            .order_by(|p| p.author().id().asc())
            .select(|p| (p.author().id(), count(), p.author().posts().count()));
        assert_eq!(by_author.all(db).await?, [(1, 2, 2), (2, 2, 2)]);
    }

    async fn rows_are_changed_by_what_is_related(test: &Fixture) {
        seed(test).await?;
        seed_courses(test).await?;
        let db = &test.db;
        // The table that is changed is read, in the condition and in the value.
        let led = Student::filter(|s| s.team().any(|t| t.size().lt(5)));
        assert_eq!(led.update(db, |s| s.size().set(s.size() + 10)).await?, 1);
        assert_eq!(Student::query().order_by(|s| s.id().asc()).select(|s| s.size()).all(db).await?, [10, 0]);
        assert_eq!(Post::query().update(db, |p| p.views().set(p.comments().count())).await?, 4);
        assert_eq!(Post::query().order_by(|p| p.id().asc()).select(|p| p.views()).all(db).await?, [4, 0, 1, 0]);
        let popular = Post::filter(|p| p.comments().count().gt(0) & p.author().posts().any(|o| o.views().eq(0)));
        assert_eq!((popular.clone().count(db).await?, popular.clone().exists(db).await?), (2, true));
        assert_eq!(popular.clone().page(2, 1).select(|p| p.id()).all(db).await?, [3]);
        assert_eq!(popular.clone().order_by(|p| p.comments().count().desc()).limit(1).count(db).await?, 1);
        assert_eq!(popular.clone().order_by(|p| p.comments().filter(|c| c.body().ne("z")).count().desc()).count(db).await?, 2);
        assert_eq!(popular.clone().last(db).await?.map(|p| p.id), Some(3));
        assert_eq!(popular.delete(db).await?, 2);
        assert_eq!(Comment::query().count(db).await?, 0);
        assert_eq!(Student::filter(|s| s.team().none(|t| t.id().gt(0)) & s.boss().team().any(|t| t.size().eq(0))).select(|s| s.id()).all(db).await?, [2]);
    }

    async fn included_rows_are_neither_lost_nor_mixed(test: &Fixture) {
        seed(test).await?;
        let db = &test.db;
        let none = Post::query().include(|p| p.comments().limit(0)).include(|p| p.tags().limit(0)).all(db).await?;
        assert!(none.iter().all(|p| p.comments.get().unwrap().is_empty() && p.tags.get().unwrap().is_empty()));
        // Filters of the related rows that ask further, through a link as well.
        let posts = Post::query()
            .order_by(|p| p.id().asc())
            .include(|p| p.tags().order_by(|t| t.posts().count().desc()).order_by(|t| t.name().desc()).limit(1))
            .include(|p| p.comments().filter(|c| c.post().author().posts().any(|o| o.title().eq("Bye"))).limit(3))
            .all(db)
            .await?;
        let tags: Vec<_> = posts.iter().map(|p| p.tags.get().unwrap().first().map(|t| t.name.clone())).collect();
        assert_eq!(tags, [Some("spam".to_owned()), Some("rust".to_owned()), None, Some("spam".to_owned())]);
        assert_eq!(posts.iter().map(|p| p.comments.get().unwrap().len()).collect::<Vec<_>>(), [0, 0, 1, 0]);
        let tags = Tag::query()
            .order_by(|t| t.id().asc())
            .include(|t| t.posts().filter(|p| p.author().name().eq("Ann") & p.tags().any(|t| t.name().eq("rust"))).limit(5))
            .all(db)
            .await?;
        let ids: Vec<Vec<i64>> = tags.iter().map(|t| t.posts.get().unwrap().iter().map(|p| p.id).collect()).collect();
        assert_eq!(ids, [vec![1, 2], vec![1], vec![]]);
        // The same row twice among those that are filled.
        let mut twice = Post::filter(|p| p.id().eq(1)).all(db).await?;
        twice.extend(Post::query().order_by(|p| p.id().asc()).all(db).await?);
        load_all(&mut twice, db, |p| p.comments().order_by(|c| c.id().asc()).limit(2).include(|c| c.post())).await?;
        let bodies: Vec<Vec<&str>> =
            twice.iter().map(|p| p.comments.get().unwrap().iter().map(|c| c.body.as_str()).collect()).collect();
        assert_eq!(bodies, [vec!["a", "b"], vec!["a", "b"], vec![], vec!["e"], vec![]]);
        assert!(twice[1].comments.get()?.iter().all(|c| c.post.get().unwrap().id == 1));
        // Included twice, behind what is included twice.
        let refused = User::query()
            .include(|u| u.posts())
            .include(|u| u.posts().include(|p| p.tags()).include(|p| p.tags().limit(1)))
            .all(db)
            .await
            .unwrap_err();
        assert_eq!(refused.kind(), ErrorKind::Misuse, "{refused}");
    }

    async fn verbs_may_change_nothing(test: &Fixture) {
        seed(test).await?;
        let db = &test.db;
        let ann = User::filter(|u| u.name().eq("Ann")).one(db).await?;
        ann.edited().add(db, [3]).await?;
        ann.edited().add(db, [3]).await?;
        ann.edited().set(db, [3]).await?;
        assert_eq!(ann.edited().count(db).await?, 1);
        ann.edited().set(db, [0i64; 0]).await?;
        assert_eq!(ann.edited().count(db).await?, 0);
        let post = Post::filter(|p| p.id().eq(1)).one(db).await?;
        post.tags().add(db, [0i64; 0]).await?;
        post.tags().remove(db, [0i64; 0]).await?;
        assert_eq!(post.tags().count(db).await?, 2);
        post.tags().set(db, [0i64; 0]).await?;
        assert_eq!(post.tags().count(db).await?, 0);
        let mut new = Record::new(User::builder().name("Dan").build());
        let refused = new.load(db, |u| u.posts()).await;
        assert!(refused.is_err() || new.posts.get()?.is_empty());
    }
}

/// Three models, related by keys of one type.
macro_rules! keyed {
    ($module:ident, $key:ty, $table:literal, $row:literal, $link:literal) => {
        mod $module {
            use super::*;

            #[derive(Model, Clone, Debug, PartialEq)]
            #[model(table = $table)]
            pub(super) struct Top {
                pub(super) id: $key,
                pub(super) rows: HasMany<Row>,
                pub(super) others: ManyToMany<Other>,
                pub(super) one: HasOne<Row>,
            }

            #[derive(Model, Clone, Debug, PartialEq)]
            #[model(table = $row)]
            pub(super) struct Row {
                pub(super) id: $key,
                #[model(unique)]
                pub(super) top: Option<ForeignKey<Top>>,
                pub(super) others: ManyToMany<Other>,
            }

            #[derive(Model, Clone, Debug, PartialEq)]
            #[model(table = $link)]
            pub(super) struct Other {
                pub(super) id: $key,
                pub(super) tops: ManyToMany<Top>,
            }

            pub(super) async fn work(db: &Database, keys: [$key; 4]) -> Result<()> {
                db.create(models![Top, Row, Other]).await?;
                let [a, b, c, d] = keys;
                let top = Top::builder().id(a.clone()).insert(db).await?;
                Top::builder().id(b.clone()).insert(db).await?;
                let row = Row::builder().id(c.clone()).insert(db).await?;
                let other = Other::builder().id(d.clone()).insert(db).await?;
                top.rows().add(db, [&row]).await?;
                top.others().set(db, [&other]).await?;
                top.others().add(db, [&other]).await?;
                row.others().create(db, Other::builder().id(c.clone())).await?;
                let tops = Top::query()
                    .include(|t| t.rows().include(|r| r.others()).include(|r| r.top()))
                    .include(|t| t.others().limit(2))
                    .include(|t| t.one())
                    .all(db)
                    .await?;
                assert_eq!(tops.len(), 2);
                for top in &tops {
                    let (rows, others, one) = (top.rows.get()?, top.others.get()?, top.one.get()?);
                    if top.id == a {
                        assert_eq!((rows.len(), others.len(), one.map(|row| row.id.clone())), (1, 1, Some(c.clone())));
                        assert_eq!(others[0].id, d);
                        assert_eq!(rows[0].others.get()?[0].id, c);
                        assert_eq!(
                            rows[0].top.as_ref().map(|top| top.get().map(|top| top.id.clone())).transpose()?,
                            Some(a.clone())
                        );
                    } else {
                        assert_eq!((rows.len(), others.len(), one.is_some()), (0, 0, false));
                    }
                }
                assert_eq!(Top::filter(|t| t.others().any(|o| o.id().eq(d.clone()))).count(db).await?, 1);
                assert_eq!(other.tops().all(db).await?[0].id, a);
                top.others().remove(db, [&other]).await?;
                top.rows().clear(db).await?;
                assert_eq!(top.others().count(db).await? + top.rows().count(db).await?, 0);
                Ok(())
            }
        }
    };
}

keyed!(text_keys, String, "rel_text_tops", "rel_text_rows", "rel_text_others");
keyed!(u64_keys, u64, "rel_u64_tops", "rel_u64_rows", "rel_u64_others");
keyed!(i16_keys, i16, "rel_i16_tops", "rel_i16_rows", "rel_i16_others");
keyed!(uuid_keys, Uuid, "rel_uuid_tops", "rel_uuid_rows", "rel_uuid_others");
keyed!(date_keys, Date, "rel_date_tops", "rel_date_rows", "rel_date_others");

conformance! {
    async fn keys_of_every_type_relate(test: &Fixture) {
        let db = &test.db;
        text_keys::work(db, ["é".into(), "É ".into(), "'\"".into(), " ".into()]).await?;
        u64_keys::work(db, [1, i64::MAX as u64, 7, 8]).await?;
        i16_keys::work(db, [-1, i16::MAX, i16::MIN, 5]).await?;
        uuid_keys::work(db, [Uuid::from_u128(2), Uuid::from_u128(1), Uuid::from_u128(u128::MAX), Uuid::from_u128(9)]).await?;
        let day = |day| cormorant::prelude::Date::new(2024, 2, day).unwrap();
        date_keys::work(db, [day(1), day(2), day(29), day(28)]).await?;
    }

    async fn a_value_is_set_to_what_is_related_in_its_own_table(test: &Fixture) {
        seed_courses(test).await?;
        let db = &test.db;
        assert_eq!(Student::query().update(db, |s| s.size().set(s.team().count())).await?, 2);
        assert_eq!(Student::query().order_by(|s| s.id().asc()).select(|s| s.size()).all(db).await?, [1, 0]);
        assert_eq!(Student::filter(|s| s.team().any(|t| t.size().eq(0))).update(db, |s| s.size().set(s.team().count() + 1)).await?, 1);
        assert_eq!(Student::filter(|s| s.team().any(|t| t.size().eq(0))).select(|s| (s.size(), s.team().filter(|t| t.size().lt(9)).sum(|t| t.size()))).all(db).await?, [(2, Some(0))]);
    }

    async fn relations_of_many_rows_are_loaded_in_parts(test: &Fixture) {
        seed(test).await?;
        let db = &test.db;
        let users: Vec<_> = (0..50_050).map(|n| User::builder().id(n + 10).name("x")).collect();
        User::insert_many(db, users).await?;
        let last = User::query().order_by(|u| u.id().desc()).limit(1).one(db).await?;
        last.posts().create(db, |post| post.title("Last")).await?;
        let mut users = User::query().order_by(|u| u.id().desc()).all(db).await?;
        test.statements();
        load_all(&mut users, db, |u| u.posts()).await?;
        assert_eq!(test.statements().len(), 2);
        assert_eq!(users.iter().map(|u| u.posts.get().unwrap().len()).sum::<usize>(), 5);
        assert_eq!(users[0].posts.get()?[0].title, "Last");
        last.edited().add(db, [1, 2]).await?;
        let tag = Tag::get(db, 3).await?;
        let posts: Vec<_> = (0..20_010).map(|n| Post::builder().id(n + 100).author(1).title("x")).collect();
        let posts = Post::insert_many(db, posts).await?;
        tag.posts().set(db, &posts).await?;
        tag.posts().set(db, &posts).await?;
        tag.posts().remove(db, &posts[1..100]).await?;
        assert_eq!(tag.posts().count(db).await?, 19_911);
    }

    async fn a_relation_has_few_statements_for_any_number_of_rows(test: &Fixture) {
        let db = &test.db;
        db.create(models![User, Profile, Post, Comment, Tag]).await?;
        let users: Vec<_> = (1..=16_385).map(|n| User::builder().id(n).name("x")).collect();
        User::insert_many(db, users).await?;
        // Of every user but the third.
        let posts: Vec<_> = [1, 2, 4, 5, 16_384, 16_385].into_iter().map(|n| Post::builder().author(n).title("x")).collect();
        Post::insert_many(db, posts).await?;
        let mut users = User::query().order_by(|u| u.id().asc()).all(db).await?;
        let mut sent = Vec::new();
        for (count, with_posts) in [(2, 2), (3, 2), (4, 3), (5, 4), (8, 4), (16_384, 5), (16_385, 6)] {
            test.statements();
            let users = &mut users[..count];
            load_all(users, db, |u| u.posts()).await?;
            let [statement] = <[String; 1]>::try_from(test.statements()).unwrap();
            sent.push(statement);
            for (n, user) in (1..).zip(&*users) {
                assert_eq!(user.posts.get()?.len(), usize::from([1, 2, 4, 5, 16_384, 16_385].contains(&n)), "{n}");
                assert!(user.posts.get()?.iter().all(|post| post.author.key() == Some(&n)));
            }
            assert_eq!(users.iter().filter(|u| !u.posts.get().unwrap().is_empty()).count(), with_posts);
        }
        assert_eq!((&sent[1], &sent[3]), (&sent[2], &sent[4]));
        sent.dedup();
        // Where keys are named, as many as a power of two; where there are too many, they are a list.
        assert_eq!(sent.len(), if test.is(Backend::MariaDb) { 5 } else { 1 });
    }

    async fn verbs_tell_rows_by_keys_of_several_columns(test: &Fixture) {
        let db = &test.db;
        db.create(models![Guest, Visit]).await?;
        let guest = Guest::builder().insert(db).await?;
        let visits = [(1, 2), (2, 1), (2, 2)];
        for (place, day) in visits {
            Visit::builder().place(place).day(day).insert(db).await?;
        }
        let keys = async || guest.visits().query().order_by(|v| (v.place().asc(), v.day().asc())).select(|v| (v.place(), v.day())).all(db).await;
        test.statements();
        guest.visits().add(db, visits).await?;
        assert_eq!(test.statements().len(), 1);
        assert_eq!(keys().await?, visits);
        guest.visits().remove(db, [(2, 2), (1, 1)]).await?;
        assert_eq!(keys().await?, [(1, 2), (2, 1)]);
        guest.visits().set(db, [(2, 2), (1, 2)]).await?;
        assert_eq!(keys().await?, [(1, 2), (2, 2)]);
        guest.visits().clear(db).await?;
        assert_eq!((guest.visits().count(db).await?, Visit::query().count(db).await?), (0, 3));
    }
}
