//! Builds statements as the library does, and compares them with their text.

use cormorant_sql::schema::{ColumnType, TableDef};
use cormorant_sql::{
    Aggregate, Binary, Buffer, Class, Compiled, Dialect, Fault, Function, Kind, Nulls, Parameter, Route, SetOperation,
    Statement, Symbol, TableId, Token, Unary, Value, render,
};

use crate::sqlite;

pub(crate) use Dialect::{MariaDb, MySql, Postgres, Sqlite};

/// An expression.
#[derive(Clone)]
pub(crate) struct Expr(pub(crate) Buffer);

pub(crate) fn col(column: u16) -> Expr {
    via(&[], column)
}

pub(crate) fn via(hops: &[u8], column: u16) -> Expr {
    Expr(Buffer::of(Token::Column { via: route(hops), column, outer: 0 }))
}

pub(crate) fn outer(by: u8, hops: &[u8], column: u16) -> Expr {
    Expr(Buffer::of(Token::Column { via: route(hops), column, outer: by }))
}

pub(crate) fn route(hops: &[u8]) -> Route {
    hops.iter().fold(Route::ROOT, |route, hop| route.then(*hop))
}

pub(crate) fn bind(class: Class, value: Value<'static>) -> Expr {
    Expr(Buffer::bind(Token::Bind(class), value))
}

pub(crate) fn int(n: i64) -> Expr {
    bind(Class::Int, Value::Int(n))
}

pub(crate) fn text(text: &'static str) -> Expr {
    bind(Class::Text, Value::Text(text.into()))
}

pub(crate) fn decimal(text: &str) -> Expr {
    bind(Class::Decimal, Value::Decimal(text.parse().unwrap()))
}

pub(crate) fn list(class: Class) -> Expr {
    Expr(Buffer::bind(Token::List(class), Value::List(Vec::new())))
}

/// Some values in a list of keys, or in a query of as many columns.
pub(crate) fn row_within(values: &[Expr], list: Expr) -> Expr {
    all(&[values, &[list]].concat(), Token::InRow(values.len() as u8))
}

pub(crate) fn keys() -> Expr {
    Expr(Buffer::bind(Token::Keys, Value::List(Vec::new())))
}

/// A value that is one of some others.
pub(crate) fn one_of(value: Expr, others: &[Expr]) -> Expr {
    all(&[&[value], others].concat(), Token::OneOf(others.len() as u16))
}

pub(crate) fn call(function: Function, operands: &[Expr]) -> Expr {
    all(operands, Token::Call(function, operands.len() as u8))
}

pub(crate) fn named(name: &'static str, operands: &[Expr]) -> Expr {
    all(operands, Token::Named(Symbol::of(name), operands.len() as u8, Class::Int))
}

pub(crate) fn case(operands: &[Expr]) -> Expr {
    all(operands, Token::Case { branches: (operands.len() / 2) as u8, otherwise: operands.len() % 2 == 1 })
}

pub(crate) fn count_all() -> Expr {
    all(&[], Token::Aggregate { function: Aggregate::CountAll, distinct: false, filter: false })
}

fn all(operands: &[Expr], token: Token) -> Expr {
    let mut buffer = Buffer::default();
    operands.iter().for_each(|operand| buffer.append(operand.0.clone()));
    buffer.push(token);
    Expr(buffer)
}

impl Expr {
    pub(crate) fn op(self, op: Binary, other: Expr) -> Expr {
        self.then(&[other], Token::Binary(op))
    }

    pub(crate) fn eq(self, other: Expr) -> Expr {
        self.op(Binary::Eq, other)
    }

    pub(crate) fn add(self, other: Expr) -> Expr {
        self.op(Binary::Add, other)
    }

    pub(crate) fn and(self, other: Expr) -> Expr {
        self.op(Binary::And, other)
    }

    pub(crate) fn or(self, other: Expr) -> Expr {
        self.op(Binary::Or, other)
    }

    pub(crate) fn not(self) -> Expr {
        self.unary(Unary::Not)
    }

    pub(crate) fn unary(self, op: Unary) -> Expr {
        self.then(&[], Token::Unary(op))
    }

    pub(crate) fn between(self, low: Expr, high: Expr) -> Expr {
        self.then(&[low, high], Token::Between)
    }

