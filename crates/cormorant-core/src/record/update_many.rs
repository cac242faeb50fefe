//! Saving many.

use std::collections::HashSet;

use cormorant_driver::{Error, ErrorKind, Result};
use cormorant_sql::Value;

use super::many::{numbered, refused};
use super::update_rows::{before, finds_fewer, stale_rows, update_rows};
use super::{Record, State};
use crate::executor::Target;
use crate::{Columns, Key as _, Model, Transaction, validate};

/// Writes what changed in many records: validated first, then in as few statements as fit, all or none.
pub(crate) async fn update_many<M: Model>(target: Target<'_>, mut records: Vec<&mut Record<M>>) -> Result<()> {
    let groups = groups(&mut records)?;
    let written = match groups.as_slice() {
        [] => return Ok(()),
        // One row is kept or not by itself.
        [Group { places, .. }] if places.len() == 1 => write(target, &records, &groups).await,
        groups => write_all(target, &records, groups).await,
    };
    for place in groups.iter().flat_map(|group| &group.places) {
        if let Some(Record { entity, state: State::Touched(snapshot) }) =
            records.get_mut(*place).map(|record| &mut **record)
        {
            match written {
                Ok(()) => M::renew(snapshot, entity),
                Err(_) => drop(M::bump(snapshot, entity, false)),
            }
        }
    }
    written
}

/// All or none.
async fn write_all<M: Model>(target: Target<'_>, records: &[&mut Record<M>], groups: &[Group]) -> Result<()> {
    let unit = Transaction::around(target).await?;
    let result = write(Target::Transaction(&unit), records, groups).await;
    unit.settle(result).await
}

/// Records in which the same columns changed.
struct Group {
    changed: Columns,
    /// Where they stand among all.
    places: Vec<usize>,
}

/// The records that changed, all of them valid.
fn groups<M: Model>(records: &mut [&mut Record<M>]) -> Result<Vec<Group>> {
    let mut groups: Vec<Group> = Vec::new();
    let mut keys = HashSet::new();
    let mut faults = Vec::new();
    for (place, record) in records.iter_mut().enumerate() {
        let Record { entity, state } = &mut **record;
        let snapshot = match state {
            State::Clean => continue,
            State::Touched(snapshot) => snapshot,
            State::New(_) => {
                let why = "was never saved, so there is no row to update: insert it, or `save` each record";
                return Err(refused::<M>(ErrorKind::Misuse, "record", place, why));
            }
            State::Deleted => {
                return Err(refused::<M>(ErrorKind::Stale, "record", place, "is of a row that was deleted through it"));
            }
        };
        M::as_stored(entity);
        let mut changed = M::changed(snapshot, entity);
        if changed.is_empty() {
            continue;
        }
        if let Some((version, _)) = M::bump(snapshot, entity, true) {
            changed.add(version);
        }
        if let Err(error) = validate::values::<M>(entity, changed.iter(), drop) {
            faults.extend(numbered(error.faults(), "record", place));
        }
        if !keys.insert(M::snapshot_key(snapshot)?) {
            let why = "is of the same row as another: which of them is right?";
            return Err(refused::<M>(ErrorKind::Misuse, "record", place, why));
        }
        match groups.iter_mut().rev().find(|group| group.changed == changed) {
            Some(group) => group.places.push(place),
            None => groups.push(Group { changed, places: vec![place] }),
        }
    }
    if faults.is_empty() { Ok(groups) } else { Err(Error::validation(M::NAME, faults)) }
}

async fn write<M: Model>(target: Target<'_>, records: &[&mut Record<M>], groups: &[Group]) -> Result<()> {
    let mut steps = Vec::new();
    let mut written = Vec::new();
    for Group { changed, places } in groups {
        let set: Vec<u16> = changed.iter().collect();
        let version = M::TABLE.version();
        let mut keys = Vec::with_capacity(places.len() * M::TABLE.key.len());
        let mut values = Vec::with_capacity(places.len() * (set.len() + M::TABLE.key.len()));
        for record in places.iter().filter_map(|place| records.get(*place)) {
            for column in &set {
                // Valid since `groups`: what is not after all, the driver refuses.
                let value = M::value(&record.entity, *column);
                values.push(value.unwrap_or_else(|unstorable| Value::Unstorable(unstorable.0.into())));
            }
            record.stored_key()?.values(|value| {
                keys.push(value.clone());
                values.push(value);
            })?;
            values.extend(version.map(|version| before(M::value(&record.entity, version))));
        }
        let updates = update_rows(target, M::TABLE, &set, version.as_slice(), values);
        written.push((updates.len(), places.len() as u64, keys));
        steps.extend(updates);
    }
    let ran = target.run_all(&steps).await;
    let mut answers = ran.answers().iter();
    for (updates, rows, keys) in written {
        if finds_fewer(&mut answers, updates, rows) {
            return Err(stale_rows(target, M::TABLE, keys).await);
        }
    }
    ran.all().map(drop)
}
