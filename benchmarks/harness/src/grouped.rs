//! Related rows put where they belong, as a program without a library for it does it.

use std::collections::HashMap;

/// Rows, each with those that belong to it.
pub fn grouped<P, C>(
    parents: Vec<P>,
    key: impl Fn(&P) -> i32,
    children: impl IntoIterator<Item = C>,
    owner: impl Fn(&C) -> i32,
) -> Vec<(P, Vec<C>)> {
    let places: HashMap<i32, usize> = parents.iter().enumerate().map(|(n, parent)| (key(parent), n)).collect();
    let mut rows: Vec<(P, Vec<C>)> = parents.into_iter().map(|parent| (parent, Vec::new())).collect();
    // Those that belong to one mostly come together.
    let mut last = None;
    for child in children {
        let owner = owner(&child);
        let place = match last {
            Some((key, place)) if key == owner => place,
            _ => places[&owner],
        };
        last = Some((owner, place));
        rows[place].1.push(child);
    }
    rows
}
