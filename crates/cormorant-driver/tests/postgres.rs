//! PostgreSQL, on a real server: `cargo xtask test` starts one.
#![cfg(feature = "postgres")]
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, clippy::indexing_slicing, reason = "a test may")]

use std::io::{Read, Write};
use std::net::{Shutdown, TcpListener, TcpStream};
use std::pin::pin;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};
use std::task::{Context, Waker};
use std::time::{Duration, Instant};

mod support;

use cormorant_driver::sql::{Class, Parameter, Value};
use cormorant_driver::{
    Begin, Call, Conflict, Connection, Done, Error, ErrorKind, Failed, Isolation, Lease, Options, Part, Pool, Result,
    Row, wait,
};
use jiff::Timestamp;
use jiff::civil::{Date, DateTime, Time, date, time};
use rust_decimal::Decimal;
use support::{Scalar, Take as _};
use tokio::runtime::{Builder, Runtime};
use uuid::Uuid;

/// The server's URL; `None` when this backend is not to be tested.
fn url() -> Option<String> {
    let wanted = std::env::var("CORMORANT_TEST_BACKENDS");
    if wanted.is_ok_and(|wanted| !wanted.split(',').any(|backend| backend.trim() == "postgres")) {
        return None;
    }
    match std::env::var("CORMORANT_TEST_POSTGRES") {
        Ok(url) => Some(url),
        Err(_) => panic!("no PostgreSQL to test on: run `cargo xtask test`, or set CORMORANT_TEST_POSTGRES"),
    }
}

fn pool_at(url: &str) -> Pool {
    wait(Pool::connect(Options::parse(url).unwrap())).unwrap()
}

/// A pool, or the end of the test.
macro_rules! pool {
    () => {
        match url() {
            Some(url) => pool_at(&url),
            None => return,
        }
    };
}

/// Statements with `.wait()`, as a test has them most often.
trait Ask {
    fn connection(&mut self) -> &mut Connection;

    fn done(&mut self, sql: &str, values: &[Value<'_>]) -> Result<Done> {
        wait(self.connection().run(&call(sql, values), &mut |_| Ok(())))
    }

    fn ok(&mut self, sql: &str) {
        self.done(sql, &[]).unwrap();
    }

    fn refused(&mut self, sql: &str) -> Error {
        self.done(sql, &[]).unwrap_err()
    }

    fn all<T: Scalar>(&mut self, sql: &str, values: &[Value<'_>]) -> Result<Vec<T>> {
        self.all_of(call(sql, values))
    }

    fn all_of<T: Scalar>(&mut self, call: Call<'_>) -> Result<Vec<T>> {
        let mut all = Vec::new();
        wait(self.connection().run(&call, &mut |row| {
            all.push(row.take()?);
            Ok(())
        }))?;
        Ok(all)
    }

    fn one<T: Scalar>(&mut self, sql: &str, values: &[Value<'_>]) -> Result<T> {
        self.all(sql, values).map(|all| all.into_iter().next().unwrap())
    }
}

impl Ask for Lease {
    fn connection(&mut self) -> &mut Connection {
        Lease::connection(self).unwrap()
    }
}

fn call<'a>(sql: &'a str, values: &'a [Value<'_>]) -> Call<'a> {
    Call { values, keep: true, ..Call::text(sql) }
}

fn lease(pool: &Pool) -> Lease {
    wait(pool.acquire("test")).unwrap()
}

fn begin(lease: &mut Lease) {
    wait(Ask::connection(lease).begin(Begin::default())).unwrap();
}

fn commit(lease: &mut Lease) -> Result<()> {
    wait(Ask::connection(lease).commit())
}

fn rollback(lease: &mut Lease) {
    wait(Ask::connection(lease).rollback()).unwrap();
}

fn fresh_table(lease: &mut Lease, name: &str, columns: &str) {
    lease.ok(&format!("DROP TABLE IF EXISTS {name} CASCADE"));
    lease.ok(&format!("CREATE TABLE {name} ({columns})"));
}

fn count(lease: &mut Lease, table: &str) -> i64 {
    lease.one(&format!("SELECT count(*) FROM {table}"), &[]).unwrap()
}

// ---------------------------------------------------------------------------------------------------- values

/// Sends values and wants them back the same, and as the text that the server itself makes of them.
fn round_trips<T: Scalar + std::fmt::Debug>(lease: &mut Lease, ty: &str, values: &[(T, &str)]) {
    let table = format!("driver_round_{}", ty.replace(|c: char| !c.is_alphanumeric(), "_"));
    fresh_table(lease, &table, &format!("id bigserial, v {ty}"));
    for (value, text) in values {
        let bound = [value.to_value()];
        lease.done(&format!("INSERT INTO {table} (v) VALUES ($1)"), &bound).unwrap();
        let last = format!("FROM {table} ORDER BY id DESC LIMIT 1");
        let back: T = lease.one(&format!("SELECT v {last}"), &[]).unwrap();
        assert!(back == *value || text == &"NaN", "{ty}: {value:?} came back as {back:?}");
        assert_eq!(lease.one::<String>(&format!("SELECT v::text {last}"), &[]).unwrap(), *text, "{ty} {value:?}");
    }
    let none = [Value::Null];
    lease.done(&format!("INSERT INTO {table} (v) VALUES ($1)"), &none).unwrap();
    assert_eq!(lease.one::<i64>(&format!("SELECT count(*) FROM {table} WHERE v IS NULL"), &[]).unwrap(), 1);
}

#[test]
fn numbers_come_back() {
    let pool = pool!();
    let lease = &mut lease(&pool);
    round_trips(lease, "boolean", &[(true, "true"), (false, "false")]);
    round_trips(lease, "smallint", &[(i16::MIN, "-32768"), (i16::MAX, "32767"), (0, "0")]);
    round_trips(lease, "integer", &[(i32::MIN, "-2147483648"), (i32::MAX, "2147483647")]);
    let longest = [(i64::MIN, "-9223372036854775808"), (i64::MAX, "9223372036854775807"), (-1, "-1")];
    round_trips(lease, "bigint", &longest);
    round_trips(lease, "oid", &[(u32::MAX, "4294967295")]);
    round_trips(lease, "real", &[(f32::MAX, "3.4028235e+38"), (0.1, "0.1"), (f32::NAN, "NaN")]);
    let floats = [
        (f64::MAX, "1.7976931348623157e+308"),
        (f64::MIN_POSITIVE, "2.2250738585072014e-308"),
        (0.1, "0.1"),
        (-0.0, "-0"),
        (f64::INFINITY, "Infinity"),
        (f64::NAN, "NaN"),
    ];
    round_trips(lease, "double precision", &floats);
}

#[test]
fn exact_numbers_come_back_digit_by_digit() {
    let pool = pool!();
    let lease = &mut lease(&pool);
    let texts = [
        "0",
        "0.00",
        "9.90",
        "-9.90",
        "-5",
        "10000",
        "100000000",
        "0.0001",
        "0.00001",
        "-0.10",
        "12345.678900",
        "9999999999999999999999999999",
        "-9999999999999999999999999999",
        "0.9999999999999999999999999999",
        "79228162514264337593543950335",
        "7.9228162514264337593543950335",
        "1234567890123456789012345.678",
    ];
    for text in texts {
        let value = [Value::Decimal(text.parse().unwrap())];
        let back: Decimal = lease.one("SELECT $1", &value).unwrap();
        assert_eq!(back.to_string(), text);
        assert_eq!(lease.one::<String>("SELECT $1::text", &value).unwrap(), text);
        // And without our own writing: the server's number.
        let theirs: Decimal = lease.one(&format!("SELECT '{text}'::numeric"), &[]).unwrap();
        assert_eq!(theirs.to_string(), text);
    }
    // A pseudo-random walk through lengths and places of the point.
    let mut seed = 0x2545_F491_4F6C_DD1D_u64;
    for n in 0..2_000_u32 {
        seed ^= seed << 13;
        seed ^= seed >> 7;
        seed ^= seed << 17;
        let units = (i128::from(seed) * i128::from(seed.rotate_left(31) >> 1)) % 10_i128.pow(n % 29);
        let number = Decimal::from_i128_with_scale(if n % 2 == 0 { units } else { -units }, (seed % 29) as u32);
        let text = number.to_string();
        let value = [Value::Decimal(number)];
        assert_eq!(lease.one::<Decimal>("SELECT $1", &value).unwrap().to_string(), text);
        assert_eq!(lease.one::<String>("SELECT $1::text", &value).unwrap(), text);
    }
    assert_eq!(lease.one::<Decimal>("SELECT 7::bigint", &[]).unwrap(), Decimal::from(7));
    round_trips(lease, "numeric(12,2)", &[("9.90".parse().unwrap(), "9.90"), (Decimal::ZERO, "0.00")]);
    for (sql, found) in [
        ("SELECT 'NaN'::numeric", "NaN"),
        ("SELECT 'Infinity'::numeric", "infinity"),
        ("SELECT '-Infinity'::numeric", "infinity"),
        ("SELECT 123456789012345678901234567890::numeric", "a longer numeric"),
        ("SELECT 0.00000000000000000000000000001::numeric", "a longer numeric"),
        ("SELECT 1e131000::numeric", "a longer numeric"),
    ] {
        let error = lease.one::<Decimal>(sql, &[]).unwrap_err();
        assert_eq!(error.kind(), ErrorKind::Decode, "{sql}");
        assert!(error.to_string().ends_with(found), "{sql}: {error}");
    }
    // The zeros behind the point that there is no room for may go.
    assert_eq!(lease.one::<Decimal>("SELECT 1.5::numeric(60,40)", &[]).unwrap(), "1.5".parse().unwrap());
}

