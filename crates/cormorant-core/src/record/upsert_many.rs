//! Inserting many rows, or updating those that are there.

use std::collections::HashMap;

use cormorant_driver::{Error, ErrorKind, Result, Row};
use cormorant_sql::{Buffer, Dialect, Kind, Route, Token};

use super::Record;
use super::batch::{Chunk, bound, check, most_rows};
use super::insert::{Insert, insert_many, written};
use super::many::refused;
use super::unique::Unique;
use super::upsert::{clauses, overwritten, upsert_by};
use crate::executor::{Target, statement};
use crate::identity::Identity;
use crate::key::push_in;
use crate::{Columns, Model, Transaction, Unsaved, problem};

/// Inserts rows, or writes what was given into those that are there by a unique constraint: all or none.
pub(crate) async fn upsert_many<M: Model>(
    target: Target<'_>,
    unique: &Unique,
    models: Vec<Unsaved<M>>,
) -> Result<Vec<Record<M>>> {
    let groups = groups(target, sorted(models, unique)?);
    // A transaction that begins here sees what it meets.
    let lock = unique.lock(target);
    if groups.len() < 2 && groups.iter().all(|group| group.is_whole(target.dialect())) {
        return write(target, unique, lock, groups).await;
    }
    let unit = Transaction::around(target).await?;
    let result = write(Target::Transaction(&unit), unique, lock, groups).await;
    unit.settle(result).await
}

/// A row to write.
struct Incoming<M: Model> {
    record: Record<M>,
    omitted: Columns,
    overwritten: Vec<u16>,
    /// What it may be there by; `None` where no row can be.
    key: Option<Identity>,
    /// Where it stands among all.
    place: usize,
}

/// Rows that one statement writes: of the same columns, in the order of what they may be there by.
struct Group<M: Model> {
    records: Vec<Record<M>>,
    omitted: Columns,
    overwritten: Vec<u16>,
    /// None, where no row can be there.
    keys: Vec<Identity>,
    places: Vec<usize>,
}

impl<M: Model> Group<M> {
    /// Whether it is written whole or not at all without a transaction around it: by one statement that gives each row
    /// back, and fails where two are one to the database.
    fn is_whole(&self, dialect: Dialect) -> bool {
        self.records.len() == 1
            || self.keys.is_empty()
            || (!self.overwritten.is_empty() && dialect.overwrites_once().is_some())
    }
}

/// The rows in the order in which they are written: who else does so waits, and no two for each other.
fn sorted<M: Model>(models: Vec<Unsaved<M>>, unique: &Unique) -> Result<Vec<Incoming<M>>> {
    let overwritten: Vec<Vec<u16>> = models.iter().map(|unsaved| overwritten(unsaved, unique)).collect();
    let mut records: Vec<Record<M>> = models.into_iter().map(Record::unsaved).collect();
    let omitted: Vec<Columns> = records.iter_mut().map(Record::prepare).collect();
    check(&records)?;
    let mut rows = Vec::with_capacity(records.len());
    for (place, ((record, omitted), overwritten)) in records.into_iter().zip(omitted).zip(overwritten).enumerate() {
        let met = unique.can_be_met(&record.entity, omitted).map_err(|_| {
            let why =
                format!("leaves ({}) to the database, so no row can be found by it: give it a value", unique.fields);
            refused::<M>(ErrorKind::Misuse, "model", place, &why)
        })?;
        let key = if met { Some(unique.values(&record.entity)?) } else { None };
        rows.push(Incoming { record, omitted, overwritten, key, place });
    }
    rows.sort_by(|one, other| match (&one.key, &other.key) {
        (Some(one), Some(other)) => one.order(other),
        (one, other) => one.is_none().cmp(&other.is_none()),
    });
    for pair in rows.windows(2) {
        if let [one, other] = pair
            && one.key.is_some()
            && one.key == other.key
        {
            let fields = &unique.fields;
            let why = format!("has the same ({fields}) as the one at position {}: which of them is right?", one.place);
            return Err(refused::<M>(ErrorKind::Misuse, "model", other.place, &why));
        }
    }
    Ok(rows)
}

/// The statements that some rows take.
fn groups<M: Model>(target: Target<'_>, rows: Vec<Incoming<M>>) -> Vec<Group<M>> {
    let mut groups: Vec<Group<M>> = Vec::new();
    for Incoming { record, omitted, overwritten, key, place } in rows {
        let most = most_rows(target, written(M::TABLE, omitted).count());
        // The last is the one that is not full.
        let known = groups.iter_mut().rev().find(|group| {
            group.omitted == omitted && group.overwritten == overwritten && group.keys.is_empty() == key.is_none()
        });
        match known.filter(|group| group.places.len() < most) {
            Some(group) => {
                group.records.push(record);
                group.keys.extend(key);
                group.places.push(place);
            }
            None => groups.push(Group {
                records: vec![record],
                omitted,
                overwritten,
                keys: Vec::from_iter(key),
                places: vec![place],
            }),
        }
    }
    groups
}

