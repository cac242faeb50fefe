//! Queries: entities, joins, clauses, counting.

use cormorant_sql::{Aggregate, Binary as B, Kind, Nulls, Symbol, Token, Unary};

use crate::build::*;
use crate::tables::*;

const USER: &str = r#""id", "name", "email", "age", "active", "manager_id""#;
const POST: &str = r#""id", "title", "author_id", "editor_id", "score""#;

/// Columns with the alias of their table.
fn of(alias: &str, columns: &str) -> String {
    columns.split(", ").map(|column| format!("{alias}.{column}")).collect::<Vec<_>>().join(", ")
}

#[test]
fn entities() {
    everywhere(from(&USERS), &format!(r#"SELECT {USER} FROM "users""#));
    everywhere(from(&USERS).entity(&[]), &format!(r#"SELECT {USER} FROM "users""#));
    everywhere(
        from(&POSTS).entity(&[AUTHOR]),
        &format!(r#"SELECT {} FROM "posts" AS t0 JOIN "users" AS t1 ON t1."id" = t0."author_id""#, of("t1", USER)),
    );
    everywhere(
        from(&POSTS).entity(&[]).entity(&[EDITOR]).select(col(SCORE)),
        &format!(
            r#"SELECT {}, {}, t0."score" FROM "posts" AS t0 LEFT JOIN "users" AS t1 ON t1."id" = t0."editor_id""#,
            of("t0", POST),
            of("t1", USER)
        ),
    );
    let names = |query: Query| {
        query.render(Postgres).unwrap().outputs.into_iter().map(|output| output.name).collect::<Vec<_>>().join(", ")
    };
    assert_eq!(names(from(&LINKS)), "Link.post, Link.user, Link.note");
    assert_eq!(names(select(&POSTS, via(&[AUTHOR], NAME)).select(col(SCORE).add(int(1)))), "User.name, column 2");
}

#[test]
fn a_route_is_joined_once() {
    everywhere(
        from(&POSTS)
            .select(via(&[AUTHOR], NAME))
            .filter(via(&[AUTHOR], AGE).op(B::Gt, int(1)))
            .by(via(&[AUTHOR], NAME)),
        r#"SELECT t1."name" FROM "posts" AS t0 JOIN "users" AS t1 ON t1."id" = t0."author_id" WHERE t1."age" > ?1 ORDER BY t1."name""#,
    );
    // Two relations to one table are two joins, and a nullable one may find no row.
    everywhere(
        from(&POSTS).select(via(&[AUTHOR], NAME)).select(via(&[EDITOR], NAME)),
        r#"SELECT t1."name", t2."name" FROM "posts" AS t0 JOIN "users" AS t1 ON t1."id" = t0."author_id" LEFT JOIN "users" AS t2 ON t2."id" = t0."editor_id""#,
    );
    // What follows a relation that may find no row may find none either; a shared beginning is joined once.
    everywhere(
        from(&LINKS).select(via(&[POST_OF_LINK, EDITOR, MANAGER], NAME)).select(via(&[POST_OF_LINK, AUTHOR], NAME)),
        r#"SELECT t3."name", t4."name" FROM "links" AS t0 JOIN "posts" AS t1 ON t1."id" = t0."post_id" LEFT JOIN "users" AS t2 ON t2."id" = t1."editor_id" LEFT JOIN "users" AS t3 ON t3."id" = t2."manager_id" JOIN "users" AS t4 ON t4."id" = t1."author_id""#,
    );
    everywhere(
        from(&USERS).select(col(NAME)).select(via(&[MANAGER], NAME)).select(via(&[MANAGER, MANAGER], NAME)),
        r#"SELECT t0."name", t1."name", t2."name" FROM "users" AS t0 LEFT JOIN "users" AS t1 ON t1."id" = t0."manager_id" LEFT JOIN "users" AS t2 ON t2."id" = t1."manager_id""#,
    );
}

const POST_OF_LINK: u8 = crate::tables::POST;

#[test]
fn the_key_of_a_related_row_needs_no_join() {
    everywhere(select(&POSTS, via(&[AUTHOR], 0)), r#"SELECT "author_id" FROM "posts""#);
    everywhere(select(&USERS, via(&[MANAGER], 0).unary(Unary::IsNull)), r#"SELECT "manager_id" IS NULL FROM "users""#);
    everywhere(
        select(&LINKS, via(&[POST_OF_LINK, AUTHOR], 0)),
        r#"SELECT t1."author_id" FROM "links" AS t0 JOIN "posts" AS t1 ON t1."id" = t0."post_id""#,
    );
    everywhere(
        select(&POSTS, via(&[EDITOR, MANAGER], 0)),
        r#"SELECT t1."manager_id" FROM "posts" AS t0 LEFT JOIN "users" AS t1 ON t1."id" = t0."editor_id""#,
    );
    // The key of a whole entity is its own: where there is no row it must be NULL, whatever the foreign key says.
    everywhere(
        from(&POSTS).entity(&[EDITOR]).by(via(&[EDITOR], 0)),
        &format!(
            r#"SELECT {} FROM "posts" AS t0 LEFT JOIN "users" AS t1 ON t1."id" = t0."editor_id" ORDER BY t0."editor_id""#,
            of("t1", USER)
        ),
    );
}

#[test]
fn filters_are_one_condition() {
    let (a, b) = (|| col(AGE).eq(int(1)), || col(ACTIVE));
    let all = |query: Query, condition: &str| {
        everywhere(query.select(col(0)), &format!(r#"SELECT "id" FROM "users" WHERE {condition}"#))
    };
    all(from(&USERS).filter(a()), r#""age" = ?1"#);
    all(from(&USERS).filter(a()).filter(b()), r#""age" = ?1 AND "active""#);
    all(from(&USERS).filter(a().or(b())).filter(b()), r#"("age" = ?1 OR "active") AND "active""#);
    all(from(&USERS).filter(a().or(b())), r#""age" = ?1 OR "active""#);
    all(from(&USERS).filter(a().and(b())).filter(b()), r#""age" = ?1 AND "active" AND "active""#);
    all(from(&USERS).filter(b().not()).filter(a().not()), r#"NOT "active" AND ("age" = ?1) IS NOT TRUE"#);
}

#[test]
fn filters_behind_groups_are_having() {
    everywhere(
        from(&USERS)
            .filter(col(ACTIVE))
            .group_by(col(AGE))
            .group_by(col(MANAGER_ID))
            .filter(count_all().op(B::Gt, int(1)))
            .filter(col(AGE).op(B::Gt, int(2)))
            .select(col(AGE))
            .select(count_all())
            .by(count_all()),
        r#"SELECT "age", COUNT(*) FROM "users" WHERE "active" GROUP BY "age", "manager_id" HAVING COUNT(*) > ?1 AND "age" > ?2 ORDER BY COUNT(*)"#,
    );
}

#[test]
fn order() {
    let by = |descending, nulls| select(&USERS, col(0)).order_by(col(AGE), descending, nulls);
    let start = r#"SELECT "id" FROM "users" ORDER BY "age""#;
    everywhere(by(false, Nulls::Native), start);
    everywhere(by(true, Nulls::Native), &format!("{start} DESC"));
    let start_of_mysql = "SELECT `id` FROM `users` ORDER BY `age`";
    for (descending, nulls, standard, mysql) in [
        (false, Nulls::First, " NULLS FIRST", ""),
        (false, Nulls::Last, " NULLS LAST", " IS NULL, `age`"),
        (true, Nulls::First, " DESC NULLS FIRST", " IS NOT NULL, `age` DESC"),
        (true, Nulls::Last, " DESC NULLS LAST", " DESC"),
    ] {
        on(&by(descending, nulls), Sqlite, &format!("{start}{standard}"));
        on(&by(descending, nulls), Postgres, &format!("{start}{standard}"));
        on(&by(descending, nulls), MySql, &format!("{start_of_mysql}{mysql}"));
        on(&by(descending, nulls), MariaDb, &format!("{start_of_mysql}{mysql}"));
    }
    on(
        &select(&USERS, col(0)).order_by(col(ACTIVE).or(col(AGE).eq(int(1))), false, Nulls::Last),
        MySql,
        "SELECT `id` FROM `users` ORDER BY (`active` OR `age` = ?) IS NULL, `active` OR `age` = ?",
    );
    everywhere(
        select(&USERS, col(0)).by(col(ACTIVE)).order_by(col(NAME), true, Nulls::Native),
        r#"SELECT "id" FROM "users" ORDER BY "active", "name" DESC"#,
    );
}

#[test]
fn limit_and_offset() {
    let ids = || select(&USERS, col(0));
    everywhere(ids().limit(5), r#"SELECT "id" FROM "users" LIMIT ?1"#);
    everywhere(ids().limit(5).offset(2), r#"SELECT "id" FROM "users" LIMIT ?1 OFFSET ?2"#);
    on(&ids().offset(2), Sqlite, r#"SELECT "id" FROM "users" LIMIT -1 OFFSET ?1"#);
    on(&ids().offset(2), Postgres, r#"SELECT "id" FROM "users" OFFSET $1"#);
    on(&ids().offset(2), MySql, "SELECT `id` FROM `users` LIMIT 18446744073709551615 OFFSET ?");
    on(&ids().offset(2), MariaDb, "SELECT `id` FROM `users` LIMIT 18446744073709551615 OFFSET ?");
    assert_eq!(ids().offset(2).limit(5).render(MySql).unwrap().order, Some(vec![1, 0]));
}

#[test]
fn counting() {
    let count = |query: Query, sql: &str| everywhere(query.kind(Kind::Count), sql);
    count(from(&USERS), r#"SELECT COUNT(*) FROM "users""#);
    count(from(&USERS).filter(col(ACTIVE)), r#"SELECT COUNT(*) FROM "users" WHERE "active""#);
    count(from(&USERS).by(col(NAME)), r#"SELECT COUNT(*) FROM "users""#);
    count(
        from(&POSTS).filter(via(&[AUTHOR], ACTIVE)),
        r#"SELECT COUNT(*) FROM "posts" AS t0 JOIN "users" AS t1 ON t1."id" = t0."author_id" WHERE t1."active""#,
    );
    count(
        from(&USERS).by(col(NAME)).limit(5),
        r#"SELECT COUNT(*) FROM (SELECT 1 FROM "users" ORDER BY "name" LIMIT ?1) AS counted"#,
    );
    count(
        select(&USERS, col(AGE)).select(col(AGE)).distinct(),
        r#"SELECT COUNT(*) FROM (SELECT DISTINCT "age" AS c1, "age" AS c2 FROM "users") AS counted"#,
    );
    count(from(&USERS).group_by(col(AGE)), r#"SELECT COUNT(*) FROM (SELECT 1 FROM "users" GROUP BY "age") AS counted"#);
    count(select(&USERS, count_all()), r#"SELECT COUNT(*) FROM (SELECT COUNT(*) AS c1 FROM "users") AS counted"#);
    // A value that is bound has to stand somewhere.
    count(
        from(&USERS).filter(col(ACTIVE)).select(col(AGE).add(int(1))),
        r#"SELECT COUNT(*) FROM (SELECT "age" + ?1 AS c1 FROM "users" WHERE "active") AS counted"#,
    );
    count(
        from(&USERS).by(col(AGE).add(int(1))),
        r#"SELECT COUNT(*) FROM (SELECT 1 FROM "users" ORDER BY "age" + ?1) AS counted"#,
    );
    let compiled = select(&USERS, col(NAME)).kind(Kind::Count).render(Sqlite).unwrap();
    assert_eq!(compiled.outputs.len(), 1);
    assert!(!compiled.writes);
}

#[test]
fn asking_for_a_row() {
    let exists = |query: Query, sql: &str| everywhere(query.kind(Kind::Exists), sql);
    exists(from(&USERS).filter(col(AGE).eq(int(1))), r#"SELECT EXISTS (SELECT 1 FROM "users" WHERE "age" = ?1)"#);
    exists(from(&USERS).by(col(NAME)), r#"SELECT EXISTS (SELECT 1 FROM "users")"#);
    exists(from(&USERS).limit(1).offset(1), r#"SELECT EXISTS (SELECT 1 FROM "users" LIMIT ?1 OFFSET ?2)"#);
    exists(
        select(&USERS, col(AGE)).distinct().limit(3),
        r#"SELECT EXISTS (SELECT DISTINCT "age" FROM "users" LIMIT ?1)"#,
    );
    exists(
        from(&USERS).group_by(col(AGE)).filter(col(0).aggregate(Aggregate::Max).op(B::Gt, int(3))),
        r#"SELECT EXISTS (SELECT 1 FROM "users" GROUP BY "age" HAVING MAX("id") > ?1)"#,
    );
}

#[test]
fn distinct_rows() {
    everywhere(select(&USERS, col(AGE)).distinct(), r#"SELECT DISTINCT "age" FROM "users""#);
}

#[test]
fn names_that_cannot_be_quoted_are_refused() {
    let query = from(&USERS).token(Token::Source(Symbol::of("a\0")));
    fault(
        query,
        Sqlite,
        r#"the name "a\0" holds the control character U+0000: names are written into SQL and may hold none"#,
    );
}