#[test]
fn text_and_bytes_come_back() {
    let pool = pool!();
    let lease = &mut lease(&pool);
    let texts = ["", "a", "' \\ \" $1 %s", "Zoë 🦤", "e\u{301} \u{e9}", "a ", "\u{1}\u{7f}\r\n\t", "\u{10ffff}"];
    let texts: Vec<_> = texts.iter().map(|text| ((*text).to_owned(), *text)).collect();
    round_trips(lease, "text", &texts);
    round_trips(lease, "varchar(40)", &texts);
    let long = "x".repeat(3_000_000);
    assert_eq!(lease.one::<String>("SELECT $1", &[Value::Text(long.clone().into())]).unwrap(), long);
    round_trips(lease, "bytea", &[(vec![], "\\x"), (vec![0, 1, 0xff], "\\x0001ff")]);
    round_trips(
        lease,
        "uuid",
        &[(Uuid::nil(), "00000000-0000-0000-0000-000000000000"), (Uuid::max(), "ffffffff-ffff-ffff-ffff-ffffffffffff")],
    );
    // Other types whose form is text.
    lease.ok("DROP TYPE IF EXISTS driver_text_mood");
    lease.ok("CREATE TYPE driver_text_mood AS ENUM ('sad', 'happy')");
    for (sql, text) in [
        ("SELECT 'happy'::driver_text_mood", "happy"),
        ("SELECT '[1, 2]'::json", "[1, 2]"),
        ("SELECT '[1,2]'::jsonb", "[1, 2]"),
        ("SELECT 'ab'::char(4)", "ab  "),
        ("SELECT 'ab'::name", "ab"),
        ("SELECT 'x'::\"char\"", "x"),
        ("SELECT '<a/>'::xml", "<a/>"),
        ("SELECT 'unknown'", "unknown"),
    ] {
        assert_eq!(lease.one::<String>(sql, &[]).unwrap(), text, "{sql}");
    }
    let happy = [Value::Text("happy".into())];
    assert_eq!(lease.one::<String>("SELECT CAST($1 AS driver_text_mood)", &happy).unwrap(), "happy");
    // A long result with a type that has to be looked up.
    let call = Call { keep: false, ..call("SELECT 'sad'::driver_text_mood FROM generate_series(1, 200000)", &[]) };
    assert_eq!(lease.all_of::<String>(call).unwrap().len(), 200_000);
}

#[test]
fn times_come_back() {
    let pool = pool!();
    let lease = &mut lease(&pool);
    let (first, last) = (date(1, 1, 1), date(9999, 12, 31));
    round_trips(
        lease,
        "date",
        &[
            (first, "0001-01-01"),
            (last, "9999-12-31"),
            (date(2000, 1, 1), "2000-01-01"),
            (date(1999, 12, 31), "1999-12-31"),
            (date(-4712, 1, 1), "4713-01-01 BC"),
        ],
    );
    let (midnight, late) = (Time::midnight(), time(23, 59, 59, 999_999_000));
    round_trips(
        lease,
        "time",
        &[(midnight, "00:00:00"), (late, "23:59:59.999999"), (time(1, 2, 3, 4_000), "01:02:03.000004")],
    );
    round_trips(
        lease,
        "timestamp",
        &[
            (first.to_datetime(midnight), "0001-01-01 00:00:00"),
            (last.to_datetime(late), "9999-12-31 23:59:59.999999"),
            (date(1969, 12, 31).to_datetime(late), "1969-12-31 23:59:59.999999"),
        ],
    );
    let moment = |text: &str| text.parse::<Timestamp>().unwrap();
    round_trips(
        lease,
        "timestamptz",
        &[
            (moment("0001-01-01T00:00:00Z"), "0001-01-01 00:00:00+00"),
            (moment("9999-12-30T21:59:59.999999Z"), "9999-12-30 21:59:59.999999+00"),
            (moment("1969-12-31T23:59:59.999999Z"), "1969-12-31 23:59:59.999999+00"),
            (moment("2024-06-30T12:00:00.000001+02:00"), "2024-06-30 10:00:00.000001+00"),
        ],
    );
    // What is below a microsecond is cut, before 1970 too.
    let sent = [Value::Timestamp(moment("1969-12-31T23:59:59.9999999Z"))];
    assert_eq!(lease.one::<Timestamp>("SELECT $1", &sent).unwrap(), moment("1969-12-31T23:59:59.999999Z"));
}

fn mismatch<T: Scalar + std::fmt::Debug>(lease: &mut Lease, sql: &str, found: &str) {
    let error = lease.one::<T>(sql, &[]).unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Decode, "{sql}");
    assert!(error.to_string().contains(found), "{sql}: {error}");
    assert!(!error.to_string().contains("777"), "{sql}: {error}");
}

#[test]
fn what_no_field_holds_is_an_error_that_names_types() {
    let pool = pool!();
    let lease = &mut lease(&pool);
    mismatch::<Date>(lease, "SELECT 'infinity'::date", "found infinity");
    mismatch::<Date>(lease, "SELECT '-infinity'::date", "found infinity");
    mismatch::<Date>(lease, "SELECT '5874897-12-31'::date", "outside the years");
    mismatch::<DateTime>(lease, "SELECT 'infinity'::timestamp", "found infinity");
    mismatch::<DateTime>(lease, "SELECT '294276-12-31 23:59:59.999999'::timestamp", "outside the years");
    mismatch::<Timestamp>(lease, "SELECT '-infinity'::timestamptz", "found infinity");
    mismatch::<Timestamp>(lease, "SELECT '294276-12-31 23:59:59.999999+00'::timestamptz", "outside the years");
    mismatch::<Time>(lease, "SELECT '24:00:00'::time", "a time before 24:00");
    mismatch::<i64>(lease, "SELECT '2024-01-01'::timestamptz", "expected an integer, found timestamptz");
    mismatch::<i64>(lease, "SELECT 777::numeric", "expected an integer, found numeric");
    mismatch::<f64>(lease, "SELECT 777::numeric", "expected a float, found numeric");
    mismatch::<String>(lease, "SELECT 777", "expected text, found int4");
    mismatch::<Timestamp>(lease, "SELECT now()::timestamp", "expected a moment, found timestamp");
    mismatch::<DateTime>(lease, "SELECT now()", "without a zone, found timestamptz");
    mismatch::<Date>(lease, "SELECT now()", "expected a date, found timestamptz");
    mismatch::<bool>(lease, "SELECT 777", "expected true or false, found int4");
    mismatch::<Uuid>(lease, "SELECT '777'", "expected a UUID, found text");
    mismatch::<Vec<u8>>(lease, "SELECT '777'", "expected bytes, found text");
    mismatch::<i64>(lease, "SELECT NULL::bigint", "found NULL: a field that may be NULL is an `Option`");
    mismatch::<String>(lease, "SELECT 777 WHERE false UNION ALL SELECT NULL", "found NULL");
    let beyond = wait(Ask::connection(lease).run(&call("SELECT 1", &[]), &mut |row| {
        row.go_to(1);
        row.take::<i64>().map(drop)
    }));
    assert!(beyond.unwrap_err().to_string().contains("the end of the row"));
    assert_eq!(lease.one::<i64>("SELECT 1", &[]).unwrap(), 1);
}

