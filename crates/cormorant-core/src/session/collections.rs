//! What is known in memory of who belongs to whom: foreign keys seen from the row they point at.

use std::collections::{HashMap, HashSet};

/// The objects that point at others by one foreign key, as far as they are here.
#[derive(Debug)]
pub(super) struct Collection {
    /// The table of those that point, and which of its foreign keys they do it by.
    pub(super) children: u32,
    pub(super) relation: u8,
    /// The table of those that are pointed at.
    pub(super) parents: u32,
    of: HashMap<u32, Vec<u32>>,
    parent: HashMap<u32, u32>,
    /// Those of which every child is here.
    complete: HashSet<u32>,
}

impl Collection {
    pub(super) fn new(children: u32, relation: u8, parents: u32) -> Self {
        let (of, parent, complete) = (HashMap::new(), HashMap::new(), HashSet::new());
        Self { children, relation, parents, of, parent, complete }
    }

    /// The children of a parent that are here, in the order they came.
    pub(super) fn of(&self, parent: u32) -> &[u32] {
        self.of.get(&parent).map_or(&[], Vec::as_slice)
    }

    /// A child points at a parent now, or at none that is here.
    pub(super) fn set(&mut self, child: u32, parent: Option<u32>) {
        let before = match parent {
            Some(parent) => self.parent.insert(child, parent),
            None => self.parent.remove(&child),
        };
        if before == parent {
            return;
        }
        if let Some(children) = before.and_then(|before| self.of.get_mut(&before)) {
            children.retain(|other| *other != child);
        }
        if let Some(parent) = parent {
            self.of.entry(parent).or_default().push(child);
        }
    }

    /// The order in which the database has the children of a parent; others stay behind them.
    pub(super) fn sort(&mut self, parent: u32, order: &[u32]) {
        let Some(children) = self.of.get_mut(&parent) else { return };
        let place: HashMap<u32, usize> = order.iter().copied().zip(0..).collect();
        children.sort_by_key(|child| place.get(child).copied().unwrap_or(usize::MAX));
    }

    pub(super) fn is_complete(&self, parent: u32) -> bool {
        self.complete.contains(&parent)
    }

    pub(super) fn complete(&mut self, parent: u32) {
        self.complete.insert(parent);
    }

    /// Others may have been added in the database.
    pub(super) fn expire(&mut self) {
        self.complete.clear();
    }

    /// A child is forgotten, and not its row. One that was `moved` may have its row elsewhere.
    pub(super) fn lose(&mut self, table: u32, at: u32, moved: bool) {
        if table == self.children {
            match self.parent.get(&at) {
                Some(parent) if !moved => _ = self.complete.remove(parent),
                _ => self.complete.clear(),
            }
        }
    }

    /// An object's place is given up.
    pub(super) fn forget(&mut self, table: u32, at: u32) {
        if table == self.children {
            self.set(at, None);
        }
        if table == self.parents {
            self.complete.remove(&at);
            for child in self.of.remove(&at).unwrap_or_default() {
                self.parent.remove(&child);
            }
        }
    }
}
