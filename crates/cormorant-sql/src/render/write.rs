//! INSERT, UPDATE and DELETE.

use cormorant_schema::TableDef;

use super::clauses::Clauses;
use super::nested::depths;
use super::nodes::Nodes;
use super::select::{Shown, column_output};
use super::{Renderer, enough_values, shorten};
use crate::{Class, Dialect, Fault, Kind, Parameter, Route, Token};

impl Renderer {
    pub(super) fn insert(&mut self, table: &'static TableDef, tokens: &[Token]) -> Result<(), Fault> {
        let (columns, rows) = (written(tokens), rows(tokens));
        self.push("INSERT INTO ");
        self.table(table)?;
        match (columns.as_slice(), rows) {
            (_, 0) => return Err(Fault::Malformed("an INSERT writes no row")),
            ([], 1) => self.push(self.dialect.insert_defaults()),
            ([], _) => return Err(Fault::Malformed("several rows without a value need a statement each")),
            (columns, rows) => {
                for (n, column) in columns.iter().enumerate() {
                    self.push(if n == 0 { " (" } else { ", " });
                    self.column_name(table, *column)?;
                }
                self.push(")");
                match tokens.contains(&Token::Lists) {
                    true => self.lists(columns.len())?,
                    false => self.rows(columns.len(), rows)?,
                }
            }
        }
        self.conflict(table, tokens)?;
        let returning = tokens.iter().filter_map(|t| if let Token::Returning(c) = t { Some(*c) } else { None });
        self.returning(Kind::Insert, table, returning)
    }

    /// A placeholder for each value of each row.
    fn rows(&mut self, columns: usize, rows: u32) -> Result<(), Fault> {
        self.push(" VALUES ");
        for row in 0..rows {
            self.push(if row == 0 { "(" } else { ", (" });
            for n in 0..columns {
                self.push(if n == 0 { "" } else { ", " });
                self.next_value(row as usize * columns + n)?;
            }
            self.push(")");
        }
        Ok(())
    }

    /// The placeholder of a value, all of which come in the order of the text: a number would only make it longer.
    pub(super) fn next_value(&mut self, value: usize) -> Result<(), Fault> {
        match self.dialect.takes_values_in_order() {
            true => self.push("?"),
            false => self.placeholder(value)?,
        }
        Ok(())
    }

    /// A placeholder for the list of each column's values.
    fn lists(&mut self, columns: usize) -> Result<(), Fault> {
        self.push(" SELECT * FROM ");
        self.unnest(columns)
    }

    /// The rows of which each column is a list.
    pub(super) fn unnest(&mut self, columns: usize) -> Result<(), Fault> {
        if !self.dialect.takes_lists() {
            return Err(Fault::Malformed("the dialect takes no lists"));
        }
        self.push("unnest(");
        for n in 0..columns {
            self.push(if n == 0 { "" } else { ", " });
            self.placeholder(n)?;
        }
        self.push(")");
        Ok(())
    }

    pub(super) fn update(&mut self, table: &'static TableDef, tokens: &[Token]) -> Result<(), Fault> {
        let clauses = Clauses::of(tokens, 0)?;
        if clauses.set.is_empty() {
            return Err(Fault::Malformed("an UPDATE sets nothing"));
        }
        self.change(Kind::Update, table, tokens, &clauses)
    }

    pub(super) fn delete(&mut self, table: &'static TableDef, tokens: &[Token]) -> Result<(), Fault> {
        let clauses = Clauses::of(tokens, 0)?;
        self.change(Kind::Delete, table, tokens, &clauses)
    }

