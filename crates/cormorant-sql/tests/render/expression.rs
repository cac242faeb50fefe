//! Operators, brackets, NOT, lists, CASE and conversions.

use cormorant_sql::schema::ColumnType as T;
use cormorant_sql::{Binary as B, Class, Symbol, Token, Unary};

use crate::build::*;
use crate::tables::*;

#[test]
fn operators() {
    let name = |op| col(NAME).op(op, text("x"));
    let age = |op| col(AGE).op(op, int(1));
    same(&USERS, age(B::Eq), r#""age" = ?1"#);
    same(&USERS, age(B::Ne), r#""age" <> ?1"#);
    same(&USERS, age(B::Lt), r#""age" < ?1"#);
    same(&USERS, age(B::Le), r#""age" <= ?1"#);
    same(&USERS, age(B::Gt), r#""age" > ?1"#);
    same(&USERS, age(B::Ge), r#""age" >= ?1"#);
    same(&USERS, age(B::Add), r#""age" + ?1"#);
    same(&USERS, age(B::Subtract), r#""age" - ?1"#);
    same(&USERS, age(B::Multiply), r#""age" * ?1"#);
    same(&USERS, age(B::Remainder), r#""age" % ?1"#);
    same(&USERS, age(B::Eq).and(name(B::Eq)), r#""age" = ?1 AND "name" = ?2"#);
    same(&USERS, age(B::Eq).or(name(B::Eq)), r#""age" = ?1 OR "name" = ?2"#);
    expr(&USERS, age(B::Divide), r#""age" / ?1"#, r#""age" / $1"#, "`age` DIV ?");
    expr(&USERS, age(B::IsDistinct), r#""age" IS NOT ?1"#, r#""age" IS DISTINCT FROM $1"#, "NOT (`age` <=> ?)");
    expr(&USERS, age(B::IsNotDistinct), r#""age" IS ?1"#, r#""age" IS NOT DISTINCT FROM $1"#, "`age` <=> ?");
    expr(&USERS, name(B::Concat), r#""name" || ?1"#, r#""name" || $1"#, "CONCAT(`name`, ?)");
    expr(
        &USERS,
        name(B::Contains),
        r#"instr("name", ?1) > 0"#,
        r#"strpos("name", $1) > 0"#,
        "LOCATE(? {bin}, `name`) > 0",
    );
    expr(
        &USERS,
        name(B::StartsWith),
        r#"substr("name", 1, length(?1)) = ?1"#,
        r#"starts_with("name", $1)"#,
        "LEFT(`name`, CHAR_LENGTH(?)) = ? {bin}",
    );
    expr(
        &USERS,
        name(B::EndsWith),
        r#"substr("name", length("name") - length(?1) + 1) = ?1"#,
        r#"right("name", char_length($1)) = $1"#,
        "RIGHT(`name`, CHAR_LENGTH(?)) = ? {bin}",
    );
    expr(
        &USERS,
        name(B::IContains),
        r#"instr(cormorant_lower("name"), cormorant_lower(?1)) > 0"#,
        r#"strpos(lower("name"), lower($1)) > 0"#,
        "LOCATE(LOWER(?) {bin}, LOWER(`name`)) > 0",
    );
    expr(
        &USERS,
        name(B::IStartsWith),
        r#"substr(cormorant_lower("name"), 1, length(cormorant_lower(?1))) = cormorant_lower(?1)"#,
        r#"starts_with(lower("name"), lower($1))"#,
        "LEFT(LOWER(`name`), CHAR_LENGTH(LOWER(?))) = LOWER(?) {bin}",
    );
    expr(
        &USERS,
        name(B::IEndsWith),
        r#"substr(cormorant_lower("name"), length(cormorant_lower("name")) - length(cormorant_lower(?1)) + 1) = cormorant_lower(?1)"#,
        r#"right(lower("name"), char_length(lower($1))) = lower($1)"#,
        "RIGHT(LOWER(`name`), CHAR_LENGTH(LOWER(?))) = LOWER(?) {bin}",
    );
    expr(
        &USERS,
        name(B::IEq),
        r#"cormorant_lower("name") = cormorant_lower(?1)"#,
        r#"lower("name") = lower($1)"#,
        "LOWER(`name`) = LOWER(?) {bin}",
    );
    expr(
        &USERS,
        name(B::Like),
        r#"cormorant_like(?1, "name")"#,
        r#""name" LIKE $1 ESCAPE '!'"#,
        "`name` LIKE ? {bin} ESCAPE '!'",
    );
    expr(
        &USERS,
        name(B::ILike),
        r#"cormorant_like(cormorant_lower(?1), cormorant_lower("name"))"#,
        r#""name" ILIKE $1 ESCAPE '!'"#,
        "LOWER(`name`) LIKE LOWER(?) {bin} ESCAPE '!'",
    );
    expr(&USERS, name(B::Regex), r#"cormorant_regex(?1, "name")"#, r#""name" ~ $1"#, "`name` REGEXP ? {bin}");
    same(&USERS, col(AGE).unary(Unary::IsNull), r#""age" IS NULL"#);
    same(&USERS, col(AGE).unary(Unary::IsNotNull), r#""age" IS NOT NULL"#);
    same(&USERS, col(AGE).unary(Unary::Negate), r#"-"age""#);
    same(&USERS, col(AGE).between(int(1), int(9)), r#""age" BETWEEN ?1 AND ?2"#);
}

#[test]
fn operands_get_brackets_where_they_would_fall_apart() {
    let (a, b, c) = (|| col(AGE), || col(0), || col(MANAGER_ID));
    same(&USERS, a().add(b()).add(c()), r#""age" + "id" + "manager_id""#);
    same(&USERS, a().add(b().add(c())), r#""age" + ("id" + "manager_id")"#);
    same(&USERS, a().op(B::Subtract, b().op(B::Subtract, c())), r#""age" - ("id" - "manager_id")"#);
    same(&USERS, a().op(B::Multiply, b().add(c())), r#""age" * ("id" + "manager_id")"#);
    same(&USERS, a().add(b()).op(B::Multiply, c()), r#"("age" + "id") * "manager_id""#);
    same(&USERS, a().op(B::Multiply, b()).add(c()), r#""age" * "id" + "manager_id""#);
    same(&USERS, a().op(B::Multiply, b().op(B::Remainder, c())), r#""age" * ("id" % "manager_id")"#);
    same(&USERS, a().add(b()).unary(Unary::Negate), r#"-("age" + "id")"#);
    same(&USERS, a().unary(Unary::Negate).unary(Unary::Negate), r#"-(-"age")"#);
    same(&USERS, a().op(B::Subtract, int(1).unary(Unary::Negate)), r#""age" - -?1"#);
    same(&USERS, a().eq(b()).eq(col(ACTIVE)), r#"("age" = "id") = "active""#);
    same(&USERS, a().eq(b()).unary(Unary::IsNull), r#"("age" = "id") IS NULL"#);
    same(&USERS, a().add(b()).eq(c()), r#""age" + "id" = "manager_id""#);
    same(&USERS, a().between(b(), c()).eq(col(ACTIVE)), r#"("age" BETWEEN "id" AND "manager_id") = "active""#);
    same(&USERS, a().eq(b()).or(b().eq(c())).and(col(ACTIVE)), r#"("age" = "id" OR "id" = "manager_id") AND "active""#);
    same(&USERS, a().eq(b()).and(b().eq(c())).or(col(ACTIVE)), r#""age" = "id" AND "id" = "manager_id" OR "active""#);
    same(&USERS, col(ACTIVE).and(col(ACTIVE).and(col(ACTIVE))), r#""active" AND "active" AND "active""#);
    // `||` is the tightest operator of SQLite and one of the loosest of PostgreSQL.
    let concat = || col(NAME).op(B::Concat, col(EMAIL));
    let both = r#""name" || "email""#;
    let mysql = "CONCAT(`name`, `email`)";
    expr(&USERS, concat().eq(text("x")), &format!("({both}) = ?1"), &format!("({both}) = $1"), &format!("{mysql} = ?"));
    expr(
        &USERS,
        col(NAME).op(B::Regex, concat()),
        &format!("cormorant_regex({both}, \"name\")"),
        &format!("\"name\" ~ ({both})"),
        &format!("`name` REGEXP {mysql} {{bin}}"),
    );
    expr(
        &USERS,
        concat().op(B::Concat, a().op(B::Multiply, b())),
        &format!("({both}) || (\"age\" * \"id\")"),
        &format!("({both}) || (\"age\" * \"id\")"),
        &format!("CONCAT({mysql}, `age` * `id`)"),
    );
}

#[test]
fn not_is_true_where_the_condition_is_unknown() {
    same(&USERS, col(ACTIVE).not(), r#"NOT "active""#);
    same(&USERS, col(NAME).eq(text("x")).not(), r#"NOT "name" = ?1"#);
    same(&USERS, col(AGE).eq(int(1)).not(), r#"("age" = ?1) IS NOT TRUE"#);
    same(&USERS, col(AGE).unary(Unary::IsNull).not(), r#"NOT "age" IS NULL"#);
    same(&USERS, col(ACTIVE).and(col(AGE).eq(int(1))).not(), r#"("active" AND "age" = ?1) IS NOT TRUE"#);
    same(&USERS, col(ACTIVE).or(col(ACTIVE)).not(), r#"NOT ("active" OR "active")"#);
    same(&USERS, col(AGE).eq(int(1)).not().not(), r#"NOT ("age" = ?1) IS NOT TRUE"#);
    same(&USERS, col(ACTIVE).not().not(), r#"NOT NOT "active""#);
    same(&USERS, col(0).op(B::Remainder, int(2)).eq(int(1)).not(), r#"("id" % ?1 = ?2) IS NOT TRUE"#);
    let (editor, author) = (via(&[EDITOR], NAME).eq(text("x")), via(&[AUTHOR], NAME).eq(text("y")));
    let sql = select(&POSTS, editor.not().and(author.not())).sql(Sqlite);
    assert!(sql.starts_with(r#"SELECT (t1."name" = ?1) IS NOT TRUE AND NOT t2."name" = ?2 FROM"#), "{sql}");
}

#[test]
fn lists_are_one_parameter() {
    let in_list = |table, column, class, sqlite: &str, postgres: &str, mysql: &str| {
        expr(table, col(column).within(list(class)), sqlite, postgres, mysql);
    };
    let any = |column: &str| {
        (format!("\"{column}\" IN (SELECT value FROM json_each(?1))"), format!("\"{column}\" = ANY($1)"))
    };
    for (table, column, name, class, mysql) in [
        (&USERS, AGE, "age", Class::Int, "SELECT v FROM JSON_TABLE(?, '$[*]' COLUMNS (v BIGINT PATH '$')) l"),
        (&USERS, ACTIVE, "active", Class::Bool, "SELECT v FROM JSON_TABLE(?, '$[*]' COLUMNS (v BIGINT PATH '$')) l"),
        (&POSTS, SCORE, "score", Class::Float, "SELECT v FROM JSON_TABLE(?, '$[*]' COLUMNS (v DOUBLE PATH '$')) l"),
        (
            &ITEMS,
            PRICE,
            "price",
            Class::Decimal,
            "SELECT v FROM JSON_TABLE(?, '$[*]' COLUMNS (v DECIMAL(65, 30) PATH '$')) l",
        ),
        (
            &USERS,
            NAME,
            "name",
            Class::Text,
            "SELECT v {bin} FROM JSON_TABLE(?, '$[*]' COLUMNS (v LONGTEXT PATH '$')) l",
        ),
        (
            &EVENTS,
            TOKEN,
            "token",
            Class::Uuid,
            "SELECT v {bin} FROM JSON_TABLE(?, '$[*]' COLUMNS (v LONGTEXT PATH '$')) l",
        ),
        (&EVENTS, DAY, "day", Class::Date, "SELECT v FROM JSON_TABLE(?, '$[*]' COLUMNS (v DATE PATH '$')) l"),
        (&EVENTS, CLOCK, "clock", Class::Time, "SELECT v FROM JSON_TABLE(?, '$[*]' COLUMNS (v TIME(6) PATH '$')) l"),
        (
            &EVENTS,
            PLANNED,
            "planned",
            Class::DateTime,
            "SELECT v FROM JSON_TABLE(?, '$[*]' COLUMNS (v DATETIME(6) PATH '$')) l",
        ),
        (
            &EVENTS,
            STAMP,
            "stamp",
            Class::Timestamp,
            "SELECT v FROM JSON_TABLE(?, '$[*]' COLUMNS (v DATETIME(6) PATH '$')) l",
        ),
    ] {
        let (sqlite, postgres) = any(name);
        in_list(table, column, class, &sqlite, &postgres, &format!("`{name}` IN ({mysql})"));
    }
    in_list(
        &EVENTS,
        DATA,
        Class::Bytes,
        r#""data" IN (SELECT unhex(value) FROM json_each(?1))"#,
        r#""data" = ANY($1)"#,
        "`data` IN (SELECT UNHEX(v) FROM JSON_TABLE(?, '$[*]' COLUMNS (v LONGTEXT PATH '$')) l)",
    );
    everywhere(
        select(&USERS, col(0).within(from(&LINKS).select(col(1)).value())),
        r#"SELECT t0."id" IN (SELECT t1."user_id" FROM "links" AS t1) FROM "users" AS t0"#,
    );
    fault(select(&USERS, col(0).within(int(1))), Sqlite, "the statement is malformed: a value is in what is no list");
}

#[test]
fn a_value_is_one_of_others() {
    same(&USERS, one_of(col(AGE), &[int(1), int(2)]), r#""age" IN (?1, ?2)"#);
    same(&USERS, one_of(col(NAME), &[text("x")]).not(), r#"NOT "name" IN (?1)"#);
    same(&USERS, one_of(col(AGE).add(int(1)), &[int(2), col(0)]), r#""age" + ?1 IN (?2, "id")"#);
    let prices = [decimal("1.00"), decimal("2.00")];
    let cast = "CAST(? AS DECIMAL(65, 30))";
    expr(
        &ITEMS,
        one_of(col(PRICE), &prices),
        r#""price" IN (?1, ?2)"#,
        r#""price" IN ($1, $2)"#,
        &format!("`price` IN ({cast}, {cast})"),
    );
    fault(select(&USERS, one_of(col(0), &[])), Sqlite, "the statement is malformed: a value is one of none");
}

#[test]
fn case_takes_pairs_and_a_value_for_no_match() {
    let grown = || col(AGE).op(B::Ge, int(18));
    same(&USERS, case(&[grown(), text("a")]), r#"CASE WHEN "age" >= ?1 THEN ?2 END"#);
    same(&USERS, case(&[grown(), text("a"), text("b")]), r#"CASE WHEN "age" >= ?1 THEN ?2 ELSE ?3 END"#);
    same(
        &USERS,
        case(&[grown().or(col(ACTIVE)), int(1), col(ACTIVE), int(2), int(3)]).add(int(4)),
        r#"CASE WHEN "age" >= ?1 OR "active" THEN ?2 WHEN "active" THEN ?3 ELSE ?4 END + ?5"#,
    );
    same(
        &USERS,
        case(&[grown(), col(ACTIVE), col(ACTIVE)]).not(),
        r#"NOT CASE WHEN "age" >= ?1 THEN "active" ELSE "active" END"#,
    );
    same(&USERS, case(&[grown(), col(ACTIVE)]).not(), r#"CASE WHEN "age" >= ?1 THEN "active" END IS NOT TRUE"#);
    fault(select(&USERS, case(&[int(1)])), Sqlite, "the statement is malformed: a CASE has no branch");
}

#[test]
fn conversions() {
    let cast = |table, column, ty, sqlite: &str, postgres: &str, mysql: &str| {
        expr(table, col(column).cast(ty), sqlite, postgres, mysql);
    };
    let long = T::Text { max_length: None };
    cast(&USERS, AGE, T::Bool, r#"("age" <> 0)"#, r#"CAST("age" AS boolean)"#, "(`age` <> 0)");
    cast(&USERS, ACTIVE, T::Bool, r#""active""#, r#"CAST("active" AS boolean)"#, "`active`");
    cast(&USERS, NAME, T::I16, r#"CAST("name" AS INTEGER)"#, r#"CAST("name" AS smallint)"#, "CAST(`name` AS SIGNED)");
    cast(
        &POSTS,
        SCORE,
        T::I64,
        r#"cormorant_round("score")"#,
        r#"CAST(TRUNC("score") + TRUNC(("score" - TRUNC("score")) * 2) AS bigint)"#,
        "(ROUND(CAST(`score` AS DECIMAL(65, 30))) DIV 1)",
    );
    cast(&ITEMS, PRICE, T::F32, r#"CAST("price" AS REAL)"#, r#"CAST("price" AS real)"#, "CAST(`price` AS DOUBLE)");
    cast(&USERS, AGE, T::F64, r#"CAST("age" AS REAL)"#, r#"CAST("age" AS double precision)"#, "CAST(`age` AS DOUBLE)");
    cast(&USERS, AGE, long, r#"CAST("age" AS TEXT)"#, r#"CAST("age" AS text)"#, "CAST(`age` AS CHAR)");
    cast(
        &USERS,
        AGE,
        T::Text { max_length: Some(3) },
        r#"CAST("age" AS TEXT)"#,
        r#"CAST("age" AS varchar(3))"#,
        "CAST(`age` AS CHAR)",
    );
    cast(&USERS, NAME, T::Bytes, r#"CAST("name" AS BLOB)"#, r#"CAST("name" AS bytea)"#, "CAST(`name` AS BINARY)");
    cast(&EVENTS, STAMP, T::Date, r#"date("stamp")"#, r#"CAST("stamp" AS date)"#, "CAST(`stamp` AS DATE)");
    cast(&EVENTS, DAY, T::Date, r#""day""#, r#"CAST("day" AS date)"#, "CAST(`day` AS DATE)");
    cast(
        &EVENTS,
        PLANNED,
        T::Time,
        r#"substr("planned", 12)"#,
        r#"CAST("planned" AS time(6))"#,
        "CAST(`planned` AS TIME(6))",
    );
    cast(
        &EVENTS,
        DAY,
        T::DateTime,
        r#"("day" || ' 00:00:00')"#,
        r#"CAST("day" AS timestamp(6))"#,
        "CAST(`day` AS DATETIME(6))",
    );
    cast(
        &EVENTS,
        PLANNED,
        T::Timestamp,
        r#""planned""#,
        r#"CAST("planned" AS timestamp(6) with time zone)"#,
        "CAST(`planned` AS DATETIME(6))",
    );
    let decimal = T::Decimal { precision: 9, scale: 2 };
    let rounded = |column: &str| {
        format!(
            "CAST(nullif(nullif(printf('%.15g', coalesce(ROUND(\"{column}\" * 1.0000000000000004, 2), 9e999)), 'Inf'), '-Inf') AS NUMERIC)"
        )
    };
    cast(
        &POSTS,
        SCORE,
        decimal,
        &rounded("score"),
        r#"CAST("score" AS numeric(9,2))"#,
        "CAST(`score` AS DECIMAL(9, 2))",
    );
    let uuid = |dialect, sql: &str| on(&select(&EVENTS, col(TOKEN).cast(T::Uuid)), dialect, sql);
    uuid(Sqlite, r#"SELECT "token" FROM "events""#);
    uuid(Postgres, r#"SELECT CAST("token" AS uuid) FROM "events""#);
    uuid(MySql, "SELECT CAST(`token` AS CHAR(36)) FROM `events`");
    uuid(MariaDb, "SELECT CAST(`token` AS UUID) FROM `events`");
    fault(
        select(&USERS, col(AGE).cast(T::Date)),
        Sqlite,
        "SQLite cannot convert Int to date: read the value and convert it in the program",
    );
    fault(
        select(&USERS, col(AGE).cast(T::Decimal { precision: 0, scale: 0 })),
        Postgres,
        "a conversion to an exact number without digits: say its precision and scale",
    );
}

#[test]
fn mysql_takes_exact_numbers_as_such() {
    let query = select(&ITEMS, col(PRICE).eq(decimal("9.90")));
    on(&query, Sqlite, r#"SELECT "price" = ?1 FROM "items""#);
    on(&query, Postgres, r#"SELECT "price" = $1 FROM "items""#);
    on(&query, MySql, "SELECT `price` = CAST(? AS DECIMAL(65, 30)) FROM `items`");
}

#[test]
fn a_value_that_stands_twice_is_sent_twice_only_without_numbers() {
    let query = from(&USERS).filter(col(NAME).op(B::StartsWith, text("a")).and(col(AGE).eq(int(1)))).select(col(0));
    assert_eq!(
        query.sql(Sqlite),
        r#"SELECT "id" FROM "users" WHERE substr("name", 1, length(?1)) = ?1 AND "age" = ?2"#
    );
    assert_eq!(query.render(Sqlite).unwrap().order, None);
    assert_eq!(query.render(MySql).unwrap().order, Some(vec![0, 0, 1]));
    let needle_first = select(&USERS, col(NAME).op(B::Contains, text("a")).and(col(AGE).eq(int(1))));
    assert_eq!(needle_first.render(MariaDb).unwrap().order, Some(vec![0, 1]));
    let swapped = from(&USERS).filter(col(AGE).eq(int(1))).select(col(AGE).add(int(2)));
    assert_eq!(swapped.sql(MySql), "SELECT `age` + ? FROM `users` WHERE `age` = ?");
    assert_eq!(swapped.render(MySql).unwrap().order, Some(vec![1, 0]), "values are bound filter first");
    assert_eq!(swapped.sql(Sqlite), r#"SELECT "age" + ?2 FROM "users" WHERE "age" = ?1"#);
}

#[test]
fn what_makes_no_statement_is_refused() {
    let malformed = |query, message: &str| fault(query, Sqlite, &format!("the statement is malformed: {message}"));
    malformed(select(&USERS, col(99)), "a column has no definition");
    malformed(select(&USERS, via(&[7], 0)), "a route leads along no relation");
    malformed(select(&USERS, outer(1, &[], 0)), "a column of an enclosing query stands outside any");
    malformed(from(&USERS).filter(col(0)).clause(col(0), Token::Binary(B::Eq)), "an operand is missing");
    malformed(from(&USERS).clause(col(0), Token::Distinct), "an expression is part of no clause");
    malformed(
        from(&USERS).clause(col(0), Token::Distinct).filter(col(0)),
        "a clause does not end exactly one expression",
    );
    malformed(from(&USERS).token(Token::With(Symbol::of("w"), 3)), "a nested query has too few tokens");
    let far = [MANAGER; 9];
    fault(
        select(&USERS, via(&far, NAME)),
        Sqlite,
        "too many relations on the way to a column: at most 8 fit one statement",
    );
    assert!(route(&[254]).hops().is_none() && route(&[255]).hops().is_none(), "no hop has this number");
    assert_eq!(route(&[0, 253]).hops().unwrap().collect::<Vec<_>>(), [0, 253]);
    let many = (0..70_000).fold(from(&USERS), |query, _| query.filter(col(0).eq(int(1))));
    fault(many, Postgres, "too many values: at most 65535 fit one statement");
}
