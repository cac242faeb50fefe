//! Names that try to end their quotes: quoted whole or refused, in every place a name has.

use cormorant_sql::schema::{
    Check, Column, ColumnDef, ColumnType, Condition, ForeignKey, Ident, Index, OnDelete, PrimaryKey, Table, TableDef,
};
use cormorant_sql::{Dialect, Kind, Statement, Token, ddl, render};
use rusqlite::Connection;

use crate::build::*;
use crate::sqlite;
use crate::tables::USERS;

/// The payloads of safety.md.
fn names() -> Vec<String> {
    let mut names: Vec<String> = [
        "x' OR '1'='1",
        "x\" ; DROP TABLE canary;--",
        "x\"",
        "\"",
        "\"\"",
        "x`",
        "`",
        "x` ; DROP TABLE canary;--",
        "x]",
        "[x]",
        "x/*",
        "*/x",
        "/*! x */",
        "x--\n",
        "x#",
        "x\\",
        "\\\"",
        "x\0",
        "x\u{1}b",
        "\u{7f}",
        "\u{85}",
        "x$$",
        "a$b$",
        "x;",
        "a.b",
        "a\".\"b",
        "%",
        "_",
        "?1",
        "$1",
        ":x",
        "@x",
        " ",
        "x ",
        "\u{2bc}",
        "\u{ff07}",
        "\u{202e}x",
        "\u{10ffff}",
        "é\u{301}",
        "",
        "select",
        "table",
        "rowid_",
        "_connector=\"OR 1=1 OR\"",
        "id;select pg_sleep(5)",
        "ASC, (select 1)",
    ]
    .map(String::from)
    .to_vec();
    names.extend([63, 64, 4_000].map(|length| "n".repeat(length)));
    names.extend(["é".repeat(31), "é".repeat(32)]);
    names
}

/// The name in quotes, as every place must write it; `None` for what must be refused.
fn quoted(name: &str, dialect: Dialect) -> Option<String> {
    let allowed = !name.is_empty() && name.len() <= 63 && !name.chars().any(char::is_control);
    let mark = if matches!(dialect, Sqlite | Postgres) { '"' } else { '`' };
    allowed.then(|| format!("{mark}{}{mark}", name.replace(mark, &format!("{mark}{mark}"))))
}

fn leak(name: &str) -> &'static str {
    Box::leak(name.to_owned().into_boxed_str())
}

fn table_def(schema: Option<&str>, table: &str, column: &str) -> &'static TableDef {
    let columns = vec![
        ColumnDef::new("id", "id", ColumnType::I64, false).key(true),
        ColumnDef::new("x", leak(column), ColumnType::I64, true),
    ];
    Box::leak(Box::new(TableDef {
        schema: schema.map(leak),
        name: leak(table),
        columns: Box::leak(columns.into_boxed_slice()),
        relations: &[],
        checks: &[],
        ..USERS
    }))
}

/// Every kind of statement over a table.
fn statements(table: &'static TableDef, source: &'static str) -> Vec<Query> {
    vec![
        from(table).filter(col(1).eq(int(1))).by(col(1)),
        from(table).group_by(col(1)).select(col(1).sum()),
        from(table).kind(Kind::Count).filter(from(table).filter(col(1).eq(outer(1, &[], 1))).exists()),
        from(table).with(source, from(table)).source(source),
        from(table).kind(Kind::Insert).token(Token::Into(1)).token(Token::Rows(1)),
        from(table).kind(Kind::Update).set(1, col(1).add(int(1))).filter(col(1).eq(int(2))),
        from(table).kind(Kind::Delete).filter(col(1).eq(int(3))).by(col(1)).limit(1),
    ]
}

fn text(query: &Query, dialect: Dialect) -> Result<String, cormorant_sql::Fault> {
    let statement = Statement { kind: query.kind, table: query.table, tokens: &query.buffer.tokens };
    render(&statement, dialect).map(|compiled| compiled.sql)
}

/// What is left when the quoted name is taken out is what an innocent name leaves.
#[test]
fn a_name_changes_nothing_but_itself() {
    type Place = fn(&str) -> Vec<Query>;
    let places: [(&str, Place); 4] = [
        ("table", |name| statements(table_def(None, name, "x"), "w")),
        ("column", |name| statements(table_def(None, "t", name), "w")),
        ("schema", |name| statements(table_def(Some(name), "t", "x"), "w")),
        ("WITH", |name| statements(table_def(None, "t", "x"), leak(name))),
    ];
    for dialect in [Sqlite, Postgres, MySql, MariaDb] {
        let innocent = quoted("innocent", dialect).unwrap();
        for (place, build) in &places {
            for name in names() {
                for (query, model) in build(&name).iter().zip(build("innocent")) {
                    let model = text(&model, dialect).unwrap();
                    if !model.contains(&innocent) {
                        continue;
                    }
                    match (text(query, dialect), quoted(&name, dialect)) {
                        (Ok(sql), Some(quoted)) => assert_eq!(sql, model.replace(&innocent, &quoted), "{place}"),
                        (Err(cormorant_sql::Fault::Name(_)), None) => {}
                        (other, _) => panic!("{dialect} {place} {name:?}: {other:?}"),
                    }
                }
            }
        }
    }
}