    /// Changes the rows that the clauses find: by their condition where that is all, by their keys otherwise.
    fn change(
        &mut self,
        kind: Kind,
        table: &'static TableDef,
        tokens: &[Token],
        clauses: &Clauses,
    ) -> Result<(), Fault> {
        if !clauses.group_by.is_empty() || !clauses.combined.is_empty() {
            return Err(Fault::Unsupported {
                what: "groups of rows and combined queries cannot be changed".to_owned(),
                instead: "select their keys, and change the rows with these keys",
            });
        }
        super::lock::refuse(clauses, "UPDATE and DELETE lock the rows they change by themselves")?;
        self.push(if kind == Kind::Update { "UPDATE " } else { "DELETE FROM " });
        self.enter(table, tokens)?;
        let nodes = Nodes::of(tokens, &self.tables(), 0)?;
        let depths = depths(tokens)?;
        let nests = |at: usize| -> Result<bool, Fault> {
            let expression = depths.get(nodes.get(at)?.start..=at).unwrap_or_default();
            Ok(expression.iter().any(|depth| *depth != Some(0)))
        };
        let mut set_nests = false;
        let mut set = Vec::with_capacity(clauses.set.len());
        for (via, column, at) in &clauses.set {
            set_nests |= nests(*at)?;
            let reads = columns_read(table, tokens, &depths, nodes.get(*at)?.start, *at)?;
            if self.dialect.assigns_one_by_one() {
                refuse_read_after_set(table, &set, &reads)?;
            }
            set.push((column_set(table, *via, *column)?, *at));
        }
        let reads = self.dialect.reads_what_it_changes();
        let mut filter_nests = false;
        for at in &clauses.filter {
            filter_nests |= nests(*at)?;
            // What cannot read the table that it changes looks through a list anew for each row of it.
            let expression = tokens.get(nodes.get(*at)?.start..=*at).unwrap_or_default();
            filter_nests |= !reads && expression.iter().any(|token| matches!(token, Token::List(_) | Token::Keys));
        }
        let scope = self.scopes.last_mut().ok_or(Fault::Malformed("a statement has no table"))?;
        let direct = clauses.only_filters() && scope.joins.is_empty() && (reads || !filter_nests);
        // What stands in the statement itself has no joins; only nested queries have to say whose columns they mean.
        scope.joins.clear();
        scope.qualified = set_nests || (direct && filter_nests);
        let (alias, qualified) = (scope.alias, scope.qualified);
        self.table(table)?;
        if qualified {
            self.push(" AS ");
            self.alias(alias);
        }
        for (n, (column, at)) in set.into_iter().enumerate() {
            self.push(if n == 0 { " SET " } else { ", " });
            self.column_name(table, column)?;
            self.push(" = ");
            let calculated = !matches!(tokens.get(at), Some(Token::Column { .. } | Token::Bind(_)));
            let ty = table.column(column).map(|column| column.ty).filter(|_| calculated);
            let (before, behind) = ty.and_then(|ty| self.dialect.checks_stored_integers(ty)).unwrap_or_default();
            self.push(before);
            self.expression(tokens, &nodes, at)?;
            self.push(behind);
        }
        if direct {
            self.conditions(" WHERE ", tokens, &nodes, &clauses.filter)?;
            self.scopes.pop();
        } else {
            self.scopes.pop();
            self.by_key(table, tokens, clauses)?;
        }
        self.returning(kind, table, clauses.returning.iter().copied())
    }

    /// The rows whose keys a query finds, for a statement that cannot find them itself.
    fn by_key(&mut self, table: &'static TableDef, tokens: &[Token], clauses: &Clauses) -> Result<(), Fault> {
        let several = match table.key {
            [] => return Err(Fault::Malformed("a table without a key has no rows to tell apart")),
            key => key.len() > 1,
        };
        self.push(if several { " WHERE (" } else { " WHERE " });
        for (n, column) in table.key.iter().enumerate() {
            self.push(if n == 0 { "" } else { ", " });
            self.column_name(table, *column)?;
        }
        self.push(if several { ") IN (" } else { " IN (" });
        // MySQL refuses to read the table it changes, unless the rows it reads are a table of their own.
        let wrap = !self.dialect.reads_what_it_changes();
        self.push(if wrap { "SELECT * FROM (" } else { "" });
        self.query(table, tokens, 0, clauses, Shown::Key)?;
        self.push(if wrap { ") AS picked)" } else { ")" });
        Ok(())
    }

