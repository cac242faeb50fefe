//! Inserting many rows, or updating those that are there.

use std::collections::HashMap;

use cormorant_driver::{ErrorKind, Result, Row};
use cormorant_sql::{Buffer, Kind, Route, Token};

use super::Record;
use super::batch::{Chunk, bound, check, most_rows};
use super::insert::{Insert, insert_many, written};
use super::many::refused;
use super::unique::Unique;
use super::upsert::{clauses, overwritten, upsert_by};
use crate::executor::{Target, statement};
use crate::identity::{Identity, Seeded};
use crate::key::push_in;
use crate::{Columns, Model, Transaction, Unsaved, problem};

/// Inserts rows, or writes what was given into those that are there by a unique constraint: all or none.
pub(crate) async fn upsert_many<M: Model>(
    target: Target<'_>,
    unique: &Unique,
    models: Vec<Unsaved<M>>,
) -> Result<Vec<Record<M>>> {
    let mut rows = sorted(models, unique)?;
    let alone = rows.split_off(rows.partition_point(|row| row.key.is_some()));
    let (places, alone): (Vec<usize>, Vec<Record<M>>) = alone.into_iter().map(|row| (row.place, row.record)).unzip();
    let groups = groups(target, rows);

    let mut stored: Vec<(usize, Record<M>)> = Vec::new();
    if groups.len() + usize::from(!alone.is_empty()) < 2 {
        write(target, unique, groups, alone, places, &mut stored).await?;
    } else {
        let unit = Transaction::around(target).await?;
        let result = write(Target::Transaction(&unit), unique, groups, alone, places, &mut stored).await;
        unit.settle(result).await?;
    }
    stored.sort_unstable_by_key(|(place, _)| *place);
    Ok(stored.into_iter().map(|(_, record)| record).collect())
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
    keys: Vec<Identity>,
    places: Vec<usize>,
}

/// The rows in the order in which they are written: who else does so waits, and no two for each other.
fn sorted<M: Model>(models: Vec<Unsaved<M>>, unique: &Unique) -> Result<Vec<Incoming<M>>> {
    let overwritten: Vec<Vec<u16>> = models.iter().map(|unsaved| overwritten(unsaved, unique)).collect();
    let mut records: Vec<Record<M>> = models.into_iter().map(Record::unsaved).collect();
    let omitted: Vec<Columns> = records.iter_mut().map(Record::prepare).collect();
    check(&records)?;
    let mut known: HashMap<Identity, usize, Seeded> = HashMap::default();
    let mut rows = Vec::with_capacity(records.len());
    for (place, ((record, omitted), overwritten)) in records.into_iter().zip(omitted).zip(overwritten).enumerate() {
        let mut key = None;
        if unique.can_be_met(&record.entity, omitted)? {
            let values = unique.values(&record.entity)?;
            if let Some(first) = known.insert(values.clone(), place) {
                let why =
                    format!("has the same ({}) as the one at position {first}: which of them is right?", unique.fields);
                return Err(refused::<M>(ErrorKind::Misuse, "model", place, &why));
            }
            key = Some(values);
        }
        rows.push(Incoming { record, omitted, overwritten, key, place });
    }
    rows.sort_by(|one, other| match (&one.key, &other.key) {
        (Some(one), Some(other)) => one.order(other),
        (one, other) => one.is_none().cmp(&other.is_none()),
    });
    Ok(rows)
}

/// The statements that some rows take.
fn groups<M: Model>(target: Target<'_>, rows: Vec<Incoming<M>>) -> Vec<Group<M>> {
    let mut groups: Vec<Group<M>> = Vec::new();
    for Incoming { record, omitted, overwritten, key, place } in rows {
        let most = most_rows(target, written(M::TABLE, omitted).count());
        let is_its = |group: &Group<M>| {
            group.omitted == omitted && group.overwritten == overwritten && group.places.len() < most
        };
        let at = groups.iter().position(is_its).unwrap_or(groups.len());
        if at == groups.len() {
            groups.push(Group { records: vec![], omitted, overwritten, keys: vec![], places: vec![] });
        }
        if let Some(group) = groups.get_mut(at) {
            group.records.push(record);
            group.keys.extend(key);
            group.places.push(place);
        }
    }
    groups
}

async fn write<M: Model>(
    target: Target<'_>,
    unique: &Unique,
    groups: Vec<Group<M>>,
    alone: Vec<Record<M>>,
    places: Vec<usize>,
    stored: &mut Vec<(usize, Record<M>)>,
) -> Result<()> {
    for group in groups {
        let places = group.places.clone();
        stored.extend(places.into_iter().zip(write_group(target, unique, group).await?));
    }
    stored.extend(places.into_iter().zip(insert_many(target, alone).await?));
    Ok(())
}

async fn write_group<M: Model>(target: Target<'_>, unique: &Unique, group: Group<M>) -> Result<Vec<Record<M>>> {
    if group.records.len() == 1 {
        return one_by_one(target, unique, group).await;
    }
    let rows = match write_over(target, unique, &group).await {
        Ok(rows) => rows,
        // Which row it was, and by which constraint, is said when they are written one by one.
        Err(error) if target.dialect().met_another_row(error.code()) => {
            let unit = Transaction::around(target).await?;
            let result = one_by_one(Target::Transaction(&unit), unique, group).await;
            return unit.settle(result).await;
        }
        Err(error) => return Err(error),
    };
    let Group { records, omitted, overwritten, keys, .. } = group;
    let at: HashMap<&Identity, usize, Seeded> = keys.iter().zip(0..).collect();
    let mut stored: Vec<Option<Record<M>>> = keys.iter().map(|_| None).collect();
    let mut take = |rows: Vec<M>| -> Result<()> {
        for row in rows {
            if let Some(place) = at.get(&unique.values(&row)?).and_then(|at| stored.get_mut(*at)) {
                *place = Some(Record::loaded(row));
            }
        }
        Ok(())
    };
    let all = rows.len() == keys.len();
    take(rows)?;
    if !all {
        // Nothing was written into those that are there, or no row came back.
        take(read(target, unique, &keys).await?)?;
    }
    let mut result = Vec::with_capacity(stored.len());
    for (record, stored) in records.into_iter().zip(stored) {
        result.push(match stored {
            Some(stored) => stored,
            // Somebody deleted it just now, or the database holds its values in other letters.
            None => upsert_by(record, omitted, &overwritten, target, unique).await?,
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
async fn read<M: Model>(target: Target<'_>, unique: &Unique, keys: &[Identity]) -> Result<Vec<M>> {
    let mut buffer = Buffer::default();
    let keys: Vec<_> = keys.iter().cloned().map(Identity::whole).collect();
    push_in(&mut buffer, Route::ROOT, M::TABLE, &unique.columns, keys);
    buffer.push(Token::Filter);
    buffer.tokens.extend(unique.lock(target));
    let mut rows = Vec::new();
    let mut sink = |row: &mut Row<'_>| {
        rows.push(M::load(row)?);
        Ok(())
    };
    let read = target.run(&statement(Kind::Select, M::TABLE, &buffer.tokens), &buffer.values, &mut sink).await;
    read.map_err(|error| problem::of_query(error, M::TABLE))?;
    Ok(rows)
}
