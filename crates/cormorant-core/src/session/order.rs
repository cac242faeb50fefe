//! In which order rows can be written that point at each other.

use std::collections::HashMap;
use std::iter::repeat_n;

/// A row points at another one of those to write.
#[derive(Clone, Copy, Debug)]
pub(super) struct Edge {
    pub(super) from: usize,
    pub(super) to: usize,
    /// The number of the foreign key.
    pub(super) relation: u8,
    /// Whether it may be NULL for a while.
    pub(super) nullable: bool,
}

/// An order in which every row comes behind those it points at.
#[derive(Debug, Default)]
pub(super) struct Order {
    /// Rows of one table each, which do not point at each other: a statement writes them.
    pub(super) groups: Vec<Vec<usize>>,
    /// The edges that had to be left out: their foreign keys are written afterwards.
    pub(super) held: Vec<usize>,
}

/// Orders rows, of which `tables` has the table, by what they point at. Rows of one table stay together where no chain of
/// foreign keys leads from the table back to itself; there, those of one depth do.
///
/// `behind` has tables whose rows come behind all of another one's, whatever they point at.
///
/// # Errors
/// The edges of a cycle in which no foreign key may be NULL.
pub(super) fn order(tables: &[u32], edges: &[Edge], behind: &[(u32, u32)]) -> Result<Order, Vec<usize>> {
    let ranks = ranked(tables, edges.iter(), behind);
    // Mostly no table leads back to itself, and then the rows need not be looked at one by one.
    if edges.iter().all(|edge| get(&ranks, edge.from) != get(&ranks, edge.to)) {
        return Ok(Order {
            groups: groups(tables.len(), |row| (get(&ranks, row), get(tables, row))),
            held: Vec::new(),
        });
    }
    let out = Adjacent::new(tables.len(), edges, |edge| edge.from);
    let (sequence, held) = sequence(tables, edges, &out)?;
    let mut left_out = vec![false; edges.len()];
    for edge in &held {
        set(&mut left_out, *edge, true);
    }
    let kept = edges.iter().zip(&left_out).filter(|(_, out)| !**out).map(|(edge, _)| edge);
    let ranks = ranked(tables, kept, behind);
    // Within tables that lead back to themselves: the longest way to a row that points at none of them.
    let mut depth = vec![0usize; tables.len()];
    for row in sequence {
        let below = out.of(row).iter().filter(|edge| !get(&left_out, **edge)).filter_map(|edge| edges.get(*edge));
        let inside = below.filter(|edge| get(&ranks, edge.to) == get(&ranks, row));
        let deepest = inside.map(|edge| get(&depth, edge.to) + 1).max();
        set(&mut depth, row, deepest.unwrap_or(0));
    }
    let groups = groups(tables.len(), |row| (get(&ranks, row), get(&depth, row), get(tables, row)));
    Ok(Order { groups, held })
}

/// So many rows by their places, in order; those of one place stay in theirs.
fn groups<P: Ord>(rows: usize, place: impl Fn(usize) -> P) -> Vec<Vec<usize>> {
    let mut rows: Vec<usize> = (0..rows).collect();
    rows.sort_by_key(|row| place(*row));
    rows.chunk_by(|one, other| place(*one) == place(*other)).map(<[usize]>::to_vec).collect()
}

/// The edges at each row.
struct Adjacent {
    edges: Vec<usize>,
    start: Vec<usize>,
}

impl Adjacent {
    fn new(rows: usize, edges: &[Edge], at: fn(&Edge) -> usize) -> Self {
        let mut start = vec![0; rows + 1];
        for edge in edges {
            if let Some(count) = start.get_mut(at(edge) + 1) {
                *count += 1;
            }
        }
        let mut sum = 0;
        for count in &mut start {
            sum += *count;
            *count = sum;
        }
        let (mut by_row, mut next) = (vec![0; edges.len()], start.clone());
        for (edge, row) in edges.iter().map(at).enumerate() {
            if let Some(place) = next.get_mut(row) {
                set(&mut by_row, *place, edge);
                *place += 1;
            }
        }
        Self { edges: by_row, start }
    }

    fn of(&self, row: usize) -> &[usize] {
        let range = get(&self.start, row)..get(&self.start, row + 1);
        self.edges.get(range).unwrap_or_default()
    }
}