    pub(crate) fn within(self, list: Expr) -> Expr {
        self.then(&[list], Token::In)
    }

    pub(crate) fn cast(self, ty: ColumnType) -> Expr {
        self.then(&[], Token::Cast(ty))
    }

    pub(crate) fn aggregate(self, function: Aggregate) -> Expr {
        self.then(&[], Token::Aggregate { function, distinct: false, filter: false })
    }

    pub(crate) fn sum(self) -> Expr {
        self.aggregate(Aggregate::Sum)
    }

    pub(crate) fn sort(self, descending: bool, nulls: Nulls) -> Expr {
        self.then(&[], Token::Sort { descending, nulls })
    }

    pub(crate) fn over(self, partition: &[Expr], order: &[Expr]) -> Expr {
        let token = Token::Over { partition: partition.len() as u8, order: order.len() as u8 };
        self.then(&[partition, order].concat(), token)
    }

    pub(crate) fn then(self, operands: &[Expr], token: Token) -> Expr {
        all(&[[self].as_slice(), operands].concat(), token)
    }
}

/// A statement.
#[derive(Clone)]
pub(crate) struct Query {
    pub(crate) kind: Kind,
    pub(crate) table: &'static TableDef,
    pub(crate) buffer: Buffer,
}

pub(crate) fn from(table: &'static TableDef) -> Query {
    Query { kind: Kind::Select, table, buffer: Buffer::default() }
}

/// A SELECT of one expression, for what is only about that.
pub(crate) fn select(table: &'static TableDef, expr: Expr) -> Query {
    from(table).select(expr)
}

impl Query {
    pub(crate) fn kind(mut self, kind: Kind) -> Self {
        self.kind = kind;
        self
    }

    pub(crate) fn token(mut self, token: Token) -> Self {
        self.buffer.push(token);
        self
    }

    pub(crate) fn clause(mut self, expr: Expr, token: Token) -> Self {
        self.buffer.append(expr.0);
        self.token(token)
    }

    pub(crate) fn select(self, expr: Expr) -> Self {
        self.clause(expr, Token::Select)
    }

    pub(crate) fn entity(self, hops: &[u8]) -> Self {
        self.token(Token::Entity(route(hops)))
    }

    pub(crate) fn filter(self, expr: Expr) -> Self {
        self.clause(expr, Token::Filter)
    }

    pub(crate) fn group_by(self, expr: Expr) -> Self {
        self.clause(expr, Token::GroupBy)
    }

    pub(crate) fn order_by(self, expr: Expr, descending: bool, nulls: Nulls) -> Self {
        self.clause(expr, Token::OrderBy { descending, nulls })
    }

    pub(crate) fn by(self, expr: Expr) -> Self {
        self.order_by(expr, false, Nulls::Native)
    }

    pub(crate) fn distinct(self) -> Self {
        self.token(Token::Distinct)
    }

    pub(crate) fn limit(self, n: i64) -> Self {
        self.clause(int(n), Token::Limit)
    }

    pub(crate) fn offset(self, n: i64) -> Self {
        self.clause(int(n), Token::Offset)
    }

    pub(crate) fn set(self, column: u16, expr: Expr) -> Self {
        self.clause(expr, Token::Set(column))
    }

    pub(crate) fn returning(self, columns: &[u16]) -> Self {
        columns.iter().fold(self, |query, column| query.token(Token::Returning(*column)))
    }

    pub(crate) fn combine(mut self, operation: SetOperation, other: Query) -> Self {
        let tokens = other.buffer.tokens.len() as u32;
        self.buffer.append(other.buffer);
        self.token(Token::Combine(operation, tokens))
    }

    pub(crate) fn with(mut self, name: &'static str, other: Query) -> Self {
        let tokens = other.buffer.tokens.len() as u32;
        self.buffer.append(other.buffer);
        self.token(Token::With(Symbol::of(name), tokens))
    }

    pub(crate) fn source(self, name: &'static str) -> Self {
        self.token(Token::Source(Symbol::of(name)))
    }

    /// As a value, or as EXISTS.
    pub(crate) fn nested(mut self, exists: bool) -> Expr {
        let tokens = self.buffer.tokens.len() as u32;
        self.buffer.push(Token::Subquery { table: TableId::of(self.table), tokens, exists });
        Expr(self.buffer)
    }

