//! Enums as columns: one of a few texts, or one of a few integers.

use cormorant::prelude::*;
use cormorant::{Allowed, Error, ErrorKind, Scalar};
use cormorant_conformance::{Backend, Fixture, conformance};

#[derive(DbEnum, Clone, Copy, Debug, PartialEq, Eq, Hash)]
enum Status {
    Draft,
    InReview,
    Published,
}

#[derive(Model, Clone, Debug, PartialEq)]
struct Post {
    id: i64,
    #[model(default = Status::Draft)]
    status: Status,
    former: Option<Status>,
}

/// Texts by rule, one of them by its own.
#[derive(DbEnum, Clone, Copy, Debug, PartialEq)]
#[db_enum(rename_all = "SCREAMING_SNAKE_CASE")]
enum Colour {
    DarkRed,
    #[db_enum(rename = "it's `\\\" grün")]
    Green,
    #[db_enum(rename = "")]
    None,
}

/// Numbers, as far as they were given, and what follows them.
#[derive(DbEnum, Clone, Copy, Debug, PartialEq, PartialOrd)]
#[db_enum(integer)]
enum Level {
    Low = -5,
    Middle,
    High = LEVEL_OF_HIGH,
}

const LEVEL_OF_HIGH: isize = 40_000;

#[derive(DbEnum, Clone, Copy, Debug, PartialEq)]
#[db_enum(integer)]
#[repr(u64)]
enum Wide {
    Small = 1,
    Large = i64::MAX as u64,
}

#[derive(Model, Clone, Debug, PartialEq)]
struct Paint {
    id: i64,
    #[model(index)]
    colour: Colour,
    #[model(default = Level::High, check = "level <> -4")]
    level: Level,
    #[model(default = Wide::Large)]
    wide: Option<Wide>,
    #[model(default = Colour::Green, check = "second <> 'DARK_RED'")]
    second: Colour,
}

/// A key that is an enum, and what points at it.
#[derive(Model, Clone, Debug, PartialEq)]
struct Shelf {
    #[model(key)]
    status: Status,
    #[model(max_length = 20)]
    label: String,
}

#[derive(Model, Clone, Debug, PartialEq)]
struct Copy {
    id: i64,
    shelf: ForeignKey<Shelf>,
    #[model(unique)]
    level: Level,
}

#[derive(FromRow, Debug, PartialEq)]
struct Line {
    status: Status,
    former: Option<Status>,
}

/// The same table, as another version of the program has it.
mod other {
    use super::*;

    #[derive(DbEnum, Clone, Copy, Debug, PartialEq)]
    pub(super) enum Renamed {
        Sketch,
        InReview,
        Published,
    }

    #[derive(Model, Debug)]
    #[model(table = "posts")]
    pub(super) struct SameLength {
        pub(super) id: i64,
        pub(super) status: Renamed,
        pub(super) former: Option<Renamed>,
    }

    #[derive(DbEnum, Clone, Copy, Debug, PartialEq)]
    pub(super) enum Longer {
        Draft,
        WithdrawnByItsAuthor,
    }

    #[derive(Model, Debug)]
    #[model(table = "posts")]
    pub(super) struct LongerText {
        pub(super) id: i64,
        pub(super) status: Longer,
        pub(super) former: Option<Status>,
    }

    /// Text in the place of the enum.
    #[derive(Model, Debug)]
    #[model(table = "posts")]
    pub(super) struct Plain {
        pub(super) id: i64,
        #[model(max_length = 9)]
        pub(super) status: String,
        #[model(max_length = 9)]
        pub(super) former: Option<String>,
    }

    #[derive(Model, Debug)]
    #[model(table = "paints")]
    pub(super) struct PlainPaint {
        pub(super) id: i64,
        pub(super) level: i32,
    }
}

/// What the database refused: the kind, the field and the constraint.
fn told(error: &Error) -> (ErrorKind, Option<&str>, Option<&str>) {
    (error.kind(), error.field(), error.constraint())
}

fn post(status: Status, former: Option<Status>) -> Post {
    Post { id: 0, status, former }
}

async fn three(test: &Fixture) -> cormorant::Result<()> {
    test.db.create(models![Post]).await?;
    let posts = [
        post(Status::Published, Some(Status::Draft)),
        post(Status::Draft, None),
        post(Status::InReview, Some(Status::Draft)),
    ];
    Post::insert_many(&test.db, posts).await?;
    Ok(())
}