#[test]
fn lists_are_one_parameter() {
    let pool = pool!();
    let lease = &mut lease(&pool);
    let list = |n: i64| [Value::List((1..=n).map(Value::Int).collect())];
    for n in [0, 1, 2, 100_000] {
        let sql = "SELECT count(*) FROM generate_series(1::bigint, 200000) AS g WHERE g = ANY($1)";
        let parameters = [Parameter { class: Class::Int, list: true }];
        let found = lease.all_of::<i64>(Call { parameters: &parameters, ..call(sql, &list(n)) }).unwrap();
        assert_eq!(found, [n]);
        assert_eq!(lease.one::<i64>(sql, &list(n)).unwrap(), n, "without a declared class");
    }
    let uuid = Uuid::from_u128(7);
    for (value, sql) in [
        (Value::Text("b".into()), "SELECT 'b'::text = ANY($1)"),
        (Value::Text("b".into()), "SELECT 'b'::varchar = ANY($1)"),
        (Value::Bool(true), "SELECT true = ANY($1)"),
        (Value::Float(0.5), "SELECT 0.5::real = ANY($1)"),
        (Value::Decimal("9.90".parse().unwrap()), "SELECT 9.9::numeric = ANY($1)"),
        (Value::Bytes(vec![1].into()), "SELECT '\\x01'::bytea = ANY($1)"),
        (Value::Date(date(2024, 2, 29)), "SELECT '2024-02-29'::date = ANY($1)"),
        (Value::Time(time(1, 2, 3, 0)), "SELECT '01:02:03'::time = ANY($1)"),
        (Value::DateTime(date(2024, 2, 29).at(1, 0, 0, 0)), "SELECT '2024-02-29 01:00'::timestamp = ANY($1)"),
        (Value::Timestamp(Timestamp::UNIX_EPOCH), "SELECT '1970-01-01 00:00+00'::timestamptz = ANY($1)"),
        (Value::Uuid(uuid), "SELECT '00000000-0000-0000-0000-000000000007'::uuid = ANY($1)"),
    ] {
        let list = [Value::List(vec![Value::Null, value])];
        assert!(lease.one::<bool>(sql, &list).unwrap(), "{sql}");
    }
    let length = "SELECT coalesce(array_length($1::bigint[], 1), 0)";
    assert_eq!(lease.one::<i32>(length, &[Value::List(vec![Value::Null, Value::Null])]).unwrap(), 2);
    let nested = lease.done(length, &[Value::List(vec![Value::List(vec![Value::Int(1)]), Value::Int(1)])]).unwrap_err();
    assert_eq!(nested.kind(), ErrorKind::Encode);
}

#[test]
fn what_cannot_be_sent_is_refused_before() {
    let pool = pool!();
    let lease = &mut lease(&pool);
    begin(lease);
    let values = [Value::Int(1), Value::Text("a\0secret".into())];
    let error = lease.done("SELECT $1, $2", &values).unwrap_err();
    assert_eq!((error.kind(), error.parameter()), (ErrorKind::Encode, Some(1)));
    assert!(error.to_string().contains("PostgreSQL text cannot hold NUL"), "{error}");
    assert!(!format!("{error:?}").contains("secret"));
    let list = [Value::List(vec!["a".into(), "b\0".into()].into_iter().map(Value::Text).collect())];
    assert_eq!(lease.done("SELECT $1", &list).unwrap_err().kind(), ErrorKind::Encode);
    // As declared, not as it is.
    let parameters = [Parameter { class: Class::Int, list: false }];
    let error = wait(
        Ask::connection(lease)
            .run(&Call { parameters: &parameters, ..call("SELECT $1", &[Value::Text("secret".into())]) }, &mut |_| {
                Ok(())
            }),
    );
    let error = error.unwrap_err();
    assert_eq!((error.kind(), error.parameter()), (ErrorKind::Encode, Some(0)));
    assert_eq!(error.to_string(), "the value cannot be stored exactly: it is text, the statement takes int8");
    let error = lease.done("SELECT $1::bigint + $2", &[Value::Int(1)]).unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Misuse, "{error}");
    assert_eq!(lease.done("SELECT 1; SELECT 2", &[]).unwrap_err().kind(), ErrorKind::Database);
    rollback(lease);
    begin(lease);
    // None of those failed the transaction but the last.
    let too_many = vec![Value::Int(1); 65_536];
    let error = lease.done("SELECT 1", &too_many).unwrap_err();
    assert_eq!(error.kind(), ErrorKind::LimitExceeded);
    let most = vec![Value::Int(1); 65_535];
    let sum: Vec<_> = (1..=65_535).map(|n| format!("(${n})")).collect();
    let sql = format!("SELECT sum(v)::bigint FROM (VALUES {}) AS t (v)", sum.join(","));
    assert_eq!(lease.one::<i64>(&sql, &most).unwrap(), 65_535);
    commit(lease).unwrap();
}

// ---------------------------------------------------------------------------------------------------- errors

#[test]
fn errors_have_kinds_and_no_values() {
    let pool = pool!();
    let lease = &mut lease(&pool);
    lease.ok("DROP TABLE IF EXISTS driver_kinds_child, driver_kinds CASCADE");
    lease.ok("CREATE TABLE driver_kinds (id bigint CONSTRAINT driver_pk_kinds PRIMARY KEY, mail text CONSTRAINT driver_uq_kinds_mail UNIQUE, \
        age smallint CONSTRAINT driver_ck_kinds_age CHECK (age > 0), short varchar(3), price numeric(4,2), name text NOT NULL, \
        span int4range, CONSTRAINT driver_ex_kinds_span EXCLUDE USING gist (span WITH &&))");
    lease.ok("CREATE TABLE driver_kinds_child (kind_id bigint CONSTRAINT driver_fk_kinds REFERENCES driver_kinds)");
    lease.ok("INSERT INTO driver_kinds (id, mail, name, span) VALUES (1, 'canary@x', 'n', '[1,5)')");
    let (mail, parent) = (Some("driver_uq_kinds_mail"), Some("driver_fk_kinds"));
    for (sql, kind, code, constraint) in [
        ("INSERT INTO driver_kinds (id, mail, name) VALUES (2, 'canary@x', 'n')", ErrorKind::Unique, "23505", mail),
        (
            "INSERT INTO driver_kinds (id, name) VALUES (1, 'canary')",
            ErrorKind::Unique,
            "23505",
            Some("driver_pk_kinds"),
        ),
        ("INSERT INTO driver_kinds_child VALUES (987654)", ErrorKind::ForeignKey, "23503", parent),
        ("INSERT INTO driver_kinds (id, name) VALUES (3, NULL)", ErrorKind::NotNull, "23502", None),
        (
            "INSERT INTO driver_kinds (id, name, age) VALUES (3, 'canary', -7)",
            ErrorKind::Check,
            "23514",
            Some("driver_ck_kinds_age"),
        ),
        (
            "INSERT INTO driver_kinds (id, name, span) VALUES (3, 'n', '[4,9)')",
            ErrorKind::Check,
            "23P01",
            Some("driver_ex_kinds_span"),
        ),
        ("INSERT INTO driver_kinds (id, name, short) VALUES (3, 'n', 'canary')", ErrorKind::OutOfRange, "22001", None),
        ("INSERT INTO driver_kinds (id, name, price) VALUES (3, 'n', 987654)", ErrorKind::OutOfRange, "22003", None),
        ("INSERT INTO driver_kinds (id, name, age) VALUES (3, 'n', 987654)", ErrorKind::OutOfRange, "22003", None),
        ("SELECT '2024-02-30 canary'::text::date", ErrorKind::Database, "22007", None),
        ("SELECT '2024-02-30'::text::date", ErrorKind::OutOfRange, "22008", None),
        ("SELECT 'canary'::text::integer", ErrorKind::Database, "22P02", None),
        ("SELECT 'canary' ~ '('", ErrorKind::Database, "2201B", None),
        ("SELECT 1 / 0", ErrorKind::Database, "22012", None),
        ("SELECT * FROM no_such_table", ErrorKind::SchemaMismatch, "42P01", None),
        ("SELECT no_such_column FROM driver_kinds", ErrorKind::SchemaMismatch, "42703", None),
        ("CREATE TABLE no_such_schema.t ()", ErrorKind::SchemaMismatch, "3F000", None),
        ("SELECT sin('a'", ErrorKind::Database, "42601", None),
    ] {
        let error = lease.refused(sql);
        assert_eq!((error.kind(), error.code(), error.constraint()), (kind, Some(code), constraint), "{sql}: {error}");
        let shown = format!("{error} {error:?}");
        assert!(!shown.contains("canary") && !shown.contains("987654"), "{sql}: {shown}");
    }
    assert_eq!(lease.refused("INSERT INTO driver_kinds (id, name) VALUES (3, NULL)").columns(), ["name"]);
    // A function of the program's own, or dblink, may speak of another connection's end: ours goes on.
    for code in ["08006", "57P01"] {
        let error = lease.refused(&format!("DO $$ BEGIN RAISE EXCEPTION 'x' USING ERRCODE = '{code}'; END $$"));
        assert_eq!((error.kind(), error.code()), (ErrorKind::Database, Some(code)), "{error}");
        lease.ok("SELECT 1");
    }
    let many: Vec<_> = (0..1700).map(|n| n.to_string()).collect();
    assert_eq!(lease.refused(&format!("SELECT {}", many.join(","))).kind(), ErrorKind::LimitExceeded);
    // A deferred constraint speaks up at the end of the statement, or at COMMIT.
    fresh_table(
        lease,
        "driver_kinds_later",
        "id bigint CONSTRAINT driver_uq_later UNIQUE DEFERRABLE INITIALLY DEFERRED",
    );
    let late = lease.refused("INSERT INTO driver_kinds_later VALUES (1), (1)");
    assert_eq!((late.kind(), late.constraint()), (ErrorKind::Unique, Some("driver_uq_later")));
    begin(lease);
    lease.ok("INSERT INTO driver_kinds_later VALUES (1), (1)");
    assert_eq!(commit(lease).unwrap_err().kind(), ErrorKind::Unique);
    assert_eq!(count(lease, "driver_kinds_later"), 0);
}