/// A table whose every name is this one.
fn table(name: &str) -> Table {
    let name = Ident::new(name.to_owned()).unwrap();
    let column = |name: &Ident, generated: bool| Column {
        name: name.clone(),
        ty: ColumnType::I64,
        null: !generated,
        default: None,
        generated,
    };
    Table {
        model: String::new(),
        schema: None,
        name: name.clone(),
        columns: vec![column(&Ident::new("id").unwrap(), true), column(&name, false)],
        primary_key: PrimaryKey { name: name.clone(), columns: vec![Ident::new("id").unwrap()] },
        foreign_keys: vec![ForeignKey {
            name: name.clone(),
            columns: vec![name.clone()],
            target_schema: None,
            target: name.clone(),
            target_columns: vec![Ident::new("id").unwrap()],
            on_delete: OnDelete::SetNull,
            on_update: None,
        }],
        indexes: vec![
            Index { name: name.clone(), columns: vec![name.clone(), Ident::new("id").unwrap()], unique: true },
            Index {
                name: Ident::new(format!("i{}", name.as_str().chars().take(30).collect::<String>())).unwrap(),
                columns: vec![Ident::new("id").unwrap(), name.clone()],
                unique: false,
            },
        ],
        checks: vec![Check { name, condition: Condition::Sql("id > 0".to_owned()) }],
        strict: false,
        autoincrement: false,
    }
}

fn canary(db: &Connection) -> (i64, i64) {
    let rows = db.query_row("SELECT count(*) FROM canary", [], |row| row.get(0)).unwrap();
    let tables = "SELECT count(*) FROM sqlite_schema WHERE type = 'table' AND name = 'canary'";
    (rows, db.query_row(tables, [], |row| row.get(0)).unwrap())
}

#[test]
fn sqlite_makes_and_asks_a_table_of_each_name() {
    let mut allowed = 0;
    for name in names() {
        let Some(quoted) = quoted(&name, Sqlite) else {
            assert!(Ident::new(name.clone()).is_err(), "{name:?}");
            continue;
        };
        allowed += 1;
        let db = sqlite::empty();
        db.execute_batch("CREATE TABLE canary (x); INSERT INTO canary VALUES (1), (2)").unwrap();
        let table = table(&name);
        for sql in ddl::create_table(&table, Sqlite).unwrap() {
            db.execute(&sql, []).unwrap_or_else(|error| panic!("{error}\n{sql}"));
            assert!(sql.contains(&quoted));
        }
        let found: String = db
            .query_row("SELECT name FROM sqlite_schema WHERE type = 'table' AND name <> 'canary'", [], |row| row.get(0))
            .unwrap();
        assert_eq!(found, name);
        let def = table_def(Some("main"), &name, &name);
        for query in statements(def, leak(&name)).into_iter().rev() {
            let sql = text(&query, Sqlite).unwrap();
            let mut statement = db.prepare(&sql).unwrap_or_else(|error| panic!("{error}\n{sql}"));
            let values = vec![rusqlite::types::Value::Integer(1); statement.parameter_count()];
            let mut rows = statement.query(rusqlite::params_from_iter(values)).unwrap();
            while rows.next().unwrap().is_some() {}
        }
        let count: i64 = db.query_row(&format!("SELECT count(*) FROM {quoted}"), [], |row| row.get(0)).unwrap();
        assert_eq!(count, 1, "one row was inserted");
        assert_eq!(canary(&db), (2, 1), "{name:?}");
        db.execute(&ddl::drop_table(&table, Sqlite), []).unwrap();
        assert_eq!(canary(&db), (2, 1), "{name:?}");
    }
    assert!(allowed > 35, "{allowed} of {}", names().len());
}

#[test]
fn every_name_of_a_table_is_quoted() {
    for dialect in [Sqlite, Postgres, MySql, MariaDb] {
        let innocent = quoted("innocent", dialect).unwrap();
        let second = |name: &str| quoted(&format!("i{}", name.chars().take(30).collect::<String>()), dialect).unwrap();
        let all = |name: &str| {
            let table = table(name);
            let key = &table.foreign_keys[0];
            let mut all = ddl::create_table(&table, dialect).unwrap();
            all.push(ddl::add_foreign_key(&table, key, dialect));
            all.push(ddl::drop_foreign_key(&table, key, dialect));
            all.push(ddl::create_index(&table, &table.indexes[0], dialect));
            all.push(ddl::drop_table(&table, dialect));
            all.join(";\n")
        };
        let model = all("innocent").replace(&second("innocent"), "\u{1}").replace(&innocent, "\u{2}");
        assert!(!model.contains("innocent"), "a name stands outside quotes: {model}");
        for name in names() {
            if let Some(quoted) = quoted(&name, dialect) {
                assert_eq!(all(&name), model.replace('\u{1}', &second(&name)).replace('\u{2}', &quoted));
            }
        }
    }
}
