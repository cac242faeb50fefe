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
mod expression;
mod nested;
mod nodes;
mod pieces;
mod select;
mod write;

use cormorant_schema::{Ident, RelationDef, TableDef};

use crate::dialect::Placeholder;
use crate::{Compiled, Dialect, Fault, Kind, Output, Parameter, Route, Statement, Token, quote};

/// Writes a statement in a dialect.
///
/// # Errors
/// [`Fault`] when a name cannot be quoted, the dialect lacks something, or the tokens make no statement.
pub fn render(statement: &Statement<'_>, dialect: Dialect) -> Result<Compiled, Fault> {
    let Statement { kind, table, tokens } = *statement;
    let parameters = match kind {
        Kind::Insert => write::insert_parameters(table, tokens, dialect)?,
        _ => parameters(tokens),
    };
    let mut renderer = Renderer::new(dialect);
    match kind {
        Kind::Select | Kind::Count | Kind::Exists => renderer.select(kind, table, tokens)?,
        Kind::Insert => renderer.insert(table, tokens)?,
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
    table: &'static TableDef,
    /// The table and alias the foreign key stands in.
    from: usize,
    relation: &'static RelationDef,
    from_table: &'static TableDef,
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
            Some(join) => (join.alias, join.table),
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

/// The foreign keys of a route.
fn hops(route: Route) -> Result<impl Iterator<Item = u8>, Fault> {
    route.hops().ok_or(Fault::TooMuch { what: "relations on the way to a column", limit: Route::MAX })
}

/// The table at the end of a route, and whether a row may be missing there.
fn follow(table: &'static TableDef, route: Route) -> Result<(&'static TableDef, bool), Fault> {
    let mut at = (table, false);
    for hop in hops(route)? {
        let relation = relation(at.0, hop)?;
        let null = at.0.column(relation.column).is_some_and(|column| column.null);
        at = ((relation.target)(), at.1 || null);
    }
    Ok(at)
}

fn relation(table: &'static TableDef, hop: u8) -> Result<&'static RelationDef, Fault> {
    table.relations.get(usize::from(hop)).ok_or(Fault::Malformed("a route leads along no foreign key"))
}

/// The key of a related row stands in the foreign key itself: `post.author.id` is `post.author_id`, without a join.
fn shorten(table: &'static TableDef, via: Route, column: u16) -> Result<(Route, u16), Fault> {
    let (mut before, mut at, mut last) = (Route::ROOT, table, None);
    for hop in hops(via)? {
        if let Some((hop, _)) = last {
            before = before.then(hop);
        }
        let relation = relation(at, hop)?;
        at = (relation.target)();
        last = Some((hop, relation));
    }
    match last {
        // One hop less each time: this ends.
        Some((_, relation)) if at.key == [column] => shorten(table, before, relation.column),
        _ => Ok((via, column)),
    }
}
