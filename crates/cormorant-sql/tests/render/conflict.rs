//! INSERT of a row that may be there already.

use cormorant_sql::{Kind, Token};

use crate::build::*;
use crate::tables::*;

fn insert(unique: &[u16], overwritten: &[u16]) -> Query {
    let query = from(&USERS).kind(Kind::Insert).token(Token::Into(NAME)).token(Token::Into(AGE)).token(Token::Rows(1));
    let query = unique.iter().fold(query, |query, column| query.token(Token::Conflict(*column)));
    overwritten.iter().fold(query, |query, column| query.token(Token::Overwrite(*column)))
}

#[test]
fn a_row_that_is_there_is_left_alone() {
    let query = insert(&[NAME], &[]).returning(&[0]);
    let end = r#"ON CONFLICT ("name") DO NOTHING RETURNING "id""#;
    on(&query, Sqlite, &format!(r#"INSERT INTO "users" ("name", "age") VALUES (?, ?) {end}"#));
    on(&query, Postgres, &format!(r#"INSERT INTO "users" ("name", "age") VALUES ($1, $2) {end}"#));
    let end = "ON DUPLICATE KEY UPDATE `id` = IF(`name` = VALUES(`name`), `id`, (SELECT NULL UNION ALL SELECT NULL))";
    for dialect in [MySql, MariaDb] {
        on(&insert(&[NAME], &[]), dialect, &format!("INSERT INTO `users` (`name`, `age`) VALUES (?, ?) {end}"));
        assert!(!dialect.names_conflicts() && dialect.met_another_row(Some("1242")));
        assert!(!dialect.met_another_row(Some("1062")) && !dialect.met_another_row(None));
    }
    assert!(Sqlite.names_conflicts() && !Postgres.met_another_row(Some("1242")));
    let once = [Sqlite, Postgres, MySql, MariaDb].map(cormorant_sql::Dialect::overwrites_once);
    assert_eq!(once, [None, Some("21000"), None, None]);
}

#[test]
fn a_row_that_is_there_takes_what_was_to_be_inserted() {
    let query = insert(&[NAME], &[AGE, EMAIL]).returning(&[0]);
    let end = r#"ON CONFLICT ("name") DO UPDATE SET "age" = excluded."age", "email" = excluded."email" RETURNING "id""#;
    on(&query, Postgres, &format!(r#"INSERT INTO "users" ("name", "age") VALUES ($1, $2) {end}"#));
    on(&query, Sqlite, &format!(r#"INSERT INTO "users" ("name", "age") VALUES (?, ?) {end}"#));
    // A row of another constraint is an error, and stays as it was.
    let end = "ON DUPLICATE KEY UPDATE `id` = IF(`name` = VALUES(`name`), `id`, (SELECT NULL UNION ALL SELECT NULL)), \
               `age` = VALUES(`age`)";
    let query = insert(&[NAME], &[AGE]);
    for dialect in [MySql, MariaDb] {
        on(&query, dialect, &format!("INSERT INTO `users` (`name`, `age`) VALUES (?, ?) {end}"));
    }
    on(
        &query.returning(&[0]),
        MariaDb,
        &format!("INSERT INTO `users` (`name`, `age`) VALUES (?, ?) {end} RETURNING `id`"),
    );
}

#[test]
fn a_constraint_may_have_several_columns() {
    let query = from(&LINKS).kind(Kind::Insert);
    let query = [0, 1, 2].into_iter().fold(query, |query, column| query.token(Token::Into(column)));
    let query =
        query.token(Token::Rows(1)).token(Token::Conflict(0)).token(Token::Conflict(1)).token(Token::Overwrite(2));
    on(
        &query,
        Postgres,
        r#"INSERT INTO "links" ("post_id", "user_id", "note") VALUES ($1, $2, $3) ON CONFLICT ("post_id", "user_id") DO UPDATE SET "note" = excluded."note""#,
    );
    on(
        &query,
        MySql,
        "INSERT INTO `links` (`post_id`, `user_id`, `note`) VALUES (?, ?, ?) ON DUPLICATE KEY UPDATE `post_id` = IF(`post_id` = VALUES(`post_id`) AND `user_id` = VALUES(`user_id`), `post_id`, (SELECT NULL UNION ALL SELECT NULL)), `note` = VALUES(`note`)",
    );
}

#[test]
fn what_is_overwritten_needs_a_constraint() {
    fault(
        insert(&[], &[AGE]),
        Postgres,
        "the statement is malformed: an INSERT overwrites, and names no unique constraint",
    );
}
