//! The MySQL/MariaDB driver against a live MariaDB.
#![cfg(feature = "mysql")]
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    reason = "tests, and the functions they share"
)]

use std::future::poll_fn;
use std::io::{Read, Write};
use std::net::{Shutdown, TcpListener, TcpStream};
use std::pin::pin;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::task::Poll;
use std::time::{Duration, Instant};

mod support;

use cormorant_driver::sql::schema::{ColumnDef, ColumnType, Table, TableDef};
use cormorant_driver::sql::{Class, Compiled, Dialect, Kind, Route, Statement, Token, Value, ddl, render};
use cormorant_driver::{
    Begin, Call, Conflict, Connection, Done, Error, ErrorKind, Isolation, Options, Pool, Result, Row, wait,
};
use jiff::civil::{Date, DateTime, Time, date, time};
use jiff::{Timestamp, tz::TimeZone};
use rust_decimal::Decimal;
use support::{Scalar, Take as _};
use tokio::runtime::{Builder, Runtime};
use uuid::Uuid;

/// The URL of the server, unless these backends are not asked for.
fn server() -> Option<String> {
    if let Ok(backends) = std::env::var("CORMORANT_TEST_BACKENDS")
        && !backends.split(',').any(|backend| backend.trim() == "mariadb")
    {
        return None;
    }
    Some(std::env::var("CORMORANT_TEST_MARIADB").expect("CORMORANT_TEST_MARIADB is not set: run `cargo xtask test`"))
}

/// A database of a test's own, removed at the end.
struct Home {
    admin: String,
    url: String,
    name: String,
}

impl Home {
    fn new() -> Option<Self> {
        static NEXT: AtomicU64 = AtomicU64::new(0);
        let admin = server()?;
        let name = format!("my_{}_{}", std::process::id(), NEXT.fetch_add(1, Ordering::Relaxed));
        let (place, _) = admin.rsplit_once('/').unwrap();
        let url = format!("{place}/{name}");
        let home = Self { admin, url, name };
        home.admin(&format!("CREATE DATABASE {} CHARACTER SET latin1", home.name));
        Some(home)
    }

    fn admin(&self, sql: &str) {
        wait(async {
            run(Pool::connect(options(&self.admin)).await?.acquire("admin").await?.connection()?, sql, &[]).await
        })
        .unwrap();
    }

    async fn pool(&self) -> Pool {
        Pool::connect(options(&self.url)).await.unwrap()
    }

    /// The same place for someone else.
    fn url_of(&self, account: &str) -> String {
        let (_, address) = self.url.split_once("//").unwrap();
        let address = address.rsplit_once('@').map_or(address, |(_, address)| address);
        format!("mysql://{account}@{address}")
    }
}

impl Drop for Home {
    fn drop(&mut self) {
        if !std::thread::panicking() {
            self.admin(&format!("DROP DATABASE {}", self.name));
        }
    }
}

fn options(url: &str) -> Options {
    Options::parse(url).unwrap()
}

fn multi() -> Runtime {
    Builder::new_multi_thread().worker_threads(2).enable_all().build().unwrap()
}

fn single() -> Runtime {
    Builder::new_current_thread().enable_all().build().unwrap()
}

fn call<'a>(sql: &'a str, values: &'a [Value<'_>]) -> Call<'a> {
    Call { values, writes: !sql.starts_with("SELECT"), keep: true, ..Call::text(sql) }
}