#[test]
fn transactions_have_their_words_and_errors() {
    let pool = pool!();
    let (lease, other) = (&mut lease(&pool), &mut lease(&pool));
    fresh_table(lease, "driver_words", "id bigint PRIMARY KEY, n bigint");
    lease.ok("INSERT INTO driver_words VALUES (1, 0), (2, 0)");
    for isolation in [Isolation::ReadCommitted, Isolation::RepeatableRead, Isolation::Serializable] {
        for read_only in [true, false] {
            let how = Begin { isolation: Some(isolation), read_only };
            wait(Ask::connection(lease).begin(how)).unwrap();
            let is: String = lease.one("SHOW transaction_isolation", &[]).unwrap();
            assert_eq!(is.replace(' ', "").to_lowercase(), format!("{isolation:?}").to_lowercase());
            let writes = lease.done("UPDATE driver_words SET n = n", &[]);
            match writes {
                Ok(done) => assert_eq!((done.rows, read_only), (2, false)),
                Err(error) => assert_eq!((error.kind(), read_only), (ErrorKind::ReadOnly, true)),
            }
            rollback(lease);
        }
    }
    // Two transactions that cannot be put in an order.
    wait(Ask::connection(lease).begin(Begin { isolation: Some(Isolation::RepeatableRead), read_only: false })).unwrap();
    assert_eq!(count(lease, "driver_words"), 2);
    other.ok("UPDATE driver_words SET n = n + 1 WHERE id = 1");
    let error = lease.refused("UPDATE driver_words SET n = n + 1 WHERE id = 1");
    assert_eq!(error.kind(), ErrorKind::Retryable(Conflict::Serialization), "{error}");
    assert_eq!(lease.refused("SELECT 1").kind(), ErrorKind::TransactionPoisoned);
    rollback(lease);
    // A lock that does not come.
    begin(other);
    other.ok("UPDATE driver_words SET n = 5 WHERE id = 1");
    begin(lease);
    lease.ok("SET LOCAL lock_timeout = 50");
    assert_eq!(lease.refused("UPDATE driver_words SET n = 6 WHERE id = 1").kind(), ErrorKind::LockTimeout);
    rollback(lease);
    // Two that wait for each other.
    begin(lease);
    lease.ok("SET LOCAL deadlock_timeout = 50");
    lease.ok("UPDATE driver_words SET n = 6 WHERE id = 2");
    let (mine, theirs) = std::thread::scope(|scope| {
        let theirs = scope.spawn(|| other.done("UPDATE driver_words SET n = 6 WHERE id = 2", &[]));
        let mine = lease.done("UPDATE driver_words SET n = 6 WHERE id = 1", &[]);
        if mine.is_err() {
            rollback(lease);
        }
        (mine, theirs.join().unwrap())
    });
    let errors: Vec<_> = [mine, theirs].into_iter().filter_map(Result::err).map(|error| error.kind()).collect();
    assert_eq!(errors, [ErrorKind::Retryable(Conflict::Deadlock)]);
    rollback(other);
    rollback(lease);
    // A statement that takes too long; the connection goes on. The limit holds for the transaction alone: what comes
    // after must not meet it on a busy machine.
    begin(lease);
    lease.ok("SET LOCAL statement_timeout = 1000");
    let late = lease.refused("SELECT pg_sleep(600)");
    assert_eq!(late.kind(), ErrorKind::StatementTimeout, "{late}");
    rollback(lease);
    assert_eq!(count(lease, "driver_words"), 2);
}

#[test]
fn a_failed_transaction_never_commits() {
    let pool = pool!();
    let mut lease = lease(&pool);
    let lease = &mut lease;
    fresh_table(lease, "driver_poison", "id bigint PRIMARY KEY");
    begin(lease);
    lease.ok("INSERT INTO driver_poison VALUES (1)");
    assert_eq!(lease.refused("INSERT INTO driver_poison VALUES (1)").kind(), ErrorKind::Unique);
    assert_eq!(lease.refused("INSERT INTO driver_poison VALUES (2)").kind(), ErrorKind::TransactionPoisoned);
    let error = commit(lease).unwrap_err();
    assert_eq!(error.kind(), ErrorKind::TransactionPoisoned);
    assert!(error.to_string().starts_with("the transaction failed earlier and was rolled back"), "{error}");
    assert_eq!(count(lease, "driver_poison"), 0);
    // A scope that was taken back makes good what failed in it.
    begin(lease);
    lease.ok("INSERT INTO driver_poison VALUES (1)");
    let scope = wait(Ask::connection(lease).savepoint()).unwrap();
    lease.refused("INSERT INTO driver_poison VALUES (1)");
    assert_eq!(wait(Ask::connection(lease).release(scope)).unwrap_err().kind(), ErrorKind::TransactionPoisoned);
    rollback(lease);
    begin(lease);
    lease.ok("INSERT INTO driver_poison VALUES (1)");
    let scope = wait(Ask::connection(lease).savepoint()).unwrap();
    lease.refused("INSERT INTO driver_poison VALUES (1)");
    wait(Ask::connection(lease).rollback_to(scope)).unwrap();
    lease.ok("INSERT INTO driver_poison VALUES (2)");
    commit(lease).unwrap();
    assert_eq!(count(lease, "driver_poison"), 2);
    // A value that was never sent does no harm.
    begin(lease);
    assert_eq!(lease.done("SELECT $1", &[Value::Text("\0".into())]).unwrap_err().kind(), ErrorKind::Encode);
    lease.ok("INSERT INTO driver_poison VALUES (3)");
    commit(lease).unwrap();
    assert_eq!(count(lease, "driver_poison"), 3);
    // An error behind rows that were handed on, and refused by who took them.
    begin(lease);
    let sql = "SELECT 1 / (2000 - g) FROM generate_series(1, 2000) AS g";
    let refused = wait(Ask::connection(lease).run(&call(sql, &[]), &mut |_| Err(Error::other("enough"))));
    assert_eq!(refused.unwrap_err().kind(), ErrorKind::Other);
    assert_eq!(commit(lease).unwrap_err().kind(), ErrorKind::TransactionPoisoned);
}

#[test]
fn control_statements_by_hand_are_noticed() {
    let Some(url) = url() else { return };
    let pool = wait(Pool::connect(Options::parse(&url).unwrap().max_connections(1))).unwrap();
    let pid = |lease: &mut Lease| lease.one::<i32>("SELECT pg_backend_pid()", &[]).unwrap();
    let mut first = lease(&pool);
    fresh_table(&mut first, "driver_by_hand", "id bigint");
    let before = pid(&mut first);
    drop(first);
    let mut second = lease(&pool);
    assert_eq!(pid(&mut second), before, "a clean connection is used again");
    second.ok("/* by hand */ BEGIN");
    second.ok("INSERT INTO driver_by_hand VALUES (1)");
    drop(second);
    let mut third = lease(&pool);
    assert_ne!(pid(&mut third), before, "one with a transaction open is not");
    assert_eq!(count(&mut third, "driver_by_hand"), 0);
    // Ended by hand: what comes later must not look as if it had been part of it.
    begin(&mut third);
    third.ok("ROLLBACK");
    let error = commit(&mut third).unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Misuse, "{error}");
    assert_eq!(count(&mut third, "driver_by_hand"), 0);
}

#[test]
fn nothing_runs_behind_a_control_statement() {
    let pool = pool!();
    let lease = &mut lease(&pool);
    fresh_table(lease, "driver_behind", "id bigint");
    lease.ok("INSERT INTO driver_behind VALUES (1)");
    for sql in ["COMMIT; DELETE FROM driver_behind", "ROLLBACK; DELETE FROM driver_behind; BEGIN", "BEGIN; SELECT 1"] {
        begin(lease);
        lease.ok("INSERT INTO driver_behind VALUES (2)");
        let error = lease.refused(sql);
        assert_eq!((error.kind(), error.code()), (ErrorKind::Database, Some("42601")), "{sql}: {error}");
        assert_eq!(lease.refused("SELECT 1").kind(), ErrorKind::TransactionPoisoned, "{sql}");
        lease.ok("ROLLBACK;");
        assert_eq!(count(lease, "driver_behind"), 1, "{sql}");
        rollback(lease);
    }
}

// ------------------------------------------------------------------------------------------ prepared statements

