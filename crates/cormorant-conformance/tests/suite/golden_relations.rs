//! The golden programs with relations: the blog, and the Active Record half of students and courses.

use cormorant::prelude::*;
use cormorant_conformance::conformance;

mod blog {
    use super::*;

    #[derive(Model, Clone, Debug)]
    #[model(table = "blog_users")]
    pub(super) struct User {
        pub(super) id: i64,
        #[model(unique, max_length = 80)]
        pub(super) email: String,
        pub(super) name: String,
        #[model(via = author)]
        pub(super) posts: HasMany<Post>,
    }

    #[derive(Model, Clone, Debug)]
    #[model(table = "blog_posts")]
    pub(super) struct Post {
        pub(super) id: i64,
        #[model(on_delete = cascade)]
        pub(super) author: ForeignKey<User>,
        pub(super) editor: Option<ForeignKey<User>>,
        pub(super) title: String,
        pub(super) status: Status,
        #[model(default = 0)]
        pub(super) views: i64,
        pub(super) published_at: Option<Timestamp>,
        pub(super) comments: HasMany<Comment>,
        pub(super) tags: ManyToMany<Tag>,
    }

    #[derive(Model, Clone, Debug)]
    #[model(table = "blog_comments")]
    pub(super) struct Comment {
        pub(super) id: i64,
        #[model(on_delete = cascade)]
        pub(super) post: ForeignKey<Post>,
        pub(super) body: String,
        pub(super) approved: bool,
    }

    #[derive(Model, Clone, Debug)]
    #[model(table = "blog_tags")]
    pub(super) struct Tag {
        pub(super) id: i64,
        #[model(unique)]
        pub(super) name: String,
        pub(super) posts: ManyToMany<Post>,
    }

    #[derive(DbEnum, Clone, Copy, Debug, PartialEq)]
    pub(super) enum Status {
        Draft,
        Published,
    }
}

#[derive(Model, Clone, Debug)]
struct Student {
    id: i64,
    name: String,
    #[model(through = "enrollments")]
    courses: ManyToMany<Course>,
}

#[derive(Model, Clone, Debug)]
struct Course {
    id: i64,
    name: String,
    #[model(through = "enrollments")]
    students: ManyToMany<Student>,
}

