//! The statements of a flush.

use std::collections::{HashMap, HashSet};

use cormorant_driver::{Result, Row};
use cormorant_sql::schema::{RelationDef, TableDef};
use cormorant_sql::{Buffer, Kind, Route, Token, Value};

use super::handle::Node;
use super::plan::Rows;
use super::table::Table;
use crate::executor::{Target, no_rows, statement};
use crate::identity::Identity;
use crate::key::push_in;
use crate::mapper::by_key;
use crate::query::class_of;
use crate::record::{Batch, before, finds_fewer, insert_batches, stale, stale_rows, update_rows};
use crate::relation::{MOST_KEYS, push_equal};
use crate::step::Step;
use crate::{Columns, Unstorable, problem, validate};

/// The condition that a row has this key.
pub(super) fn push_identity(buffer: &mut Buffer, table: &'static TableDef, identity: Identity) {
    buffer.tokens.extend(by_key(table));
    buffer.values.extend(identity.0);
}

/// Columns of objects that stay NULL until the rows they point at are there.
pub(super) type Held = HashSet<(Node, u16)>;

/// Inserts objects, none of which points at another one; those of one table once.
pub(super) async fn insert(target: Target<'_>, tables: &mut [Table], groups: &[Rows], held: &Held) -> Result<()> {
    let mut batches = Vec::with_capacity(groups.len());
    for (number, table) in (0u32..).zip(tables) {
        if let Some(rows) = groups.iter().find(|rows| rows.table == number) {
            let rows = by_omitted(table, &rows.rows);
            batches.push(NewRows { number, table, rows, held });
        }
    }
    insert_batches(target, &mut batches).await
}

/// Rows that leave the same columns to the database stand together.
fn by_omitted(table: &Table, rows: &[u32]) -> Vec<u32> {
    let mut groups: Vec<(Columns, Vec<u32>)> = Vec::new();
    for at in rows {
        let omitted = table.omitted(*at);
        match groups.iter_mut().find(|(columns, _)| *columns == omitted) {
            Some((_, rows)) => rows.push(*at),
            None => groups.push((omitted, vec![*at])),
        }
    }
    groups.into_iter().flat_map(|(_, rows)| rows).collect()
}

/// New objects, as rows to insert.
struct NewRows<'a> {
    number: u32,
    table: &'a mut Table,
    rows: Vec<u32>,
    held: &'a Held,
}

impl NewRows<'_> {
    fn at(&self, row: usize) -> u32 {
        self.rows.get(row).copied().unwrap_or(u32::MAX)
    }
}

impl Batch for NewRows<'_> {
    fn table(&self) -> &'static TableDef {
        self.table.def
    }

    fn len(&self) -> usize {
        self.rows.len()
    }

    fn omitted(&self, row: usize) -> Columns {
        self.table.omitted(self.at(row))
    }

    fn value(&self, row: usize, column: u16) -> Result<Value<'_>, Unstorable> {
        let at = self.at(row);
        match !self.held.is_empty() && self.held.contains(&(Node { table: self.number, at }, column)) {
            true => Ok(Value::Null),
            false => self.table.entities.value(at, column),
        }
    }

    fn set_key(&mut self, row: usize, key: i64) -> Result<()> {
        self.table.entities.set_generated_key(self.at(row), key)
    }

    fn assign(&mut self, row: usize, column: u16, cells: &mut Row<'_>) -> Result<()> {
        self.table.entities.assign(self.at(row), column, cells)
    }
}

/// Writes some columns of objects of one table each, in the order of their keys: who else does so waits, and no two for
/// each other.
pub(super) async fn update(target: Target<'_>, tables: &[Table], groups: &[(Rows, Columns)]) -> Result<()> {
    let mut steps = Vec::new();
    let mut written = Vec::with_capacity(groups.len());
    for (rows, columns) in groups {
        let Some(table) = tables.get(rows.table as usize) else { continue };
        let version = table.def.version().filter(|version| columns.contains(*version));
        let columns: Vec<u16> = columns.iter().collect();
        let mut rows: Vec<(Identity, u32)> =
            identities(table, &rows.rows)?.into_iter().zip(rows.rows.iter().copied()).collect();
        rows.sort_by(|(one, _), (other, _)| one.order(other));
        let mut values = Vec::with_capacity(rows.len() * (columns.len() + 1));
        for (key, at) in &rows {
            validate::values_of(
                table.def,
                columns.iter().copied(),
                |column| table.entities.value(*at, column),
                |value| {
                    values.push(value);
                },
            )?;
            values.extend(key.0.iter().cloned());
            values.extend(version.map(|version| before(table.entities.value(*at, version))));
        }
        let updates = update_rows(target, table.def, &columns, version.as_slice(), values);
        written.push((updates.len(), table.def, rows));
        steps.extend(updates);
    }
    let ran = target.run_all(&steps).await;
    let mut answers = ran.answers().iter();
    for (updates, table, rows) in written {
        if finds_fewer(&mut answers, updates, rows.len() as u64) {
            return Err(stale_rows(target, table, rows.into_iter().flat_map(|(key, _)| key.0).collect()).await);
        }
    }
    ran.all().map(drop)
}