#[test]
fn a_plan_that_changed_is_made_again_outside_a_transaction() {
    let pool = pool!();
    let lease = &mut lease(&pool);
    fresh_table(lease, "driver_plan", "id bigint, v integer");
    lease.ok("INSERT INTO driver_plan VALUES (1, 7)");
    let sql = "SELECT v FROM driver_plan WHERE id = $1";
    let one = [Value::Int(1)];
    assert_eq!(lease.one::<i32>(sql, &one).unwrap(), 7);
    lease.ok("ALTER TABLE driver_plan ALTER v TYPE text");
    assert_eq!(lease.one::<String>(sql, &one).unwrap(), "7");
    lease.ok("ALTER TABLE driver_plan ALTER v TYPE varchar(10)");
    assert_eq!(lease.one::<String>(sql, &one).unwrap(), "7");

    lease.ok("ALTER TABLE driver_plan ALTER v TYPE bigint USING v::bigint");
    begin(lease);
    let error = lease.one::<i64>(sql, &one).unwrap_err();
    assert_eq!((error.kind(), error.code()), (ErrorKind::PreparedPlanChanged, Some("0A000")), "{error}");
    assert_eq!(lease.one::<i64>(sql, &one).unwrap_err().kind(), ErrorKind::TransactionPoisoned);
    assert_eq!(commit(lease).unwrap_err().kind(), ErrorKind::TransactionPoisoned);
    begin(lease);
    assert_eq!(lease.one::<i64>(sql, &one).unwrap(), 7, "run again, the transaction succeeds");
    commit(lease).unwrap();
    // Closed behind our back.
    lease.ok("DEALLOCATE ALL");
    assert_eq!(lease.one::<i64>(sql, &one).unwrap(), 7);
    // The same SQLSTATE for another reason is another error.
    let other = lease
        .refused("SELECT * FROM driver_plan FOR UPDATE OF driver_plan, driver_plan UNION SELECT * FROM driver_plan");
    assert_ne!(other.kind(), ErrorKind::PreparedPlanChanged, "{other}");
}

#[test]
fn statements_are_kept_and_closed() {
    let pool = pool!();
    let lease = &mut lease(&pool);
    let open = "SELECT count(*) FROM pg_prepared_statements";
    for n in 0..600 {
        assert_eq!(lease.one::<i32>(&format!("SELECT {n}"), &[]).unwrap(), n);
    }
    assert_eq!(lease.one::<i64>(open, &[]).unwrap(), 256);
    // The text last used stays: no statement was prepared anew.
    assert_eq!(lease.one::<i64>(open, &[]).unwrap(), 256);
    let gone = Call { keep: false, ..call("SELECT 1.5", &[]) };
    assert_eq!(lease.all_of::<Decimal>(gone).unwrap().len(), 1);
    assert_eq!(lease.one::<i64>(open, &[]).unwrap(), 256);
    // The same text with values of other types.
    for (value, text) in [
        (Value::Int(1), "1"),
        (Value::Text("x".into()), "x"),
        (Value::Null, "none"),
        (Value::Bool(true), "true"),
        (Value::Int(2), "2"),
    ] {
        assert_eq!(lease.one::<String>("SELECT coalesce($1::text, 'none')", &[value]).unwrap(), text);
    }
}

// --------------------------------------------------------------------------------------------------- rows

#[test]
fn a_refused_row_leaves_the_connection_in_order() {
    let pool = pool!();
    let lease = &mut lease(&pool);
    fresh_table(lease, "driver_midway", "id bigint");
    for _ in 0..5 {
        let mut seen = 0;
        let sql =
            "INSERT INTO driver_midway SELECT g FROM generate_series(1, 50000) AS g RETURNING id, repeat('x', 100)";
        let refused = wait(Ask::connection(lease).run(&call(sql, &[]), &mut |_| {
            seen += 1;
            if seen == 10 { Err(Error::other("enough")) } else { Ok(()) }
        }));
        assert_eq!(refused.unwrap_err().to_string(), "enough");
        assert_eq!(seen, 10, "no row after the one that was refused");
        assert_eq!(lease.one::<i64>("SELECT 42::bigint", &[]).unwrap(), 42);
    }
    assert_eq!(count(lease, "driver_midway"), 250_000);
    let done = lease.done("UPDATE driver_midway SET id = id WHERE id <= $1", &[Value::Int(3)]).unwrap();
    assert_eq!(done, Done { rows: 15, key: None });
    assert_eq!(lease.done("DELETE FROM driver_midway WHERE id < 0", &[]).unwrap().rows, 0);
    let reads = Call { writes: false, ..call("SELECT id FROM driver_midway WHERE id <= 3", &[]) };
    assert_eq!(wait(Ask::connection(lease).run(&reads, &mut |_| Ok(()))).unwrap().rows, 0, "none was written");
    assert_eq!(lease.done("", &[]).unwrap(), Done::default());
}

// ------------------------------------------------------------------------------------------- cancelled futures

/// Polls so often and then drops; true if it ended by itself.
fn poll_and_drop(future: impl Future, polls: usize, pause: Duration) -> bool {
    let mut future = pin!(future);
    let mut context = Context::from_waker(Waker::noop());
    for _ in 0..polls {
        if future.as_mut().poll(&mut context).is_ready() {
            return true;
        }
        std::thread::sleep(pause);
    }
    false
}

#[test]
fn a_future_dropped_anywhere_leaves_nothing_behind() {
    let Some(url) = url() else { return };
    let (runtime, admin) = (Builder::new_multi_thread().worker_threads(1).enable_all().build().unwrap(), pool_at(&url));
    let admin = &mut lease(&admin);
    fresh_table(admin, "driver_dropped", "id bigserial, n bigint");
    fresh_table(admin, "driver_dropped_probe", "id bigint");
    let _inside = runtime.enter();
    let pool = Options::parse(&url).unwrap().max_connections(2);
    let pool = runtime.block_on(Pool::connect(pool)).unwrap();
    let (mut finished, mut cut) = (0, 0);
    for pause in [Duration::ZERO, Duration::from_micros(50), Duration::from_millis(1)] {
        for polls in 0..200 {
            let ended = poll_and_drop(
                async {
                    let mut lease = pool.acquire("cancelled").await?;
                    let connection = lease.connection()?;
                    connection.begin(Begin::default()).await?;
                    let insert = "INSERT INTO driver_dropped (n) VALUES ($1)";
                    connection.run(&call(insert, &[Value::Int(1)]), &mut |_| Ok(())).await?;
                    let scope = connection.savepoint().await?;
                    connection.run(&call(insert, &[Value::Int(2)]), &mut |_| Ok(())).await?;
                    connection.release(scope).await?;
                    connection.commit().await
                },
                polls,
                pause,
            );
            if ended {
                finished += 1
            } else {
                cut += 1
            }
            runtime.block_on(async {
                let mut lease = pool.acquire("after").await.unwrap();
                let connection = lease.connection().unwrap();
                let mut rows = Vec::new();
                // In no transaction of someone else, for then VACUUM is refused ...
                connection.run(&call("VACUUM driver_dropped_probe", &[]), &mut |_| Ok(())).await.unwrap();
                // ... and with the answer to its own question.
                let ask = [Value::Int(polls as i64)];
                let mut keep = |row: &mut Row<'_>| {
                    rows.push((row.take::<i64>()?, row.take::<bool>()?));
                    Ok(())
                };
                let sql = "SELECT $1, pg_current_xact_id_if_assigned() IS NULL";
                connection.run(&call(sql, &ask), &mut keep).await.unwrap();
                assert_eq!(rows, [(polls as i64, true)], "after {polls} polls");
            });
            if ended && pause > Duration::from_micros(50) {
                break;
            }
        }
    }
    assert!(finished > 0 && cut > 20, "{finished} finished, {cut} cut off");
    // A COMMIT that was sent may have taken effect; half a transaction never.
    let halves = "SELECT count(*) FILTER (WHERE n = 1) = count(*) FILTER (WHERE n = 2) FROM driver_dropped";
    assert!(admin.one::<bool>(halves, &[]).unwrap());
    assert!(count(admin, "driver_dropped") >= 2 * finished);
    println!("{finished} finished, {cut} cut off, {} rows", count(admin, "driver_dropped"));
}

#[test]
fn an_opening_that_is_dropped_leaves_no_connection() {
    let Some(url) = url() else { return };
    let admin = &mut lease(&pool_at(&url));
    let tagged = format!("{url}{}application_name=dropped_opening", if url.contains('?') { '&' } else { '?' });
    for polls in 0..40 {
        let options = Options::parse(&tagged).unwrap();
        poll_and_drop(Pool::connect(options), polls, Duration::from_micros(300));
    }
    let left = "SELECT count(*) FROM pg_stat_activity WHERE application_name = 'dropped_opening'";
    soon(|| admin.one::<i64>(left, &[]).unwrap() == 0);
}

#[test]
fn an_opening_that_is_dropped_hangs_up() {
    if url().is_none() {
        return;
    }
    // A server that says nothing.
    let server = TcpListener::bind("127.0.0.1:0").unwrap();
    let port = server.local_addr().unwrap().port();
    let options = Options::parse(&format!("postgresql://u@127.0.0.1:{port}/x")).unwrap();
    let dropped = std::thread::spawn(|| poll_and_drop(Pool::connect(options), 5, Duration::from_millis(40)));
    let mut client = accepted(&server);
    let mut said = Vec::new();
    client.read_to_end(&mut said).unwrap();
    assert!(!dropped.join().unwrap());
}

