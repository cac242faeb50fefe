//! Queries: which rows, counted or not.

use cormorant_schema::{ColumnType, TableDef};

use super::clauses::{Beside, Clauses, Order, Selected};
use super::nested::{DEEPEST, depths, too_deep};
use super::nodes::Nodes;
use super::{Join, Renderer, Scope, follow, hop, hops, shorten};
use crate::token::{Nulls, SetOperation};
use crate::{DecimalForm, Fault, Kind, Output, Route, Token};

/// What stands behind SELECT.
#[derive(Clone, Copy, PartialEq)]
pub(super) enum Shown {
    /// What the query selects: every column where it names none.
    Selected,
    /// The same, each with a name of its own, so that a query around it may hold two of one name.
    Numbered,
    /// The key of the query's own table.
    Key,
    Text(&'static str),
}

impl Renderer {
    pub(super) fn select(&mut self, kind: Kind, table: &'static TableDef, tokens: &[Token]) -> Result<(), Fault> {
        let mut clauses = Clauses::of(tokens, 0)?;
        if kind == Kind::Select {
            super::lock::check(tokens, &clauses)?;
            return self.query(table, tokens, 0, &clauses, Shown::Selected);
        }
        super::lock::refuse(&clauses, "a number or a yes holds no rows, and locks none")?;
        clauses.any_order();
        let (name, end) = if kind == Kind::Count { ("count", ") AS counted") } else { ("exists", ")") };
        if kind == Kind::Exists {
            let shown = if clauses.select_matters { Shown::Selected } else { Shown::Text("1") };
            self.push("SELECT EXISTS (");
            self.query(table, tokens, 0, &clauses, shown)?;
            self.push(end);
        } else if clauses.only_filters() && !clauses.select_matters {
            self.query(table, tokens, 0, &clauses, Shown::Text("COUNT(*)"))?;
        } else {
            let shown = if clauses.select_matters { Shown::Numbered } else { Shown::Text("1") };
            self.push("SELECT COUNT(*) FROM (");
            self.query(table, tokens, 0, &clauses, shown)?;
            self.push(end);
        }
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
        let nothing = clauses.select.is_empty() && !clauses.select_matters;
        // What stands beside it may have the same aliases. PostgreSQL asks for them: what is selected is what rows are
        // grouped by only where both read alike.
        let aliases = self.aliases;
        self.unread(table, tokens, value, &clauses, if nothing { Shown::Text("1") } else { Shown::Selected })?;
        self.aliases = aliases;
        Ok(())
    }

    /// A query that stands beside the one being written: in WITH, or behind UNION.
    fn beside(
        &mut self,
        table: &'static TableDef,
        tokens: &[Token],
        beside: &Beside,
        alone: bool,
    ) -> Result<(), Fault> {
        let tokens = tokens.get(beside.tokens.clone()).unwrap_or_default();
        let clauses = Clauses::of(tokens, beside.value)?;
        if alone || clauses.stands_alone() {
            return self.unread(table, tokens, beside.value, &clauses, Shown::Selected);
        }
        self.push("SELECT * FROM (");
        self.unread(table, tokens, beside.value, &clauses, Shown::Numbered)?;
        self.close_derived();
        Ok(())
    }

    /// A query whose columns the caller does not read.
    fn unread(
        &mut self,
        table: &'static TableDef,
        tokens: &[Token],
        value: usize,
        clauses: &Clauses,
        shown: Shown,
    ) -> Result<(), Fault> {
        let outputs = std::mem::take(&mut self.outputs);
        self.query(table, tokens, value, clauses, shown)?;
        self.outputs = outputs;
        Ok(())
    }

    /// Ends a query in FROM with a name, which MySQL asks for.
    fn close_derived(&mut self) {
        let alias = self.next_alias();
        self.push(") AS ");
        self.alias(alias);
    }