/// Writes some columns of one object before its turn: with a value that only stands in, or with the object's own. A
/// foreign key to a row that is not there yet waits for its turn.
pub(super) async fn move_value(
    target: Target<'_>,
    table: &mut Table,
    at: u32,
    columns: &[u16],
    stand_in: Option<Value<'static>>,
) -> Result<()> {
    let mut buffer = Buffer::default();
    for column in columns {
        let value = match &stand_in {
            Some(value) => value.clone(),
            None => match table.entities.value(at, *column) {
                Ok(value) => value.into_owned(),
                Err(_) => return Ok(()),
            },
        };
        buffer.push(Token::Bind(class_of(table.def, *column)));
        buffer.push(Token::Set(*column));
        buffer.values.push(value);
    }
    push_identity(&mut buffer, table.def, table.entities.base_identity(at)?);
    let statement = statement(Kind::Update, table.def, &buffer.tokens);
    let done = target.run(&statement, &buffer.values, &mut no_rows).await;
    let done = done.map_err(|error| {
        problem::of_write(error, table.def, columns, buffer.values.get(..columns.len()).unwrap_or_default())
    })?;
    match done.rows {
        0 => Err(stale(table.def, 0, [&*table.entities.base_identity(at)?.0].into_iter(), "saved")),
        _ => Ok(()),
    }
}

/// Deletes objects, none of which points at one before it. Those that are `taken` may have gone with others.
pub(super) async fn delete(target: Target<'_>, tables: &[Table], groups: &[Rows], taken: &HashSet<Node>) -> Result<()> {
    let mut deletes = Vec::new();
    for group in groups {
        let Some(table) = tables.get(group.table as usize) else { continue };
        for rows in group.rows.chunks(MOST_KEYS) {
            let gone = rows.iter().filter(|at| taken.contains(&Node { table: group.table, at: **at })).count() as u64;
            deletes.push(Delete { table, rows, gone });
        }
    }
    // What may be left is asked about before anything else goes.
    for deletes in deletes.chunk_by(|delete, _| !delete.may_be_left()) {
        delete_all(target, deletes).await?;
    }
    Ok(())
}

/// Rows that one statement deletes.
struct Delete<'a> {
    table: &'a Table,
    rows: &'a [u32],
    /// How many of them may have gone with others.
    gone: u64,
}

impl Delete<'_> {
    /// Whether a row that is not found can be there still, with another version.
    fn may_be_left(&self) -> bool {
        self.gone > 0 && self.table.def.version().is_some()
    }
}

async fn delete_all(target: Target<'_>, deletes: &[Delete<'_>]) -> Result<()> {
    let steps = deletes.iter().map(|delete| delete_rows(delete.table, delete.rows)).collect::<Result<Vec<_>>>()?;
    let ran = target.run_all(&steps).await;
    for (delete, answer) in deletes.iter().zip(ran.answers()) {
        let Delete { table, rows, gone } = delete;
        if answer.rows < rows.len() as u64 {
            let keys = identities(table, rows)?;
            let missing = answer.rows + gone < rows.len() as u64;
            if missing || delete.may_be_left() && is_left(target, table.def, &keys).await? {
                return Err(stale(table.def, answer.rows, keys.iter().map(|key| &*key.0), "deleted"));
            }
        }
    }
    ran.all().map(drop)
}

fn delete_rows(table: &Table, rows: &[u32]) -> Result<Step<'static>> {
    let mut buffer = Buffer::default();
    let mut keys = identities(table, rows)?;
    match table.def.version() {
        None => push_identities(&mut buffer, table.def, keys.into_iter()),
        // Those that nobody has changed since.
        Some(version) => {
            for (key, at) in keys.iter_mut().zip(rows) {
                key.0.push(table.entities.value(*at, version).map_or(Value::Null, Value::into_owned));
            }
            let columns: Vec<u16> = table.def.key.iter().copied().chain([version]).collect();
            push_in(&mut buffer, Route::ROOT, table.def, &columns, keys.into_iter().map(Identity::whole).collect());
            buffer.push(Token::Filter);
        }
    }
    Ok(Step::of(Kind::Delete, table.def, buffer, &[]))
}

/// The keys of objects' rows.
fn identities(table: &Table, rows: &[u32]) -> Result<Vec<Identity>> {
    rows.iter().map(|at| table.entities.base_identity(*at)).collect()
}