fn get<T: Copy + Default>(of: &[T], at: usize) -> T {
    of.get(at).copied().unwrap_or_default()
}

fn set<T>(of: &mut [T], at: usize, value: T) {
    if let Some(place) = of.get_mut(at) {
        *place = value;
    }
}

/// Every row behind those it points at, and the edges that were left out for that.
fn sequence(tables: &[u32], edges: &[Edge], out: &Adjacent) -> Result<(Vec<usize>, Vec<usize>), Vec<usize>> {
    let into = Adjacent::new(tables.len(), edges, |edge| edge.to);
    let mut waits: Vec<usize> = (0..tables.len()).map(|row| out.of(row).len()).collect();
    let mut done = vec![false; edges.len()];
    let mut sequence: Vec<usize> = (0..tables.len()).filter(|row| get(&waits, *row) == 0).collect();
    let mut held = Vec::new();
    let (mut next, mut first) = (0, 0);
    loop {
        while let Some(row) = sequence.get(next).copied() {
            next += 1;
            for edge in into.of(row) {
                if !get(&done, *edge) {
                    set(&mut done, *edge, true);
                    release(&mut waits, edges.get(*edge).map_or(row, |edge| edge.from), &mut sequence);
                }
            }
        }
        while first < tables.len() && get(&waits, first) == 0 {
            first += 1;
        }
        if first == tables.len() {
            return Ok((sequence, held));
        }
        let cycle = cycle(first, edges, out, &done);
        // Always the same foreign key of those that may be left out: rows alike are written alike.
        let nullable = cycle.iter().copied().filter(|edge| edges.get(*edge).is_some_and(|edge| edge.nullable));
        let kind = |edge: &usize| edges.get(*edge).map(|edge| (get(tables, edge.from), edge.relation));
        let Some(weakest) = nullable.min_by_key(kind) else { return Err(cycle) };
        held.push(weakest);
        set(&mut done, weakest, true);
        release(&mut waits, edges.get(weakest).map_or(first, |edge| edge.from), &mut sequence);
    }
}

fn release(waits: &mut [usize], row: usize, sequence: &mut Vec<usize>) {
    if let Some(left) = waits.get_mut(row) {
        *left = left.saturating_sub(1);
        if *left == 0 {
            sequence.push(row);
        }
    }
}

/// A cycle of edges that are not done, found from a row that waits for ever.
fn cycle(start: usize, edges: &[Edge], out: &Adjacent, done: &[bool]) -> Vec<usize> {
    let mut seen: HashMap<usize, usize> = HashMap::new();
    let mut way = Vec::new();
    let mut row = start;
    while !seen.contains_key(&row) {
        seen.insert(row, way.len());
        let Some(edge) = out.of(row).iter().copied().find(|edge| !get(done, *edge)) else { return way };
        way.push(edge);
        row = edges.get(edge).map_or(row, |edge| edge.to);
    }
    way.split_off(seen.get(&row).copied().unwrap_or(0).min(way.len()))
}

