//! Builds statements as the library does, and compares them with their text.

use cormorant_sql::schema::{ColumnType, TableDef};
use cormorant_sql::{
    Aggregate, Binary, Buffer, Class, Compiled, Dialect, Fault, Function, Kind, Nulls, Route, SetOperation, Statement,
    Symbol, TableId, Token, Unary, Value, render,
};

use crate::sqlite;

pub use Dialect::{MariaDb, MySql, Postgres, Sqlite};

/// An expression.
#[derive(Clone)]
pub struct Expr(pub Buffer);

pub fn col(column: u16) -> Expr {
    via(&[], column)
}

pub fn via(hops: &[u8], column: u16) -> Expr {
    Expr(Buffer::of(Token::Column { via: route(hops), column, outer: 0 }))
}

pub fn outer(by: u8, hops: &[u8], column: u16) -> Expr {
    Expr(Buffer::of(Token::Column { via: route(hops), column, outer: by }))
}

pub fn route(hops: &[u8]) -> Route {
    hops.iter().fold(Route::ROOT, |route, hop| route.then(*hop))
}

pub fn bind(class: Class, value: Value) -> Expr {
    Expr(Buffer::bind(Token::Bind(class), value))
}

pub fn int(n: i64) -> Expr {
    bind(Class::Int, Value::Int(n))
}

pub fn text(text: &'static str) -> Expr {
    bind(Class::Text, Value::Text(text.into()))
}

pub fn decimal(text: &str) -> Expr {
    bind(Class::Decimal, Value::Decimal(text.parse().unwrap()))
}

pub fn list(class: Class) -> Expr {
    Expr(Buffer::bind(Token::List(class), Value::List(Vec::new())))
}

pub fn call(function: Function, operands: &[Expr]) -> Expr {
    all(operands, Token::Call(function, operands.len() as u8))
}

pub fn named(name: &'static str, operands: &[Expr]) -> Expr {
    all(operands, Token::Named(Symbol::of(name), operands.len() as u8))
}

pub fn case(operands: &[Expr]) -> Expr {
    all(operands, Token::Case { branches: (operands.len() / 2) as u8, otherwise: operands.len() % 2 == 1 })
}

pub fn count_all() -> Expr {
    all(&[], Token::Aggregate { function: Aggregate::CountAll, distinct: false, filter: false })
}

fn all(operands: &[Expr], token: Token) -> Expr {
    let mut buffer = Buffer::default();
    operands.iter().for_each(|operand| buffer.append(operand.0.clone()));
    buffer.push(token);
    Expr(buffer)
}

impl Expr {
    pub fn op(self, op: Binary, other: Expr) -> Expr {
        self.then(&[other], Token::Binary(op))
    }

    pub fn eq(self, other: Expr) -> Expr {
        self.op(Binary::Eq, other)
    }

    pub fn add(self, other: Expr) -> Expr {
        self.op(Binary::Add, other)
    }

    pub fn and(self, other: Expr) -> Expr {
        self.op(Binary::And, other)
    }

    pub fn or(self, other: Expr) -> Expr {
        self.op(Binary::Or, other)
    }

    pub fn not(self) -> Expr {
        self.unary(Unary::Not)
    }

    pub fn unary(self, op: Unary) -> Expr {
        self.then(&[], Token::Unary(op))
    }

    pub fn between(self, low: Expr, high: Expr) -> Expr {
        self.then(&[low, high], Token::Between)
    }

    pub fn is_in(self, list: Expr) -> Expr {
        self.then(&[list], Token::In)
    }

    pub fn cast(self, ty: ColumnType) -> Expr {
        self.then(&[], Token::Cast(ty))
    }

    pub fn aggregate(self, function: Aggregate) -> Expr {
        self.then(&[], Token::Aggregate { function, distinct: false, filter: false })
    }

    pub fn sum(self) -> Expr {
        self.aggregate(Aggregate::Sum)
    }

    pub fn sort(self, descending: bool, nulls: Nulls) -> Expr {
        self.then(&[], Token::Sort { descending, nulls })
    }

    pub fn over(self, partition: &[Expr], order: &[Expr]) -> Expr {
        let token = Token::Over { partition: partition.len() as u8, order: order.len() as u8 };
        self.then(&[partition, order].concat(), token)
    }

    pub fn then(self, operands: &[Expr], token: Token) -> Expr {
        all(&[[self].as_slice(), operands].concat(), token)
    }
}

/// A statement.
#[derive(Clone)]
pub struct Query {
    pub kind: Kind,
    pub table: &'static TableDef,
    pub buffer: Buffer,
}

pub fn from(table: &'static TableDef) -> Query {
    Query { kind: Kind::Select, table, buffer: Buffer::default() }
}

/// A SELECT of one expression, for what is only about that.
pub fn select(table: &'static TableDef, expr: Expr) -> Query {
    from(table).select(expr)
}

