//! An UPDATE of many rows.

use cormorant_sql::{Class, Kind, Token};

use crate::build::*;
use crate::tables::*;

fn update(set: &[u16], found_by: &[u16], rows: Token) -> Query {
    let query = set.iter().fold(from(&USERS).kind(Kind::Update), |query, column| query.token(Token::Into(*column)));
    found_by.iter().fold(query, |query, column| query.token(Token::Match(*column))).token(rows)
}

#[test]
fn many_rows_take_values_of_their_own() {
    let two = update(&[NAME, AGE], &[0], Token::Rows(2));
    on(
        &two,
        Sqlite,
        r#"UPDATE "users" AS t SET "name" = v.column1, "age" = v.column2 FROM (VALUES (?, ?, ?), (?, ?, ?)) AS v WHERE t."id" = v.column3"#,
    );
    on(
        &two,
        MariaDb,
        "UPDATE `users` AS t JOIN (SELECT `name` AS column1, `age` AS column2, `id` AS column3 FROM `users` \
         WHERE FALSE UNION ALL VALUES (?, ?, ?), (?, ?, ?)) AS v ON t.`id` = v.column3 SET t.`name` = v.column1, t.`age` = v.column2",
    );
    on(
        &two,
        MySql,
        "UPDATE `users` AS t JOIN (SELECT `name` AS column1, `age` AS column2, `id` AS column3 FROM `users` \
         WHERE FALSE UNION ALL VALUES ROW(CAST(? AS CHAR), CAST(? AS SIGNED), CAST(? AS SIGNED)), \
         ROW(CAST(? AS CHAR), CAST(? AS SIGNED), CAST(? AS SIGNED))) AS v ON t.`id` = v.column3 SET t.`name` = v.column1, t.`age` = v.column2",
    );
    let compiled = two.render(MariaDb).unwrap();
    assert_eq!(compiled.order, Some((0..6).collect()));
    let classes: Vec<Class> = compiled.parameters.iter().map(|parameter| parameter.class).collect();
    assert_eq!(classes, [Class::Text, Class::Int, Class::Int, Class::Text, Class::Int, Class::Int]);
    assert!(compiled.writes);

    let lists = update(&[NAME, AGE], &[0], Token::Lists);
    on(
        &lists,
        Postgres,
        r#"UPDATE "users" AS t SET "name" = v.column1, "age" = v.column2 FROM unnest($1, $2, $3) AS v (column1, column2, column3) WHERE t."id" = v.column3"#,
    );
    let parameters = lists.render(Postgres).unwrap().parameters;
    assert!(parameters.len() == 3 && parameters.iter().all(|parameter| parameter.list));
    fault(lists, Sqlite, "the statement is malformed: the dialect takes no lists");
}

#[test]
fn rows_are_found_by_columns_that_may_be_null_and_by_text() {
    let query = update(&[AGE], &[0, EMAIL], Token::Rows(2));
    on(
        &query,
        Sqlite,
        r#"UPDATE "users" AS t SET "age" = v.column1 FROM (VALUES (?, ?, ?), (?, ?, ?)) AS v WHERE t."id" = v.column2 AND t."email" IS v.column3"#,
    );
    on(
        &query,
        MariaDb,
        "UPDATE `users` AS t JOIN (SELECT `age` AS column1, `id` AS column2, `email` AS column3 FROM `users` \
         WHERE FALSE UNION ALL VALUES (?, ?, ?), (?, ?, ?)) AS v \
         ON t.`id` = v.column2 AND t.`email` <=> v.column3 SET t.`age` = v.column1",
    );
    let sql = query.sql(MySql);
    assert!(sql.contains("ON t.`id` = v.column2 AND t.`email` <=> v.column3 COLLATE utf8mb4_0900_bin SET"), "{sql}");
    on(
        &update(&[AGE], &[0], Token::Rows(1)),
        Sqlite,
        r#"UPDATE "users" AS t SET "age" = v.column1 FROM (VALUES (?, ?)) AS v WHERE t."id" = v.column2"#,
    );
    on(
        &update(&[AGE], &[0, EMAIL], Token::Lists),
        Postgres,
        r#"UPDATE "users" AS t SET "age" = v.column1 FROM unnest($1, $2, $3) AS v (column1, column2, column3) WHERE t."id" = v.column2 AND t."email" IS NOT DISTINCT FROM v.column3"#,
    );
}

#[test]
fn what_travels_as_text_is_told_what_it_is() {
    let all = |table: &'static cormorant_sql::schema::TableDef, dialect| {
        let columns = 1..table.columns.len() as u16;
        let query = columns.fold(from(table).kind(Kind::Update), |query, column| query.token(Token::Into(column)));
        query.token(Token::Match(0)).token(Token::Rows(2)).sql(dialect)
    };
    assert_eq!(all(&EVENTS, Sqlite).matches("CAST").count(), 0);
    assert_eq!(all(&EVENTS, MariaDb).matches("CAST").count(), 0);
    assert_eq!(all(&ITEMS, MariaDb).matches("CAST(? AS DECIMAL(").count(), 4);
    let events = all(&EVENTS, MySql);
    for ty in ["SIGNED", "DATE", "TIME(6)", "DATETIME(6)", "CHAR", "BINARY"] {
        assert!(events.contains(&format!("CAST(? AS {ty})")), "{ty}: {events}");
    }
}

#[test]
fn an_update_of_many_rows_sets_something_and_finds_its_rows() {
    let wrong = "the statement is malformed: an UPDATE of many rows sets nothing, or finds none";
    fault(update(&[], &[0], Token::Rows(2)), Sqlite, wrong);
    fault(update(&[AGE], &[], Token::Lists), Postgres, wrong);
}

#[test]
fn an_update_of_too_much() {
    let query = update(&[NAME, AGE], &[0], Token::Rows(21_846));
    fault(query, MariaDb, "too many values: at most 65535 fit one statement");
}
