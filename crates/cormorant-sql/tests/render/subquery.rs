//! Nested queries, WITH, and combined queries.

use cormorant_sql::SetOperation::*;
use cormorant_sql::{Binary as B, DecimalForm, Kind, Nulls, Unary};

use crate::build::*;
use crate::tables::*;

/// The posts of the user around.
fn posts_of(hops: &[u8]) -> Query {
    from(&POSTS).filter(col(AUTHOR_ID).eq(outer(1, hops, 0)))
}

#[test]
fn exists_and_values() {
    everywhere(
        select(&USERS, col(0)).filter(posts_of(&[]).exists()),
        r#"SELECT t0."id" FROM "users" AS t0 WHERE EXISTS (SELECT 1 FROM "posts" AS t1 WHERE t1."author_id" = t0."id")"#,
    );
    everywhere(
        select(&USERS, from(&POSTS).exists().not()),
        r#"SELECT NOT EXISTS (SELECT 1 FROM "posts" AS t1) FROM "users" AS t0"#,
    );
    everywhere(
        select(&USERS, col(NAME)).select(posts_of(&[]).select(count_all()).value()),
        r#"SELECT t0."name", (SELECT COUNT(*) FROM "posts" AS t1 WHERE t1."author_id" = t0."id") FROM "users" AS t0"#,
    );
    // A nested query may find no row.
    everywhere(
        select(&USERS, posts_of(&[]).select(col(TITLE)).value().eq(text("x")).not()),
        r#"SELECT ((SELECT t1."title" FROM "posts" AS t1 WHERE t1."author_id" = t0."id") = ?1) IS NOT TRUE FROM "users" AS t0"#,
    );
    // What it selects says how its value is divided.
    on(
        &select(&USERS, from(&POSTS).select(col(SCORE).sum()).value().op(B::Divide, int(2))),
        MySql,
        "SELECT (SELECT SUM(t1.`score`) FROM `posts` AS t1) / ? FROM `users` AS t0",
    );
    let price = select(&USERS, from(&ITEMS).select(col(PRICE).sum()).value());
    let sum = r#"(SUM(CAST(ROUND(t1."price" * 1e2) AS INTEGER)) / 1e2)"#;
    on(&price, Sqlite, &format!(r#"SELECT (SELECT {sum} FROM "items" AS t1) FROM "users" AS t0"#));
    assert_eq!(price.render(Sqlite).unwrap().outputs[0].decimal, DecimalForm::Scale(2));
    // Neither can the sums of combined queries be read in units: the other query may not have any.
    let both = select(&ITEMS, col(PRICE).sum()).combine(Union, select(&ITEMS, col(PRICE)));
    assert_eq!(both.render(Sqlite).unwrap().outputs[0].decimal, DecimalForm::Scale(2));
    assert!(both.sql(Sqlite).starts_with(&format!("SELECT {}", sum.replace("t1.", ""))));
}

#[test]
fn values_are_numbered_in_the_order_they_are_bound() {
    let nested = posts_of(&[]).filter(col(TITLE).eq(text("in"))).exists();
    let query = select(&USERS, col(0))
        .filter(col(NAME).eq(text("before")).and(nested.clone()).and(col(AGE).eq(int(3))))
        .limit(4);
    let condition = |a, b, c, d| {
        format!(
            r#"SELECT t0."id" FROM "users" AS t0 WHERE t0."name" = {a} AND EXISTS (SELECT 1 FROM "posts" AS t1 WHERE t1."author_id" = t0."id" AND t1."title" = {b}) AND t0."age" = {c} LIMIT {d}"#
        )
    };
    everywhere(query.clone(), &condition("?1", "?2", "?3", "?4"));
    assert_eq!(query.render(MySql).unwrap().order, Some(vec![0, 1, 2, 3]));
    // Bound first, written last.
    let query = select(&USERS, col(0)).limit(1).filter(nested);
    assert_eq!(query.render(MySql).unwrap().order, Some(vec![1, 0]));
    assert_eq!(
        query.sql(Postgres),
        r#"SELECT t0."id" FROM "users" AS t0 WHERE EXISTS (SELECT 1 FROM "posts" AS t1 WHERE t1."author_id" = t0."id" AND t1."title" = $2) LIMIT $1"#
    );
    // Two nested queries, the first with a third inside.
    let inner = from(&LINKS).filter(col(0).eq(outer(1, &[], 0)).and(col(NOTE).eq(text("b")))).exists();
    let first = posts_of(&[]).filter(col(TITLE).eq(text("a")).and(inner)).filter(col(SCORE).eq(int(3))).exists();
    let second = posts_of(&[]).filter(col(TITLE).eq(text("d"))).exists();
    let query = select(&USERS, col(0)).filter(first.or(second).or(col(AGE).eq(int(5))));
    everywhere(
        query.clone(),
        r#"SELECT t0."id" FROM "users" AS t0 WHERE EXISTS (SELECT 1 FROM "posts" AS t1 WHERE t1."author_id" = t0."id" AND t1."title" = ?1 AND EXISTS (SELECT 1 FROM "links" AS t2 WHERE t2."post_id" = t1."id" AND t2."note" = ?2) AND t1."score" = ?3) OR EXISTS (SELECT 1 FROM "posts" AS t1 WHERE t1."author_id" = t0."id" AND t1."title" = ?4) OR t0."age" = ?5"#,
    );
    assert_eq!(query.render(Sqlite).unwrap().parameters.len(), 5);
}

#[test]
fn a_nested_query_looks_any_number_of_queries_out() {
    // The join that the innermost query needs belongs to the outermost.
    let inner = from(&LINKS).filter(col(1).eq(outer(2, &[MANAGER], AGE))).filter(col(0).eq(outer(1, &[], 0))).exists();
    everywhere(
        select(&USERS, col(0)).filter(from(&POSTS).filter(inner).exists()),
        r#"SELECT t0."id" FROM "users" AS t0 LEFT JOIN "users" AS t1 ON t1."id" = t0."manager_id" WHERE EXISTS (SELECT 1 FROM "posts" AS t2 WHERE EXISTS (SELECT 1 FROM "links" AS t3 WHERE t3."user_id" = t1."age" AND t3."post_id" = t2."id"))"#,
    );
    // And one query out is the middle one, though two are open.
    let inner = from(&LINKS).filter(col(1).eq(outer(1, &[EDITOR], AGE))).exists();
    everywhere(
        select(&USERS, col(0)).filter(from(&POSTS).filter(inner).exists()),
        r#"SELECT t0."id" FROM "users" AS t0 WHERE EXISTS (SELECT 1 FROM "posts" AS t1 LEFT JOIN "users" AS t2 ON t2."id" = t1."editor_id" WHERE EXISTS (SELECT 1 FROM "links" AS t3 WHERE t3."user_id" = t2."age"))"#,
    );
    everywhere(
        select(&POSTS, col(0)).filter(from(&LINKS).filter(via(&[1], AGE).eq(outer(1, &[AUTHOR], AGE))).exists()),
        r#"SELECT t0."id" FROM "posts" AS t0 JOIN "users" AS t1 ON t1."id" = t0."author_id" WHERE EXISTS (SELECT 1 FROM "links" AS t2 JOIN "users" AS t3 ON t3."id" = t2."user_id" WHERE t3."age" = t1."age")"#,
    );
    // The key of what is around needs no join there either.
    everywhere(
        select(&POSTS, col(0)).filter(from(&USERS).filter(col(0).eq(outer(1, &[AUTHOR], 0))).exists()),
        r#"SELECT t0."id" FROM "posts" AS t0 WHERE EXISTS (SELECT 1 FROM "users" AS t1 WHERE t1."id" = t0."author_id")"#,
    );
    fault(
        select(&USERS, col(0)).filter(from(&POSTS).filter(outer(2, &[], 0).unary(Unary::IsNull)).exists()),
        Sqlite,
        "the statement is malformed: a column of an enclosing query stands outside any",
    );
}

#[test]
fn nesting_has_an_end() {
    let deep = |levels| (0..levels).fold(from(&USERS), |query, _| from(&USERS).filter(query.exists()));
    let render = move |levels: usize| {
        let work = move || deep(levels).render(Postgres).map(|compiled| compiled.sql.matches("EXISTS").count());
        std::thread::Builder::new().stack_size(512 << 10).spawn(work).unwrap().join().unwrap()
    };
    assert_eq!(render(31), Ok(31));
    let refused = "too many queries nested in each other: at most 32 fit one statement";
    for levels in [32, 1_000] {
        assert_eq!(render(levels).unwrap_err().to_string(), refused);
    }
    let values = (0..1_000).fold(col(0), |expr, _| from(&USERS).select(expr).value());
    fault(select(&USERS, values), Sqlite, refused);
    let unions = (0..1_000).fold(from(&USERS), |query, _| from(&USERS).combine(Union, query));
    fault(unions, Sqlite, refused);
}

#[test]
fn with_names_a_query() {
    everywhere(
        from(&USERS)
            .with("grown", from(&USERS).filter(col(AGE).op(B::Ge, int(18))))
            .source("grown")
            .select(col(NAME))
            .filter(col(0).eq(int(7))),
        r#"WITH "grown" AS (SELECT "id", "name", "email", "age", "active", "manager_id" FROM "users" WHERE "age" >= ?1) SELECT "name" FROM "grown" WHERE "id" = ?2"#,
    );
    everywhere(
        select(&USERS, col(NAME))
            .with("a", from(&USERS).entity(&[]).filter(col(AGE).eq(int(1))).limit(9))
            .with("b", from(&USERS).source("a").entity(&[]))
            .source("b"),
        r#"WITH "a" AS (SELECT "id", "name", "email", "age", "active", "manager_id" FROM "users" WHERE "age" = ?1 LIMIT ?2), "b" AS (SELECT "id", "name", "email", "age", "active", "manager_id" FROM "a") SELECT "name" FROM "b""#,
    );
    // A query of every row has no tokens at all, and is a query still.
    everywhere(
        from(&USERS).with("everyone", from(&USERS)).source("everyone").kind(Kind::Count),
        r#"SELECT COUNT(*) FROM (WITH "everyone" AS (SELECT "id", "name", "email", "age", "active", "manager_id" FROM "users") SELECT 1 FROM "everyone") AS counted"#,
    );
}

const COLUMNS: &str = r#""id", "name", "email", "age", "active", "manager_id""#;

#[test]
fn combined_queries() {
    let named = || select(&USERS, col(NAME)).filter(col(AGE).eq(int(1)));
    for (operation, word) in [(Union, "UNION"), (UnionAll, "UNION ALL"), (Intersect, "INTERSECT"), (Except, "EXCEPT")] {
        everywhere(
            named().combine(operation, select(&USERS, col(NAME)).filter(col(ACTIVE))),
            &format!(r#"SELECT "name" FROM "users" WHERE "age" = ?1 {word} SELECT "name" FROM "users" WHERE "active""#),
        );
    }
    everywhere(
        from(&USERS).combine(Union, from(&USERS)),
        &format!(r#"SELECT {COLUMNS} FROM "users" UNION SELECT {COLUMNS} FROM "users""#),
    );
    // Order and limit behind the last query belong to the whole; a query with its own stands in FROM.
    everywhere(
        named().combine(Union, select(&USERS, col(NAME)).by(col(AGE)).limit(3)).by(col(NAME)).limit(5),
        r#"SELECT "name" FROM "users" WHERE "age" = ?1 UNION SELECT * FROM (SELECT "name" AS c1 FROM "users" ORDER BY "age" LIMIT ?2) AS t2 ORDER BY 1 LIMIT ?3"#,
    );
    // From left to right, though INTERSECT would go first by the standard.
    everywhere(
        named().combine(Union, named()).combine(Intersect, named()),
        r#"SELECT * FROM (SELECT "name" AS c1 FROM "users" WHERE "age" = ?1 UNION SELECT "name" FROM "users" WHERE "age" = ?2) AS t2 INTERSECT SELECT "name" FROM "users" WHERE "age" = ?3"#,
    );
    everywhere(
        named().combine(Intersect, named()).combine(Union, named()),
        r#"SELECT "name" FROM "users" WHERE "age" = ?1 INTERSECT SELECT "name" FROM "users" WHERE "age" = ?2 UNION SELECT "name" FROM "users" WHERE "age" = ?3"#,
    );
    everywhere(
        named().combine(Union, named().combine(Except, named())),
        r#"SELECT "name" FROM "users" WHERE "age" = ?1 UNION SELECT * FROM (SELECT "name" AS c1 FROM "users" WHERE "age" = ?2 EXCEPT SELECT "name" FROM "users" WHERE "age" = ?3) AS t3"#,
    );
    // They are counted by what they select, and asked for in full.
    everywhere(
        named().combine(Union, named()).kind(Kind::Count),
        r#"SELECT COUNT(*) FROM (SELECT "name" AS c1 FROM "users" WHERE "age" = ?1 UNION SELECT "name" FROM "users" WHERE "age" = ?2) AS counted"#,
    );
    everywhere(
        named().combine(Union, named()).kind(Kind::Exists),
        r#"SELECT EXISTS (SELECT "name" FROM "users" WHERE "age" = ?1 UNION SELECT "name" FROM "users" WHERE "age" = ?2)"#,
    );
    // A column of the query around, in a query behind UNION inside it.
    everywhere(
        select(&POSTS, col(0)).filter(
            col(0).within(
                select(&USERS, col(0))
                    .filter(col(AGE).eq(outer(1, &[EDITOR], AGE)))
                    .combine(Union, select(&USERS, col(0)).filter(col(AGE).eq(outer(1, &[AUTHOR], AGE))))
                    .value(),
            ),
        ),
        r#"SELECT t0."id" FROM "posts" AS t0 LEFT JOIN "users" AS t1 ON t1."id" = t0."editor_id" JOIN "users" AS t2 ON t2."id" = t0."author_id" WHERE t0."id" IN (SELECT t3."id" FROM "users" AS t3 WHERE t3."age" = t1."age" UNION SELECT t4."id" FROM "users" AS t4 WHERE t4."age" = t2."age")"#,
    );
}

#[test]
fn the_order_of_combined_queries_is_by_position() {
    let both = || from(&USERS).combine(UnionAll, from(&USERS));
    let order = |query: Query| query.sql(Sqlite).split_once(" ORDER BY ").unwrap().1.to_owned();
    assert_eq!(order(both().by(col(AGE)).order_by(col(NAME), true, Nulls::Native)), "4, 2 DESC");
    assert_eq!(order(both().order_by(col(AGE), false, Nulls::Last)), "4 NULLS LAST");
    let sums = select(&USERS, col(NAME)).select(col(AGE).add(col(0)));
    assert_eq!(order(sums.clone().combine(Union, sums.clone()).by(col(AGE).add(col(0)))), "2");
    let why = "select the expression and order by it, or sort the rows in the program";
    fault(
        sums.clone().combine(Union, sums).by(col(EMAIL)),
        Postgres,
        &format!("the order of combined queries cannot use what they do not select: {why}"),
    );
    fault(
        both().order_by(col(AGE), false, Nulls::Last),
        MariaDb,
        &format!("the order of combined queries cannot say where NULL stands in this dialect: {why}"),
    );
}

#[test]
fn a_table_is_joined_by_its_whole_key() {
    use cormorant_sql::schema::{OnDelete, RelationDef, TableDef};
    static ODD: TableDef = TableDef {
        relations: &[RelationDef {
            model: "",
            field: "link",
            columns: &[0],
            target: || &LINKS,
            target_path: "",
            on_delete: OnDelete::Restrict,
            on_update: None,
        }],
        ..USERS
    };
    fault(
        select(&ODD, via(&[0], NOTE)),
        Sqlite,
        "the statement is malformed: a foreign key has other columns than the key that it points at",
    );
}