/// Whoever connects to the listener.
fn accepted(listener: &TcpListener) -> TcpStream {
    listener.set_nonblocking(true).unwrap();
    let mut client = None;
    soon(|| {
        client = listener.accept().ok();
        client.is_some()
    });
    let (client, _) = client.unwrap();
    client.set_nonblocking(false).unwrap();
    client.set_read_timeout(Some(PATIENCE)).unwrap();
    client
}

#[test]
fn an_opening_that_is_given_up_after_the_login_hangs_up() {
    let Some(url) = url() else { return };
    let (account, place) = url.split_once("://").unwrap().1.rsplit_once('@').unwrap();
    let (server, rest) = place.split_once('/').unwrap();
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let port = listener.local_addr().unwrap().port();
    let options = Options::parse(&format!("postgresql://{account}@127.0.0.1:{port}/{rest}?connect_timeout=1")).unwrap();
    let opened = std::thread::spawn(|| wait(Pool::connect(options)).unwrap_err());
    let mut client = accepted(&listener);
    let mut server = TcpStream::connect(server).unwrap();
    let (mut from, mut to) = (server.try_clone().unwrap(), client.try_clone().unwrap());
    std::thread::spawn(move || std::io::copy(&mut from, &mut to));
    // Everything passes but the settings, which are the first query: to them there is no answer.
    let mut buffer = [0; 4096];
    loop {
        let read = client.read(&mut buffer).unwrap();
        if buffer[0] == b'Q' {
            break;
        }
        server.write_all(&buffer[..read]).unwrap();
    }
    assert!(opened.join().unwrap().to_string().contains("no answer in 1.0 s"));
    client.read_to_end(&mut Vec::new()).expect("it hangs up");
}

#[test]
fn nothing_runs_behind_a_begin_that_was_refused() {
    let Some(url) = url() else { return };
    let pool = pool!();
    let admin = &mut lease(&pool);
    fresh_table(admin, "driver_begun", "id int");
    let (account, place) = url.split_once("://").unwrap().1.rsplit_once('@').unwrap();
    let (server, rest) = place.split_once('/').unwrap();
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let port = listener.local_addr().unwrap().port();
    let server = server.to_owned();
    std::thread::spawn(move || {
        let mut client = accepted(&listener);
        let mut server = TcpStream::connect(server).unwrap();
        let (mut from, mut to) = (server.try_clone().unwrap(), client.try_clone().unwrap());
        std::thread::spawn(move || std::io::copy(&mut from, &mut to));
        let mut buffer = [0; 4096];
        while let Ok(read @ 1..) = client.read(&mut buffer) {
            let sent = &mut buffer[..read];
            if let Some(at) = sent.windows(5).position(|word| word == b"BEGIN") {
                sent[at] = b'R';
            }
            server.write_all(sent).unwrap();
        }
    });
    let options = Options::parse(&format!("postgresql://{account}@127.0.0.1:{port}/{rest}?max_connections=1")).unwrap();
    let pool = wait(Pool::connect(options)).unwrap();
    let connection = &mut lease(&pool);
    begin(connection);
    // It has to be prepared, and is not sent after that.
    let unknown = connection.refused("INSERT INTO driver_begun VALUES (1)");
    assert_eq!(unknown.kind(), ErrorKind::CommitUnknown, "{unknown}");
    assert!(unknown.to_string().contains("REGIN"), "what is told is why nothing began: {unknown}");
    assert_eq!(connection.refused("SELECT 1").kind(), ErrorKind::ConnectionLost);
    assert_eq!(count(admin, "driver_begun"), 0);
}

// ------------------------------------------------------------------------------------- statements sent together