conformance! {
    async fn the_blog_program(test: &Fixture) {
        use blog::{Comment, Post, Status, Tag, User};
        let db = &test.db;
        db.create(models![User, Post, Comment, Tag]).await?;
        let published = |p: PathOf<Post>| p.status().eq(Status::Published) & p.published_at().is_not_null();
        let bob = User::builder().email("bob@example.org").name("Bob").insert(db).await?;
        let hello = Post::builder().author(&bob).title("Hello").status(Status::Published);
        hello.published_at(Timestamp::now()).insert(db).await?;
        Post::builder().author(&bob).editor(&bob).title("Later").status(Status::Draft).views(4).insert(db).await?;
        let spam = Post::builder().author(&bob).title("Bob").status(Status::Published).published_at(Timestamp::now());
        let spam = spam.insert(db).await?;
        spam.tags().create(db, Tag::builder().name("spam")).await?;
        for (body, approved) in [("a", true), ("b", false), ("c", true), ("d", true), ("e", true)] {
            Comment::builder().post(1).body(body).approved(approved).insert(db).await?;
        }
        test.statements();

        let posts = Post::filter(|p| p.author().name().eq("Bob") & p.tags().none(|t| t.name().eq("spam")))
            .filter(published)
            .include(|p| p.author())
            .include(|p| p.comments().filter(|c| c.approved().eq(true)).order_by(|c| c.id().desc()).limit(3))
            .order_by(|p| p.published_at().desc())
            .page(1, 20)
            .all(db)
            .await?;
        assert_eq!(test.statements().len(), 3);
        assert_eq!((posts.len(), posts[0].author.get()?.name.as_str()), (1, "Bob"));
        let comments: Vec<&str> = posts[0].comments.get()?.iter().map(|c| c.body.as_str()).collect();
        assert_eq!(comments, ["e", "d", "c"]);

        let busiest: Vec<(String, i64, Option<i64>)> = User::query()
            .select(|u| (u.name(), u.posts().count(), u.posts().sum(|p| p.views())))
            .filter(|u| u.posts().count().gt(0))
            .order_by(|u| u.posts().count().desc())
            .limit(10)
            .all(db)
            .await?;
        assert_eq!(busiest, [("Bob".to_owned(), 3, Some(4))]);
        let mut per_status: Vec<(Status, i64)> =
            Post::query().group_by(|p| p.status()).select(|p| (p.status(), count())).all(db).await?;
        per_status.sort_by_key(|(_, count)| *count);
        assert_eq!(per_status, [(Status::Draft, 1), (Status::Published, 2)]);
        let with_comments: Vec<(Record<Post>, i64)> =
            Post::query().order_by(|p| p.id().asc()).select(|p| (p, p.comments().count())).all(db).await?;
        assert_eq!(with_comments.iter().map(|(_, comments)| *comments).collect::<Vec<_>>(), [5, 0, 0]);
        let mut editors: Vec<Option<String>> = Post::query().select(|p| p.editor().name()).all(db).await?;
        editors.sort();
        assert_eq!(editors, [None, None, Some("Bob".to_owned())]);
        let namesakes = User::filter(|u| u.posts().any(|p| p.title().eq(u.name().outer()))).count(db).await?;
        assert_eq!(namesakes, 1);
        test.statements();

        let touched = Post::filter(|p| p.author().eq(&bob)).update(db, |p| p.views().set(p.views() + 1)).await?;
        let (user, created) =
            User::builder().email("ann@example.org").name("Ann").get_or_insert(db, |u| u.email()).await?;
        assert_eq!((touched, user.name.as_str(), created), (3, "Ann", true));
        assert_eq!(test.statements().len(), 2);
        let (again, created) =
            User::builder().email("ann@example.org").name("Another").get_or_insert(db, |u| u.email()).await?;
        assert_eq!((again.id, again.name.as_str(), created), (user.id, "Ann", false));

        db.transaction(async |tx| {
            let mut post = Post::filter(|p| p.title().eq("Hello")).lock(Lock::Update).one(tx).await?;
            post.views += 1;
            post.save(tx).await?;
            tx.transaction(async |inner| {
                Comment::builder().post(&post).body("Nice").approved(true).insert(inner).await
            })
            .await?;
            Ok(())
        })
        .await?;
        let pattern = "%ell%";
        let rows: Vec<(i64, String, i64)> =
            sql!("SELECT id, title, views FROM blog_posts WHERE title LIKE {pattern} ORDER BY id").all(db).await?;
        assert_eq!(rows, [(1, "Hello".to_owned(), 2)]);
        assert_eq!(Comment::query().count(db).await?, 6);
        Post::filter(|p| p.editor().is_not_null()).delete(db).await?;
        User::get(db, bob.id).await?.delete(db).await?;
        assert_eq!((Post::query().count(db).await?, Comment::query().count(db).await?), (0, 0));
        assert_eq!(test.rows_in("blog_posts_blog_tags").await?, 0);
    }

    async fn the_records_of_students_and_courses(test: &Fixture) {
        let db = &test.db;
        db.create(models![Student, Course]).await?;
        let english = Course::builder().name("English").insert(db).await?;
        let math = Course::builder().name("Math").insert(db).await?;
        for (name, courses) in [("Alice", vec![&english]), ("Bob", vec![&english, &math])] {
            Student::builder().name(name).insert(db).await?.courses().add(db, courses).await?;
        }
        let english = Course::filter(|c| c.name().eq("English")).one(db).await?;
        let carol = Student::builder().name("Carol").insert(db).await?;
        english.students().add(db, [&carol]).await?;

        let students = Student::filter(|s| s.courses().any(|c| c.name().eq("English")))
            .include(|s| s.courses())
            .order_by(|s| s.name().asc())
            .all(db)
            .await?;
        let mut lines = Vec::new();
        for student in &students {
            let mut courses: Vec<&str> = student.courses.get()?.iter().map(|c| c.name.as_str()).collect();
            courses.sort_unstable(); // the program says no order
            lines.push(format!("{}: {}", student.name, courses.join(", ")));
        }
        assert_eq!(lines, ["Alice: English", "Bob: English, Math", "Carol: English"]);
        let bare = Student::query().order_by(|s| s.id().asc()).first(db).await?.unwrap();
        assert_eq!(
            bare.courses.get().unwrap_err().to_string(),
            "Student.courses is not loaded: add `.include(|s| s.courses())` to the query, or call `student.courses().all(&db)`"
        );
        let links: Vec<(i64, i64)> =
            sql!("SELECT course_id, student_id FROM enrollments ORDER BY 1, 2").all(db).await?;
        assert_eq!(links, [(1, 1), (1, 2), (1, 3), (2, 2)]);
    }
}