    pub(crate) fn exists(self) -> Expr {
        self.nested(true)
    }

    pub(crate) fn value(self) -> Expr {
        self.nested(false)
    }

    pub(crate) fn render(&self, dialect: Dialect) -> Result<Compiled, Fault> {
        let compiled = render(&Statement { kind: self.kind, table: self.table, tokens: &self.buffer.tokens }, dialect)?;
        if dialect == Sqlite {
            sqlite::prepare(&compiled);
        }
        record(dialect, &compiled.parameters, &compiled.sql);
        Ok(compiled)
    }

    pub(crate) fn sql(&self, dialect: Dialect) -> String {
        self.render(dialect).unwrap().sql
    }
}

/// With `CORMORANT_RENDERED` in the environment every text is also appended to that file, for a server to try:
/// the dialect, the classes of the values, and the text, with tabs between.
pub(crate) fn record(dialect: Dialect, parameters: &[Parameter], sql: &str) {
    use std::io::Write as _;
    if let Some(path) = std::env::var_os("CORMORANT_RENDERED") {
        let list = |list| if list { "[]" } else { "" };
        let classes: Vec<String> = parameters.iter().map(|p| format!("{:?}{}", p.class, list(p.list))).collect();
        let line = format!("{dialect}\t{}\t{}\n", classes.join(","), sql.replace('\n', " "));
        let mut file = std::fs::File::options().create(true).append(true).open(path).unwrap();
        file.write_all(line.as_bytes()).unwrap();
    }
}

/// The text of a statement in every dialect that writes it alike, placeholders aside: `?1`, `$1`, `?`.
#[track_caller]
pub(crate) fn everywhere(query: Query, sql: &str) {
    on(&query, Sqlite, sql);
    on(&query, Postgres, &sql.replace('?', "$"));
    let plain: String = split_placeholders(sql);
    on(&query, MySql, &plain);
    on(&query, MariaDb, &plain);
}

/// `"a" = ?1` as MySQL writes it.
fn split_placeholders(sql: &str) -> String {
    let mut plain = String::new();
    let mut behind_mark = false;
    for c in sql.replace('"', "`").chars() {
        if !(behind_mark && c.is_ascii_digit()) {
            plain.push(c);
            behind_mark = c == '?';
        }
    }
    plain
}

#[track_caller]
pub(crate) fn on(query: &Query, dialect: Dialect, sql: &str) {
    match query.render(dialect) {
        Ok(compiled) => assert_eq!(compiled.sql, sql, "{dialect}"),
        Err(fault) => panic!("{dialect}: {fault}"),
    }
}

/// The text of one expression behind `SELECT`, for SQLite, PostgreSQL, and MySQL with MariaDB.
#[track_caller]
pub(crate) fn expr(table: &'static TableDef, expr: Expr, sqlite: &str, postgres: &str, mysql: &str) {
    let query = select(table, expr);
    for (dialect, wanted, mark) in
        [(Sqlite, sqlite, '"'), (Postgres, postgres, '"'), (MySql, mysql, '`'), (MariaDb, mysql, '`')]
    {
        let name = table.name;
        let collation = if dialect == MySql { "COLLATE utf8mb4_0900_bin" } else { "COLLATE utf8mb4_nopad_bin" };
        let wanted = wanted.replace("{bin}", collation);
        on(&query, dialect, &format!("SELECT {wanted} FROM {mark}{name}{mark}"));
    }
}

/// The text of one expression that is the same everywhere.
#[track_caller]
pub(crate) fn same(table: &'static TableDef, expr: Expr, sql: &str) {
    everywhere(select(table, expr), &format!("SELECT {sql} FROM \"{}\"", table.name));
}

/// Why a statement is refused.
#[track_caller]
pub(crate) fn fault(query: Query, dialect: Dialect, message: &str) {
    match query.render(dialect) {
        Ok(compiled) => panic!("{dialect} writes {}", compiled.sql),
        Err(fault) => assert_eq!(fault.to_string(), message),
    }
}

/// So many random cases. A failing one is printed and not written to a file: it becomes a test of its own.
pub(crate) fn cases(cases: u32) -> proptest::test_runner::Config {
    proptest::test_runner::Config { cases, failure_persistence: None, ..Default::default() }
}