async fn run(connection: &mut Connection, sql: &str, values: &[Value<'_>]) -> Result<Done> {
    connection.run(&call(sql, values), &mut |_| Ok(())).await
}

/// The first column of every row.
async fn column<T: Scalar + Send>(
    connection: &mut Connection,
    sql: &str,
    values: &[Value<'_>],
) -> Result<Vec<Option<T>>> {
    let mut found = Vec::new();
    connection
        .run(&call(sql, values), &mut |row| {
            found.push(row.take_option()?);
            Ok(())
        })
        .await?;
    Ok(found)
}

async fn one<T: Scalar + Send>(connection: &mut Connection, sql: &str, values: &[Value<'_>]) -> Result<T> {
    Ok(column(connection, sql, values).await?.swap_remove(0).expect("not NULL"))
}

/// Polls a future so many times, then drops it.
async fn polls<F: Future>(times: usize, future: F) -> Option<F::Output> {
    let mut future = pin!(future);
    let mut polled = 0;
    poll_fn(|context| {
        if polled == times {
            return Poll::Ready(None);
        }
        polled += 1;
        match future.as_mut().poll(context) {
            Poll::Ready(output) => Poll::Ready(Some(output)),
            Poll::Pending if polled == times => Poll::Ready(None),
            Poll::Pending => Poll::Pending,
        }
    })
    .await
}

/// How long something that has to happen may take on a busy machine.
const PATIENCE: Duration = Duration::from_secs(30);

const NO_PARAMETERS: Begin = Begin { isolation: None, read_only: false };

#[test]
fn values_come_back_as_they_were() {
    let Some(home) = Home::new() else { return };
    multi().block_on(async {
        let pool = home.pool().await;
        assert_eq!(pool.dialect(), Dialect::MariaDb);
        let mut lease = pool.acquire("test").await.unwrap();
        let c = lease.connection().unwrap();
        run(
            c,
            "CREATE TABLE t (id integer PRIMARY KEY AUTO_INCREMENT, b boolean, i bigint, f double, s float, \
             n numeric(28,10), x longtext, y longblob, d date, h time(6), w datetime(6), u uuid, c char(36), r binary(16)) \
             CHARACTER SET utf8mb4 COLLATE utf8mb4_nopad_bin",
            &[],
        )
        .await
        .unwrap();

        async fn trip<T: Scalar + Send + PartialEq + std::fmt::Debug>(c: &mut Connection, column: &str, value: T) {
            let sent = value.to_value();
            let done = run(c, &format!("INSERT INTO t ({column}) VALUES (?)"), &[sent]).await;
            let done = done.unwrap_or_else(|error| panic!("{column} {value:?}: {error}"));
            assert_eq!(done.rows, 1);
            let key = done.key.expect("a key");
            let back: T = one(c, &format!("SELECT {column} FROM t WHERE id = ?"), &[Value::Int(key)]).await.unwrap();
            assert_eq!(back, value, "{column}");
        }

        for value in [true, false] {
            trip(c, "b", value).await;
        }
        for value in [i64::MIN, -1, 0, 1, i64::from(u32::MAX) + 1, i64::MAX] {
            trip(c, "i", value).await;
        }
        for value in [0.1, -0.0, f64::MAX, f64::MIN_POSITIVE, 5e-324, -1.5e300, 123_456_789.123_456_78] {
            trip(c, "f", value).await;
        }
        for value in [0.1_f32, f32::MAX, f32::MIN_POSITIVE, -1.5] {
            trip(c, "s", value).await;
        }
        for value in ["0.0000000000", "123456789012345678.0123456789", "-999999999999999999.9999999999", "9.9000000000"] {
            let value: Decimal = value.parse().unwrap();
            trip(c, "n", value).await;
            let text = one::<Decimal>(c, "SELECT n FROM t ORDER BY id DESC LIMIT 1", &[]).await.unwrap().to_string();
            assert_eq!(text, value.to_string());
        }
        for value in ["", " ", "a ", "'; DROP TABLE t; --", "\\' \" ` \\", "\0nul\n", "😀 é ß 漢", ":name ?"] {
            trip(c, "x", value.to_owned()).await;
        }
        trip(c, "x", "é".repeat(100_000)).await;
        for value in [vec![], vec![0], (0..=255).collect(), vec![0xff; 300_000]] {
            trip(c, "y", value).await;
        }
        for value in [date(1, 1, 1), date(999, 12, 31), date(1000, 1, 1), date(2024, 2, 29), date(9999, 12, 31)] {
            trip::<Date>(c, "d", value).await;
        }
        for value in [Time::midnight(), time(23, 59, 59, 999_999_000), time(0, 0, 0, 1_000), time(12, 30, 0, 0)] {
            trip::<Time>(c, "h", value).await;
        }
        let moments =
            [date(1, 1, 1).at(0, 0, 0, 0), date(2024, 2, 29).at(23, 59, 59, 1_000), date(9999, 12, 31).at(23, 59, 59, 999_999_000)];
        for value in moments {
            trip::<DateTime>(c, "w", value).await;
        }
        for value in ["0001-01-01T00:00:00Z", "1969-12-31T23:59:59.999999Z", "2038-01-19T03:14:08Z", "9999-12-30T22:00:00Z"] {
            trip::<Timestamp>(c, "w", value.parse().unwrap()).await;
        }
        let id = Uuid::from_u128(0x0011_2233_4455_6677_8899_aabb_ccdd_eeff);
        for column in ["u", "c"] {
            trip(c, column, id).await;
        }
        // Sixteen bytes of another tool are a UUID too.
        run(c, "INSERT INTO t (r) VALUES (?)", &[Value::Bytes(id.as_bytes().into())]).await.unwrap();
        assert_eq!(one::<Uuid>(c, "SELECT r FROM t WHERE r IS NOT NULL", &[]).await.unwrap(), id);

        run(c, "DELETE FROM t", &[]).await.unwrap();
        run(c, "INSERT INTO t (i, y) VALUES (?, ?)", &[Value::Null, Value::Null]).await.unwrap();
        assert_eq!(column::<i64>(c, "SELECT i FROM t", &[]).await.unwrap(), [None]);
    });
}

#[test]
fn cells_are_taken_for_what_they_are() {
    let Some(home) = Home::new() else { return };
    multi().block_on(async {
        let pool = home.pool().await;
        let mut lease = pool.acquire("test").await.unwrap();
        let c = lease.connection().unwrap();
        run(c, "CREATE TABLE t (i bigint, u bigint unsigned, z date, l time, bits bit(1), n decimal(60,20))", &[])
            .await
            .unwrap();
        run(c, "INSERT INTO t VALUES (9223372036854775807, 18446744073709551615, NULL, '26:00:00', 1, 1)", &[])
            .await
            .unwrap();

        assert!(one::<bool>(c, "SELECT bits FROM t", &[]).await.unwrap());
        assert_eq!(one::<i64>(c, "SELECT SUM(1) FROM t", &[]).await.unwrap(), 1);
        assert_eq!(one::<f64>(c, "SELECT AVG(1.5) FROM t", &[]).await.unwrap(), 1.5);
        assert_eq!(one::<i64>(c, "SELECT COUNT(*) FROM t", &[]).await.unwrap(), 1);
        assert_eq!(one::<Decimal>(c, "SELECT n FROM t", &[]).await.unwrap(), Decimal::ONE);
        assert_eq!(
            one::<Date>(c, "SELECT COALESCE(z, ?) FROM t", &[Value::Text("2024-02-29".into())]).await.unwrap(),
            date(2024, 2, 29)
        );
        for (error, says) in [
            (one::<i64>(c, "SELECT SUM(i) + SUM(i) FROM t", &[]).await.unwrap_err(), "an integer"),
            (one::<i64>(c, "SELECT u FROM t", &[]).await.unwrap_err(), "63 bits"),
            (one::<Time>(c, "SELECT l FROM t", &[]).await.unwrap_err(), "of a day and more"),
            (one::<Time>(c, "SELECT CAST('-01:00:00' AS time)", &[]).await.unwrap_err(), "negative"),
            (one::<bool>(c, "SELECT 2", &[]).await.unwrap_err(), "neither 0 nor 1"),
            (one::<String>(c, "SELECT UNHEX('ff')", &[]).await.unwrap_err(), "not UTF-8"),
            (one::<String>(c, "SELECT 7", &[]).await.unwrap_err(), "expected text, found an integer"),
            (one::<Decimal>(c, "SELECT 0.123456789012345678901234567891", &[]).await.unwrap_err(), "28"),
            (one::<Date>(c, "SELECT TIMESTAMP'2024-01-01 01:00:00'", &[]).await.unwrap_err(), "a time of day"),
            (one::<Uuid>(c, "SELECT 'x'", &[]).await.unwrap_err(), "another length"),
        ] {
            assert_eq!(error.kind(), ErrorKind::Decode);
            assert!(error.to_string().contains(says), "{error}");
        }

        // Zero dates are what others left behind: our own session cannot write them.
        run(c, "SET sql_mode = ''", &[]).await.unwrap();
        run(c, "CREATE TABLE zero (d date, w datetime(6), half date)", &[]).await.unwrap();
        run(c, "INSERT INTO zero VALUES ('0000-00-00', '0000-00-00 00:00:00', '2024-00-00')", &[]).await.unwrap();
        for column in ["d", "half"] {
            let error = one::<Date>(c, &format!("SELECT {column} FROM zero"), &[]).await.unwrap_err();
            assert_eq!(error.kind(), ErrorKind::Decode, "{error}");
        }
        let error = one::<Timestamp>(c, "SELECT w FROM zero", &[]).await.unwrap_err();
        assert!(error.to_string().contains("zero date"), "{error}");
    });
}

#[test]
fn sessions_are_safe_whatever_the_server_is_set_to() {
    let Some(home) = Home::new() else { return };
    let before = wait(async {
        let pool = Pool::connect(options(&home.admin)).await?;
        one::<String>(pool.acquire("test").await?.connection()?, "SELECT @@global.sql_mode", &[]).await
    });
    home.admin("SET GLOBAL sql_mode = 'NO_BACKSLASH_ESCAPES,ANSI_QUOTES,ONLY_FULL_GROUP_BY,EMPTY_STRING_IS_NULL'");
    home.admin("SET GLOBAL time_zone = '+05:30', GLOBAL autocommit = 0, GLOBAL completion_type = 'CHAIN'");
    let pool = wait(home.pool());
    home.admin(&format!("SET GLOBAL sql_mode = '{}'", before.unwrap()));
    home.admin("SET GLOBAL time_zone = 'SYSTEM', GLOBAL autocommit = 1, GLOBAL completion_type = 'NO_CHAIN'");

    wait(async {
        let mut lease = pool.acquire("test").await.unwrap();
        let c = lease.connection().unwrap();
        for name in ["character_set_client", "character_set_connection", "character_set_results"] {
            assert_eq!(one::<String>(c, &format!("SELECT @@{name}"), &[]).await.unwrap(), "utf8mb4");
        }
        assert_eq!(one::<String>(c, "SELECT @@collation_connection", &[]).await.unwrap(), "utf8mb4_nopad_bin");
        let mode = one::<String>(c, "SELECT @@sql_mode", &[]).await.unwrap();
        for word in ["STRICT_ALL_TABLES", "NO_ENGINE_SUBSTITUTION", "ONLY_FULL_GROUP_BY"] {
            assert!(mode.contains(word), "{mode}");
        }
        for word in ["NO_BACKSLASH_ESCAPES", "ANSI_QUOTES", "EMPTY_STRING_IS_NULL"] {
            assert!(!mode.contains(word), "{mode}");
        }
        assert_eq!(one::<String>(c, "SELECT @@time_zone", &[]).await.unwrap(), "+00:00");
        assert_eq!(one::<i64>(c, "SELECT LENGTH('\\'')", &[]).await.unwrap(), 1);
        assert_eq!(one::<i64>(c, "SELECT 'a ' = 'a'", &[]).await.unwrap(), 0);
        let server = one::<DateTime>(c, "SELECT CURRENT_TIMESTAMP(6)", &[]).await.unwrap();
        let off = TimeZone::UTC.to_timestamp(server).unwrap().duration_until(Timestamp::now());
        assert!(off.abs().as_secs() < 60, "{off:?}");

        // Each statement commits by itself, and COMMIT opens nothing.
        run(c, "CREATE TABLE t (id integer PRIMARY KEY, n integer)", &[]).await.unwrap();
        assert_eq!(run(c, "INSERT INTO t VALUES (1, 1), (2, 1)", &[]).await.unwrap(), Done { rows: 2, key: None });
        c.begin(NO_PARAMETERS).await.unwrap();
        c.commit().await.unwrap();
        // Rows found, whether or not a value changed.
        assert_eq!(run(c, "UPDATE t SET n = 1", &[]).await.unwrap().rows, 2);
        assert_eq!(run(c, "DELETE FROM t WHERE id = ?", &[Value::Int(9)]).await.unwrap().rows, 0);
        let id = one::<i64>(c, "SELECT CONNECTION_ID()", &[]).await.unwrap();
        drop(lease);
        let mut lease = pool.acquire("test").await.unwrap();
        let c = lease.connection().unwrap();
        assert_eq!(one::<i64>(c, "SELECT CONNECTION_ID()", &[]).await.unwrap(), id, "the connection was clean");
        assert_eq!(one::<i64>(c, "SELECT COUNT(*) FROM t", &[]).await.unwrap(), 2);
    });
}

#[test]
fn a_statement_that_writes_and_reads_tells_both() {
    let Some(home) = Home::new() else { return };
    wait(async {
        let pool = home.pool().await;
        let mut lease = pool.acquire("test").await.unwrap();
        let c = lease.connection().unwrap();
        run(c, "CREATE TABLE t (id bigint PRIMARY KEY AUTO_INCREMENT, n integer)", &[]).await.unwrap();
        let sql = "INSERT INTO t (n) VALUES (?), (?) RETURNING id";
        let mut keys = Vec::new();
        let values = [Value::Int(5), Value::Int(6)];
        let done = c
            .run(&call(sql, &values), &mut |row| {
                keys.push(row.take::<i64>()?);
                Ok(())
            })
            .await
            .unwrap();
        assert_eq!(done.rows, 2);
        assert_eq!(keys, [1, 2]);
        // The order of the text.
        let order = [1, 0, 0];
        let values = [Value::Int(1), Value::Int(40)];
        let ordered = Call { order: Some(&order), ..call("SELECT ? + ? + ?", &values) };
        let mut sum = 0;
        c.run(&ordered, &mut |row| {
            sum = row.take::<i64>()?;
            Ok(())
        })
        .await
        .unwrap();
        assert_eq!(sum, 42);
        // A procedure gives several results: the first counts, and the next statement is not confused.
        run(c, "CREATE PROCEDURE p() BEGIN SELECT 1; SELECT 2; END", &[]).await.unwrap();
        assert_eq!(column::<i64>(c, "CALL p()", &[]).await.unwrap(), [Some(1)]);
        assert_eq!(one::<i64>(c, "SELECT 3", &[]).await.unwrap(), 3);
        // A prepared statement that is kept survives a change of its table.
        assert_eq!(column::<i64>(c, "SELECT * FROM t", &[]).await.unwrap().len(), 2);
        run(c, "ALTER TABLE t ADD extra varchar(9) NOT NULL DEFAULT 'x' FIRST", &[]).await.unwrap();
        assert_eq!(one::<String>(c, "SELECT * FROM t", &[]).await.unwrap(), "x");
        run(c, "ALTER TABLE t DROP extra, DROP n", &[]).await.unwrap();
        assert_eq!(one::<i64>(c, "SELECT * FROM t", &[]).await.unwrap(), 1);
        // What cannot be prepared goes as text, and one statement at a time.
        for sql in ["SELECT 1; SELECT 2", "DEALLOCATE PREPARE x; SELECT 2"] {
            assert_eq!(
                c.run(&Call::text(sql), &mut |_| Ok(())).await.unwrap_err().kind(),
                ErrorKind::Database,
                "{sql}"
            );
        }
        let sql = r#"PREPARE x FROM "SELECT 7, 1.5e0, 1.50, TRUE, DATE'2024-02-29', TIME'01:02:03', NULL, 'x'""#;
        c.run(&Call::text(sql), &mut |_| Ok(())).await.unwrap();
        let mut seen = None;
        let mut sink = |row: &mut Row<'_>| {
            let numbers = (row.take::<i64>()?, row.take::<f64>()?, row.take::<Decimal>()?, row.take::<bool>()?);
            let rest = (row.take::<Date>()?, row.take::<Time>()?, row.take_option::<i64>()?, row.take::<String>()?);
            seen = Some((numbers, rest));
            Ok(())
        };
        c.run(&Call::text("EXECUTE x"), &mut sink).await.unwrap();
        let numbers = (7, 1.5, Decimal::new(150, 2), true);
        assert_eq!(seen, Some((numbers, (date(2024, 2, 29), time(1, 2, 3, 0), None, "x".to_owned()))));
        // More statements than the cache holds, and none is left prepared that is not kept.
        for n in 0..300 {
            assert_eq!(one::<i64>(c, &format!("SELECT {n}"), &[]).await.unwrap(), n);
            c.run(&Call::text(&format!("DO {n}")), &mut |_| Ok(())).await.unwrap();
        }
        let kept = status(c, "COM_STMT_PREPARE").await - status(c, "COM_STMT_CLOSE").await;
        assert!((200..270).contains(&kept), "{kept}");
    });
}

/// Stands between. While the flag is up, the next statement that is run by its number has a number that the server
/// does not know, as after it has forgotten its prepared statements.
fn forgetful(server: &str) -> (u16, Arc<AtomicBool>) {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let port = listener.local_addr().unwrap().port();
    let (server, forget) = (server.to_owned(), Arc::new(AtomicBool::new(false)));
    let flag = Arc::clone(&forget);
    std::thread::spawn(move || {
        let (client, _) = listener.accept().unwrap();
        let server = TcpStream::connect(server).unwrap();
        let (mut from, mut to) = (server.try_clone().unwrap(), client.try_clone().unwrap());
        std::thread::spawn(move || std::io::copy(&mut from, &mut to));
        let (mut from, mut to, mut buffer) = (client, server, [0; 4096]);
        while let Ok(read @ 1..) = from.read(&mut buffer) {
            // Behind the packet's length and its number: the command, and the statement.
            if buffer[4] == 0x17 && flag.swap(false, Ordering::SeqCst) {
                buffer[5] ^= 0x80;
            }
            to.write_all(&buffer[..read]).unwrap();
        }
        let _ = to.shutdown(Shutdown::Both);
    });
    (port, forget)
}

#[test]
fn a_statement_that_the_server_forgot_is_run_once_more_outside_a_transaction() {
    let Some(home) = Home::new() else { return };
    let (_, place) = home.url.rsplit_once('@').unwrap();
    let (server, _) = place.split_once('/').unwrap();
    let (port, forget) = forgetful(server);
    let url = home.url.replace(server, &format!("127.0.0.1:{port}"));
    wait(async {
        let pool = Pool::connect(options(&url)).await.unwrap();
        let mut lease = pool.acquire("test").await.unwrap();
        let c = lease.connection().unwrap();
        run(c, "CREATE TABLE t (id integer PRIMARY KEY)", &[]).await.unwrap();
        forget.store(true, Ordering::SeqCst);
        assert_eq!(one::<i64>(c, "SELECT ?", &[Value::Int(7)]).await.unwrap(), 7);
        forget.store(true, Ordering::SeqCst);
        assert_eq!(run(c, "INSERT INTO t VALUES (?)", &[Value::Int(7)]).await.unwrap().rows, 1);
        c.begin(NO_PARAMETERS).await.unwrap();
        forget.store(true, Ordering::SeqCst);
        let error = one::<i64>(c, "SELECT ?", &[Value::Int(7)]).await.unwrap_err();
        assert_eq!(error.kind(), ErrorKind::PreparedPlanChanged, "{error}");
        assert_eq!(one::<i64>(c, "SELECT ?", &[Value::Int(7)]).await.unwrap(), 7);
        c.rollback().await.unwrap();
        assert_eq!(one::<i64>(c, "SELECT COUNT(*) FROM t", &[]).await.unwrap(), 1);
    });
}

async fn status(c: &mut Connection, name: &str) -> i64 {
    let sql = format!(
        "SELECT CAST(VARIABLE_VALUE AS SIGNED) FROM information_schema.SESSION_STATUS WHERE VARIABLE_NAME = '{name}'"
    );
    one(c, &sql, &[]).await.unwrap()
}

#[test]
fn errors_have_a_kind_and_a_name_and_no_value() {
    let Some(home) = Home::new() else { return };
    let secret = "s3cr3t";
    wait(async {
        let pool = home.pool().await;
        let mut lease = pool.acquire("test").await.unwrap();
        let c = lease.connection().unwrap();
        for sql in [
            "CREATE TABLE p (id integer PRIMARY KEY)",
            "CREATE TABLE t (id integer PRIMARY KEY, name varchar(8) NOT NULL, small smallint, w datetime, p integer, \
             e varchar(200), CONSTRAINT t_e_key UNIQUE (e), CONSTRAINT t_p_fkey FOREIGN KEY (p) REFERENCES p (id), \
             CONSTRAINT t_small_check CHECK (small < 100)) CHARACTER SET utf8mb4",
            "INSERT INTO p VALUES (1)",
            "INSERT INTO t VALUES (1, 'a', 1, NULL, 1, 's3cr3t')",
        ] {
            run(c, sql, &[]).await.unwrap();
        }
        let text = Value::Text(secret.into());
        let cases = [
            ("INSERT INTO t (id, name, e) VALUES (2, 'x', ?)", text.clone(), ErrorKind::Unique, Some("t_e_key"), None),
            ("INSERT INTO t (id, name) VALUES (?, 'x')", Value::Int(1), ErrorKind::Unique, Some("PRIMARY"), None),
            (
                "INSERT INTO t (id, name, p) VALUES (3, 'x', ?)",
                Value::Int(770_077),
                ErrorKind::ForeignKey,
                Some("t_p_fkey"),
                None,
            ),
            ("DELETE FROM p WHERE id = ?", Value::Int(1), ErrorKind::ForeignKey, Some("t_p_fkey"), None),
            ("UPDATE t SET name = ?", Value::Null, ErrorKind::NotNull, None, Some("name")),
            ("INSERT INTO t (id) VALUES (?)", Value::Int(4), ErrorKind::NotNull, None, Some("name")),
            ("UPDATE t SET small = ?", Value::Int(500), ErrorKind::Check, Some("t_small_check"), None),
            ("UPDATE t SET small = ?", Value::Int(700_000), ErrorKind::OutOfRange, None, Some("small")),
            ("UPDATE t SET name = ?", Value::Text("s3cr3ts3cr3t".into()), ErrorKind::OutOfRange, None, Some("name")),
            ("UPDATE t SET small = ?", text.clone(), ErrorKind::Encode, None, Some("small")),
            ("UPDATE t SET w = ?", text.clone(), ErrorKind::Encode, None, Some("w")),
            ("UPDATE t SET id = id + 1 WHERE name = 1 AND e = ?", text.clone(), ErrorKind::Encode, None, None),
            ("SELECT 9223372036854775807 + ?", Value::Int(1), ErrorKind::OutOfRange, None, None),
            ("UPDATE t SET small = 1 / ?", Value::Int(0), ErrorKind::OutOfRange, None, None),
            ("SELECT * FROM nowhere WHERE x = ?", text.clone(), ErrorKind::SchemaMismatch, None, None),
            ("SELECT nothing FROM t WHERE e = ?", text.clone(), ErrorKind::SchemaMismatch, None, None),
            ("SELEC ?", text.clone(), ErrorKind::Database, None, None),
            ("SELECT ?, ?", text.clone(), ErrorKind::Misuse, None, None),
            ("SELECT :named", text.clone(), ErrorKind::Misuse, None, None),
            ("SELECT ? + :named", text.clone(), ErrorKind::Misuse, None, None),
            (
                "SIGNAL SQLSTATE '45000' SET MESSAGE_TEXT = 'value ''s3cr3t'' is wrong'",
                Value::Null,
                ErrorKind::Database,
                None,
                None,
            ),
            ("SELECT ?", Value::Float(f64::NAN), ErrorKind::Encode, None, None),
        ];
        for (sql, value, kind, constraint, column) in cases {
            let values = if sql.contains('?') || sql.contains(':') { vec![value] } else { vec![] };
            let error = run(c, sql, &values).await.unwrap_err();
            let said = format!("{error} {error:?}");
            assert_eq!(error.kind(), kind, "{sql}: {said}");
            assert_eq!(error.constraint(), constraint, "{sql}: {said}");
            assert_eq!(error.columns().first().map(String::as_str), column, "{sql}: {said}");
            assert!(!said.contains(secret) && !said.contains("770077") && !said.contains("700000"), "{said}");
            assert_eq!(one::<i64>(c, "SELECT 1", &[]).await.unwrap(), 1, "{sql}");
        }
        let max = one::<i64>(c, "SELECT @@max_allowed_packet", &[]).await.unwrap();
        let large = [Value::Bytes(vec![1; max as usize + 1].into())];
        assert_eq!(run(c, "SELECT LENGTH(?)", &large).await.unwrap_err().kind(), ErrorKind::LimitExceeded);
        let fits = [Value::Bytes(vec![1; max as usize - 200].into())];
        assert_eq!(one::<i64>(c, "SELECT LENGTH(?)", &fits).await.unwrap(), max - 200);
        let many = vec![Value::Null; 65_536];
        assert_eq!(run(c, "SELECT 1", &many).await.unwrap_err().kind(), ErrorKind::LimitExceeded);
        run(c, "SET SESSION TRANSACTION READ ONLY", &[]).await.unwrap();
        assert_eq!(run(c, "DELETE FROM t", &[]).await.unwrap_err().kind(), ErrorKind::ReadOnly);
        run(c, "SET SESSION TRANSACTION READ WRITE", &[]).await.unwrap();
        run(c, "SET max_statement_time = 0.2", &[]).await.unwrap();
        assert_eq!(run(c, "SELECT SLEEP(5)", &[]).await.unwrap_err().kind(), ErrorKind::StatementTimeout);
        run(c, "SET max_statement_time = 0", &[]).await.unwrap();
        // A file of this machine is never sent: the connection is given up instead.
        let error = run(c, "LOAD DATA LOCAL INFILE '/etc/hostname' INTO TABLE p", &[]).await.unwrap_err();
        assert_eq!(error.kind(), ErrorKind::Unsupported, "{error}");
        assert_eq!(run(c, "SELECT 1", &[]).await.unwrap_err().kind(), ErrorKind::ConnectionLost);
    });
}

#[test]
fn the_most_parameters_are_bound() {
    let Some(home) = Home::new() else { return };
    wait(async {
        let pool = home.pool().await;
        let mut lease = pool.acquire("test").await.unwrap();
        let c = lease.connection().unwrap();
        let sql = format!("SELECT COALESCE({}?)", "?,".repeat(65_534));
        let mut values = vec![Value::Null; 65_534];
        values.push(Value::Int(7));
        assert_eq!(one::<i64>(c, &sql, &values).await.unwrap(), 7);
    });
}

#[test]
fn transactions_commit_roll_back_and_nest() {
    let Some(home) = Home::new() else { return };
    multi().block_on(async {
        let pool = home.pool().await;
        let mut lease = pool.acquire("test").await.unwrap();
        let c = lease.connection().unwrap();
        run(c, "CREATE TABLE t (id integer PRIMARY KEY)", &[]).await.unwrap();
        async fn count(c: &mut Connection) -> i64 {
            one(c, "SELECT COUNT(*) FROM t", &[]).await.unwrap()
        }
        c.begin(NO_PARAMETERS).await.unwrap();
        run(c, "INSERT INTO t VALUES (1)", &[]).await.unwrap();
        assert_eq!(count(c).await, 1);
        let scope = c.savepoint().await.unwrap();
        run(c, "INSERT INTO t VALUES (2)", &[]).await.unwrap();
        c.rollback_to(scope).await.unwrap();
        let scope = c.savepoint().await.unwrap();
        run(c, "INSERT INTO t VALUES (3)", &[]).await.unwrap();
        c.release(scope).await.unwrap();
        c.commit().await.unwrap();
        assert_eq!(count(c).await, 2);
        c.begin(Begin { isolation: Some(Isolation::Serializable), read_only: false }).await.unwrap();
        run(c, "INSERT INTO t VALUES (4)", &[]).await.unwrap();
        c.rollback().await.unwrap();
        assert_eq!(count(c).await, 2);
        c.begin(Begin { isolation: Some(Isolation::ReadCommitted), read_only: true }).await.unwrap();
        assert_eq!(run(c, "INSERT INTO t VALUES (5)", &[]).await.unwrap_err().kind(), ErrorKind::ReadOnly);
        c.rollback().await.unwrap();

        // A transaction that nobody ended is not seen by the next.
        c.begin(NO_PARAMETERS).await.unwrap();
        run(c, "INSERT INTO t VALUES (6)", &[]).await.unwrap();
        drop(lease);
        let mut lease = pool.acquire("test").await.unwrap();
        assert_eq!(count(lease.connection().unwrap()).await, 2);
        // Nor one begun by hand.
        run(lease.connection().unwrap(), "BEGIN", &[]).await.unwrap();
        run(lease.connection().unwrap(), "INSERT INTO t VALUES (7)", &[]).await.unwrap();
        drop(lease);
        let mut lease = pool.acquire("test").await.unwrap();
        let c = lease.connection().unwrap();
        assert_eq!(count(c).await, 2);

        // DDL commits: what follows would not be part of the transaction.
        c.begin(NO_PARAMETERS).await.unwrap();
        run(c, "INSERT INTO t VALUES (8)", &[]).await.unwrap();
        run(c, "CREATE TABLE other (id integer)", &[]).await.unwrap();
        let error = run(c, "INSERT INTO t VALUES (9)", &[]).await.unwrap_err();
        assert_eq!(error.kind(), ErrorKind::TransactionPoisoned, "{error}");
        let error = c.rollback().await.unwrap_err();
        assert!(error.to_string().contains("could not be rolled back"), "{error}");
        assert_eq!(count(c).await, 3);
        // Also where it fails, and then its error does not say so.
        c.begin(NO_PARAMETERS).await.unwrap();
        run(c, "INSERT INTO t VALUES (9)", &[]).await.unwrap();
        let error = run(c, "CREATE TABLE other (id integer)", &[]).await.unwrap_err();
        assert_eq!(error.code(), Some("1050"), "{error}");
        let error = run(c, "INSERT INTO t VALUES (10)", &[]).await.unwrap_err();
        assert_eq!(error.kind(), ErrorKind::TransactionPoisoned, "{error}");
        let error = c.rollback().await.unwrap_err();
        assert_eq!(error.kind(), ErrorKind::NotRolledBack, "{error}");
        assert_eq!(count(c).await, 4);
        // In a scope it is said of the scope.
        c.begin(NO_PARAMETERS).await.unwrap();
        let scope = c.savepoint().await.unwrap();
        run(c, "INSERT INTO t VALUES (10)", &[]).await.unwrap();
        run(c, "CREATE TABLE other (id integer)", &[]).await.unwrap_err();
        assert_eq!(c.rollback_to(scope).await.unwrap_err().kind(), ErrorKind::NotRolledBack);
        assert_eq!(c.rollback().await.unwrap_err().kind(), ErrorKind::NotRolledBack);
        assert_eq!(count(c).await, 5);
        // An error of another statement leaves the transaction open.
        c.begin(NO_PARAMETERS).await.unwrap();
        for sql in ["INSERT INTO t VALUES (1)", "SELEC 1", "SELECT nothing FROM t"] {
            run(c, sql, &[]).await.unwrap_err();
        }
        run(c, "INSERT INTO t VALUES (11)", &[]).await.unwrap();
        c.rollback().await.unwrap();
        assert_eq!(count(c).await, 5);
        c.begin(NO_PARAMETERS).await.unwrap();
        run(c, "DROP TABLE other", &[]).await.unwrap();
        c.commit().await.unwrap();
        assert_eq!(count(c).await, 5);
    });
}

#[test]
fn a_lock_timeout_leaves_nothing_half_done() {
    let Some(home) = Home::new() else { return };
    wait(async {
        let pool = home.pool().await;
        let (mut a, mut b) = (pool.acquire("a").await.unwrap(), pool.acquire("b").await.unwrap());
        let (a, b) = (a.connection().unwrap(), b.connection().unwrap());
        run(a, "CREATE TABLE t (id integer PRIMARY KEY, n integer) ENGINE = InnoDB", &[]).await.unwrap();
        run(a, "INSERT INTO t VALUES (1, 0), (2, 0)", &[]).await.unwrap();
        run(b, "SET innodb_lock_wait_timeout = 1", &[]).await.unwrap();
        a.begin(NO_PARAMETERS).await.unwrap();
        run(a, "UPDATE t SET n = 1 WHERE id = 1", &[]).await.unwrap();
        b.begin(NO_PARAMETERS).await.unwrap();
        run(b, "UPDATE t SET n = 2 WHERE id = 2", &[]).await.unwrap();
        let error = run(b, "UPDATE t SET n = 2 WHERE id = 1", &[]).await.unwrap_err();
        assert_eq!((error.kind(), error.code()), (ErrorKind::LockTimeout, Some("1205")), "{error}");
        let poisoned = |result: Result<()>| assert_eq!(result.unwrap_err().kind(), ErrorKind::TransactionPoisoned);
        poisoned(run(b, "SELECT 1", &[]).await.map(|_| ()));
        poisoned(b.savepoint().await.map(|_| ()));
        // Refused, and rolled back.
        poisoned(b.commit().await);
        a.rollback().await.unwrap();
        assert_eq!(column::<i64>(b, "SELECT n FROM t ORDER BY id", &[]).await.unwrap(), [Some(0), Some(0)]);
        b.begin(NO_PARAMETERS).await.unwrap();
        run(b, "UPDATE t SET n = 3", &[]).await.unwrap();
        b.commit().await.unwrap();
        // Outside of a transaction only the statement fails.
        a.begin(NO_PARAMETERS).await.unwrap();
        run(a, "UPDATE t SET n = 4 WHERE id = 1", &[]).await.unwrap();
        assert_eq!(run(b, "UPDATE t SET n = 5", &[]).await.unwrap_err().kind(), ErrorKind::LockTimeout);
        assert_eq!(one::<i64>(b, "SELECT 1", &[]).await.unwrap(), 1);
        a.rollback().await.unwrap();
    });
}

#[test]
fn a_deadlock_ends_the_whole_transaction() {
    let Some(home) = Home::new() else { return };
    let runtime = multi();
    runtime.block_on(async {
        let pool = home.pool().await;
        {
            let mut lease = pool.acquire("test").await.unwrap();
            let c = lease.connection().unwrap();
            run(c, "CREATE TABLE t (id integer PRIMARY KEY, n integer) ENGINE = InnoDB", &[]).await.unwrap();
            run(c, "INSERT INTO t VALUES (1, 0), (2, 0)", &[]).await.unwrap();
        }
        let (ready, mut tasks) = (Arc::new(AtomicU64::new(0)), Vec::new());
        for (first, second) in [(1, 2), (2, 1)] {
            let (pool, ready) = (pool.clone(), ready.clone());
            tasks.push(tokio::spawn(async move {
                let mut lease = pool.acquire("test").await.unwrap();
                let c = lease.connection().unwrap();
                c.begin(NO_PARAMETERS).await.unwrap();
                let update = "UPDATE t SET n = n + 1 WHERE id = ?";
                run(c, update, &[Value::Int(first)]).await.unwrap();
                c.savepoint().await.unwrap();
                ready.fetch_add(1, Ordering::SeqCst);
                while ready.load(Ordering::SeqCst) < 2 {
                    tokio::time::sleep(Duration::from_millis(1)).await;
                }
                match run(c, update, &[Value::Int(second)]).await {
                    Ok(_) => {
                        c.commit().await.unwrap();
                        true
                    }
                    Err(error) => {
                        assert_eq!(error.kind(), ErrorKind::Retryable(Conflict::Deadlock), "{error}");
                        let poisoned = run(c, update, &[Value::Int(1)]).await.unwrap_err();
                        assert_eq!(poisoned.kind(), ErrorKind::TransactionPoisoned);
                        assert_eq!(c.rollback_to(1).await.unwrap_err().kind(), ErrorKind::TransactionPoisoned);
                        c.rollback().await.unwrap();
                        assert_eq!(one::<i64>(c, "SELECT COUNT(*) FROM t", &[]).await.unwrap(), 2);
                        false
                    }
                }
            }));
        }
        let mut won = 0;
        for task in tasks {
            won += usize::from(task.await.unwrap());
        }
        assert_eq!(won, 1);
        let mut lease = pool.acquire("test").await.unwrap();
        let sum = one::<i64>(lease.connection().unwrap(), "SELECT SUM(n) FROM t", &[]).await.unwrap();
        assert_eq!(sum, 2);
    });
}

#[test]
fn a_statement_dropped_at_any_poll_leaves_no_trace() {
    let Some(home) = Home::new() else { return };
    for runtime in [single(), multi()] {
        runtime.block_on(async {
            let pool = home.pool().await;
            {
                let mut lease = pool.acquire("test").await.unwrap();
                let c = lease.connection().unwrap();
                run(c, "CREATE OR REPLACE TABLE t (id integer PRIMARY KEY AUTO_INCREMENT, s longtext)", &[])
                    .await
                    .unwrap();
                run(c, "INSERT INTO t (s) SELECT REPEAT('x', 1000) FROM seq_1_to_500", &[]).await.unwrap();
            }
            let long = [Value::Text("y".repeat(3_000_000).into())];
            for (sql, values) in [
                ("INSERT INTO t (s) VALUES ('canary')", &[] as &[Value<'_>]),
                ("INSERT INTO t (s) VALUES (?)", &long),
                ("SELECT a.s FROM t a, t b", &[]),
                ("DELETE FROM t", &[]),
            ] {
                let (mut ended, mut slowest, mut drops) = (false, Duration::ZERO, 0);
                for k in (0..40).chain([60, 90]) {
                    let mut lease = pool.acquire("test").await.unwrap();
                    let c = lease.connection().unwrap();
                    let id = one::<i64>(c, "SELECT CONNECTION_ID()", &[]).await.unwrap();
                    // The transaction's own BEGIN may be dropped too.
                    let work = async {
                        c.begin(NO_PARAMETERS).await?;
                        run(c, sql, values).await
                    };
                    ended = polls(k, work).await.is_some();
                    if k > 0 && !ended {
                        let error = run(lease.connection().unwrap(), "SELECT 1", &[]).await.err();
                        // Dropped between two statements the connection is whole, and in a transaction.
                        assert!(error.as_ref().is_none_or(Error::is_connection_lost), "{error:?}");
                    }
                    let dropped = Instant::now();
                    drop(lease);
                    slowest = slowest.max(dropped.elapsed());
                    let runtime = tokio::runtime::Handle::current();
                    if runtime.runtime_flavor() == tokio::runtime::RuntimeFlavor::CurrentThread {
                        assert_eq!(runtime.metrics().num_alive_tasks(), 0, "a task reads the rest: {sql} {k}");
                    }
                    drops += 1;

                    let mut lease = pool.acquire("next").await.unwrap();
                    let c = lease.connection().unwrap();
                    let next = one::<i64>(c, "SELECT CONNECTION_ID()", &[]).await.unwrap();
                    assert!(k == 0 || next != id, "a connection that was in use came back");
                    assert_eq!(one::<i64>(c, "SELECT COUNT(*) FROM t", &[]).await.unwrap(), 500, "{sql} {k}");
                    if ended {
                        break;
                    }
                }
                eprintln!("{drops} drops, the slowest took {slowest:?}: {sql}");
                assert!(slowest < Duration::from_secs(2), "closing reads the rest: {slowest:?}");
                assert!(ended || sql.starts_with("SELECT"), "{sql}");
            }
            // Every connection that was dropped is closed on the server as well.
            let mut lease = pool.acquire("test").await.unwrap();
            let c = lease.connection().unwrap();
            let open = "SELECT COUNT(*) FROM information_schema.PROCESSLIST WHERE DB = DATABASE()";
            let until = Instant::now() + PATIENCE;
            while one::<i64>(c, open, &[]).await.unwrap() > 1 {
                assert!(Instant::now() < until, "connections are left open");
                tokio::time::sleep(Duration::from_millis(20)).await;
            }
        });
    }
}

#[test]
fn opening_can_be_dropped_at_any_poll() {
    let Some(home) = Home::new() else { return };
    let runtime = multi();
    runtime.block_on(async {
        for k in 0..20 {
            if polls(k, Pool::connect(options(&home.url))).await.is_some() {
                break;
            }
        }
        let pool = home.pool().await;
        let mut lease = pool.acquire("test").await.unwrap();
        let c = lease.connection().unwrap();
        let open = "SELECT COUNT(*) FROM information_schema.PROCESSLIST WHERE DB = DATABASE()";
        let until = Instant::now() + PATIENCE;
        while one::<i64>(c, open, &[]).await.unwrap() > 1 {
            assert!(Instant::now() < until, "connections are left open");
            tokio::time::sleep(Duration::from_millis(20)).await;
        }
    });
    let until = Instant::now() + PATIENCE;
    while runtime.metrics().num_alive_tasks() > 0 {
        assert!(Instant::now() < until, "a task is left");
        std::thread::sleep(Duration::from_millis(5));
    }
}

#[test]
fn an_error_of_the_sink_does_not_spoil_the_next_statement() {
    let Some(home) = Home::new() else { return };
    wait(async {
        let pool = home.pool().await;
        let mut lease = pool.acquire("test").await.unwrap();
        let c = lease.connection().unwrap();
        let mut seen = 0;
        let error = c
            .run(&call("SELECT seq FROM seq_1_to_100000", &[]), &mut |row| {
                seen += 1;
                match row.take::<i64>()? {
                    1_000 => Err(Error::other("enough")),
                    _ => Ok(()),
                }
            })
            .await
            .unwrap_err();
        assert_eq!((error.to_string().as_str(), seen), ("enough", 1_000));
        assert_eq!(one::<i64>(c, "SELECT 42", &[]).await.unwrap(), 42);
        assert_eq!(column::<i64>(c, "SELECT seq FROM seq_1_to_3", &[]).await.unwrap(), [Some(1), Some(2), Some(3)]);
    });
}

#[test]
fn a_killed_connection_is_lost() {
    let Some(home) = Home::new() else { return };
    multi().block_on(async {
        let pool = home.pool().await;
        let (mut victim, mut killer) = (pool.acquire("victim").await.unwrap(), pool.acquire("killer").await.unwrap());
        let killer = killer.connection().unwrap();
        let c = victim.connection().unwrap();
        // While idle.
        let id = one::<i64>(c, "SELECT CONNECTION_ID()", &[]).await.unwrap();
        run(killer, &format!("KILL {id}"), &[]).await.unwrap();
        tokio::time::sleep(Duration::from_millis(50)).await;
        let error = run(c, "SELECT 1", &[]).await.unwrap_err();
        assert_eq!(error.kind(), ErrorKind::ConnectionLost, "{error}");
        assert_eq!(run(c, "SELECT 1", &[]).await.unwrap_err().kind(), ErrorKind::ConnectionLost);
        drop(victim);
        // In the middle of a statement, and of a transaction.
        let mut victim = pool.acquire("victim").await.unwrap();
        let c = victim.connection().unwrap();
        let id = one::<i64>(c, "SELECT CONNECTION_ID()", &[]).await.unwrap();
        c.begin(NO_PARAMETERS).await.unwrap();
        let kill = tokio::spawn({
            let pool = pool.clone();
            async move {
                tokio::time::sleep(Duration::from_millis(100)).await;
                let mut killer = pool.acquire("killer").await.unwrap();
                run(killer.connection().unwrap(), &format!("KILL {id}"), &[]).await.unwrap();
            }
        });
        let error = run(c, "SELECT SLEEP(10)", &[]).await.unwrap_err();
        assert!(error.is_connection_lost(), "{error}");
        assert_eq!(c.commit().await.unwrap_err().kind(), ErrorKind::ConnectionLost, "it was not sent");
        kill.await.unwrap();
        drop(victim);
        // Before COMMIT: nobody knows.
        let mut victim = pool.acquire("victim").await.unwrap();
        let c = victim.connection().unwrap();
        let id = one::<i64>(c, "SELECT CONNECTION_ID()", &[]).await.unwrap();
        c.begin(NO_PARAMETERS).await.unwrap();
        run(killer, &format!("KILL {id}"), &[]).await.unwrap();
        tokio::time::sleep(Duration::from_millis(50)).await;
        assert_eq!(c.commit().await.unwrap_err().kind(), ErrorKind::CommitUnknown);
        drop(victim);
        // Cancelled, and the connection lives.
        let mut victim = pool.acquire("victim").await.unwrap();
        let c = victim.connection().unwrap();
        let id = one::<i64>(c, "SELECT CONNECTION_ID()", &[]).await.unwrap();
        let kill = tokio::spawn({
            let pool = pool.clone();
            async move {
                tokio::time::sleep(Duration::from_millis(100)).await;
                let mut killer = pool.acquire("killer").await.unwrap();
                run(killer.connection().unwrap(), &format!("KILL QUERY {id}"), &[]).await.unwrap();
            }
        });
        let answer = run(c, "DO SLEEP(10)", &[]).await;
        assert!(answer.is_ok() || answer.is_err_and(|error| error.kind() == ErrorKind::StatementTimeout));
        assert_eq!(one::<i64>(c, "SELECT CONNECTION_ID()", &[]).await.unwrap(), id);
        kill.await.unwrap();
    });
}

#[test]
fn waiting_works_wherever_it_can() {
    let Some(home) = Home::new() else { return };
    async fn ask(pool: &Pool) -> Result<i64> {
        one(pool.acquire("test").await?.connection()?, "SELECT 42", &[]).await
    }
    // Plain threads, no runtime at all.
    let pool = wait(home.pool());
    std::thread::scope(|scope| {
        for _ in 0..8 {
            scope.spawn(|| {
                for _ in 0..20 {
                    assert_eq!(wait(ask(&pool)).unwrap(), 42);
                }
            });
        }
    });
    for runtime in [single(), multi()] {
        runtime.block_on(async {
            // A pool of a waiting thread serves async code, and the other way round.
            assert_eq!(ask(&pool).await.unwrap(), 42);
            let here = home.pool().await;
            assert_eq!(ask(&here).await.unwrap(), 42);
            let there = here.clone();
            tokio::task::spawn_blocking(move || assert_eq!(wait(ask(&there)).unwrap(), 42)).await.unwrap();
            // On the runtime's own thread: a connection of the library's own runtime works.
            assert_eq!(wait(ask(&pool)).unwrap(), 42);
            assert_eq!(wait(ask(&here)).unwrap(), 42);
        });
    }
    // A connection of a current-thread runtime cannot be waited for on its one thread.
    single().block_on(async {
        let pool = home.pool().await;
        let mut lease = pool.acquire("test").await.unwrap();
        let c = lease.connection().unwrap();
        let error = wait(run(c, "SELECT 1", &[])).unwrap_err();
        assert_eq!(error.kind(), ErrorKind::Misuse, "{error}");
        assert_eq!(wait(c.begin(NO_PARAMETERS)).unwrap_err().kind(), ErrorKind::Misuse);
        assert_eq!(one::<i64>(c, "SELECT 1", &[]).await.unwrap(), 1);
    });
    // A connection may outlive its runtime.
    let gone = single();
    let mut lease = gone.block_on(async { home.pool().await.acquire("test").await.unwrap() });
    drop(gone);
    let error = wait(run(lease.connection().unwrap(), "SELECT 1", &[])).unwrap_err();
    assert!(matches!(error.kind(), ErrorKind::ConnectionLost | ErrorKind::Misuse), "{error}");
    drop(lease);
    // Without a reactor there is no socket.
    let bare = Builder::new_current_thread().build().unwrap();
    let error = bare.block_on(Pool::connect(options(&home.url))).unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Misuse, "{error}");
}

#[test]
fn futures_may_move_between_threads() {
    let Some(home) = Home::new() else { return };
    multi().block_on(async {
        let pool = home.pool().await;
        let tasks: Vec<_> = (0..32)
            .map(|n| {
                let pool = pool.clone();
                tokio::spawn(async move {
                    let mut lease = pool.acquire("test").await?;
                    one::<i64>(lease.connection()?, "SELECT ?", &[Value::Int(n)]).await
                })
            })
            .collect();
        for (n, task) in tasks.into_iter().enumerate() {
            assert_eq!(task.await.unwrap().unwrap(), n as i64);
        }
    });
}

#[test]
fn a_password_never_shows_and_a_refusal_says_what_to_do() {
    let Some(home) = Home::new() else { return };
    let canary = "c4n4ry";
    let user = format!("u_{}", home.name);
    home.admin(&format!("CREATE USER {user}@'%' IDENTIFIED BY '{canary}'"));
    home.admin(&format!("GRANT ALL ON {}.* TO {user}@'%'", home.name));
    let url = home.url_of(&format!("{user}:{canary}"));
    let refused = |url: &str| {
        let error = wait(Pool::connect(options(url))).unwrap_err();
        assert_eq!(error.kind(), ErrorKind::ConnectionLost, "{error}");
        let said = format!("{error} {error:?}");
        assert!(!said.contains(canary), "{said}");
        said
    };
    wait(async {
        let pool = Pool::connect(options(&url)).await.unwrap();
        let mut lease = pool.acquire("test").await.unwrap();
        assert_eq!(one::<i64>(lease.connection().unwrap(), "SELECT 1", &[]).await.unwrap(), 1);
        let shown = format!("{pool:?} {lease:?} {:?}", options(&url));
        assert!(!shown.contains(canary), "{shown}");
    });
    let said = refused(&home.url_of(&format!("{user}:x{canary}")));
    for part in ["127.0.0.1:", user.as_str(), home.name.as_str(), "check the user, the password"] {
        assert!(said.contains(part), "{said}");
    }
    let said = refused(&home.url.replace(&home.name, "no_such_database"));
    assert!(said.contains("create the database"), "{said}");
    let said = refused(&format!("mysql://{user}:{canary}@127.0.0.1:1/x"));
    assert!(said.contains("127.0.0.1:1") && said.contains("check that the server runs"), "{said}");
    let said = refused(&format!("mysql://{user}:{canary}@h/x?socket=/no/such/socket"));
    assert!(said.contains("/no/such/socket"), "{said}");
    // Something that listens and says nothing.
    let silent = TcpListener::bind("127.0.0.1:0").unwrap();
    let port = silent.local_addr().unwrap().port();
    let said = refused(&format!("mysql://{user}:{canary}@127.0.0.1:{port}/x?connect_timeout=0.3"));
    assert!(said.contains("no answer in 0.3 s"), "{said}");
    // Something that says what is no greeting.
    std::thread::spawn(move || {
        let (mut stream, _) = silent.accept().unwrap();
        let (mut second, _) = silent.accept().unwrap();
        for stream in [&mut stream, &mut second] {
            let _ = stream.write_all(b"SSH-2.0-OpenSSH_9.2 hello to you all, this is no database\r\n");
        }
    });
    refused(&format!("mysql://{user}:{canary}@127.0.0.1:{port}/x?connect_timeout=1"));
    home.admin(&format!("DROP USER {user}@'%'"));
}

/// A table with a column of every class.
static ALL: TableDef = TableDef {
    model: "All",
    path: "mysql::All",
    singular: "",
    schema: None,
    name: "everything",
    columns: &[
        ColumnDef::new("id", "id", ColumnType::I64, false),
        ColumnDef::new("b", "b", ColumnType::Bool, true),
        ColumnDef::new("i", "i", ColumnType::I32, true),
        ColumnDef::new("f", "f", ColumnType::F64, true),
        ColumnDef::new("s", "s", ColumnType::F32, true),
        ColumnDef::new("n", "n", ColumnType::Decimal { precision: 28, scale: 10 }, true),
        ColumnDef::new("x", "x", ColumnType::Text { max_length: None }, true),
        ColumnDef::new("v", "v", ColumnType::Text { max_length: Some(50) }, true),
        ColumnDef::new("y", "y", ColumnType::Bytes, true),
        ColumnDef::new("d", "d", ColumnType::Date, true),
        ColumnDef::new("h", "h", ColumnType::Time, true),
        ColumnDef::new("w", "w", ColumnType::DateTime, true),
        ColumnDef::new("z", "z", ColumnType::Timestamp, true),
        ColumnDef::new("u", "u", ColumnType::Uuid, true),
    ],
    key: &[0],
    relations: &[],
    many: || &[],
    links: &[],
    indexes: &[],
    checks: &[],
    strict: false,
    autoincrement: false,
};

/// `SELECT id FROM everything WHERE column IN (list)`.
fn in_list(column: u16, class: Class) -> Compiled {
    let at = |column| Token::Column { via: Route::ROOT, column, outer: 0 };
    let tokens = [at(column), Token::List(class), Token::In, Token::Filter, at(0), Token::Select];
    render(&Statement { kind: Kind::Select, table: &ALL, tokens: &tokens }, Dialect::MariaDb).unwrap()
}

#[test]
fn lists_of_every_class_travel_as_one_parameter() {
    let Some(home) = Home::new() else { return };
    wait(async {
        let pool = home.pool().await;
        let mut lease = pool.acquire("test").await.unwrap();
        let c = lease.connection().unwrap();
        for sql in ddl::create_table(&Table::of(&ALL).unwrap(), Dialect::MariaDb).unwrap() {
            run(c, &sql, &[]).await.unwrap();
        }
        let decimal = |text: &str| Value::Decimal(text.parse().unwrap());
        let text = |text: &'static str| Value::Text(text.into());
        let moment = |text: &str| Value::Timestamp(text.parse().unwrap());
        let w = date(2024, 2, 29).at(23, 59, 59, 1_000);
        let id = Uuid::from_u128(7);
        // A column, its class, the value that is there, and one that is almost it.
        let cases = [
            (1, Class::Bool, Value::Bool(true), Value::Bool(false)),
            (2, Class::Int, Value::Int(i64::from(i32::MIN)), Value::Int(i64::MIN)),
            (3, Class::Float, Value::Float(0.1), Value::Float(0.1 + f64::EPSILON)),
            (4, Class::Float, Value::Float(f64::from(0.1_f32)), Value::Float(0.1)),
            (5, Class::Decimal, decimal("123456789012345678.0123456789"), decimal("123456789012345678.0123456788")),
            (6, Class::Text, text("é \" \\ \n 😀"), text("é \" \\ \n 😁")),
            (7, Class::Text, text("aé"), text("aé ")),
            (8, Class::Bytes, Value::Bytes((0..=255).collect()), Value::Bytes(vec![0].into())),
            (9, Class::Date, Value::Date(date(1, 1, 1)), Value::Date(date(1, 1, 2))),
            (10, Class::Time, Value::Time(time(23, 59, 59, 999_999_000)), Value::Time(time(23, 59, 59, 0))),
            (11, Class::DateTime, Value::DateTime(w), Value::DateTime(date(2024, 2, 29).at(23, 59, 59, 0))),
            (12, Class::Timestamp, moment("1969-12-31T23:59:59.999999Z"), moment("1969-12-31T23:59:59Z")),
            (13, Class::Uuid, Value::Uuid(id), Value::Uuid(Uuid::from_u128(8))),
        ];
        let mut row = vec![Value::Int(1)];
        row.extend(cases.iter().map(|(_, _, there, _)| there.clone()));
        run(c, &format!("INSERT INTO everything VALUES (?{})", ", ?".repeat(cases.len())), &row).await.unwrap();
        for (at, class, there, other) in cases {
            let compiled = in_list(at, class);
            for (list, expected) in [
                (vec![there.clone()], 1),
                (vec![other.clone(), there.clone()], 1),
                (vec![other.clone()], 0),
                (vec![], 0),
                (vec![Value::Null, other.clone()], 0),
                (vec![Value::Null, there.clone()], 1),
            ] {
                let values = [Value::List(list)];
                let mut found = 0;
                let mut sink = |row: &mut Row<'_>| {
                    found += row.take::<i64>()?;
                    Ok(())
                };
                if let Err(error) = c.run(&Call::new(&compiled, &values), &mut sink).await {
                    panic!("{class:?}: {error}\n{}", compiled.sql);
                }
                assert_eq!(found, expected, "{class:?} {values:?}\n{}", compiled.sql);
            }
        }
        // Long lists.
        let compiled = in_list(2, Class::Int);
        let values = [Value::List((-100_000..100_000).map(Value::Int).collect())];
        let started = Instant::now();
        c.run(&Call::new(&compiled, &values), &mut |_| Ok(())).await.unwrap();
        eprintln!("a list of 200000 integers took {:?}", started.elapsed());
    });
}