/// Writes them, and gives the records in the order of the models.
async fn write<M: Model>(
    target: Target<'_>,
    unique: &Unique,
    lock: Option<Token>,
    groups: Vec<Group<M>>,
) -> Result<Vec<Record<M>>> {
    let mut stored: Vec<(usize, Record<M>)> = Vec::new();
    for mut group in groups {
        let places = std::mem::take(&mut group.places);
        let records = match group.keys.is_empty() {
            true => insert_many(target, group.records).await?,
            false => write_group(target, unique, lock, group).await?,
        };
        stored.extend(places.into_iter().zip(records));
    }
    stored.sort_unstable_by_key(|(place, _)| *place);
    // What the program tells apart may be equal to the database: letters of either case, say.
    let mut known = HashMap::with_capacity(stored.len());
    for (place, record) in &stored {
        if let Some(first) = known.insert(M::key(&record.entity)?, *place) {
            let why = format!("is the same row as the one at position {first}, {}", unique.taken_as_equal());
            return Err(refused::<M>(ErrorKind::Misuse, "model", *place, &why));
        }
    }
    Ok(stored.into_iter().map(|(_, record)| record).collect())
}

async fn write_group<M: Model>(
    target: Target<'_>,
    unique: &Unique,
    lock: Option<Token>,
    group: Group<M>,
) -> Result<Vec<Record<M>>> {
    if group.records.len() == 1 {
        return one_by_one(target, unique, group).await;
    }
    let rows = match write_over(target, unique, &group).await {
        Ok(rows) => rows,
        // Which row it was, and by which constraint, is said when they are written one by one.
        Err(error) if target.dialect().met_another_row(error.code()) => return one_by_one(target, unique, group).await,
        Err(error) if error.code().is_some() && error.code() == target.dialect().overwrites_once() => {
            let why = format!("two of the models are the same row, {}", unique.taken_as_equal());
            return Err(Error::new(ErrorKind::Misuse, why).with_model(M::NAME));
        }
        Err(error) => return Err(error),
    };
    let Group { records, omitted, overwritten, keys, .. } = group;
    let mut stored: Vec<Option<Record<M>>> = keys.iter().map(|_| None).collect();
    let mut take = |rows: Vec<M>| -> Result<()> {
        for row in rows {
            let key = unique.values(&row)?;
            let at = keys.binary_search_by(|known| known.order(&key)).ok();
            if let Some(place) = at.and_then(|at| stored.get_mut(at)) {
                *place = Some(Record::loaded(row));
            }
        }
        Ok(())
    };
    let all = rows.len() == keys.len();
    take(rows)?;
    if !all {
        // Nothing was written into those that are there, or no row came back.
        take(read(target, unique, lock, &keys).await?)?;
    }
    let mut result = Vec::with_capacity(stored.len());
    for (record, stored) in records.into_iter().zip(stored) {
        result.push(match stored {
            Some(stored) => stored,
            // The database holds it in other letters, or somebody deleted it just now.
            None => match unique.find(target, &record.entity).await? {
                Some(found) => found,
                None => upsert_by(record, omitted, &overwritten, target, unique).await?,
            },
        });
    }
    Ok(result)
}

async fn one_by_one<M: Model>(target: Target<'_>, unique: &Unique, group: Group<M>) -> Result<Vec<Record<M>>> {
    let mut stored = Vec::with_capacity(group.records.len());
    for record in group.records {
        stored.push(upsert_by(record, group.omitted, &group.overwritten, target, unique).await?);
    }
    Ok(stored)
}

/// The one statement; gives the rows that come back, in any order.
async fn write_over<M: Model>(target: Target<'_>, unique: &Unique, group: &Group<M>) -> Result<Vec<M>> {
    let chunk = Chunk { omitted: group.omitted, rows: 0..group.records.len() };
    let (token, values) = bound(target.dialect(), &group.records, &chunk)?;
    let clauses = clauses::<M>(unique, &group.overwritten, target);
    let insert = Insert { table: M::TABLE, omitted: group.omitted, rows: token, clauses: &clauses, returns: false };
    let mut rows = Vec::with_capacity(group.records.len());
    let mut sink = |row: &mut Row<'_>| {
        rows.push(M::load(row)?);
        Ok(())
    };
    insert.run(target, &values, &mut sink).await?;
    Ok(rows)
}

/// The rows that are there by some values.
async fn read<M: Model>(target: Target<'_>, unique: &Unique, lock: Option<Token>, keys: &[Identity]) -> Result<Vec<M>> {
    let mut buffer = Buffer::default();
    let keys: Vec<_> = keys.iter().cloned().map(Identity::whole).collect();
    push_in(&mut buffer, Route::ROOT, M::TABLE, &unique.columns, keys);
    buffer.push(Token::Filter);
    buffer.tokens.extend(lock);
    let mut rows = Vec::new();
    let mut sink = |row: &mut Row<'_>| {
        rows.push(M::load(row)?);
        Ok(())
    };
    let read = target.run(&statement(Kind::Select, M::TABLE, &buffer.tokens), &buffer.values, &mut sink).await;
    read.map_err(|error| problem::of_query(error, M::TABLE))?;
    Ok(rows)
}