    fn returning(
        &mut self,
        kind: Kind,
        table: &'static TableDef,
        columns: impl Iterator<Item = u16>,
    ) -> Result<(), Fault> {
        let (able, verb) = match kind {
            Kind::Update => (self.dialect.update_returning(), "UPDATE"),
            Kind::Delete => (self.dialect.delete_returning(), "DELETE"),
            _ => (self.dialect.insert_returning(), "INSERT"),
        };
        for (n, column) in columns.enumerate() {
            if !able {
                return Err(Fault::Unsupported {
                    what: format!("{} gives no rows back from {verb}", self.dialect),
                    instead: "select the rows in the same transaction",
                });
            }
            self.push(if n == 0 { " RETURNING " } else { ", " });
            self.column_name(table, column)?;
            self.outputs.push(column_output(table, column));
        }
        Ok(())
    }
}

/// The column that an assignment writes: one of the table's own, which the key of a related row is as well.
fn column_set(table: &'static TableDef, via: Route, column: u16) -> Result<u16, Fault> {
    let (via, column) = shorten(table, via, column)?;
    if !via.is_root() {
        return Err(Fault::Unsupported {
            what: "an update cannot set a related row's column".to_owned(),
            instead: "update the related rows with a query of their own",
        });
    }
    match table.column(column) {
        Some(_) => Ok(column),
        None => Err(Fault::Unsupported {
            what: format!("an update of {} sets what is no column", table.model),
            instead: "call `set` on a column",
        }),
    }
}

/// The columns that the value of an assignment is made of: an UPDATE sees those of its own table only.
fn columns_read(
    table: &'static TableDef,
    tokens: &[Token],
    depths: &[Option<usize>],
    start: usize,
    end: usize,
) -> Result<Vec<u16>, Fault> {
    let tokens = tokens.get(start..=end).unwrap_or_default();
    let mut read = Vec::new();
    for (token, depth) in tokens.iter().zip(depths.get(start..=end).unwrap_or_default()) {
        if let Token::Column { via, column, outer } = *token
            && *depth == Some(usize::from(outer))
        {
            let (via, column) = shorten(table, via, column)?;
            if !via.is_root() {
                return Err(Fault::Unsupported {
                    what: "an update cannot set a column to a related row's column".to_owned(),
                    instead: "read the value first, or use a column of the same table",
                });
            }
            read.push(column);
        }
    }
    Ok(read)
}

fn refuse_read_after_set(table: &'static TableDef, set: &[(u16, usize)], read: &[u16]) -> Result<(), Fault> {
    let set_before = |column: &&u16| set.iter().any(|(before, _)| before == *column);
    match read.iter().find(set_before).and_then(|column| table.column(*column)) {
        None => Ok(()),
        Some(column) => Err(Fault::Unsupported {
            what: format!(
                "an update sets {}.{} and reads it after that, and MySQL would read the new value",
                table.model, column.field
            ),
            instead: "put the assignment that reads it first, or update in two steps",
        }),
    }
}

pub(super) fn written(tokens: &[Token]) -> Vec<u16> {
    tokens.iter().filter_map(|token| if let Token::Into(column) = token { Some(*column) } else { None }).collect()
}

pub(super) fn rows(tokens: &[Token]) -> u32 {
    tokens.iter().find_map(|token| if let Token::Rows(n) = token { Some(*n) } else { None }).unwrap_or(1)
}

/// What is asked before an INSERT whose generated keys follow each other, so that they need not be given back.
pub(super) fn key_query(table: &'static TableDef, tokens: &[Token], dialect: Dialect) -> Result<Option<String>, Fault> {
    let given = |key: u16| tokens.contains(&Token::Into(key)) || tokens.contains(&Token::Returning(key));
    let Some(key) = table.generated_key().filter(|key| !given(*key)) else { return Ok(None) };
    if !dialect.counts_keys_up() || rows(tokens) < 2 {
        return Ok(None);
    }
    let mut renderer = Renderer::new(dialect);
    if dialect == Dialect::MariaDb {
        renderer.keys_follow(table, key)?;
        return Ok(Some(renderer.sql));
    }
    renderer.push("SELECT max(");
    renderer.column_name(table, key)?;
    renderer.push(") FROM ");
    renderer.table(table)?;
    Ok(Some(renderer.sql))
}