impl Query {
    pub fn kind(mut self, kind: Kind) -> Self {
        self.kind = kind;
        self
    }

    pub fn token(mut self, token: Token) -> Self {
        self.buffer.push(token);
        self
    }

    pub fn clause(mut self, expr: Expr, token: Token) -> Self {
        self.buffer.append(expr.0);
        self.token(token)
    }

    pub fn select(self, expr: Expr) -> Self {
        self.clause(expr, Token::Select)
    }

    pub fn entity(self, hops: &[u8]) -> Self {
        self.token(Token::Entity(route(hops)))
    }

    pub fn filter(self, expr: Expr) -> Self {
        self.clause(expr, Token::Filter)
    }

    pub fn group_by(self, expr: Expr) -> Self {
        self.clause(expr, Token::GroupBy)
    }

    pub fn order_by(self, expr: Expr, descending: bool, nulls: Nulls) -> Self {
        self.clause(expr, Token::OrderBy { descending, nulls })
    }

    pub fn by(self, expr: Expr) -> Self {
        self.order_by(expr, false, Nulls::Native)
    }

    pub fn distinct(self) -> Self {
        self.token(Token::Distinct)
    }

    pub fn limit(self, n: i64) -> Self {
        self.clause(int(n), Token::Limit)
    }

    pub fn offset(self, n: i64) -> Self {
        self.clause(int(n), Token::Offset)
    }

    pub fn set(self, column: u16, expr: Expr) -> Self {
        self.clause(expr, Token::Set(column))
    }

    pub fn returning(self, columns: &[u16]) -> Self {
        columns.iter().fold(self, |query, column| query.token(Token::Returning(*column)))
    }

    pub fn combine(mut self, operation: SetOperation, other: Query) -> Self {
        let tokens = other.buffer.tokens.len() as u32;
        self.buffer.append(other.buffer);
        self.token(Token::Combine(operation, tokens))
    }

    pub fn with(mut self, name: &'static str, other: Query) -> Self {
        let tokens = other.buffer.tokens.len() as u32;
        self.buffer.append(other.buffer);
        self.token(Token::With(Symbol::of(name), tokens))
    }

    pub fn source(self, name: &'static str) -> Self {
        self.token(Token::Source(Symbol::of(name)))
    }

    /// As a value, or as EXISTS.
    pub fn nested(mut self, exists: bool) -> Expr {
        let tokens = self.buffer.tokens.len() as u32;
        self.buffer.push(Token::Subquery { table: TableId::of(self.table), tokens, exists });
        Expr(self.buffer)
    }

    pub fn exists(self) -> Expr {
        self.nested(true)
    }

    pub fn value(self) -> Expr {
        self.nested(false)
    }

    pub fn render(&self, dialect: Dialect) -> Result<Compiled, Fault> {
        let compiled = render(&Statement { kind: self.kind, table: self.table, tokens: &self.buffer.tokens }, dialect)?;
        if dialect == Sqlite {
            sqlite::prepare(&compiled);
        }
        record(dialect, &compiled.sql);
        Ok(compiled)
    }

    pub fn sql(&self, dialect: Dialect) -> String {
        self.render(dialect).unwrap().sql
    }
}

/// With `CORMORANT_RENDERED` in the environment every text is also appended to that file, for a server to try.
pub fn record(dialect: Dialect, sql: &str) {
    use std::io::Write as _;
    if let Some(path) = std::env::var_os("CORMORANT_RENDERED") {
        let mut file = std::fs::File::options().create(true).append(true).open(path).unwrap();
        file.write_all(format!("{dialect}\t{}\n", sql.replace('\n', " ")).as_bytes()).unwrap();
    }
}

/// The text of a statement in every dialect that writes it alike, placeholders aside: `?1`, `$1`, `?`.
#[track_caller]
pub fn everywhere(query: Query, sql: &str) {
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
pub fn on(query: &Query, dialect: Dialect, sql: &str) {
    match query.render(dialect) {
        Ok(compiled) => assert_eq!(compiled.sql, sql, "{dialect}"),
        Err(fault) => panic!("{dialect}: {fault}"),
    }
}

/// The text of one expression behind `SELECT`, for SQLite, PostgreSQL, and MySQL with MariaDB.
#[track_caller]
pub fn expr(table: &'static TableDef, expr: Expr, sqlite: &str, postgres: &str, mysql: &str) {
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
pub fn same(table: &'static TableDef, expr: Expr, sql: &str) {
    everywhere(select(table, expr), &format!("SELECT {sql} FROM \"{}\"", table.name));
}

/// Why a statement is refused.
#[track_caller]
pub fn fault(query: Query, dialect: Dialect, message: &str) {
    match query.render(dialect) {
        Ok(compiled) => panic!("{dialect} writes {}", compiled.sql),
        Err(fault) => assert_eq!(fault.to_string(), message),
    }
}
