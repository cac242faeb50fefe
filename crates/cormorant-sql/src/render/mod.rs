//! Tokens to text.
//!
//! [`nodes`] finds each expression's operands and what is known about its value, [`expression`] writes one
//! expression with a stack of its own (a deep condition costs no call stack), [`clauses`] finds the parts of a query,
//! and [`select`] and [`write`] put them in the order SQL wants them.
//!
//! Windows, queries in WITH, set operations and nested queries have their places here, and their tests, before the
//! queries of `cormorant` have methods for them.

mod aggregate;
mod clauses;
mod conflict;
mod expression;
mod lock;
mod nested;
mod nodes;
mod pieces;
mod route;
mod select;
mod update_rows;
mod write;

use cormorant_schema::{Ident, TableDef};

pub(crate) use self::nested::depths;
pub use self::route::own_column;
use self::route::{Hop, follow, hop, hops, shorten};
use crate::dialect::Placeholder;
use crate::{Class, Compiled, Dialect, Fault, Kind, Output, Parameter, Route, Statement, Token, quote};

/// Writes a statement in a dialect.
///
/// # Errors
/// [`Fault`] when a name cannot be quoted, the dialect lacks something, or the tokens make no statement.
pub fn render(statement: &Statement<'_>, dialect: Dialect) -> Result<Compiled, Fault> {
    let Statement { kind, table, tokens } = *statement;
    let parameters = match kind {
        Kind::Insert => write::row_parameters(table, tokens, dialect)?,
        Kind::Update if update_rows::is_one(tokens) => write::row_parameters(table, tokens, dialect)?,
        _ => parameters(tokens),
    };
    let mut renderer = Renderer::new(dialect);
    match kind {
        Kind::Select | Kind::Count | Kind::Exists => renderer.select(kind, table, tokens)?,
        Kind::Insert => renderer.insert(table, tokens)?,
        Kind::Update if update_rows::is_one(tokens) => renderer.update_rows(table, tokens)?,
        Kind::Update => renderer.update(table, tokens)?,
        Kind::Delete => renderer.delete(table, tokens)?,
    }
    let order = (dialect.placeholder() == Placeholder::Plain).then_some(renderer.order);
    enough_values(dialect, order.as_ref().map_or(parameters.len(), Vec::len))?;
    let key_query = match kind {
        Kind::Insert => write::key_query(table, tokens, dialect)?,
        _ => None,
    };
    let Renderer { sql, outputs, .. } = renderer;
    Ok(Compiled { sql, writes: kind.writes(), parameters, order, outputs, key_query })
}

/// Refuses more values than a statement can carry.
fn enough_values(dialect: Dialect, values: usize) -> Result<(), Fault> {
    match dialect.most_values() {
        Some(limit) if values > limit => Err(Fault::TooMuch { what: "values", limit }),
        _ => Ok(()),
    }
}

fn parameters(tokens: &[Token]) -> Vec<Parameter> {
    tokens
        .iter()
        .filter_map(|token| match token {
            Token::Bind(class) => Some(Parameter { class: *class, list: false }),
            Token::List(class) => Some(Parameter { class: *class, list: true }),
            Token::Keys => Some(Parameter { class: Class::Text, list: false }),
            _ => None,
        })
        .collect()
}

struct Renderer {
    dialect: Dialect,
    sql: String,
    /// Which value each placeholder takes, in the order of the text.
    order: Vec<u16>,
    outputs: Vec<Output>,
    /// The query being written and those around it, outermost first.
    scopes: Vec<Scope>,
    /// How many queries are being written inside each other.
    depth: usize,
    /// Aliases handed out so far: unique across nested queries.
    aliases: usize,
}

/// A query's tables.
struct Scope {
    table: &'static TableDef,
    alias: usize,
    joins: Vec<Join>,
    /// Whether columns carry their table's alias.
    qualified: bool,
}

/// A joined table.
#[derive(Clone)]
struct Join {
    route: Route,
    alias: usize,
    /// The alias and the table that it is joined to.
    from: usize,
    from_table: &'static TableDef,
    hop: Hop,
    left: bool,
}

impl Renderer {
    fn new(dialect: Dialect) -> Self {
        Self {
            dialect,
            sql: String::with_capacity(128),
            order: Vec::new(),
            outputs: Vec::new(),
            scopes: Vec::new(),
            depth: 0,
            aliases: 0,
        }
    }

    fn push(&mut self, text: &str) {
        self.sql.push_str(text);
    }

    fn name(&mut self, name: &'static str) -> Result<(), Fault> {
        quote(&mut self.sql, self.dialect, &Ident::new(name)?);
        Ok(())
    }

    fn table(&mut self, table: &'static TableDef) -> Result<(), Fault> {
        if let Some(schema) = table.schema {
            self.name(schema)?;
            self.sql.push('.');
        }
        self.name(table.name)
    }

    fn alias(&mut self, alias: usize) {
        self.sql.push('t');
        self.sql.push_str(&alias.to_string());
    }

    fn next_alias(&mut self) -> usize {
        self.aliases += 1;
        self.aliases - 1
    }

    /// The placeholder of the value with this number.
    fn placeholder(&mut self, value: usize) -> Result<(), Fault> {
        match self.dialect.placeholder() {
            Placeholder::Numbered(mark) => {
                self.sql.push(mark);
                self.sql.push_str(&(value + 1).to_string());
            }
            Placeholder::Plain => {
                let limit = usize::from(u16::MAX);
                self.order.push(u16::try_from(value).map_err(|_| Fault::TooMuch { what: "values", limit })?);
                self.sql.push('?');
            }
        }
        Ok(())
    }

    fn scope(&self, outer: u8) -> Result<&Scope, Fault> {
        self.scopes
            .len()
            .checked_sub(usize::from(outer) + 1)
            .and_then(|at| self.scopes.get(at))
            .ok_or(Fault::Malformed("a column of an enclosing query stands outside any"))
    }

    /// Writes a column, the key of a related row as the foreign key that holds it.
    fn column(&mut self, via: Route, column: u16, outer: u8) -> Result<(), Fault> {
        let (via, column) = shorten(self.scope(outer)?.table, via, column)?;
        self.column_at(via, column, outer)
    }

    /// Writes a column of the table at the end of a route, which must be joined.
    fn column_at(&mut self, via: Route, column: u16, outer: u8) -> Result<(), Fault> {
        let scope = self.scope(outer)?;
        let (alias, table) = match scope.joins.iter().find(|join| join.route == via) {
            Some(join) => (join.alias, join.hop.table),
            None if via.is_root() => (scope.alias, scope.table),
            None => return Err(Fault::Malformed("a column's table is not joined")),
        };
        if scope.qualified {
            self.alias(alias);
            self.sql.push('.');
        }
        self.column_name(table, column)
    }

    fn column_name(&mut self, table: &'static TableDef, column: u16) -> Result<(), Fault> {
        self.name(table.column(column).ok_or(Fault::Malformed("a column has no definition"))?.name)
    }
}
