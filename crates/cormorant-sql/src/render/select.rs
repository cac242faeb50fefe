//! Queries: which rows, counted or not.

use cormorant_schema::{ColumnType, TableDef};

use super::nodes::{Nodes, nested, values};
use super::{Join, Renderer, Scope, follow, relation, shorten};
use crate::token::Nulls;
use crate::{DecimalForm, Fault, Kind, Output, Route, Token};

/// The clauses of one query, each as the last tokens of its expressions.
#[derive(Default)]
pub(super) struct Clauses {
    select: Vec<Selected>,
    distinct: bool,
    pub(super) filter: Vec<usize>,
    group_by: Vec<usize>,
    having: Vec<usize>,
    order_by: Vec<(usize, bool, Nulls)>,
    limit: Option<usize>,
    offset: Option<usize>,
    pub(super) set: Vec<(u16, usize)>,
    source: Option<&'static str>,
    /// Nested queries that stand beside this one: where their tokens are, and the number of their first value.
    combined: Vec<(Token, std::ops::Range<usize>, usize)>,
}

enum Selected {
    Expression(usize),
    Entity(Route),
}

impl Clauses {
    pub(super) fn of(tokens: &[Token], value: usize) -> Result<Self, Fault> {
        let mut clauses = Self::default();
        let nested = nested(tokens)?;
        let mut at = 0;
        let mut value = value;
        while let Some(token) = tokens.get(at) {
            if let Some(range) = nested.iter().find(|range| range.start == at) {
                let first = value;
                value += values(tokens.get(range.clone()).unwrap_or_default());
                at = range.end;
                if let Some(combined @ (Token::Combine(..) | Token::With(..))) = tokens.get(at) {
                    clauses.combined.push((*combined, range.clone(), first));
                }
                continue;
            }
            let before = at.wrapping_sub(1);
            match *token {
                Token::Bind(_) | Token::List(_) => value += 1,
                Token::Select => clauses.select.push(Selected::Expression(before)),
                Token::Entity(route) => clauses.select.push(Selected::Entity(route)),
                Token::Filter if clauses.group_by.is_empty() => clauses.filter.push(before),
                Token::Filter => clauses.having.push(before),
                Token::GroupBy => clauses.group_by.push(before),
                Token::OrderBy { descending, nulls } => clauses.order_by.push((before, descending, nulls)),
                Token::Distinct => clauses.distinct = true,
                Token::Limit => clauses.limit = Some(before),
                Token::Offset => clauses.offset = Some(before),
                Token::Set(column) => clauses.set.push((column, before)),
                Token::Source(name) => clauses.source = Some(name.name()),
                _ => {}
            }
            at += 1;
        }
        Ok(clauses)
    }

    /// True when rows are only filtered: an UPDATE or DELETE can say that itself.
    pub(super) fn only_filters(&self) -> bool {
        !self.distinct
            && self.group_by.is_empty()
            && self.order_by.is_empty()
            && self.limit.is_none()
            && self.offset.is_none()
            && self.source.is_none()
            && self.combined.is_empty()
    }
}

impl Renderer {
    pub(super) fn select(&mut self, kind: Kind, table: &'static TableDef, tokens: &[Token]) -> Result<(), Fault> {
        let clauses = Clauses::of(tokens, 0)?;
        let rows_are_filtered = clauses.only_filters();
        match kind {
            Kind::Count if rows_are_filtered => self.query(table, tokens, 0, &clauses, &Shown::Text("COUNT(*)"))?,
            Kind::Count => {
                let shown = if clauses.distinct { Shown::Numbered } else { Shown::Text("1") };
                self.push("SELECT COUNT(*) FROM (");
                self.query(table, tokens, 0, &clauses, &shown)?;
                self.push(") AS counted");
            }
            Kind::Exists => {
                self.push("SELECT EXISTS (");
                self.query(table, tokens, 0, &clauses, &Shown::Text("1"))?;
                self.push(")");
            }
            _ => return self.query(table, tokens, 0, &clauses, &Shown::Selected),
        }
        let name = if kind == Kind::Count { "count" } else { "exists" };
        self.outputs = vec![Output { name: name.to_owned(), decimal: DecimalForm::Plain }];
        Ok(())
    }

