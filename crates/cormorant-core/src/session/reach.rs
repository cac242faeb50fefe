//! Whose rows a write by query may have reached: by the query itself, and by what the database does then.

use std::ptr;

use cormorant_sql::schema::{OnDelete, TableDef};

/// What may have become of rows of a table.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) struct Fate {
    pub(super) changed: bool,
    pub(super) deleted: bool,
    /// They have other keys.
    pub(super) rekeyed: bool,
}

impl Fate {
    fn is_reached(self) -> bool {
        self.changed || self.deleted || self.rekeyed
    }
}

/// The tables whose rows were reached by a write to one table: that one, and those whose foreign keys follow it.
#[derive(Debug)]
pub(super) struct Reach(Vec<(&'static TableDef, Fate)>);

impl Reach {
    /// What a write to a table reaches among some others.
    pub(super) fn of(written: &'static TableDef, fate: Fate, others: impl Iterator<Item = &'static TableDef>) -> Self {
        let mut reach = Self(vec![(written, fate)]);
        others.for_each(|other| reach.know(other));
        reach.spread();
        reach
    }

    /// Whether rows of a table were reached.
    pub(super) fn contains(&self, table: &TableDef) -> bool {
        self.fate(table).is_reached()
    }

    fn fate(&self, table: &TableDef) -> Fate {
        self.0.iter().find(|(known, _)| same(known, table)).map_or_else(Fate::default, |(_, fate)| *fate)
    }

    /// Takes in a table, and every one that it points at, however far: the way to it may lead through tables of which
    /// the session has no object.
    fn know(&mut self, table: &'static TableDef) {
        if !self.0.iter().any(|(known, _)| same(known, table)) {
            self.0.push((table, Fate::default()));
            table.relations.iter().for_each(|relation| self.know((relation.target)()));
        }
    }

    fn spread(&mut self) {
        let mut again = true;
        while std::mem::take(&mut again) {
            for at in 0..self.0.len() {
                let Some((table, before)) = self.0.get(at).copied() else { continue };
                let after = self.follow(table, before);
                if let Some((_, fate)) = self.0.get_mut(at) {
                    *fate = after;
                }
                again |= after != before;
            }
        }
    }

    /// What becomes of a table's rows by what became of those that they point at.
    fn follow(&self, table: &TableDef, mut fate: Fate) -> Fate {
        for relation in table.relations {
            let target = self.fate((relation.target)());
            let rekeyed = target.rekeyed && relation.on_update.is_some_and(|rule| rule != OnDelete::Restrict);
            let loosened = target.deleted && matches!(relation.on_delete, OnDelete::SetNull | OnDelete::SetDefault);
            fate.deleted |= target.deleted && relation.on_delete == OnDelete::Cascade;
            fate.changed |= rekeyed || loosened;
            fate.rekeyed |= (rekeyed || loosened) && relation.columns.iter().any(|column| table.key.contains(column));
        }
        fate
    }
}

/// Two mappers may store one table.
fn same(one: &TableDef, other: &TableDef) -> bool {
    ptr::eq(one, other) || (one.name, one.schema) == (other.name, other.schema)
}

#[cfg(test)]
mod tests {
    use cormorant_macros::Model;

    use super::*;
    use crate::{ForeignKey, Mapper};

    #[derive(Model)]
    #[model(crate = "crate")]
    struct Region {
        #[model(key, max_length = 10)]
        code: String,
    }

    #[derive(Model)]
    #[model(crate = "crate")]
    struct Town {
        id: i64,
        #[model(on_delete = cascade, on_update = cascade)]
        region: ForeignKey<Region>,
    }

    #[derive(Model)]
    #[model(crate = "crate")]
    struct Street {
        id: i64,
        #[model(on_delete = cascade)]
        town: ForeignKey<Town>,
    }

    #[derive(Model)]
    #[model(crate = "crate")]
    struct Guest {
        id: i64,
        #[model(on_delete = set_null)]
        town: Option<ForeignKey<Town>>,
    }

    #[derive(Model)]
    #[model(crate = "crate")]
    struct Letter {
        id: i64,
        #[model(on_delete = cascade)]
        guest: ForeignKey<Guest>,
        region: ForeignKey<Region>,
    }

    /// The same rows as `Town` has.
    #[derive(Model)]
    #[model(crate = "crate")]
    #[model(table = "towns")]
    struct Place {
        id: i64,
    }

    const DELETED: Fate = Fate { changed: false, deleted: true, rekeyed: false };
    const CHANGED: Fate = Fate { changed: true, deleted: false, rekeyed: false };
    const REKEYED: Fate = Fate { changed: true, deleted: false, rekeyed: true };

    /// The models reached, of these.
    fn reached(written: &'static TableDef, fate: Fate, others: &[&'static TableDef]) -> Vec<&'static str> {
        let reach = Reach::of(written, fate, others.iter().copied());
        others.iter().filter(|table| reach.contains(table)).map(|table| table.model).collect()
    }

    #[test]
    fn a_write_reaches_its_table_and_those_that_follow_it() {
        let all = [Region::TABLE, Town::TABLE, Street::TABLE, Guest::TABLE, Letter::TABLE, Place::TABLE];
        assert_eq!(reached(Town::TABLE, CHANGED, &all), ["Town", "Place"]);
        assert_eq!(reached(Place::TABLE, CHANGED, &all), ["Town", "Place"]);
        assert_eq!(reached(Region::TABLE, CHANGED, &all), ["Region"]);
        assert_eq!(reached(Region::TABLE, REKEYED, &all), ["Region", "Town", "Place"]);
        assert_eq!(reached(Region::TABLE, DELETED, &all), ["Region", "Town", "Street", "Guest", "Place"]);
        assert_eq!(reached(Guest::TABLE, DELETED, &all), ["Guest", "Letter"]);
        assert_eq!(reached(Letter::TABLE, DELETED, &all), ["Letter"]);
        assert_eq!(reached(Region::TABLE, DELETED, &[Street::TABLE]), ["Street"], "through what is not here");
    }
}
