//! INSERT, UPDATE and DELETE.

use cormorant_sql::{Class, Kind, Nulls, Token};

use crate::build::*;
use crate::tables::*;

fn insert(columns: &[u16], rows: u32) -> Query {
    let query = from(&USERS).kind(Kind::Insert);
    columns.iter().fold(query, |query, column| query.token(Token::Into(*column))).token(Token::Rows(rows))
}

fn update() -> Query {
    from(&POSTS).kind(Kind::Update)
}

fn delete() -> Query {
    from(&POSTS).kind(Kind::Delete)
}

#[test]
fn insert_binds_row_by_row() {
    let two = insert(&[NAME, AGE], 2);
    on(&two, Sqlite, r#"INSERT INTO "users" ("name", "age") VALUES (?, ?), (?, ?)"#);
    on(&two, Postgres, r#"INSERT INTO "users" ("name", "age") VALUES ($1, $2), ($3, $4)"#);
    on(&two, MySql, "INSERT INTO `users` (`name`, `age`) VALUES (?, ?), (?, ?)");
    on(&two, MariaDb, "INSERT INTO `users` (`name`, `age`) VALUES (?, ?), (?, ?)");
    let one = from(&USERS).kind(Kind::Insert).token(Token::Into(NAME));
    on(&one, Sqlite, r#"INSERT INTO "users" ("name") VALUES (?)"#);
    on(&one, Postgres, r#"INSERT INTO "users" ("name") VALUES ($1)"#);
    let compiled = insert(&[NAME, AGE], 2).render(MySql).unwrap();
    assert_eq!(compiled.order, Some(vec![0, 1, 2, 3]));
    let classes: Vec<Class> = compiled.parameters.iter().map(|parameter| parameter.class).collect();
    assert_eq!(classes, [Class::Text, Class::Int, Class::Text, Class::Int]);
    assert!(compiled.writes && compiled.outputs.is_empty());
}

#[test]
fn insert_of_lists() {
    let lists = from(&USERS).kind(Kind::Insert).token(Token::Into(NAME)).token(Token::Into(AGE)).token(Token::Lists);
    let lists = lists.returning(&[0]);
    on(&lists, Postgres, r#"INSERT INTO "users" ("name", "age") SELECT * FROM unnest($1, $2) RETURNING "id""#);
    let parameters = lists.render(Postgres).unwrap().parameters;
    assert!(parameters.len() == 2 && parameters.iter().all(|parameter| parameter.list));
    for dialect in [Sqlite, MySql, MariaDb] {
        fault(lists.clone(), dialect, "the statement is malformed: the dialect takes no lists");
    }
}

#[test]
fn what_tells_several_keys_by_one_is_asked_for_where_they_follow_each_other() {
    let highest = |query: &Query, dialect| query.render(dialect).unwrap().key_query;
    let several = insert(&[NAME, AGE], 2);
    assert_eq!(highest(&several, Sqlite).as_deref(), Some(r#"SELECT max("id") FROM "users""#));
    let follow = highest(&several, MariaDb).unwrap();
    for part in
        ["TABLE_SCHEMA = DATABASE() AND TABLE_NAME = 'users'", "COLUMN_NAME = 'id'", "EVENT_OBJECT_TABLE = 'users'"]
    {
        assert!(follow.contains(part), "{part}: {follow}");
    }
    for dialect in [Postgres, MySql] {
        assert_eq!(highest(&several, dialect), None);
    }
    assert_eq!(highest(&insert(&[NAME, AGE], 1), Sqlite), None, "one key is told anyway");
    assert_eq!(highest(&insert(&[0, NAME, AGE], 2), Sqlite), None, "the keys are given");
    assert_eq!(highest(&several.returning(&[0]), Sqlite), None, "the keys are given back");
}

#[test]
fn insert_of_nothing() {
    on(&insert(&[], 1), Sqlite, r#"INSERT INTO "users" DEFAULT VALUES"#);
    on(&insert(&[], 1), Postgres, r#"INSERT INTO "users" DEFAULT VALUES"#);
    on(&insert(&[], 1), MySql, "INSERT INTO `users` () VALUES ()");
    on(&insert(&[], 1), MariaDb, "INSERT INTO `users` () VALUES ()");
    let malformed = "the statement is malformed:";
    fault(insert(&[], 2), Sqlite, &format!("{malformed} several rows without a value need a statement each"));
    fault(insert(&[NAME], 0), Sqlite, &format!("{malformed} an INSERT writes no row"));
    fault(insert(&[], 0), MySql, &format!("{malformed} an INSERT writes no row"));
}

#[test]
fn insert_of_too_much() {
    for rows in [32_768, u32::MAX] {
        fault(insert(&[NAME, AGE], rows), Postgres, "too many values: at most 65535 fit one statement");
        fault(insert(&[NAME, AGE], rows), MySql, "too many values: at most 65535 fit one statement");
    }
    fault(insert(&[NAME, AGE], u32::MAX), Sqlite, "too many values: at most 262140 fit one statement");
    assert_eq!(insert(&[NAME, AGE], 16_383).render(Sqlite).unwrap().parameters.len(), 32_766);
    assert_eq!(insert(&[NAME], 65_535).render(MariaDb).unwrap().order.map(|order| order.len()), Some(65_535));
}

#[test]
fn returning() {
    let query = insert(&[NAME], 2).returning(&[0, ACTIVE]);
    on(&query, Sqlite, r#"INSERT INTO "users" ("name") VALUES (?), (?) RETURNING "id", "active""#);
    on(&query, Postgres, r#"INSERT INTO "users" ("name") VALUES ($1), ($2) RETURNING "id", "active""#);
    on(&query, MariaDb, "INSERT INTO `users` (`name`) VALUES (?), (?) RETURNING `id`, `active`");
    let select = "select the rows in the same transaction";
    fault(query.clone(), MySql, &format!("MySQL gives no rows back from INSERT: {select}"));
    let names: Vec<String> = query.render(Postgres).unwrap().outputs.into_iter().map(|output| output.name).collect();
    assert_eq!(names, ["User.id", "User.active"]);

    let query = update().set(TITLE, text("x")).filter(col(0).eq(int(1))).returning(&[0]);
    let sql = r#"UPDATE "posts" SET "title" = ?1 WHERE "id" = ?2 RETURNING "id""#;
    on(&query, Sqlite, sql);
    on(&query, Postgres, &sql.replace('?', "$"));
    fault(query, MariaDb, &format!("MariaDB gives no rows back from UPDATE: {select}"));

    let query = delete().filter(col(0).eq(int(1))).returning(&[0]);
    on(&query, Sqlite, r#"DELETE FROM "posts" WHERE "id" = ?1 RETURNING "id""#);
    on(&query, MariaDb, "DELETE FROM `posts` WHERE `id` = ? RETURNING `id`");
    fault(query, MySql, &format!("MySQL gives no rows back from DELETE: {select}"));
}

#[test]
fn update_says_its_rows_itself() {
    everywhere(
        update()
            .set(TITLE, text("x"))
            .set(SCORE, col(SCORE).add(int(1)))
            .filter(col(0).eq(int(1)))
            .filter(col(SCORE).eq(int(2))),
        r#"UPDATE "posts" SET "title" = ?1, "score" = "score" + ?2 WHERE "id" = ?3 AND "score" = ?4"#,
    );
    everywhere(update().set(EDITOR_ID, via(&[AUTHOR], 0)), r#"UPDATE "posts" SET "editor_id" = "author_id""#);
    // Bound in the order of the calls, sent in the order of the text.
    let query = update().filter(col(0).eq(int(1))).set(TITLE, text("x"));
    assert_eq!(query.sql(Sqlite), r#"UPDATE "posts" SET "title" = ?2 WHERE "id" = ?1"#);
    assert_eq!(query.render(MySql).unwrap().order, Some(vec![1, 0]));
    fault(update(), Sqlite, "the statement is malformed: an UPDATE sets nothing");
}

#[test]
fn an_update_sets_the_columns_of_its_own_table() {
    let set = |hops: &[u8], column| update().clause(int(2), Token::SetVia(route(hops), column));
    everywhere(set(&[AUTHOR], 0), r#"UPDATE "posts" SET "author_id" = ?1"#);
    let related = "an update cannot set a related row's column: update the related rows with a query of their own";
    fault(set(&[AUTHOR], NAME), Sqlite, related);
    fault(set(&[AUTHOR, 0], 0), Postgres, related);
    fault(update().set(u16::MAX, int(1)), Sqlite, "an update of Post sets what is no column: call `set` on a column");
}

#[test]
fn assignments_see_the_row_as_it_was_or_are_refused() {
    let swapped = update().set(AUTHOR_ID, col(EDITOR_ID)).set(EDITOR_ID, via(&[AUTHOR], 0));
    on(&swapped, MariaDb, "UPDATE `posts` SET `author_id` = `editor_id`, `editor_id` = `author_id`");
    on(&swapped, Sqlite, r#"UPDATE "posts" SET "author_id" = "editor_id", "editor_id" = "author_id""#);
    fault(
        swapped,
        MySql,
        "an update sets Post.author and reads it after that, and MySQL would read the new value: put the assignment that reads it first, or update in two steps",
    );
    let in_order = update().set(SCORE, col(SCORE).add(col(EDITOR_ID))).set(EDITOR_ID, col(EDITOR_ID).add(int(1)));
    in_order.render(MySql).unwrap();
}

#[test]
fn update_by_key() {
    let by_author = update().set(TITLE, text("x")).filter(via(&[AUTHOR], NAME).eq(text("y")));
    let sql = r#"UPDATE "posts" SET "title" = ?1 WHERE "id" IN (SELECT t2."id" FROM "posts" AS t2 JOIN "users" AS t3 ON t3."id" = t2."author_id" WHERE t3."name" = ?2)"#;
    on(&by_author, Sqlite, sql);
    on(&by_author, Postgres, &sql.replace('?', "$"));
    // MySQL reads the table it changes only where the rows are a table of their own, which the limit makes sure of.
    let sql = "UPDATE `posts` SET `title` = ? WHERE `id` IN (SELECT * FROM (SELECT t2.`id` FROM `posts` AS t2 JOIN `users` AS t3 ON t3.`id` = t2.`author_id` WHERE t3.`name` = ? LIMIT 18446744073709551615) AS picked)";
    on(&by_author, MySql, sql);
    on(&by_author, MariaDb, sql);
    // The key of the related row is a column of this one.
    everywhere(
        update().set(TITLE, text("x")).filter(via(&[AUTHOR], 0).eq(int(1))),
        r#"UPDATE "posts" SET "title" = ?1 WHERE "author_id" = ?2"#,
    );
    let with = update().with("w", from(&POSTS).filter(col(SCORE).eq(int(1)))).source("w").set(TITLE, text("x"));
    on(
        &with,
        Postgres,
        r#"UPDATE "posts" SET "title" = $2 WHERE "id" IN (WITH "w" AS (SELECT "id", "title", "author_id", "editor_id", "score" FROM "posts" WHERE "score" = $1) SELECT "id" FROM "w")"#,
    );
    with.render(Sqlite).unwrap();
}

#[test]
fn limited_updates_and_deletes_find_keys() {
    on(
        &delete().by(col(SCORE)).limit(2),
        Sqlite,
        r#"DELETE FROM "posts" WHERE "id" IN (SELECT "id" FROM "posts" ORDER BY "score" LIMIT ?1)"#,
    );
    on(
        &delete().by(col(SCORE)).limit(2),
        MySql,
        "DELETE FROM `posts` WHERE `id` IN (SELECT * FROM (SELECT `id` FROM `posts` ORDER BY `score` LIMIT ?) AS picked)",
    );
    let links = from(&LINKS).kind(Kind::Delete).order_by(col(NOTE), false, Nulls::Native).limit(2);
    on(
        &links,
        Postgres,
        r#"DELETE FROM "links" WHERE ("post_id", "user_id") IN (SELECT "post_id", "user_id" FROM "links" ORDER BY "note" LIMIT $1)"#,
    );
    on(
        &links,
        MariaDb,
        "DELETE FROM `links` WHERE (`post_id`, `user_id`) IN (SELECT * FROM (SELECT `post_id`, `user_id` FROM `links` ORDER BY `note` LIMIT ?) AS picked)",
    );
}

#[test]
fn delete_says_its_rows_itself() {
    everywhere(delete(), r#"DELETE FROM "posts""#);
    everywhere(delete().filter(col(SCORE).eq(int(1))), r#"DELETE FROM "posts" WHERE "score" = ?1"#);
    let unread = delete().filter(from(&LINKS).filter(col(0).eq(outer(1, &[], 0))).exists().not());
    let sql =
        r#"DELETE FROM "posts" AS t0 WHERE NOT EXISTS (SELECT 1 FROM "links" AS t1 WHERE t1."post_id" = t0."id")"#;
    on(&unread, Sqlite, sql);
    on(&unread, Postgres, sql);
    // MySQL gives no alias to what it deletes from, and does not read what it changes.
    let by_key = "DELETE FROM `posts` WHERE `id` IN (SELECT * FROM (SELECT t1.`id` FROM `posts` AS t1 WHERE NOT EXISTS (SELECT 1 FROM `links` AS t2 WHERE t2.`post_id` = t1.`id`) LIMIT 18446744073709551615) AS picked)";
    on(&unread, MySql, by_key);
    on(&unread, MariaDb, by_key);
    // A list would be looked through anew for each row: 15 s where this takes 23 ms, for 4,000 of 20,000 rows.
    let listed = delete().filter(col(SCORE).within(list(Class::Int)));
    on(&listed, Sqlite, r#"DELETE FROM "posts" WHERE "score" IN (SELECT value FROM json_each(?1))"#);
    let start = "DELETE FROM `posts` WHERE `id` IN (SELECT * FROM (SELECT `id` FROM `posts` WHERE `score` IN (";
    for dialect in [MySql, MariaDb] {
        assert!(listed.render(dialect).unwrap().sql.starts_with(start), "{}", listed.render(dialect).unwrap().sql);
    }
}

#[test]
fn update_with_nested_queries() {
    let links = || from(&LINKS).filter(col(0).eq(outer(1, &[], 0)));
    let counted = update().set(SCORE, links().select(count_all()).value());
    everywhere(
        counted.clone(),
        r#"UPDATE "posts" AS t0 SET "score" = (SELECT COUNT(*) FROM "links" AS t1 WHERE t1."post_id" = t0."id")"#,
    );
    // The column of the table around keeps its alias where the rows are found by key, or it would be the nested one's.
    on(
        &counted.clone().filter(via(&[AUTHOR], ACTIVE)),
        Sqlite,
        r#"UPDATE "posts" AS t0 SET "score" = (SELECT COUNT(*) FROM "links" AS t2 WHERE t2."post_id" = t0."id") WHERE "id" IN (SELECT t2."id" FROM "posts" AS t2 JOIN "users" AS t3 ON t3."id" = t2."author_id" WHERE t3."active")"#,
    );
    let linked = update().set(SCORE, int(1)).filter(links().exists());
    on(
        &linked,
        Postgres,
        r#"UPDATE "posts" AS t0 SET "score" = $1 WHERE EXISTS (SELECT 1 FROM "links" AS t1 WHERE t1."post_id" = t0."id")"#,
    );
    on(
        &linked,
        MySql,
        "UPDATE `posts` SET `score` = ? WHERE `id` IN (SELECT * FROM (SELECT t1.`id` FROM `posts` AS t1 WHERE EXISTS (SELECT 1 FROM `links` AS t2 WHERE t2.`post_id` = t1.`id`) LIMIT 18446744073709551615) AS picked)",
    );
    // A nested query may join what it likes; the statement itself may not.
    on(
        &update().set(SCORE, from(&LINKS).filter(via(&[1], AGE).eq(int(1))).select(count_all()).value()),
        Postgres,
        r#"UPDATE "posts" AS t0 SET "score" = (SELECT COUNT(*) FROM "links" AS t1 JOIN "users" AS t2 ON t2."id" = t1."user_id" WHERE t2."age" = $1)"#,
    );
    let why = "an update cannot set a column to a related row's column: read the value first, or use a column of the same table";
    fault(update().set(TITLE, via(&[AUTHOR], NAME)), Sqlite, why);
    let outward = from(&LINKS).filter(col(NOTE).eq(outer(1, &[AUTHOR], NAME))).select(count_all()).value();
    fault(update().set(SCORE, outward), Sqlite, why);
    fault(
        delete().group_by(col(SCORE)),
        Sqlite,
        "groups of rows and combined queries cannot be changed: select their keys, and change the rows with these keys",
    );
}