    /// A query inside an expression.
    pub(super) fn nested_select(
        &mut self,
        table: &'static TableDef,
        tokens: &[Token],
        value: usize,
    ) -> Result<(), Fault> {
        let clauses = Clauses::of(tokens, value)?;
        let outputs = std::mem::take(&mut self.outputs);
        let shown = if clauses.select.is_empty() { Shown::Text("1") } else { Shown::Selected };
        self.query(table, tokens, value, &clauses, &shown)?;
        self.outputs = outputs;
        Ok(())
    }

    fn query(
        &mut self,
        table: &'static TableDef,
        tokens: &[Token],
        value: usize,
        clauses: &Clauses,
        shown: &Shown,
    ) -> Result<(), Fault> {
        let with = clauses.combined.iter().filter_map(|(token, range, value)| match token {
            Token::With(name, _) => Some((name.name(), range.clone(), *value)),
            _ => None,
        });
        for (n, (name, range, value)) in with.enumerate() {
            self.push(if n == 0 { "WITH " } else { ", " });
            self.name(name)?;
            self.push(" AS (");
            self.beside(table, tokens.get(range).unwrap_or_default(), value)?;
            self.push(if n + 1 == clauses.withs() { ") " } else { ")" });
        }
        self.enter(table, tokens)?;
        let nodes = Nodes::of(tokens, &self.tables(), value)?;
        self.push("SELECT ");
        if clauses.distinct {
            self.push("DISTINCT ");
        }
        match shown {
            Shown::Text(text) => self.push(text),
            Shown::Selected => self.select_list(tokens, &nodes, clauses, false)?,
            Shown::Numbered => self.select_list(tokens, &nodes, clauses, true)?,
        }
        self.from(clauses.source)?;
        self.conditions(" WHERE ", tokens, &nodes, &clauses.filter)?;
        for (n, at) in clauses.group_by.iter().enumerate() {
            self.push(if n == 0 { " GROUP BY " } else { ", " });
            self.expression(tokens, &nodes, *at)?;
        }
        self.conditions(" HAVING ", tokens, &nodes, &clauses.having)?;
        let scope = self.scopes.pop();
        for (token, range, value) in &clauses.combined {
            if let Token::Combine(operation, _) = token {
                self.push(operation.word());
                self.beside(table, tokens.get(range.clone()).unwrap_or_default(), *value)?;
            }
        }
        self.scopes.extend(scope);
        self.order_by(tokens, &nodes, clauses)?;
        self.limit(tokens, &nodes, clauses)?;
        self.scopes.pop();
        Ok(())
    }

    /// A query that stands beside the one being written: in WITH, or behind UNION.
    fn beside(&mut self, table: &'static TableDef, tokens: &[Token], value: usize) -> Result<(), Fault> {
        let clauses = Clauses::of(tokens, value)?;
        let outputs = std::mem::take(&mut self.outputs);
        self.query(table, tokens, value, &clauses, &Shown::Selected)?;
        self.outputs = outputs;
        Ok(())
    }

    /// Opens a query: finds the joins its tokens need, those of nested queries that look outward included.
    pub(super) fn enter(&mut self, table: &'static TableDef, tokens: &[Token]) -> Result<(), Fault> {
        let nested = nested(tokens)?;
        let depth = self.scopes.len();
        let mut routes = Vec::new();
        let mut level = 0u8;
        for (at, token) in tokens.iter().enumerate() {
            level += nested.iter().filter(|range| range.start == at).count() as u8;
            level -= nested.iter().filter(|range| range.end == at).count() as u8;
            let via = match *token {
                Token::Column { via, column, outer } if outer == level => shorten(table, via, column)?.0,
                Token::Entity(via) if level == 0 => via,
                _ => continue,
            };
            if !via.is_root() && !routes.contains(&via) {
                routes.push(via);
            }
        }
        let alias = self.next_alias();
        let mut scope =
            Scope { table, alias, joins: Vec::new(), qualified: depth > 0 || !nested.is_empty() || !routes.is_empty() };
        for route in routes {
            self.join(&mut scope, route)?;
        }
        self.scopes.push(scope);
        Ok(())
    }