/// Runs statements together; gives the place of the first that failed, and its error.
fn all_together(lease: &mut Lease, calls: &[Call<'_>]) -> std::result::Result<Vec<Option<Done>>, Failed> {
    let mut sinks: Vec<_> = calls.iter().map(|_| |_: &mut Row<'_>| Ok(())).collect();
    let mut parts: Vec<Part<'_>> =
        calls.iter().zip(&mut sinks).map(|(call, sink)| Part { call: *call, sink, done: None }).collect();
    wait(Ask::connection(lease).run_all(&mut parts))?;
    Ok(parts.iter().map(|part| part.done).collect())
}

#[test]
fn more_statements_go_together_than_are_kept() {
    let pool = pool!();
    let lease = &mut lease(&pool);
    fresh_table(lease, "driver_together", "id int");
    let texts: Vec<String> = (0..600).map(|n| format!("INSERT INTO driver_together VALUES ({n})")).collect();
    let calls: Vec<Call<'_>> = texts.iter().map(|text| call(text, &[])).collect();
    for _ in 0..2 {
        begin(lease);
        let done = all_together(lease, &calls).unwrap();
        assert_eq!(done, [Some(Done { rows: 1, key: None }); 600]);
        commit(lease).unwrap();
    }
    assert_eq!(count(lease, "driver_together"), 1200);
}

#[test]
fn nothing_is_sent_behind_a_value_that_has_no_form() {
    let pool = pool!();
    let lease = &mut lease(&pool);
    fresh_table(lease, "driver_formless", "id int");
    let good = [Value::List(vec![Value::Int(1)])];
    let mixed = [Value::List(vec![Value::Int(2), Value::Text("two".into())])];
    let calls = [&good, &mixed, &good].map(|values| call("INSERT INTO driver_formless SELECT unnest($1)", &values[..]));
    begin(lease);
    let failed = all_together(lease, &calls).unwrap_err();
    assert_eq!((failed.at, failed.error.kind()), (1, ErrorKind::Encode), "{}", failed.error);
    assert_eq!(count(lease, "driver_formless"), 1);
    rollback(lease);
    assert_eq!(count(lease, "driver_formless"), 0);
}

#[test]
fn plans_that_changed_are_made_again_for_all_that_go_together() {
    let pool = pool!();
    let lease = &mut lease(&pool);
    fresh_table(lease, "driver_plans", "id int, v int");
    lease.ok("INSERT INTO driver_plans VALUES (1, 7)");
    let calls = ["SELECT v FROM driver_plans", "SELECT v, id FROM driver_plans"].map(|sql| call(sql, &[]));
    begin(lease);
    all_together(lease, &calls).unwrap();
    commit(lease).unwrap();
    lease.ok("ALTER TABLE driver_plans ALTER v TYPE text");
    begin(lease);
    let failed = all_together(lease, &calls).unwrap_err();
    assert_eq!((failed.at, failed.error.kind()), (0, ErrorKind::PreparedPlanChanged), "{}", failed.error);
    rollback(lease);
    begin(lease);
    all_together(lease, &calls).unwrap();
    commit(lease).unwrap();
}

#[test]
fn statements_that_go_together_are_timed_one_by_one() {
    let Some(url) = url() else { return };
    let events: Arc<Mutex<Vec<(String, Duration)>>> = Arc::default();
    let seen = Arc::clone(&events);
    let options = Options::parse(&url).unwrap().on_statement(move |event| {
        seen.lock().unwrap().push((event.sql.to_owned(), event.elapsed));
    });
    let pool = wait(Pool::connect(options)).unwrap();
    let lease = &mut lease(&pool);
    let taken = || -> (Vec<String>, Vec<Duration>) { std::mem::take(&mut *events.lock().unwrap()).into_iter().unzip() };
    let (quick, sleep) = ("SELECT 1", "SELECT pg_sleep(0.3)");
    let slowest = |times: &[Duration]| times.iter().zip(0..).max().unwrap().1;

    begin(lease);
    all_together(lease, &[quick, sleep, quick].map(|sql| call(sql, &[]))).unwrap();
    commit(lease).unwrap();
    let (texts, times) = taken();
    assert_eq!(texts, ["BEGIN", quick, sleep, quick, "COMMIT"]);
    assert_eq!(slowest(&times), 2, "{times:?}");
    assert!(times[2] >= Duration::from_millis(300) && times[0] < times[2] / 2 && times[3] < times[2] / 2, "{times:?}");

    begin(lease);
    lease.ok(sleep);
    rollback(lease);
    let (texts, times) = taken();
    assert_eq!(texts, ["BEGIN", sleep, "ROLLBACK"]);
    assert!(times[0] < times[1] / 2, "{times:?}");

    // What cannot even be prepared is seen; what was not sent because of it is not.
    begin(lease);
    let failed = all_together(lease, &[quick, "SELECT nothing_of_this_name", sleep].map(|sql| call(sql, &[])));
    assert_eq!(failed.unwrap_err().at, 1);
    rollback(lease);
    assert_eq!(taken().0, ["BEGIN", "SELECT nothing_of_this_name", "ROLLBACK"]);
}

#[test]
fn a_transaction_of_which_nothing_was_sent_is_over_at_once() {
    let Some(url) = url() else { return };
    let pool = pool_at(&url);
    let (watching, held) = (&mut lease(&pool), &mut lease(&pool));
    fresh_table(held, "driver_unsent", "id int");
    let never_sent = [Value::Unstorable("no".into())];
    let ends: [fn(&mut Lease); 3] =
        [|lease| commit(lease).unwrap(), rollback, |lease| Ask::connection(lease).rollback_now()];
    for (rows, end) in (1..).zip(ends) {
        begin(held);
        assert_eq!(held.done("SELECT $1", &never_sent).unwrap_err().kind(), ErrorKind::Encode);
        end(held);
        held.ok("INSERT INTO driver_unsent VALUES (1)");
        assert_eq!(count(watching, "driver_unsent"), rows, "not in a transaction of somebody before");
    }
}

#[test]
fn a_statement_is_stopped_after_its_begin() {
    let Some(url) = url() else { return };
    let admin = &mut lease(&pool_at(&url));
    fresh_table(admin, "driver_stopped", "id int");
    let (account, place) = url.split_once("://").unwrap().1.rsplit_once('@').unwrap();
    let (server, rest) = place.split_once('/').unwrap();
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let port = listener.local_addr().unwrap().port();
    let server = server.to_owned();
    let (say, hear) = std::sync::mpsc::channel();
    let (pass, passes) = std::sync::mpsc::channel::<()>();
    std::thread::spawn(move || {
        let mut passes = Some(passes);
        for client in listener.incoming() {
            let (mut client, mut server) = (client.unwrap(), TcpStream::connect(&server).unwrap());
            let (mut from, mut to) = (server.try_clone().unwrap(), client.try_clone().unwrap());
            std::thread::spawn(move || std::io::copy(&mut from, &mut to));
            let (say, passes) = (say.clone(), passes.take());
            std::thread::spawn(move || {
                let Some(passes) = passes else {
                    say.send("stop").unwrap();
                    return std::io::copy(&mut client, &mut server).map(drop);
                };
                let mut buffer = [0; 4096];
                while let Ok(read @ 1..) = client.read(&mut buffer) {
                    if buffer[..read].windows(5).any(|word| word == b"BEGIN") {
                        say.send("BEGIN").unwrap();
                        passes.recv().unwrap();
                    }
                    server.write_all(&buffer[..read])?;
                }
                Ok(())
            });
        }
    });
    let pool = pool_at(&format!("postgresql://{account}@127.0.0.1:{port}/{rest}"));
    let mut dropped = lease(&pool);
    let sql = "INSERT INTO driver_stopped SELECT 1 FROM pg_sleep(60)";
    dropped.refused("SELECT nothing_of_this_name");
    begin(&mut dropped);
    assert!(!poll_and_drop(Ask::connection(&mut dropped).run(&call(sql, &[]), &mut |_| Ok(())), 1, Duration::ZERO));
    assert_eq!(hear.recv_timeout(PATIENCE), Ok("BEGIN"));
    drop(dropped);
    // Stopped now, it could be BEGIN that is stopped, and what follows would run without a transaction.
    assert!(hear.recv_timeout(Duration::from_millis(300)).is_err());
    pass.send(()).unwrap();
    assert_eq!(hear.recv_timeout(PATIENCE), Ok("stop"));
}

/// How long something that has to happen may take on a busy machine.
const PATIENCE: Duration = Duration::from_secs(30);

fn soon(mut condition: impl FnMut() -> bool) {
    let until = Instant::now() + PATIENCE;
    while !condition() {
        assert!(Instant::now() < until, "it does not come");
        std::thread::sleep(Duration::from_millis(20));
    }
}

#[test]
fn copy_is_refused_and_leaves_no_session() {
    let pool = pool!();
    let admin = &mut lease(&pool);
    fresh_table(admin, "driver_copied", "id bigint");
    for sql in ["COPY driver_copied FROM STDIN", "COPY (SELECT 1) TO STDOUT"] {
        let mut victim = lease(&pool);
        let pid: i32 = victim.one("SELECT pg_backend_pid()", &[]).unwrap();
        let error = victim.refused(sql);
        assert_eq!(error.kind(), ErrorKind::ConnectionLost);
        assert!(error.to_string().contains("as COPY does"), "{error}");
        drop(victim);
        let alive = format!("SELECT count(*) FROM pg_stat_activity WHERE pid = {pid}");
        soon(|| admin.one::<i64>(&alive, &[]).unwrap() == 0);
    }
}

#[test]
fn a_dropped_statement_is_stopped_on_the_server() {
    let pool = pool!();
    let admin = &mut lease(&pool);
    let mut victim = lease(&pool);
    let pid: i32 = victim.one("SELECT pg_backend_pid()", &[]).unwrap();
    let sleep = async { victim.connection()?.run(&call("SELECT pg_sleep(600)", &[]), &mut |_| Ok(())).await };
    assert!(!poll_and_drop(sleep, 20, Duration::from_millis(10)));
    drop(victim);
    let alive = format!("SELECT count(*) FROM pg_stat_activity WHERE pid = {pid}");
    soon(|| admin.one::<i64>(&alive, &[]).unwrap() == 0);
}

// ------------------------------------------------------------------------------------------ lost connections

#[test]
fn a_killed_backend_is_a_lost_connection() {
    let pool = pool!();
    let admin = &mut lease(&pool);
    let mut victim = lease(&pool);
    let pid: i32 = victim.one("SELECT pg_backend_pid()", &[]).unwrap();
    let kill = format!("SELECT pg_terminate_backend({pid})");
    assert!(admin.one::<bool>(&kill, &[]).unwrap());
    let error = victim.refused("SELECT 1");
    assert_eq!(error.kind(), ErrorKind::ConnectionLost);
    println!("{error}");
    assert_eq!(victim.refused("SELECT 1").kind(), ErrorKind::ConnectionLost, "and it stays lost");
    drop(victim);

    // In the middle of a statement.
    let mut victim = lease(&pool);
    let pid: i32 = victim.one("SELECT pg_backend_pid()", &[]).unwrap();
    let error = std::thread::scope(|scope| {
        let asleep = scope.spawn(|| victim.refused("SELECT pg_sleep(600)"));
        let active = format!("SELECT count(*) FROM pg_stat_activity WHERE pid = {pid} AND state = 'active'");
        soon(|| admin.one::<i64>(&active, &[]).unwrap() == 1);
        admin.ok(&format!("SELECT pg_terminate_backend({pid})"));
        asleep.join().unwrap()
    });
    assert_eq!((error.kind(), error.code()), (ErrorKind::ConnectionLost, Some("57P01")), "{error}");
    drop(victim);

    // While it is idle in the pool: the next one gets another.
    let mut idle = lease(&pool);
    let pid: i32 = idle.one("SELECT pg_backend_pid()", &[]).unwrap();
    drop(idle);
    let idle = lease(&pool);
    admin.ok(&format!("SELECT pg_terminate_backend({pid})"));
    std::thread::sleep(Duration::from_millis(100));
    drop(idle);
    assert_eq!(lease(&pool).one::<i64>("SELECT 1::bigint", &[]).unwrap(), 1);
}

/// Stands between, and cuts the wire after so many bytes from the server.
fn wire(server: &str, bytes: usize) -> (u16, Arc<AtomicUsize>) {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let port = listener.local_addr().unwrap().port();
    let (server, passed) = (server.to_owned(), Arc::new(AtomicUsize::new(0)));
    let seen = Arc::clone(&passed);
    std::thread::spawn(move || {
        let (client, _) = listener.accept().unwrap();
        let server = TcpStream::connect(server).unwrap();
        for stream in [&client, &server] {
            stream.set_nodelay(true).unwrap();
        }
        let (mut from, mut to) = (client.try_clone().unwrap(), server.try_clone().unwrap());
        std::thread::spawn(move || {
            let _ = std::io::copy(&mut from, &mut to);
            let _ = to.shutdown(Shutdown::Both);
        });
        let (mut from, mut to, mut buffer) = (server, client, [0; 4096]);
        while let Ok(read @ 1..) = from.read(&mut buffer) {
            let left = bytes - passed.load(Ordering::Relaxed);
            let pass = read.min(left);
            // Counted before it is passed on: whoever reads it may look at the count at once.
            let cut = passed.fetch_add(pass, Ordering::Relaxed) + pass == bytes;
            if to.write_all(&buffer[..pass]).is_err() || cut {
                break;
            }
        }
        let _ = to.shutdown(Shutdown::Both);
        let _ = from.shutdown(Shutdown::Both);
    });
    (port, seen)
}

#[test]
fn a_wire_cut_at_any_byte_tells_no_lies() {
    let Some(url) = url() else { return };
    let admin = &mut lease(&pool_at(&url));
    fresh_table(admin, "driver_wire", "id bigint PRIMARY KEY");
    let (account, place) = url.split_once("://").unwrap().1.rsplit_once('@').unwrap();
    let (server, rest) = place.split_once('/').unwrap();
    let conversation = |bytes: usize, id: i64| {
        let (port, seen) = wire(server, bytes);
        let options = Options::parse(&format!("postgresql://{account}@127.0.0.1:{port}/{rest}")).unwrap();
        let insert = [Value::Int(id)];
        let result = wait(async {
            let pool = Pool::connect(options).await?;
            let mut lease = pool.acquire("driver_wire").await?;
            let connection = lease.connection()?;
            connection.begin(Begin::default()).await?;
            connection.run(&call("INSERT INTO driver_wire VALUES ($1)", &insert), &mut |_| Ok(())).await?;
            connection.commit().await
        });
        (result, seen.load(Ordering::Relaxed))
    };
    let (result, length) = conversation(usize::MAX, -1);
    result.unwrap();
    let mut kinds = std::collections::BTreeMap::new();
    let cuts = (0..length).step_by(3).chain(length.saturating_sub(60)..length);
    // A row for each: a COMMIT whose answer was cut off may take effect later.
    for (id, bytes) in (1..).zip(cuts) {
        let (result, _) = conversation(bytes, id);
        let stored: i64 = admin.one("SELECT count(*) FROM driver_wire WHERE id = $1", &[Value::Int(id)]).unwrap();
        let kind = result.as_ref().map_err(Error::kind).err();
        match kind {
            None => assert_eq!(stored, 1, "at {bytes} of {length}"),
            Some(ErrorKind::CommitUnknown) => {}
            Some(kind) => {
                assert_eq!(kind, ErrorKind::ConnectionLost, "at {bytes} of {length}: {result:?}");
                assert_eq!(stored, 0, "at {bytes} of {length}");
            }
        }
        *kinds.entry(format!("{kind:?}")).or_insert(0) += 1;
    }
    println!("{length} bytes: {kinds:?}");
    assert!(kinds.contains_key("Some(CommitUnknown)"), "{kinds:?}");
}

// ------------------------------------------------------------------------------------------------ opening

#[test]
fn opening_says_what_to_check_and_never_the_password() {
    let Some(url) = url() else { return };
    let admin = &mut lease(&pool_at(&url));
    let canary = "c4n4ry";
    admin.ok("DROP ROLE IF EXISTS opening");
    admin.ok(&format!("CREATE ROLE opening LOGIN PASSWORD '{canary}'"));
    let (_, place) = url.rsplit_once('@').unwrap();
    let (server, database) = place.split_once('/').unwrap();
    let database = database.split('?').next().unwrap();
    let silent = TcpListener::bind("127.0.0.1:0").unwrap();
    let silent_port = silent.local_addr().unwrap().port();
    let gone = TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap().port();
    let account = format!("opening:{canary}");
    for (url, says) in [
        (format!("postgresql://{account}@{server}/no_such"), "create the database"),
        (format!("postgresql://no_such:{canary}@{server}/{database}"), "user no_such"),
        (format!("postgresql://{account}@127.0.0.1:{gone}/{database}"), "check that the server runs and listens there"),
        (format!("postgresql://{account}@127.0.0.1:{silent_port}/x?connect_timeout=0.2"), "no answer in 0.2 s"),
        (format!("postgresql://{account}@no-such-host.invalid/x"), "check the host"),
        (format!("postgresql://{account}@h/x?socket=/no/such/directory"), "check the socket's directory"),
    ] {
        let options = Options::parse(&url).unwrap();
        let shown = format!("{options:?}");
        let error = wait(Pool::connect(options)).unwrap_err();
        assert_eq!(error.kind(), ErrorKind::ConnectionLost, "{error}");
        assert!(error.to_string().contains(says), "{error}");
        println!("{error}");
        assert!(!format!("{shown} {error} {error:?}").contains(canary));
    }
    let pool = pool_at(&format!("postgresql://{account}@{server}/{database}?application_name=opening"));
    let lease = &mut lease(&pool);
    for (setting, value) in [
        ("TimeZone", "UTC"),
        ("standard_conforming_strings", "on"),
        ("client_encoding", "UTF8"),
        ("application_name", "opening"),
    ] {
        assert_eq!(lease.one::<String>(&format!("SHOW {setting}"), &[]).unwrap(), value);
    }
    assert_eq!(admin.one::<String>("SHOW application_name", &[]).unwrap(), "cormorant");
    assert!(!format!("{lease:?} {pool:?}").contains(canary));
}

// ------------------------------------------------------------------------------------------------ runtimes

fn current_thread() -> Runtime {
    Builder::new_current_thread().enable_all().build().unwrap()
}

async fn answer(pool: &Pool) -> Result<i64> {
    let mut lease = pool.acquire("runtime").await?;
    let mut answer = 0;
    let sum = "SELECT sum(g)::bigint FROM generate_series(1, 10) AS g";
    lease
        .connection()?
        .run(&call(sql_of(sum), &[]), &mut |row| {
            answer = row.take()?;
            Ok(())
        })
        .await?;
    Ok(answer)
}

fn sql_of(sql: &str) -> &str {
    sql
}

#[test]
fn every_runtime_and_none_will_do() {
    let Some(url) = url() else { return };
    let options = || Options::parse(&url).unwrap();
    fn is_send<T: Send>(value: T) -> T {
        value
    }
    // Plain threads, all on one pool.
    let pool = pool_at(&url);
    std::thread::scope(|scope| {
        for _ in 0..8 {
            scope.spawn(|| (0..50).for_each(|_| assert_eq!(wait(is_send(answer(&pool))).unwrap(), 55)));
        }
    });
    // An executor that is not Tokio's.
    let _ = poll_and_drop(async { assert_eq!(answer(&pool).await.unwrap(), 55) }, 2_000, Duration::from_millis(1));
    // Both flavours of Tokio; and `.wait()` in `spawn_blocking`, on connections of either.
    let several = Builder::new_multi_thread().worker_threads(2).enable_all().build().unwrap();
    for runtime in [&several, &current_thread()] {
        runtime.block_on(async {
            let theirs = Pool::connect(options()).await.unwrap();
            assert_eq!(answer(&theirs).await.unwrap(), 55);
            for pool in [theirs.clone(), pool.clone()] {
                let waited = tokio::task::spawn_blocking(move || wait(answer(&pool))).await.unwrap();
                assert_eq!(waited.unwrap(), 55);
            }
            assert_eq!(answer(&pool).await.unwrap(), 55, "a pool of `.wait()` in async code");
        });
    }
    // On a current-thread runtime's own thread `.wait()` has its own connections ...
    current_thread().block_on(async {
        let theirs = Pool::connect(options()).await.unwrap();
        assert_eq!(wait(answer(&theirs)).unwrap(), 55);
        assert_eq!(wait(async { answer(&Pool::connect(options()).await?).await }).unwrap(), 55);
        // ... and one that was opened with `.await` is refused there, not waited for for ever.
        let mut held = theirs.acquire("held").await.unwrap();
        let connection = held.connection().unwrap();
        let error = wait(connection.run(&call("SELECT 1", &[]), &mut |_| Ok(()))).unwrap_err();
        assert_eq!(error.kind(), ErrorKind::Misuse);
        connection.begin(Begin::default()).await.unwrap();
        let error = wait(connection.run(&call("SELECT 1", &[]), &mut |_| Ok(()))).unwrap_err();
        assert_eq!(error.kind(), ErrorKind::Misuse);
        // BEGIN, which was to go with that one, goes with the next: outside of a transaction this would be refused.
        connection.run(&call("SAVEPOINT here", &[]), &mut |_| Ok(())).await.unwrap();
        connection.rollback().await.unwrap();
    });
    // A runtime that is gone has taken its connections along.
    let gone = current_thread();
    let orphan = gone.block_on(Pool::connect(options())).unwrap();
    let mut held = gone.block_on(orphan.acquire("orphan")).unwrap();
    drop(gone);
    std::thread::scope(|scope| {
        let elsewhere = scope.spawn(|| held.done("SELECT 1", &[]).unwrap_err());
        assert_eq!(elsewhere.join().unwrap().kind(), ErrorKind::ConnectionLost);
    });
    drop(held);
    assert_eq!(wait(answer(&orphan)).unwrap(), 55);
}

#[test]
fn many_at_once_keep_their_answers_apart() {
    let Some(url) = url() else { return };
    let runtime = Builder::new_multi_thread().worker_threads(2).enable_all().build().unwrap();
    let wrong = Arc::new(Mutex::new(0));
    runtime.block_on(async {
        let pool = Pool::connect(Options::parse(&url).unwrap().max_connections(4)).await.unwrap();
        let tasks: Vec<_> = (0..200_i64)
            .map(|n| {
                let (pool, wrong) = (pool.clone(), Arc::clone(&wrong));
                tokio::spawn(async move {
                    let mut lease = pool.acquire("task").await.unwrap();
                    let values = [Value::Int(n)];
                    let mut check = |row: &mut Row<'_>| {
                        *wrong.lock().unwrap() += i32::from(row.take::<i64>()? != n);
                        Ok(())
                    };
                    lease.connection()?.run(&call("SELECT $1", &values), &mut check).await.map(|done| done.rows)
                })
            })
            .collect();
        for task in tasks {
            assert_eq!(task.await.unwrap().unwrap(), 1);
        }
    });
    assert_eq!(*wrong.lock().unwrap(), 0);
}
