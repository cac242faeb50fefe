//! Keys of several columns.

use cormorant_sql::schema::Table;
use cormorant_sql::{Class, Kind, Token, ddl, own_column};

use crate::build::*;
use crate::tables::*;

#[test]
fn a_join_compares_every_column_of_the_key() {
    everywhere(
        select(&REMARKS, via(&[LINK], NOTE)),
        r#"SELECT t1."note" FROM "remarks" AS t0 JOIN "links" AS t1 ON t1."post_id" = t0."link_post" AND t1."user_id" = t0."link_user""#,
    );
    everywhere(
        select(&REMARKS, via(&[REPLIED, POST], TITLE)),
        r#"SELECT t2."title" FROM "remarks" AS t0 LEFT JOIN "links" AS t1 ON t1."post_id" = t0."reply_post" AND t1."user_id" = t0."reply_user" LEFT JOIN "posts" AS t2 ON t2."id" = t1."post_id""#,
    );
}

#[test]
fn each_column_of_the_key_stands_in_the_foreign_key() {
    same(&REMARKS, via(&[LINK], 0), r#""link_post""#);
    same(&REMARKS, via(&[LINK], 1), r#""link_user""#);
    same(&REMARKS, via(&[REPLIED, POST], 0), r#""reply_post""#);
    assert_eq!(own_column(&REMARKS, via(&[LINK], 1).0.tokens[0]), Some(LINK_USER));
    // It may be missing, as the foreign key may.
    same(&REMARKS, via(&[REPLIED], 1).eq(int(1)).not(), r#"("reply_user" = ?1) IS NOT TRUE"#);
}

#[test]
fn keys_in_a_list_are_one_parameter() {
    let classes = [
        (
            &REMARKS,
            vec![LINK_POST, LINK_USER],
            "\"link_post\", \"link_user\"",
            "value ->> 0, value ->> 1",
            "CAST(value ->> 0 AS bigint), CAST(value ->> 1 AS bigint)",
            "v0, v1",
            "v0 BIGINT PATH '$[0]', v1 BIGINT PATH '$[1]'",
        ),
        (
            &USERS,
            vec![ACTIVE, NAME],
            "\"active\", \"name\"",
            "value ->> 0, value ->> 1",
            "CAST(value ->> 0 AS boolean), value ->> 1",
            "v0, v1 {bin}",
            "v0 BIGINT PATH '$[0]', v1 LONGTEXT PATH '$[1]'",
        ),
        (
            &EVENTS,
            vec![DATA, STAMP, TOKEN],
            "\"data\", \"stamp\", \"token\"",
            "unhex(value ->> 0), value ->> 1, value ->> 2",
            "decode(value ->> 0, 'hex'), CAST((value ->> 1) || '+00' AS timestamptz), CAST(value ->> 2 AS uuid)",
            "UNHEX(v0), v1, v2 {bin}",
            "v0 LONGTEXT PATH '$[0]', v1 DATETIME(6) PATH '$[1]', v2 LONGTEXT PATH '$[2]'",
        ),
        (
            &EVENTS,
            vec![DAY, CLOCK, PLANNED],
            "\"day\", \"clock\", \"planned\"",
            "value ->> 0, value ->> 1, value ->> 2",
            "CAST(value ->> 0 AS DATE), CAST(value ->> 1 AS time), CAST(value ->> 2 AS timestamp)",
            "v0, v1, v2",
            "v0 DATE PATH '$[0]', v1 TIME(6) PATH '$[1]', v2 DATETIME(6) PATH '$[2]'",
        ),
        (
            &ITEMS,
            vec![PRICE, QUANTITY],
            "\"price\", \"quantity\"",
            "value ->> 0, value ->> 1",
            "CAST(value ->> 0 AS numeric), CAST(value ->> 1 AS bigint)",
            "v0, v1",
            "v0 DECIMAL(65, 30) PATH '$[0]', v1 BIGINT PATH '$[1]'",
        ),
    ];
    for (table, columns, names, sqlite, postgres, mysql, types) in classes {
        let columns: Vec<Expr> = columns.into_iter().map(col).collect();
        expr(
            table,
            row_within(&columns, keys()),
            &format!("({names}) IN (SELECT {sqlite} FROM json_each(?1))"),
            &format!("({names}) IN (SELECT {postgres} FROM json_array_elements(CAST($1 AS json)) AS l(value))"),
            &format!(
                "({}) IN (SELECT {mysql} FROM JSON_TABLE(?, '$[*]' COLUMNS ({types})) l)",
                names.replace('"', "`")
            ),
        );
    }
    let compiled = select(&REMARKS, row_within(&[col(LINK_POST), col(LINK_USER)], keys())).render(Postgres).unwrap();
    assert_eq!(compiled.parameters.iter().map(|p| (p.class, p.list)).collect::<Vec<_>>(), [(Class::Text, false)]);
}

#[test]
fn a_key_is_in_a_query_of_as_many_columns() {
    let both = || row_within(&[col(0), col(1)], from(&REMARKS).select(col(REPLY)).select(col(4)).value());
    everywhere(
        select(&LINKS, col(NOTE)).filter(both()),
        r#"SELECT t0."note" FROM "links" AS t0 WHERE (t0."post_id", t0."user_id") IN (SELECT t1."reply_post", t1."reply_user" FROM "remarks" AS t1)"#,
    );
    // No row is in what holds NULL, and none is not in it either.
    let not = select(&LINKS, both().not()).sql(Sqlite);
    assert!(
        not.starts_with(r#"SELECT ((t0."post_id", t0."user_id") IN (SELECT"#) && not.contains(") IS NOT TRUE FROM"),
        "{not}"
    );
    for broken in
        [row_within(&[col(0), col(1)], int(1)), row_within(&[col(0), col(1)], list(Class::Int)), col(0).within(keys())]
    {
        fault(select(&LINKS, broken), Sqlite, "the statement is malformed: a value is in what is no list");
    }
}

#[test]
fn values_behind_a_list_of_keys_keep_their_places() {
    let query = from(&LINKS)
        .select(col(NOTE))
        .filter(col(0).eq(int(1)))
        .filter(row_within(&[col(0), col(1)], keys()))
        .filter(col(NOTE).eq(text("x")));
    let sql = query.sql(Postgres);
    assert!(sql.contains("= $1") && sql.contains("CAST($2 AS json)") && sql.ends_with("= $3"), "{sql}");
    assert_eq!(query.render(MariaDb).unwrap().order, Some(vec![0, 1, 2]));
}

#[test]
fn a_limit_is_for_each_key() {
    let each = |n| {
        let query = from(&REMARKS).entity(&[]).by(col(0)).clause(col(LINK_POST), Token::Select);
        let mut query = query.clause(col(LINK_USER), Token::Select);
        query.buffer.append(col(LINK_POST).0);
        query.buffer.append(col(LINK_USER).0);
        query.clause(int(3), Token::LimitEach(n))
    };
    let sql = each(2).sql(Sqlite);
    let numbered = r#"ROW_NUMBER() OVER (PARTITION BY "link_post", "link_user" ORDER BY "id") AS c9"#;
    assert!(sql.contains(numbered) && sql.ends_with(" WHERE c9 <= ?1 ORDER BY c9"), "{sql}");
    for wrong in [0, 1, 3] {
        let message = "the statement is malformed: a limit takes what it is for each of, and a number";
        fault(each(wrong), Sqlite, message);
    }
}

#[test]
fn what_changes_rows_looks_through_a_list_once() {
    let update = from(&LINKS).kind(Kind::Update).set(NOTE, text("x")).filter(row_within(&[col(0), col(1)], keys()));
    on(
        &update,
        MariaDb,
        "UPDATE `links` SET `note` = ? WHERE (`post_id`, `user_id`) IN (SELECT * FROM (SELECT `post_id`, `user_id` FROM `links` \
         WHERE (`post_id`, `user_id`) IN (SELECT v0, v1 FROM JSON_TABLE(?, '$[*]' COLUMNS (v0 BIGINT PATH '$[0]', v1 BIGINT PATH '$[1]')) l) \
         LIMIT 18446744073709551615) AS picked)",
    );
    on(
        &update,
        Sqlite,
        r#"UPDATE "links" SET "note" = ?1 WHERE ("post_id", "user_id") IN (SELECT value ->> 0, value ->> 1 FROM json_each(?2))"#,
    );
}

#[test]
fn it_is_created_with_its_index() {
    let table = Table::of(&REMARKS).unwrap();
    let sql = ddl::create_table(&table, Sqlite).unwrap();
    for part in [
        r#"CONSTRAINT "fk_remarks_link_post_link_user" FOREIGN KEY ("link_post", "link_user") REFERENCES "links" ("post_id", "user_id")"#,
        r#"CONSTRAINT "fk_remarks_reply_post_reply_user" FOREIGN KEY ("reply_post", "reply_user") REFERENCES "links" ("post_id", "user_id")"#,
        r#"CREATE INDEX "ix_remarks_link_post_link_user" ON "remarks" ("link_post", "link_user")"#,
    ] {
        assert!(sql.iter().any(|sql| sql.contains(part)), "{part} is not in {sql:?}");
    }
}
