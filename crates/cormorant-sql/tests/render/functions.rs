//! Functions, aggregates and windows.

use cormorant_sql::{Aggregate as A, Binary, Class, DecimalForm, Function as F, Nulls, Token, Value};

use crate::build::*;
use crate::tables::*;

#[test]
fn functions() {
    same(&USERS, call(F::Coalesce, &[col(AGE), int(0)]), r#"COALESCE("age", ?1)"#);
    same(&USERS, call(F::Coalesce, &[col(0)]), r#""id""#);
    same(&USERS, call(F::Abs, &[col(AGE)]), r#"ABS("age")"#);
    same(&USERS, call(F::Trim, &[col(NAME)]), r#"TRIM("name")"#);
    let lower = call(F::Lower, &[col(NAME)]);
    expr(&USERS, lower, r#"cormorant_lower("name")"#, r#"LOWER("name")"#, "LOWER(`name`)");
    let upper = call(F::Upper, &[col(NAME)]);
    expr(&USERS, upper, r#"cormorant_upper("name")"#, r#"UPPER("name")"#, "UPPER(`name`)");
    let length = call(F::Length, &[col(NAME)]);
    expr(&USERS, length, r#"length("name")"#, r#"CHAR_LENGTH("name")"#, "CHAR_LENGTH(`name`)");
    for (function, letter, word) in [
        (F::Year, "Y", "YEAR"),
        (F::Month, "m", "MONTH"),
        (F::Day, "d", "DAY"),
        (F::Hour, "H", "HOUR"),
        (F::Minute, "M", "MINUTE"),
        (F::Second, "S", "SECOND"),
    ] {
        let postgres = match function {
            F::Second => r#"CAST(FLOOR(EXTRACT(SECOND FROM "stamp")) AS bigint)"#.to_owned(),
            _ => format!("CAST(EXTRACT({word} FROM \"stamp\") AS bigint)"),
        };
        let sqlite = format!("CAST(strftime('%{letter}', \"stamp\") AS INTEGER)");
        expr(&EVENTS, call(function, &[col(STAMP)]), &sqlite, &postgres, &format!("{word}(`stamp`)"));
    }
    fault(
        select(&USERS, call(F::Lower, &[])),
        Sqlite,
        "the statement is malformed: a function has other operands than it takes",
    );
    fault(
        select(&USERS, call(F::Coalesce, &[])),
        Sqlite,
        "the statement is malformed: a function has other operands than it takes",
    );
}

#[test]
fn round_keeps_the_class() {
    let round = |column: fn() -> Expr| (call(F::Round, &[column()]), call(F::Round, &[column(), int(2)]));
    let (one, two) = round(|| col(SCORE));
    expr(
        &POSTS,
        one,
        r#"ROUND("score")"#,
        r#"CAST(ROUND(CAST("score" AS numeric)) AS double precision)"#,
        "ROUND(`score`)",
    );
    expr(
        &POSTS,
        two,
        r#"ROUND("score", ?1)"#,
        r#"CAST(ROUND(CAST("score" AS numeric), CAST($1 AS integer)) AS double precision)"#,
        "ROUND(`score`, ?)",
    );
    let (one, two) = round(|| col(QUANTITY));
    same(&ITEMS, one, r#""quantity""#);
    expr(
        &ITEMS,
        two,
        r#"CAST(ROUND("quantity", ?1) AS INTEGER)"#,
        r#"CAST(ROUND(CAST("quantity" AS numeric), CAST($1 AS integer)) AS bigint)"#,
        "ROUND(`quantity`, ?)",
    );
    let (one, two) = round(|| col(PRICE));
    same(&ITEMS, one, r#"ROUND("price")"#);
    expr(
        &ITEMS,
        two,
        "CAST(nullif(nullif(printf('%.15g', coalesce(ROUND(\"price\" * 1.0000000000000004, ?1), 9e999)), 'Inf'), '-Inf') AS NUMERIC)",
        r#"ROUND("price", CAST($1 AS integer))"#,
        "ROUND(`price`, ?)",
    );
}

#[test]
fn functions_of_the_database_have_plain_names() {
    same(&USERS, named("nullif", &[col(AGE), int(0)]), r#"nullif("age", ?1)"#);
    for name in ["", "a b", "a.b", "f(x); DROP TABLE users; --", "1st", "é", "a\0"] {
        fault(
            select(&USERS, named(name, &[])),
            Postgres,
            &format!("{name:?} is not the name of a function: a name is made of letters, digits and underscores"),
        );
    }
}

#[test]
fn aggregates() {
    same(&USERS, count_all(), "COUNT(*)");
    same(&USERS, col(AGE).aggregate(A::Count), r#"COUNT("age")"#);
    same(&USERS, col(AGE).aggregate(A::Min), r#"MIN("age")"#);
    same(&USERS, col(AGE).aggregate(A::Max), r#"MAX("age")"#);
    expr(&USERS, col(AGE).sum(), r#"SUM("age")"#, r#"CAST(SUM("age") AS bigint)"#, "SUM(`age`)");
    same(&POSTS, col(SCORE).sum(), r#"SUM("score")"#);
    expr(
        &USERS,
        col(AGE).aggregate(A::Avg),
        r#"AVG(CAST("age" AS REAL))"#,
        r#"AVG(CAST("age" AS double precision))"#,
        "AVG(CAST(`age` AS DOUBLE))",
    );
    let distinct = |function| Token::Aggregate { function, distinct: true, filter: false };
    same(&USERS, col(AGE).then(&[], distinct(A::Count)), r#"COUNT(DISTINCT "age")"#);
    let rows = Expr(cormorant_sql::Buffer::of(distinct(A::CountAll)));
    fault(
        select(&USERS, rows),
        Sqlite,
        "the statement is malformed: rows are counted, not values: there is nothing to be distinct",
    );
    let filtered = |function| Token::Aggregate { function, distinct: false, filter: true };
    expr(
        &USERS,
        col(ACTIVE).then(&[], filtered(A::CountAll)),
        r#"COUNT(*) FILTER (WHERE "active")"#,
        r#"COUNT(*) FILTER (WHERE "active")"#,
        "COUNT(CASE WHEN `active` THEN 1 END)",
    );
    expr(
        &USERS,
        col(AGE).then(&[col(ACTIVE).or(col(ACTIVE))], filtered(A::Avg)),
        r#"AVG(CAST("age" AS REAL)) FILTER (WHERE "active" OR "active")"#,
        r#"AVG(CAST("age" AS double precision)) FILTER (WHERE "active" OR "active")"#,
        "AVG(CASE WHEN `active` OR `active` THEN CAST(`age` AS DOUBLE) END)",
    );
    let both = Token::Aggregate { function: A::Sum, distinct: true, filter: true };
    expr(
        &USERS,
        col(AGE).then(&[col(ACTIVE)], both),
        r#"SUM(DISTINCT "age") FILTER (WHERE "active")"#,
        r#"CAST(SUM(DISTINCT "age") FILTER (WHERE "active") AS bigint)"#,
        "SUM(DISTINCT CASE WHEN `active` THEN `age` END)",
    );
}

#[test]
fn windows() {
    let number = || named("row_number", &[]);
    same(&USERS, number().over(&[], &[]), "row_number() OVER ()");
    same(
        &USERS,
        number().over(&[col(ACTIVE)], &[col(AGE).sort(true, Nulls::Native), col(0).sort(false, Nulls::Native)]),
        r#"row_number() OVER (PARTITION BY "active" ORDER BY "age" DESC, "id")"#,
    );
    same(&USERS, count_all().over(&[col(ACTIVE), col(NAME)], &[]), r#"COUNT(*) OVER (PARTITION BY "active", "name")"#);
    expr(
        &USERS,
        number().over(&[], &[col(AGE).sort(false, Nulls::Last), col(MANAGER_ID).sort(true, Nulls::First)]),
        r#"row_number() OVER (ORDER BY "age" NULLS LAST, "manager_id" DESC NULLS FIRST)"#,
        r#"row_number() OVER (ORDER BY "age" NULLS LAST, "manager_id" DESC NULLS FIRST)"#,
        "row_number() OVER (ORDER BY `age` IS NULL, `age`, `manager_id` IS NOT NULL, `manager_id` DESC)",
    );
    // The window belongs to the call, not to what is made of its value.
    expr(
        &USERS,
        col(AGE).sum().over(&[], &[col(0).sort(false, Nulls::Native)]),
        r#"SUM("age") OVER (ORDER BY "id")"#,
        r#"CAST(SUM("age") OVER (ORDER BY "id") AS bigint)"#,
        "SUM(`age`) OVER (ORDER BY `id`)",
    );
    let filtered = Token::Aggregate { function: A::CountAll, distinct: false, filter: true };
    expr(
        &USERS,
        col(ACTIVE).then(&[], filtered).over(&[], &[]),
        r#"COUNT(*) FILTER (WHERE "active") OVER ()"#,
        r#"COUNT(*) FILTER (WHERE "active") OVER ()"#,
        "COUNT(CASE WHEN `active` THEN 1 END) OVER ()",
    );
    let price = select(&ITEMS, col(PRICE).sum().over(&[col(QUANTITY)], &[]));
    on(
        &price,
        Sqlite,
        r#"SELECT SUM(CAST(ROUND("price" * 1e2) AS INTEGER)) OVER (PARTITION BY "quantity") FROM "items""#,
    );
    assert_eq!(price.render(Sqlite).unwrap().outputs[0].decimal, DecimalForm::Units(2));
    let more = select(&ITEMS, col(PRICE).sum().over(&[], &[]).op(Binary::Gt, bind(Class::Decimal, Value::Int(1))));
    on(&more, Sqlite, r#"SELECT (SUM(CAST(ROUND("price" * 1e2) AS INTEGER)) OVER () / 1e2) > ?1 FROM "items""#);
    fault(
        select(&USERS, col(AGE).over(&[], &[])),
        Sqlite,
        "the statement is malformed: a window stands over what is no function of many rows",
    );
}