    pub(super) fn query(
        &mut self,
        table: &'static TableDef,
        tokens: &[Token],
        value: usize,
        clauses: &Clauses,
        shown: Shown,
    ) -> Result<(), Fault> {
        self.depth += 1;
        if self.depth > DEEPEST {
            return Err(too_deep());
        }
        for (n, (name, beside)) in clauses.with.iter().enumerate() {
            self.push(if n == 0 { "WITH " } else { ", " });
            self.name(name)?;
            self.push(" AS (");
            self.beside(table, tokens, beside, true)?;
            self.push(if n + 1 == clauses.with.len() { ") " } else { ")" });
        }
        // The standard lets INTERSECT go before UNION, SQLite goes from left to right: so do we.
        let groups = groups(&clauses.combined);
        for _ in groups.iter().filter(|group| **group) {
            self.push("SELECT * FROM (");
        }
        let numbered = groups.contains(&true) || clauses.limit_each.is_some();
        let shown = if shown == Shown::Selected && numbered { Shown::Numbered } else { shown };
        let start = self.sql.len();
        self.enter(table, tokens)?;
        let nodes = Nodes::of(tokens, &self.tables(), value)?;
        self.push(if clauses.distinct { "SELECT DISTINCT " } else { "SELECT " });
        match shown {
            Shown::Text(text) => self.push(text),
            Shown::Selected => self.select_list(tokens, &nodes, clauses, false)?,
            Shown::Numbered => self.select_list(tokens, &nodes, clauses, true)?,
            Shown::Key => self.key(table)?,
        }
        if let Some(limit) = clauses.limit_each {
            self.row_number(tokens, &nodes, clauses, limit)?;
        }
        self.from(clauses.source)?;
        self.conditions(" WHERE ", tokens, &nodes, &clauses.filter)?;
        for (n, at) in clauses.group_by.iter().enumerate() {
            self.push(if n == 0 { " GROUP BY " } else { ", " });
            self.expression(tokens, &nodes, *at)?;
        }
        self.conditions(" HAVING ", tokens, &nodes, &clauses.having)?;
        if !clauses.combined.is_empty() {
            let scope = self.scopes.pop();
            for ((operation, beside), group) in clauses.combined.iter().zip(groups) {
                if group {
                    self.close_derived();
                }
                self.push(operation.word());
                self.beside(table, tokens, beside, false)?;
            }
            self.scopes.extend(scope);
        }
        if let Some((at, _)) = clauses.limit_each {
            self.first_of_each(tokens, &nodes, at, start)?;
            self.scopes.pop();
            self.depth -= 1;
            return Ok(());
        }
        for (n, order) in clauses.order_by.iter().enumerate() {
            self.push(if n == 0 { " ORDER BY " } else { ", " });
            match clauses.combined.is_empty() {
                true => self.ordering(tokens, &nodes, order.at, order.descending, order.nulls)?,
                false => self.ordering_of_whole(tokens, &nodes, clauses, order)?,
            }
        }
        self.limit(tokens, &nodes, clauses, shown)?;
        self.lock(clauses)?;
        self.scopes.pop();
        self.depth -= 1;
        Ok(())
    }

    /// Numbers the rows of each value of the `count` expressions before the one at `at`, in the query's order.
    fn row_number(
        &mut self,
        tokens: &[Token],
        nodes: &Nodes,
        clauses: &Clauses,
        (at, count): (usize, u8),
    ) -> Result<(), Fault> {
        self.push(", ROW_NUMBER() OVER (PARTITION BY ");
        for (n, each) in nodes.operands(nodes.get(at)?.start, usize::from(count))?.into_iter().enumerate() {
            self.push(if n == 0 { "" } else { ", " });
            self.expression(tokens, nodes, each)?;
        }
        for (n, order) in clauses.order_by.iter().enumerate() {
            self.push(if n == 0 { " ORDER BY " } else { ", " });
            self.ordering(tokens, nodes, order.at, order.descending, order.nulls)?;
        }
        let name = format!(") AS c{}", self.outputs.len() + 1);
        self.push(&name);
        Ok(())
    }

    /// Puts a query whose rows are numbered, and which starts at `start` of the text, into one that takes the first.
    fn first_of_each(&mut self, tokens: &[Token], nodes: &Nodes, at: usize, start: usize) -> Result<(), Fault> {
        let columns: Vec<String> = (1..=self.outputs.len()).map(|n| format!("c{n}")).collect();
        self.sql.insert_str(start, &format!("SELECT {} FROM (", columns.join(", ")));
        self.close_derived();
        let number = format!("c{}", columns.len() + 1);
        self.push(&format!(" WHERE {number} <= "));
        self.expression(tokens, nodes, at)?;
        self.push(&format!(" ORDER BY {number}"));
        Ok(())
    }