/// A number for each row, that of its table: greater than those of the tables it points at, and the same for tables that
/// lead to each other.
fn ranked<'e>(tables: &[u32], edges: impl Iterator<Item = &'e Edge>, behind: &[(u32, u32)]) -> Vec<usize> {
    // Rows and edges of one table mostly stand together.
    let same = tables.chunk_by(|one, other| one == other).filter_map(<[u32]>::first);
    let mut reach: HashMap<u32, Vec<u32>> = same.map(|table| (*table, Vec::new())).collect();
    let mut edges: Vec<(u32, u32)> = edges.map(|edge| (get(tables, edge.from), get(tables, edge.to))).collect();
    edges.dedup();
    for (from, to) in edges.into_iter().chain(behind.iter().copied()) {
        let known = reach.entry(from).or_default();
        if !known.contains(&to) {
            known.push(to);
        }
    }
    // By number, so that the same tables always come first.
    let mut left: Vec<u32> = reach.keys().copied().collect();
    left.sort_unstable();
    // Whatever a table leads to, over others too. Tables are few.
    for middle in &left {
        let behind = reach.get(middle).cloned().unwrap_or_default();
        for known in reach.values_mut().filter(|known| known.contains(middle)) {
            for table in &behind {
                if !known.contains(table) {
                    known.push(*table);
                }
            }
        }
    }
    let leads = |from: u32, to: u32| reach.get(&from).is_some_and(|known| known.contains(&to));
    let mut ranks: HashMap<u32, usize> = HashMap::new();
    let mut rank = 0;
    while let Some(first) = left.iter().copied().find(|table| {
        let mut known = reach.get(table).into_iter().flatten();
        known.all(|other| ranks.contains_key(other) || leads(*other, *table) || other == table)
    }) {
        left.retain(|other| {
            let together = *other == first || (leads(*other, first) && leads(first, *other));
            if together {
                ranks.insert(*other, rank);
            }
            !together
        });
        rank += 1;
    }
    let same = tables.chunk_by(|one, other| one == other);
    same.flat_map(|rows| repeat_n(rows.first().and_then(|table| ranks.get(table)).copied().unwrap_or(0), rows.len()))
        .collect()
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn edge(from: usize, to: usize, nullable: bool) -> Edge {
        Edge { from, to, relation: 0, nullable }
    }

    #[test]
    fn parents_come_first_and_a_table_stays_together() {
        let order = order(&[1, 0, 1, 0], &[edge(0, 1, false), edge(2, 3, false)], &[]).unwrap();
        assert_eq!(order.groups, [vec![1, 3], vec![0, 2]]);
    }

    #[test]
    fn a_table_comes_behind_another_when_told_so() {
        let order = order(&[0, 1, 0], &[], &[(0, 1)]).unwrap();
        assert_eq!(order.groups, [vec![1], vec![0, 2]]);
    }

    #[test]
    fn a_tree_in_one_table_goes_by_depth() {
        let edges = [edge(1, 0, true), edge(2, 0, true), edge(3, 1, true)];
        let order = order(&[0; 4], &edges, &[]).unwrap();
        assert_eq!(order.groups, [vec![0], vec![1, 2], vec![3]]);
        assert!(order.held.is_empty());
    }

    #[test]
    fn a_cycle_is_broken_where_it_may_be_null() {
        let edges = [edge(0, 1, false), edge(1, 0, true)];
        let order = order(&[0, 1], &edges, &[]).unwrap();
        assert_eq!((order.groups, order.held), (vec![vec![1], vec![0]], vec![1]));
    }

    #[test]
    fn a_cycle_without_null_is_told() {
        let edges = [edge(0, 1, false), edge(1, 2, false), edge(2, 1, false)];
        assert_eq!(order(&[0, 0, 1], &edges, &[]).unwrap_err(), [1, 2]);
    }

    proptest! {
        #[test]
        fn every_row_comes_behind_what_it_points_at(
            tables in prop::collection::vec(0u32..5, 1..60),
            pairs in prop::collection::vec((0usize..60, 0usize..60, 0u8..3, any::<bool>()), 0..120),
        ) {
            let rows = tables.len();
            let edges: Vec<Edge> = pairs
                .into_iter()
                .map(|(from, to, relation, nullable)| Edge { from: from % rows, to: to % rows, relation, nullable })
                .collect();
            match order(&tables, &edges, &[]) {
                Err(cycle) => {
                    prop_assert!(!cycle.is_empty());
                    for (n, at) in cycle.iter().enumerate() {
                        let next = cycle[(n + 1) % cycle.len()];
                        prop_assert!(!edges[*at].nullable);
                        prop_assert_eq!(edges[*at].to, edges[next].from);
                    }
                }
                Ok(order) => {
                    let mut place = vec![usize::MAX; rows];
                    for (n, group) in order.groups.iter().enumerate() {
                        for row in group {
                            prop_assert_eq!(tables[*row], tables[group[0]]);
                            prop_assert_eq!(place[*row], usize::MAX);
                            place[*row] = n;
                        }
                    }
                    prop_assert!(place.iter().all(|n| *n != usize::MAX));
                    for (n, edge) in edges.iter().enumerate() {
                        if order.held.contains(&n) {
                            prop_assert!(edge.nullable);
                        } else {
                            prop_assert!(place[edge.to] < place[edge.from]);
                        }
                    }
                }
            }
        }
    }
}