/// Whether one of some rows is there still, which has another version then.
#[cold]
async fn is_left(target: Target<'_>, table: &'static TableDef, keys: &[Identity]) -> Result<bool> {
    let mut buffer = Buffer::default();
    push_identities(&mut buffer, table, keys.iter().cloned());
    let statement = statement(Kind::Exists, table, &buffer.tokens);
    let mut left = false;
    let mut sink = |row: &mut Row<'_>| {
        left = row.read(|cell| cell.bool())?;
        Ok(())
    };
    target.run(&statement, &buffer.values, &mut sink).await.map_err(|error| problem::of_query(error, table))?;
    Ok(left)
}

/// Makes foreign keys of some objects NULL.
pub(super) async fn loosen(
    target: Target<'_>,
    tables: &[Table],
    groups: &[(Rows, &'static RelationDef)],
) -> Result<()> {
    let mut steps = Vec::new();
    for (rows, key) in groups {
        let Some(table) = tables.get(rows.table as usize) else { continue };
        for rows in rows.rows.chunks(MOST_KEYS) {
            let mut buffer = Buffer::default();
            for column in key.columns {
                buffer.push(Token::Bind(class_of(table.def, *column)));
                buffer.push(Token::Set(*column));
                buffer.values.push(Value::Null);
            }
            push_identities(&mut buffer, table.def, identities(table, rows)?.into_iter());
            steps.push(Step::of(Kind::Update, table.def, buffer, &[]));
        }
    }
    target.run_all(&steps).await.all().map(drop)
}

/// Links of one table to take away and to add: two keys each.
pub(super) struct Links {
    pub(super) table: &'static TableDef,
    pub(super) removed: Vec<[Identity; 2]>,
    pub(super) added: Vec<[Identity; 2]>,
}

/// Links rows, and takes links away. What is linked already stays so.
pub(super) async fn link(target: Target<'_>, links: Vec<Links>) -> Result<()> {
    let mut steps = Vec::new();
    for Links { table, removed, added } in links {
        unlink_pairs(&mut steps, table, removed);
        link_pairs(&mut steps, table, added);
    }
    target.run_all(&steps).await.all().map(drop)
}

fn link_pairs(steps: &mut Vec<Step<'_>>, table: &'static TableDef, pairs: Vec<[Identity; 2]>) {
    let columns: Vec<u16> = table.relations.iter().flat_map(|key| key.columns).copied().collect();
    for pairs in pairs.chunks(MOST_LINKS / columns.len().max(1)) {
        let mut buffer = Buffer::default();
        columns.iter().for_each(|column| buffer.push(Token::Into(*column)));
        buffer.push(Token::Rows(pairs.len() as u32));
        columns.iter().for_each(|column| buffer.push(Token::Conflict(*column)));
        buffer.values.extend(pairs.iter().flatten().flat_map(|key| key.0.iter().cloned()));
        steps.push(Step::of(Kind::Insert, table, buffer, &columns));
    }
}

/// One statement for each row of the side that has fewer.
fn unlink_pairs(steps: &mut Vec<Step<'_>>, table: &'static TableDef, pairs: Vec<[Identity; 2]>) {
    let [first, second] = table.relations else { return };
    let by = |side: usize| {
        let mut groups: HashMap<Identity, Vec<Value<'static>>> = HashMap::new();
        for [a, b] in &pairs {
            let (one, other) = if side == 0 { (a, b) } else { (b, a) };
            groups.entry(one.clone()).or_default().push(other.clone().whole());
        }
        groups
    };
    let sides = [(by(0), first, second), (by(1), second, first)];
    let Some((groups, one, many)) = sides.into_iter().min_by_key(|(groups, ..)| groups.len()) else { return };
    for (key, others) in groups {
        for others in others.chunks(MOST_KEYS) {
            let mut buffer = Buffer::default();
            push_equal(&mut buffer, table, one.columns, key.clone().whole());
            push_in(&mut buffer, Route::ROOT, table, many.columns, others.to_vec());
            buffer.push(Token::Filter);
            steps.push(Step::of(Kind::Delete, table, buffer, &[]));
        }
    }
}

/// Values of links in one statement: no database takes more than 32,766.
const MOST_LINKS: usize = 20_000;

/// The condition that a row has one of these keys.
pub(super) fn push_identities(
    buffer: &mut Buffer,
    table: &'static TableDef,
    keys: impl ExactSizeIterator<Item = Identity>,
) {
    match keys.len() {
        1 => keys.for_each(|key| push_identity(buffer, table, key)),
        _ => {
            push_in(buffer, Route::ROOT, table, table.key, keys.map(Identity::whole).collect());
            buffer.push(Token::Filter);
        }
    }
}
