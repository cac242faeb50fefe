//! Exact numbers on SQLite, which has only floats and integers: what it computes is what was meant.

use cormorant_sql::schema::ColumnType;
use cormorant_sql::{Aggregate, Binary as B, DecimalForm, Function};
use rusqlite::types::Value as Cell;
use rust_decimal::Decimal;

use crate::build::*;
use crate::sqlite;
use crate::tables::*;

/// The one value that a query over the items gives, read as the driver reads it.
fn value(prices: &[&str], expr: Expr) -> Option<Decimal> {
    let db = sqlite::with_tables();
    for price in prices {
        let weight: f64 = price.parse().unwrap();
        db.execute("INSERT INTO items (price, weight, quantity) VALUES (?1, ?1, 3)", [weight]).unwrap();
    }
    let query = select(&ITEMS, expr).limit(1);
    let compiled = query.render(Sqlite).unwrap();
    let cell = sqlite::rows(&db, &compiled, &query.buffer.values).remove(0).remove(0);
    let number = match (cell, compiled.outputs[0].decimal) {
        (Cell::Null, _) => return None,
        (Cell::Integer(units), DecimalForm::Units(scale)) => Decimal::new(units, u32::from(scale)),
        (Cell::Integer(n), _) => Decimal::from(n),
        (Cell::Real(n), _) => n.to_string().parse().unwrap(),
        other => panic!("{other:?}"),
    };
    Some(number.normalize())
}

#[track_caller]
fn gives(prices: &[&str], expr: Expr, wanted: &str) {
    let wanted: Option<Decimal> = if wanted == "NULL" { None } else { Some(wanted.parse().unwrap()) };
    assert_eq!(value(prices, expr), wanted.map(|n| n.normalize()));
}

fn price() -> Expr {
    col(PRICE)
}

#[test]
fn sums_are_exact() {
    gives(&["0.10", "0.20"], price().sum(), "0.30");
    let many: Vec<&str> = ["0.01", "0.02", "1.10", "99999.99"].into_iter().cycle().take(4_000).collect();
    gives(&many, price().sum(), "100001120.00");
    gives(&["0.10", "0.20"], price().op(B::Multiply, col(QUANTITY)).sum(), "0.90");
    gives(&["0.25"], col(WEIGHT).sum().op(B::Multiply, price().sum()), "0.0625");
    gives(&[], price().sum().add(price().sum()), "NULL");
    gives(&["1.10", "2.20"], call(Function::Coalesce, &[price().sum(), int(0)]), "3.30");
    gives(&["1.10", "2.20"], price().sum().op(B::Subtract, price().aggregate(Aggregate::Max)), "1.10");
}

#[test]
fn each_step_is_exact() {
    gives(&["0.10"], price().add(col(WEIGHT)).add(price()), "0.30");
    gives(&["0.10"], price().add(decimal("0.2")), "0.3");
    gives(&["0.70"], price().op(B::Subtract, decimal("0.6")), "0.1");
    gives(&["1.10"], price().op(B::Multiply, price()).op(B::Multiply, price()), "1.331");
    gives(&["0.10"], price().op(B::Multiply, decimal("3")).eq(decimal("0.3")), "1");
    gives(&["0.10"], price().op(B::Multiply, int(3)).eq(decimal("0.3")), "1");
    gives(&["5.00"], price().op(B::Divide, decimal("2")), "2.5");
    gives(&["5.00"], price().op(B::Divide, int(2)), "2.5");
    gives(&["1.00"], price().op(B::Divide, int(3)), "0.333333333333333");
    gives(&["5.50"], price().op(B::Remainder, int(2)), "1.50");
    gives(&["-5.50"], price().op(B::Remainder, col(WEIGHT)), "0");
    gives(&["5.00"], price().op(B::Divide, int(0)), "NULL");
}

#[test]
fn null_stays_null() {
    let db = sqlite::with_tables();
    db.execute("INSERT INTO items (price, weight, quantity) VALUES (1, NULL, 1)", []).unwrap();
    for expr in [
        col(WEIGHT).add(decimal("1")),
        col(WEIGHT).add(price()),
        col(WEIGHT).op(B::Divide, price()),
        col(WEIGHT).op(B::Remainder, price()),
        call(Function::Round, &[col(WEIGHT), int(1)]),
        col(WEIGHT).cast(ColumnType::Decimal { precision: 9, scale: 2 }),
        col(WEIGHT).sum(),
    ] {
        let query = select(&ITEMS, expr);
        let compiled = query.render(Sqlite).unwrap();
        let rows = sqlite::rows(&db, &compiled, &query.buffer.values);
        assert_eq!(rows, [[Cell::Null]], "{}", compiled.sql);
    }
}