    /// Adds a route's joins: one for each hop that no route before it took.
    fn join(&mut self, scope: &mut Scope, route: Route) -> Result<(), Fault> {
        let hops =
            route.hops().ok_or(Fault::TooMuch { what: "relations on the way to a column", limit: Route::MAX })?;
        let (mut at, mut alias, mut way) = (scope.table, scope.alias, Route::ROOT);
        for hop in hops {
            way = way.then(hop);
            let relation = relation(at, hop)?;
            let target = (relation.target)();
            let known = scope.joins.iter().find(|join| join.route == way).map(|join| join.alias);
            let to = match known {
                Some(alias) => alias,
                None => {
                    let to = self.next_alias();
                    let (_, left) = follow(scope.table, way)?;
                    let join =
                        Join { route: way, alias: to, table: target, from: alias, relation, from_table: at, left };
                    scope.joins.push(join);
                    to
                }
            };
            (at, alias) = (target, to);
        }
        Ok(())
    }

    /// The tables of the open queries, innermost first.
    pub(super) fn tables(&self) -> Vec<&'static TableDef> {
        self.scopes.iter().rev().map(|scope| scope.table).collect()
    }

    fn from(&mut self, source: Option<&'static str>) -> Result<(), Fault> {
        let scope = self.scope(0)?;
        let (table, alias, qualified) = (scope.table, scope.alias, scope.qualified);
        let joins: Vec<_> = scope
            .joins
            .iter()
            .map(|join| (join.left, join.table, join.alias, join.from, join.from_table, join.relation.column))
            .collect();
        self.push(" FROM ");
        match source {
            Some(name) => self.name(name)?,
            None => self.table(table)?,
        }
        if qualified {
            self.push(" AS ");
            self.alias(alias);
        }
        for (left, table, alias, from, from_table, column) in joins {
            self.push(if left { " LEFT JOIN " } else { " JOIN " });
            self.table(table)?;
            self.push(" AS ");
            self.alias(alias);
            self.push(" ON ");
            let key = table.key_columns().next().ok_or(Fault::Malformed("a joined table has no key"))?;
            let column = from_table.column(column).ok_or(Fault::Malformed("a column has no definition"))?;
            self.alias(alias);
            self.push(".");
            self.name(key.name)?;
            self.push(" = ");
            self.alias(from);
            self.push(".");
            self.name(column.name)?;
        }
        Ok(())
    }

    fn select_list(&mut self, tokens: &[Token], nodes: &Nodes, clauses: &Clauses, numbered: bool) -> Result<(), Fault> {
        let everything = [Selected::Entity(Route::ROOT)];
        let selected = if clauses.select.is_empty() { everything.as_slice() } else { clauses.select.as_slice() };
        for item in selected {
            match *item {
                Selected::Entity(route) => {
                    let (table, _) = follow(self.scope(0)?.table, route)?;
                    for position in 0..table.columns.len() as u16 {
                        self.separate();
                        self.column_as_it_is(route, position)?;
                        let output = column_output(table, position);
                        self.outputs.push(output);
                        self.number(numbered);
                    }
                }
                Selected::Expression(at) => {
                    self.separate();
                    let decimal = self.output(tokens, nodes, at)?;
                    let output = match tokens.get(at) {
                        Some(Token::Column { via, column, outer: 0 }) => {
                            let table = follow(self.scope(0)?.table, *via)?.0;
                            column_output(table, *column)
                        }
                        _ => Output { name: format!("column {}", self.outputs.len() + 1), decimal },
                    };
                    self.outputs.push(output);
                    self.number(numbered);
                }
            }
        }
        Ok(())
    }

    fn separate(&mut self) {
        if !self.outputs.is_empty() {
            self.push(", ");
        }
    }

    fn number(&mut self, numbered: bool) {
        if numbered {
            let alias = format!(" AS c{}", self.outputs.len());
            self.push(&alias);
        }
    }

    /// A column of a selected entity: its own key, not the foreign key that leads to it, which may have no row.
    fn column_as_it_is(&mut self, via: Route, column: u16) -> Result<(), Fault> {
        let scope = self.scope(0)?;
        let (alias, table) = match scope.joins.iter().find(|join| join.route == via) {
            Some(join) => (join.alias, join.table),
            None => (scope.alias, scope.table),
        };
        let qualified = scope.qualified;
        let name = table.column(column).ok_or(Fault::Malformed("a column has no definition"))?.name;
        if qualified {
            self.alias(alias);
            self.push(".");
        }
        self.name(name)
    }

    pub(super) fn conditions(
        &mut self,
        word: &str,
        tokens: &[Token],
        nodes: &Nodes,
        conditions: &[usize],
    ) -> Result<(), Fault> {
        let several = conditions.len() > 1;
        for (n, at) in conditions.iter().enumerate() {
            self.push(if n == 0 { word } else { " AND " });
            let brackets = several && matches!(tokens.get(*at), Some(Token::Binary(crate::Binary::Or)));
            if brackets {
                self.push("(");
            }
            self.expression(tokens, nodes, *at)?;
            if brackets {
                self.push(")");
            }
        }
        Ok(())
    }

    fn order_by(&mut self, tokens: &[Token], nodes: &Nodes, clauses: &Clauses) -> Result<(), Fault> {
        for (n, (at, descending, nulls)) in clauses.order_by.iter().enumerate() {
            self.push(if n == 0 { " ORDER BY " } else { ", " });
            if !self.dialect.orders_nulls() && *nulls != Nulls::Native {
                self.expression(tokens, nodes, *at)?;
                self.push(if *nulls == Nulls::First { " IS NOT NULL, " } else { " IS NULL, " });
            }
            self.expression(tokens, nodes, *at)?;
            if *descending {
                self.push(" DESC");
            }
            if self.dialect.orders_nulls() {
                self.push(match nulls {
                    Nulls::Native => "",
                    Nulls::First => " NULLS FIRST",
                    Nulls::Last => " NULLS LAST",
                });
            }
        }
        Ok(())
    }

    fn limit(&mut self, tokens: &[Token], nodes: &Nodes, clauses: &Clauses) -> Result<(), Fault> {
        if let Some(at) = clauses.limit {
            self.push(" LIMIT ");
            self.expression(tokens, nodes, at)?;
        } else if clauses.offset.is_some()
            && let Some(all) = self.dialect.no_limit()
        {
            self.push(" LIMIT ");
            self.push(all);
        }
        if let Some(at) = clauses.offset {
            self.push(" OFFSET ");
            self.expression(tokens, nodes, at)?;
        }
        Ok(())
    }

    /// The keys of the rows that a query finds, for an UPDATE or DELETE that cannot find them itself.
    pub(super) fn keys(&mut self, table: &'static TableDef, tokens: &[Token], clauses: &Clauses) -> Result<(), Fault> {
        let wrap = !self.dialect.reads_what_it_changes();
        if wrap {
            self.push("SELECT * FROM (");
        }
        self.enter(table, tokens)?;
        let nodes = Nodes::of(tokens, &self.tables(), 0)?;
        self.push("SELECT ");
        for (n, position) in table.key.iter().enumerate() {
            if n > 0 {
                self.push(", ");
            }
            self.column_as_it_is(Route::ROOT, *position)?;
        }
        self.from(clauses.source)?;
        self.conditions(" WHERE ", tokens, &nodes, &clauses.filter)?;
        self.order_by(tokens, &nodes, clauses)?;
        self.limit(tokens, &nodes, clauses)?;
        self.scopes.pop();
        if wrap {
            self.push(") AS picked");
        }
        Ok(())
    }
}

impl Clauses {
    fn withs(&self) -> usize {
        self.combined.iter().filter(|(token, ..)| matches!(token, Token::With(..))).count()
    }
}

/// What stands behind SELECT.
enum Shown {
    /// What the query selects: every column where it names none.
    Selected,
    /// The same, each with a name of its own, so that a query around it may hold two of one name.
    Numbered,
    Text(&'static str),
}

pub(super) fn column_output(table: &'static TableDef, position: u16) -> Output {
    let column = table.column(position);
    let decimal = match column.map(|column| column.ty) {
        Some(ColumnType::Decimal { scale, .. }) => DecimalForm::Scale(scale),
        _ => DecimalForm::Plain,
    };
    Output { name: format!("{}.{}", table.model, column.map_or("?", |column| column.field)), decimal }
}