conformance! {
    async fn a_variant_is_read_back(test: &Fixture) {
        let db = &test.db;
        db.create(models![Post]).await?;
        let mut post = Post::builder().status(Status::InReview).insert(db).await?;
        assert_eq!((post.status, post.former), (Status::InReview, None));
        post.former = Some(post.status);
        post.status = Status::Published;
        post.save(db).await?;
        assert_eq!(Post::get(db, post.id).await?, post);
        let texts: Vec<(String, Option<String>)> = sql!("SELECT status, former FROM posts").all(db).await?;
        assert_eq!(texts, [("published".to_owned(), Some("in_review".to_owned()))]);
        Post::query().update(db, |p| (p.status().set(Status::Draft), p.former().set(p.status()))).await?;
        post.refresh(db).await?;
        assert_eq!((post.status, post.former), (Status::Draft, Some(Status::Published)));
    }

    async fn rows_are_asked_for_by_variant(test: &Fixture) {
        three(test).await?;
        let db = &test.db;
        assert_eq!(Post::filter(|p| p.status().eq(Status::Published)).count(db).await?, 1);
        assert_eq!(Post::filter(|p| p.status().ne(Status::Published)).count(db).await?, 2);
        assert_eq!(Post::filter(|p| p.former().eq(Status::Draft)).count(db).await?, 2);
        assert_eq!(Post::filter(|p| p.former().ne(Status::Draft)).count(db).await?, 1);
        assert_eq!(Post::filter(|p| p.former().eq(None::<Status>)).count(db).await?, 1);
        assert_eq!(Post::filter(|p| p.former().is_null()).count(db).await?, 1);
        assert_eq!(Post::filter(|p| p.status().is_in([Status::Draft, Status::InReview])).count(db).await?, 2);
        assert_eq!(Post::filter(|p| p.former().is_in([Some(Status::Draft), None])).count(db).await?, 3);
        assert_eq!(Post::filter(|p| p.status().eq(p.former().or(Status::Draft))).count(db).await?, 1);
    }

    async fn rows_are_grouped_ordered_and_selected(test: &Fixture) {
        three(test).await?;
        let db = &test.db;
        let sorted: Vec<Status> = Post::query().order_by(|p| p.status().desc()).select(|p| p.status()).all(db).await?;
        assert_eq!(sorted, [Status::Published, Status::InReview, Status::Draft], "by their texts");
        let groups: Vec<(Option<Status>, i64)> = Post::query()
            .group_by(|p| p.former())
            .select(|p| (p.former(), count()))
            .order_by(|p| p.former().asc().nulls_last())
            .all(db)
            .await?;
        assert_eq!(groups, [(Some(Status::Draft), 2), (None, 1)]);
        let largest: Option<Status> = Post::query().select(|p| p.status().max()).one(db).await?;
        assert_eq!(largest, Some(Status::Published));
        let line = Line { status: Status::Published, former: Some(Status::Draft) };
        let published = Post::filter(|p| p.status().eq(Status::Published));
        assert_eq!(published.select(|p| Line::columns(p.status(), p.former())).all(db).await?, [line]);
    }

    async fn sql_binds_and_gives_variants(test: &Fixture) {
        three(test).await?;
        let (status, none, list) = (Status::Published, None::<Status>, [Status::Draft, Status::InReview]);
        let lines: Vec<Line> =
            sql!("SELECT status, former FROM posts WHERE status = {status}").all(&test.db).await?;
        assert_eq!(lines, [Line { status, former: Some(Status::Draft) }]);
        let count: i64 = sql!("SELECT COUNT(*) FROM posts WHERE status IN ({..list})").one(&test.db).await?;
        assert_eq!(count, 2);
        assert_eq!(sql!("UPDATE posts SET former = {none}").execute(&test.db).await?, 3);
        let former: Vec<Option<Status>> = sql!("SELECT former FROM posts").all(&test.db).await?;
        assert_eq!(former, [None; 3]);
    }

    async fn a_default_is_the_builders_and_the_databases(test: &Fixture) {
        let db = &test.db;
        db.create(models![Post, Paint]).await?;
        assert_eq!(Post::builder().insert(db).await?.status, Status::Draft);
        let former = test.quoted("former");
        test.execute(&format!("INSERT INTO posts ({former}) VALUES ('published')")).await?;
        let posts = Post::query().order_by(|p| p.id().asc()).all(db).await?;
        assert_eq!((posts[1].status, posts[1].former), (Status::Draft, Some(Status::Published)));

        let paint = Paint::builder().colour(Colour::DarkRed).insert(db).await?;
        assert_eq!((paint.level, paint.wide, paint.second), (Level::High, Some(Wide::Large), Colour::Green));
        test.execute("INSERT INTO paints (colour) VALUES ('DARK_RED')").await?;
        let by_database = Paint::query().order_by(|p| p.id().desc()).first(db).await?.unwrap();
        assert_eq!(Paint { id: paint.id, ..(*by_database).clone() }, *paint);
    }

    async fn no_other_text_gets_in(test: &Fixture) {
        test.db.create(models![Post]).await?;
        let error = test.execute("INSERT INTO posts (status) VALUES ('lost')").await.unwrap_err();
        assert_eq!(told(&error), (ErrorKind::Check, None, Some("ck_posts_status")), "{error}");
        let error = test.execute("INSERT INTO posts (former) VALUES ('DRAFT')").await.unwrap_err();
        assert_eq!(told(&error), (ErrorKind::Check, None, Some("ck_posts_former")), "by case");
        test.execute("INSERT INTO posts (former) VALUES (NULL)").await?;
        // The builder's statements name the field.
        let error = Record::insert(other::SameLength { id: 0, status: other::Renamed::Sketch, former: None }, &test.db)
            .await
            .unwrap_err();
        assert_eq!(told(&error), (ErrorKind::Check, Some("status"), Some("ck_posts_status")));
    }

    async fn a_text_that_is_no_variants_is_an_error(test: &Fixture) {
        // A table without the checks.
        test.db.create(models![other::Plain]).await?;
        test.execute("INSERT INTO posts (status) VALUES ('hidden')").await?;
        let error = Post::query().all(&test.db).await.unwrap_err();
        assert_eq!((error.kind(), error.model(), error.field()), (ErrorKind::Decode, Some("Post"), Some("status")));
        let text = error.to_string();
        assert!(text.contains("expected a `Status`, found a text that is none of `draft`, `in_review`, `published`"), "{text}");
        assert!(text.contains("Post.status") && !text.contains("hidden"), "{text}");
        let error = sql!("SELECT status FROM posts").one::<Status>(&test.db).await.unwrap_err();
        assert_eq!(error.kind(), ErrorKind::Decode);
    }

    async fn texts_by_rule_and_of_their_own(test: &Fixture) {
        let db = &test.db;
        db.create(models![Paint]).await?;
        let paint = |colour| Paint::builder().colour(colour).insert(db);
        for colour in [Colour::DarkRed, Colour::Green, Colour::None] {
            let paint = paint(colour).await?;
            assert_eq!(Paint::get(db, paint.id).await?.colour, colour);
            assert_eq!(Paint::filter(|p| p.colour().eq(colour)).count(db).await?, 1);
        }
        let texts: Vec<String> = sql!("SELECT colour FROM paints ORDER BY id").all(db).await?;
        assert_eq!(texts, ["DARK_RED", "it's `\\\" grün", ""]);
        assert_eq!(Colour::ALLOWED, Some(Allowed::Texts(&["DARK_RED", "it's `\\\" grün", ""])));
    }

    async fn integers_are_the_discriminants(test: &Fixture) {
        let db = &test.db;
        db.create(models![Paint]).await?;
        Paint::builder().colour(Colour::None).level(Level::Low).wide(Wide::Small).insert(db).await?;
        let paint = Paint::builder().colour(Colour::None).insert(db).await?;
        assert_eq!(Paint::get(db, paint.id).await?, paint);
        let numbers: Vec<(i32, i64)> = sql!("SELECT level, wide FROM paints ORDER BY id").all(db).await?;
        assert_eq!(numbers, [(-5, 1), (40_000, i64::MAX)]);
        let sorted: Vec<Level> = Paint::query().order_by(|p| p.level().asc()).select(|p| p.level()).all(db).await?;
        assert_eq!(sorted, [Level::Low, Level::High], "by size");
        assert_eq!(Paint::filter(|p| p.level().gt(Level::Middle)).count(db).await?, 1);
        assert_eq!(Paint::filter(|p| p.level().is_in([Level::Low, Level::Middle])).count(db).await?, 1);
        let error = test.execute("INSERT INTO paints (colour, level) VALUES ('', 7)").await.unwrap_err();
        assert_eq!(told(&error), (ErrorKind::Check, None, Some("ck_paints_level")));
    }

    async fn an_integer_that_is_no_variants_is_an_error(test: &Fixture) {
        test.db.create(models![other::PlainPaint]).await?;
        test.execute("INSERT INTO paints (level) VALUES (31)").await?;
        let query = Paint::query().select(|p| (p.id(), p.level()));
        let error = query.all(&test.db).await.unwrap_err();
        assert_eq!((error.kind(), error.model(), error.field()), (ErrorKind::Decode, Some("Paint"), Some("level")));
        let text = error.to_string();
        assert!(text.contains("expected a `Level`, found an integer that is none of -5, -4, 40000"), "{text}");
        assert!(!text.contains("31"), "{text}");
    }

    async fn a_check_of_the_field_stands_beside_that_of_the_type(test: &Fixture) {
        test.db.create(models![Paint]).await?;
        let refused = |paint| async { Record::insert(paint, &test.db).await.unwrap_err() };
        let fine = Paint { id: 0, colour: Colour::None, level: Level::Low, wide: None, second: Colour::None };
        let error = refused(Paint { level: Level::Middle, ..fine.clone() }).await;
        assert_eq!(told(&error), (ErrorKind::Check, Some("level"), Some("ck_paints_level_check")));
        let error = refused(Paint { second: Colour::DarkRed, ..fine.clone() }).await;
        assert_eq!(told(&error), (ErrorKind::Check, Some("second"), Some("ck_paints_second_check")));
        Record::insert(fine, &test.db).await?;
        let error = test.execute("UPDATE paints SET second = 'red'").await.unwrap_err();
        assert_eq!(told(&error), (ErrorKind::Check, None, Some("ck_paints_second")));
    }

    async fn an_enum_is_a_key(test: &Fixture) {
        let db = &test.db;
        db.create(models![Shelf, Copy]).await?;
        let shelf = Record::insert(Shelf { status: Status::InReview, label: "b".into() }, db).await?;
        Record::insert(Shelf { status: Status::Draft, label: "a".into() }, db).await?;
        assert_eq!(Shelf::get(db, Status::InReview).await?, shelf);
        assert_eq!(Shelf::get_many(db, [Status::Draft, Status::InReview]).await?.len(), 2);
        let copy = Copy::builder().shelf(&shelf).level(Level::Low).insert(db).await?;
        assert_eq!(Copy::get(db, copy.id).await?.shelf.key(), Some(&Status::InReview));
        assert_eq!(Copy::filter(|c| c.shelf().status().eq(Status::InReview)).count(db).await?, 1);
        assert_eq!(Copy::filter(|c| c.shelf().eq(&shelf)).count(db).await?, 1);
        let error = Copy::builder().shelf(&shelf).level(Level::Low).insert(db).await.unwrap_err();
        assert_eq!((error.kind(), error.field()), (ErrorKind::Unique, Some("level")));
    }

    async fn creating_twice_is_equal(test: &Fixture) {
        let all = models![Post, Paint, Shelf, Copy];
        test.db.create(all).await?;
        test.db.create(all).await?;
        test.statements();
        test.db.create(all).await?;
        assert_eq!(test.statements().len(), 1, "one look at the catalog");
    }

    async fn tables_are_compared_by_the_names_of_checks(test: &Fixture) {
        test.db.create(models![Post]).await?;
        test.db.create(models![other::SameLength]).await?;
        test.db.create(models![other::Plain]).await?;
        if test.is(Backend::Sqlite) {
            // Text is text there, however long.
            return test.db.create(models![other::LongerText]).await;
        }
        let error = test.db.create(models![other::LongerText]).await.unwrap_err();
        assert_eq!(error.kind(), ErrorKind::SchemaMismatch);
        let text = error.to_string();
        assert!(text.contains("posts.status is") && text.contains("(23)") && !text.contains("former"), "{text}");
    }

    async fn a_table_without_the_checks_is_different(test: &Fixture) {
        test.db.create(models![other::Plain]).await?;
        let error = test.db.create(models![Post]).await.unwrap_err();
        assert_eq!(error.kind(), ErrorKind::SchemaMismatch);
        for check in ["posts: the check ck_posts_status is missing", "posts: the check ck_posts_former is missing"] {
            assert!(error.to_string().contains(check), "{error}");
        }
    }

    async fn the_words_of_the_table(test: &Fixture) {
        test.statements();
        test.db.create(models![Post]).await?;
        let create = test.statements().into_iter().find(|sql| sql.starts_with("CREATE")).unwrap_or_default();
        let [status, former] = ["status", "former"].map(|name| test.quoted(name));
        for line in [
            format!("{status} varchar(9) DEFAULT 'draft' NOT NULL"),
            format!("{former} varchar(9) NULL"),
            format!("CONSTRAINT {} CHECK ({status} IN ('draft', 'in_review', 'published'))", test.quoted("ck_posts_status")),
        ] {
            assert!(create.contains(&line), "{line}\n{create}");
        }
        test.db.create(models![Paint]).await?;
        let create = test.statements().into_iter().find(|sql| sql.starts_with("CREATE TABLE")).unwrap_or_default();
        let level = test.quoted("level");
        let own = test.quoted("ck_paints_level_check");
        for line in [
            format!("{level} integer DEFAULT 40000 NOT NULL"),
            format!("CHECK ({level} IN ((-5), (-4), 40000))"),
            format!("CONSTRAINT {own} CHECK (level <> -4)"),
        ] {
            assert!(create.contains(&line), "{line}\n{create}");
        }
        assert_eq!(create.contains("(CONVERT(X'"), test.is(Backend::MariaDb), "a backslash, quoted by the dialect");
    }
}