#[test]
fn rounding_is_of_the_number_and_not_of_its_float() {
    let round = |n| call(Function::Round, &[col(WEIGHT), int(n)]);
    gives(&["1.005"], round(2), "1.01");
    gives(&["-1.005"], round(2), "-1.01");
    gives(&["2.675"], round(2), "2.68");
    gives(&["1.004"], round(2), "1.00");
    gives(&["1.5"], round(20), "1.5");
    gives(&["2.5"], call(Function::Round, &[col(WEIGHT)]), "3");
    let cast = |scale| col(WEIGHT).cast(ColumnType::Decimal { precision: 12, scale });
    gives(&["1.005"], cast(2), "1.01");
    gives(&["8.345", "1.005"], cast(2).sum(), "9.36");
}

#[test]
fn what_cannot_be_exact_is_refused() {
    let refused = "SQLite cannot add up or divide numbers whose digits are too many or not known: say them with `.cast_decimal(precision, scale)` first";
    fault(select(&ITEMS, price().op(B::Multiply, decimal("1.19")).sum()), Sqlite, refused);
    fault(select(&ITEMS, price().op(B::Remainder, decimal("1.19"))), Sqlite, refused);
    fault(select(&ITEMS, call(Function::Coalesce, &[price(), decimal("0.125")]).sum()), Sqlite, refused);
    let power = (0..7).fold(price(), |power, _| power.op(B::Multiply, price()));
    fault(select(&ITEMS, power.sum()), Sqlite, refused);
    let known = price().op(B::Multiply, decimal("1.19")).cast(ColumnType::Decimal { precision: 12, scale: 4 });
    gives(&["9.90", "0.10"], known.sum(), "11.90");
    fault(
        select(&POSTS, col(SCORE).op(B::Remainder, int(2))),
        Sqlite,
        "SQLite has no remainder of floats: read the value and divide it in the program",
    );
    let floats = select(&POSTS, col(SCORE).op(B::Remainder, int(2)));
    on(
        &floats,
        Postgres,
        r#"SELECT CAST(MOD(CAST("score" AS numeric), CAST($1 AS numeric)) AS double precision) FROM "posts""#,
    );
}

#[test]
fn the_text_of_each_step() {
    let text = |expr: Expr, sql: &str| on(&select(&ITEMS, expr), Sqlite, &format!(r#"SELECT {sql} FROM "items""#));
    text(price().add(col(WEIGHT)), r#"ROUND("price" + "weight", 3)"#);
    text(price().op(B::Multiply, col(WEIGHT)), r#"ROUND("price" * "weight", 5)"#);
    text(price().op(B::Multiply, col(QUANTITY)), r#"ROUND("price" * "quantity", 2)"#);
    text(price().sum(), r#"SUM(CAST(ROUND("price" * 1e2) AS INTEGER))"#);
    text(price().sum().add(int(1)), r#"ROUND((SUM(CAST(ROUND("price" * 1e2) AS INTEGER)) / 1e2) + ?1, 2)"#);
    text(
        price().add(decimal("1")),
        r#"CAST(nullif(nullif(printf('%.15g', coalesce("price" + ?1, 9e999)), 'Inf'), '-Inf') AS NUMERIC)"#,
    );
    text(
        price().op(B::Remainder, int(2)),
        r#"(CAST(ROUND("price" * 1e2) AS INTEGER) % CAST(ROUND(?1 * 1e2) AS INTEGER) / 1e2)"#,
    );
    on(&select(&ITEMS, price().add(col(WEIGHT))), Postgres, r#"SELECT "price" + "weight" FROM "items""#);
    let form = |expr: Expr| select(&ITEMS, expr).render(Sqlite).unwrap().outputs[0].decimal;
    assert_eq!(form(price()), DecimalForm::Scale(2));
    assert_eq!(form(price().sum()), DecimalForm::Units(2));
    assert_eq!(form(price().sum().add(int(1))), DecimalForm::Scale(2));
    assert_eq!(form(price().add(decimal("1"))), DecimalForm::Scale(2));
    assert_eq!(form(price().op(B::Divide, int(2))), DecimalForm::Plain);
    assert_eq!(form(case(&[col(QUANTITY).eq(int(1)), price(), col(WEIGHT)])), DecimalForm::Scale(3));
}