    /// Opens a query: finds the joins its tokens need, those of nested queries that look outward included.
    pub(super) fn enter(&mut self, table: &'static TableDef, tokens: &[Token]) -> Result<(), Fault> {
        let depths = depths(tokens)?;
        let mut routes = Vec::new();
        for (token, depth) in tokens.iter().zip(&depths) {
            let via = match (*token, *depth) {
                (Token::Column { via, column, outer }, Some(depth)) if usize::from(outer) == depth => {
                    shorten(table, via, column)?.0
                }
                (Token::Entity(via), Some(0)) => via,
                _ => continue,
            };
            if !via.is_root() && !routes.contains(&via) {
                routes.push(via);
            }
        }
        let nests = tokens.iter().zip(&depths).any(|(t, depth)| depth.is_some() && matches!(t, Token::Subquery { .. }));
        let qualified = nests || !self.scopes.is_empty() || !routes.is_empty();
        let alias = self.next_alias();
        let mut scope = Scope { table, alias, joins: Vec::new(), qualified };
        for route in routes {
            self.join(&mut scope, route)?;
        }
        self.scopes.push(scope);
        Ok(())
    }

    /// Adds a route's joins: one for each hop that no route before it took.
    fn join(&mut self, scope: &mut Scope, route: Route) -> Result<(), Fault> {
        let (mut at, mut alias, mut way) = (scope.table, scope.alias, Route::ROOT);
        for number in hops(route)? {
            way = way.then(number);
            let hop = hop(at, number)?;
            let known = scope.joins.iter().find(|join| join.route == way).map(|join| join.alias);
            let to = match known {
                Some(alias) => alias,
                None => {
                    let to = self.next_alias();
                    let (_, left) = follow(scope.table, way)?;
                    scope.joins.push(Join { route: way, alias: to, from: alias, from_table: at, hop, left });
                    to
                }
            };
            (at, alias) = (hop.table, to);
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
        let joins = scope.joins.clone();
        self.push(" FROM ");
        match source {
            Some(name) => self.name(name)?,
            None => self.table(table)?,
        }
        if qualified {
            self.push(" AS ");
            self.alias(alias);
        }
        for Join { route: _, alias, from, from_table, hop, left } in joins {
            self.push(if left { " LEFT JOIN " } else { " JOIN " });
            self.table(hop.table)?;
            self.push(" AS ");
            self.alias(alias);
            for (n, (to, own)) in hop.to.iter().zip(hop.from).enumerate() {
                self.push(if n == 0 { " ON " } else { " AND " });
                self.alias(alias);
                self.push(".");
                self.column_name(hop.table, *to)?;
                self.push(" = ");
                self.alias(from);
                self.push(".");
                self.column_name(from_table, *own)?;
            }
        }
        Ok(())
    }

    fn select_list(&mut self, tokens: &[Token], nodes: &Nodes, clauses: &Clauses, numbered: bool) -> Result<(), Fault> {
        for item in selected(clauses) {
            match *item {
                // An entity's own key, not the foreign key that leads to it: there may be no row behind that.
                Selected::Entity(route) => {
                    let (table, _) = follow(self.scope(0)?.table, route)?;
                    for (position, _) in positions(table) {
                        self.separate();
                        self.column_at(route, position, 0)?;
                        self.selected(column_output(table, position), numbered);
                    }
                }
                Selected::Expression(at) => {
                    self.separate();
                    // Only what the caller reads itself can be in units: a query around this one takes it as a number.
                    let read = self.depth == 1 && clauses.combined.is_empty();
                    let decimal = self.output(tokens, nodes, at, read)?;
                    let output = match tokens.get(at) {
                        Some(Token::Column { via, column, outer: 0 }) => {
                            column_output(follow(self.scope(0)?.table, *via)?.0, *column)
                        }
                        _ => Output { name: format!("column {}", self.outputs.len() + 1), decimal },
                    };
                    self.selected(output, numbered);
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

    fn selected(&mut self, output: Output, numbered: bool) {
        self.outputs.push(output);
        if numbered {
            let alias = format!(" AS c{}", self.outputs.len());
            self.push(&alias);
        }
    }

    fn key(&mut self, table: &'static TableDef) -> Result<(), Fault> {
        for (n, position) in table.key.iter().enumerate() {
            self.push(if n == 0 { "" } else { ", " });
            self.column_at(Route::ROOT, *position, 0)?;
        }
        Ok(())
    }

    /// The order of combined queries can name nothing but what they select: by position, so that it stays clear
    /// which of two columns of one name is meant.
    fn ordering_of_whole(
        &mut self,
        tokens: &[Token],
        nodes: &Nodes,
        clauses: &Clauses,
        order: &Order,
    ) -> Result<(), Fault> {
        let unsupported = |what: &str| {
            Err(Fault::Unsupported {
                what: format!("the order of combined queries cannot {what}"),
                instead: "select the expression and order by it, or sort the rows in the program",
            })
        };
        let Order { at, descending, nulls } = *order;
        let wanted = tokens.get(nodes.get(at)?.start..=at).unwrap_or_default();
        let again = !wanted.iter().any(|token| token.takes_value() || matches!(token, Token::Subquery { .. }));
        let mut position = 0;
        for item in selected(clauses) {
            match *item {
                Selected::Entity(route) => {
                    for (column, _) in positions(follow(self.scope(0)?.table, route)?.0) {
                        position += 1;
                        if wanted == [Token::Column { via: route, column, outer: 0 }] {
                            return self.position(position, descending, nulls).or_else(unsupported);
                        }
                    }
                }
                Selected::Expression(end) => {
                    position += 1;
                    if again && tokens.get(nodes.get(end)?.start..=end) == Some(wanted) {
                        return self.position(position, descending, nulls).or_else(unsupported);
                    }
                }
            }
        }
        unsupported("use what they do not select")
    }

    fn position(&mut self, position: usize, descending: bool, nulls: Nulls) -> Result<(), &'static str> {
        if self.dialect.sorts_nulls_by(descending, nulls).is_some() {
            return Err("say where NULL stands in this dialect");
        }
        self.push(&position.to_string());
        self.push(self.dialect.direction(descending, nulls));
        Ok(())
    }

    fn limit(&mut self, tokens: &[Token], nodes: &Nodes, clauses: &Clauses, shown: Shown) -> Result<(), Fault> {
        // A limit also keeps MySQL from merging the keys of an UPDATE into the statement, which it then refuses.
        let needs_limit = clauses.offset.is_some() || (shown == Shown::Key && !self.dialect.reads_what_it_changes());
        if let Some(at) = clauses.limit {
            self.push(" LIMIT ");
            self.expression(tokens, nodes, at)?;
        } else if let Some(all) = self.dialect.no_limit().filter(|_| needs_limit) {
            self.push(" LIMIT ");
            self.push(all);
        }
        if let Some(at) = clauses.offset {
            self.push(" OFFSET ");
            self.expression(tokens, nodes, at)?;
        }
        Ok(())
    }
}

/// Before which of the combined queries everything so far is put in a query of its own.
fn groups(combined: &[(SetOperation, Beside)]) -> Vec<bool> {
    let mut looser = false;
    combined
        .iter()
        .map(|(operation, _)| {
            let group = looser && *operation == SetOperation::Intersect;
            looser = *operation != SetOperation::Intersect;
            group
        })
        .collect()
}

/// What a query selects: its whole table where it says nothing.
fn selected(clauses: &Clauses) -> &[Selected] {
    const EVERYTHING: &[Selected] = &[Selected::Entity(Route::ROOT)];
    if clauses.select.is_empty() { EVERYTHING } else { &clauses.select }
}

/// A table's columns by their positions.
fn positions(table: &'static TableDef) -> impl Iterator<Item = (u16, &'static cormorant_schema::ColumnDef)> {
    (0..=u16::MAX).zip(table.columns)
}

pub(super) fn column_output(table: &'static TableDef, position: u16) -> Output {
    let column = table.column(position);
    let decimal = match table.type_of(position) {
        Some(ColumnType::Decimal { scale, .. }) => DecimalForm::Scale(scale),
        _ => DecimalForm::Plain,
    };
    Output { name: format!("{}.{}", table.model, column.map_or("?", |column| column.field)), decimal }
}
