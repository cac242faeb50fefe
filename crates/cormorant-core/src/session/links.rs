//! What is known in memory of the links of a many-to-many relation: once for both sides.

use std::collections::{HashMap, HashSet};

use cormorant_sql::schema::TableDef;

/// The links in one table, as far as they are here.
#[derive(Debug)]
pub(super) struct LinkSet {
    pub(super) def: &'static TableDef,
    /// The tables that its first and its second foreign key point at.
    pub(super) tables: [u32; 2],
    links: HashMap<[u32; 2], Link>,
    /// Whom an object was ever linked with, in the order of linking, seen from both sides.
    of: [HashMap<u32, Vec<u32>>; 2],
    complete: [HashSet<u32>; 2],
    /// Added or removed since the last flush.
    pending: Vec<[u32; 2]>,
}

#[derive(Clone, Copy, PartialEq, Eq, Debug)]
enum Link {
    /// In the database.
    Kept,
    Added,
    Removed,
    /// Not in the database, as far as is known here.
    Gone,
}

impl LinkSet {
    pub(super) fn new(def: &'static TableDef, tables: [u32; 2]) -> Self {
        let (links, of, complete) = Default::default();
        Self { def, tables, links, of, complete, pending: Vec::new() }
    }

    /// Those an object is linked with; `side` is the side that it is on.
    pub(super) fn of(&self, side: usize, at: u32) -> impl Iterator<Item = u32> + '_ {
        let others = self.of.get(side).and_then(|of| of.get(&at)).map_or(&[][..], Vec::as_slice);
        let linked = |link: &Link| matches!(link, Link::Kept | Link::Added);
        others.iter().copied().filter(move |other| self.links.get(&pair(side, at, *other)).is_some_and(linked))
    }

    pub(super) fn link(&mut self, side: usize, at: u32, other: u32) {
        self.put(pair(side, at, other), |before| match before {
            Some(Link::Kept) => Link::Kept,
            // One that was taken away may never have been there: written again, it is there once.
            Some(Link::Added | Link::Removed | Link::Gone) | None => Link::Added,
        });
    }

    pub(super) fn unlink(&mut self, side: usize, at: u32, other: u32) {
        // One that is not known may be in the database as well.
        self.put(pair(side, at, other), |_| Link::Removed);
    }

    /// A link was read. What was done to it here counts.
    pub(super) fn found(&mut self, side: usize, at: u32, other: u32) {
        self.put(pair(side, at, other), |before| match before {
            Some(Link::Removed) => Link::Removed,
            _ => Link::Kept,
        });
    }

    fn put(&mut self, pair: [u32; 2], change: impl FnOnce(Option<Link>) -> Link) {
        let before = self.links.get(&pair).copied();
        let after = change(before);
        self.links.insert(pair, after);
        if before.is_none() {
            let [first, second] = pair;
            let [of_first, of_second] = &mut self.of;
            of_first.entry(first).or_default().push(second);
            of_second.entry(second).or_default().push(first);
        }
        if before != Some(after) && matches!(after, Link::Added | Link::Removed) {
            self.pending.push(pair);
        }
    }

    pub(super) fn is_complete(&self, side: usize, at: u32) -> bool {
        self.complete.get(side).is_some_and(|complete| complete.contains(&at))
    }

    pub(super) fn complete(&mut self, side: usize, at: u32) {
        if let Some(complete) = self.complete.get_mut(side) {
            complete.insert(at);
        }
    }

    pub(super) fn is_pending(&self) -> bool {
        !self.pending.is_empty()
    }

    /// The links to write: those to add, and those to take away.
    pub(super) fn changes(&self) -> [Vec<[u32; 2]>; 2] {
        let mut seen = HashSet::new();
        let once: Vec<[u32; 2]> = self.pending.iter().copied().filter(|pair| seen.insert(*pair)).collect();
        [Link::Added, Link::Removed]
            .map(|link| once.iter().copied().filter(|pair| self.links.get(pair) == Some(&link)).collect())
    }

    /// The changes were written.
    pub(super) fn written(&mut self) {
        for pair in std::mem::take(&mut self.pending) {
            match self.links.get_mut(&pair) {
                Some(link @ Link::Added) => *link = Link::Kept,
                Some(link @ Link::Removed) => *link = Link::Gone,
                _ => {}
            }
        }
    }

    /// The database may hold other links. What was changed here and not written stays.
    pub(super) fn expire(&mut self) {
        self.complete.iter_mut().for_each(HashSet::clear);
        for link in self.links.values_mut().filter(|link| **link == Link::Kept) {
            *link = Link::Gone;
        }
    }

    /// An object is forgotten, and not its row: those that it is linked with are not all known any more.
    pub(super) fn lose(&mut self, table: u32, at: u32) {
        for (side, _) in self.tables.into_iter().enumerate().filter(|(_, number)| *number == table) {
            let others = self.of.get(side).and_then(|of| of.get(&at)).map_or(&[][..], Vec::as_slice);
            if let Some(complete) = self.complete.get_mut(1 - side) {
                others.iter().for_each(|other| _ = complete.remove(other));
            }
        }
    }

    /// An object is gone, and its links with it.
    pub(super) fn forget(&mut self, table: u32, at: u32) {
        for (side, number) in self.tables.into_iter().enumerate() {
            if number != table {
                continue;
            }
            if let Some(complete) = self.complete.get_mut(side) {
                complete.remove(&at);
            }
            let others = self.of.get_mut(side).and_then(|of| of.remove(&at)).unwrap_or_default();
            for other in others {
                self.links.remove(&pair(side, at, other));
                if let Some(of) = self.of.get_mut(1 - side).and_then(|of| of.get_mut(&other)) {
                    of.retain(|known| *known != at);
                }
            }
        }
    }
}

/// A link in the order of the table's foreign keys.
fn pair(side: usize, at: u32, other: u32) -> [u32; 2] {
    if side == 0 { [at, other] } else { [other, at] }
}