impl Renderer {
    /// MariaDB: gives a row where the keys of one INSERT are certain to follow each other, by one.
    ///
    /// - The server counts the column up, in a plain table of InnoDB.
    /// - No trigger chooses keys. Who may not see triggers cannot know.
    /// - Keys are not shared out among several masters. A Galera cluster changes how they are while a session lasts.
    fn keys_follow(&mut self, table: &'static TableDef, key: u16) -> Result<(), Fault> {
        let literal = |text: &'static str| crate::literal(self.dialect, &crate::Value::Text(text.into()));
        let column = table.column(key).ok_or(Fault::Malformed("a key is no column of its table"))?;
        let (name, column) = (literal(table.name)?, literal(column.name)?);
        let schema = table.schema.map_or(Ok("DATABASE()".to_owned()), literal)?;
        let me = "GRANTEE = CONCAT('''', REPLACE(CURRENT_USER(), '@', '''@'''), '''') AND PRIVILEGE_TYPE = 'TRIGGER'";
        self.push(&format!(
            "SELECT 1 FROM information_schema.TABLES WHERE TABLE_SCHEMA = {schema} AND TABLE_NAME = {name} \
             AND TABLE_TYPE = 'BASE TABLE' AND ENGINE = 'InnoDB' AND CREATE_OPTIONS NOT LIKE '%partitioned%' \
             AND @@auto_increment_increment = 1 \
             AND EXISTS (SELECT 1 FROM information_schema.COLUMNS WHERE TABLE_SCHEMA = {schema} \
             AND TABLE_NAME = {name} AND COLUMN_NAME = {column} AND EXTRA = 'auto_increment') \
             AND NOT EXISTS (SELECT 1 FROM information_schema.TRIGGERS WHERE EVENT_OBJECT_SCHEMA = {schema} \
             AND EVENT_OBJECT_TABLE = {name} AND EVENT_MANIPULATION = 'INSERT') \
             AND (EXISTS (SELECT 1 FROM information_schema.USER_PRIVILEGES WHERE {me}) \
             OR EXISTS (SELECT 1 FROM information_schema.SCHEMA_PRIVILEGES WHERE {me} \
             AND REPLACE(TABLE_SCHEMA, '\\\\', '') = {schema}) \
             OR EXISTS (SELECT 1 FROM information_schema.TABLE_PRIVILEGES WHERE {me} \
             AND TABLE_SCHEMA = {schema} AND TABLE_NAME = {name})) \
             AND NOT EXISTS (SELECT 1 FROM information_schema.SESSION_VARIABLES WHERE VARIABLE_NAME = 'WSREP_ON' \
             AND VARIABLE_VALUE = 'ON')"
        ));
        Ok(())
    }
}

/// The values of a statement that writes many rows are bound row by row.
pub(super) fn row_parameters(
    table: &'static TableDef,
    tokens: &[Token],
    dialect: Dialect,
) -> Result<Vec<Parameter>, Fault> {
    let class = |column: u16| table.column(column).map_or(Class::Text, |column| Class::of(column.ty));
    let list = tokens.contains(&Token::Lists);
    let columns = tokens.iter().filter_map(|token| match token {
        Token::Into(column) | Token::Match(column) => Some(*column),
        _ => None,
    });
    let row: Vec<Parameter> = columns.map(|column| Parameter { class: class(column), list }).collect();
    let values = usize::try_from(rows(tokens)).ok().and_then(|rows| rows.checked_mul(row.len()));
    let values = values.unwrap_or(usize::MAX);
    enough_values(dialect, values)?;
    // Before memory runs out: SQLite's own limit is lower.
    let limit = usize::from(u16::MAX) * 4;
    match values <= limit {
        true => Ok(row.iter().copied().cycle().take(values).collect()),
        false => Err(Fault::TooMuch { what: "values", limit }),
    }
}
