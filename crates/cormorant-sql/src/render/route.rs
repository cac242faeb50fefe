//! Routes followed from table to table.

use cormorant_schema::TableDef;

use crate::{Fault, Route, Token};

/// One relation of a route: the row of `table` whose columns `to` hold what the columns `from` of the row before do.
#[derive(Clone, Copy)]
pub(super) struct Hop {
    pub(super) table: &'static TableDef,
    pub(super) from: &'static [u16],
    pub(super) to: &'static [u16],
    /// Whether there may be no such row.
    pub(super) left: bool,
    /// Whether it follows the row's own foreign key.
    forward: bool,
}

/// The relation with this number.
pub(super) fn hop(table: &'static TableDef, number: u8) -> Result<Hop, Fault> {
    const NOWHERE: Fault = Fault::Malformed("a route leads along no relation");
    let hop = match number.checked_sub(Route::REVERSE) {
        None => {
            let relation = table.relations.get(usize::from(number)).ok_or(NOWHERE)?;
            let (target, from) = ((relation.target)(), relation.columns);
            Hop { table: target, from, to: target.key, left: table.any_null(from), forward: true }
        }
        Some(reverse) => {
            let many = (table.many)().get(usize::from(reverse)).ok_or(NOWHERE)?;
            let to = many.foreign_key().ok_or(NOWHERE)?.columns;
            Hop { table: (many.source)(), from: table.key, to, left: true, forward: false }
        }
    };
    match hop.from.len() == hop.to.len() && !hop.to.is_empty() {
        true => Ok(hop),
        false => Err(Fault::Malformed("a foreign key has other columns than the key that it points at")),
    }
}

/// The numbers of a route's relations.
pub(super) fn hops(route: Route) -> Result<impl Iterator<Item = u8>, Fault> {
    route.hops().ok_or(Fault::TooMuch { what: "relations on the way to a column", limit: Route::MAX })
}

/// The table at the end of a route, and whether a row may be missing there.
pub(super) fn follow(table: &'static TableDef, route: Route) -> Result<(&'static TableDef, bool), Fault> {
    let mut at = (table, false);
    for number in hops(route)? {
        let hop = hop(at.0, number)?;
        at = (hop.table, at.1 || hop.left);
    }
    Ok(at)
}

/// The column of a table that a token reads: its own, or the foreign key where the key of a related row stands; `None`
/// for any other expression.
pub fn own_column(table: &'static TableDef, token: Token) -> Option<u16> {
    let Token::Column { via, column, outer: 0 } = token else { return None };
    match shorten(table, via, column) {
        Ok((Route::ROOT, column)) => table.column(column).map(|_| column),
        _ => None,
    }
}

/// The key of a related row stands in the foreign key itself: `post.author.id` is `post.author_id`, without a join.
pub(super) fn shorten(table: &'static TableDef, via: Route, column: u16) -> Result<(Route, u16), Fault> {
    let (mut before, mut at, mut last) = (Route::ROOT, table, None);
    for number in hops(via)? {
        if let Some((number, _)) = last {
            before = before.then(number);
        }
        let hop = hop(at, number)?;
        at = hop.table;
        last = Some((number, hop));
    }
    match last {
        // One hop less each time: this ends.
        Some((_, hop)) if hop.forward => match own_part(&hop, column) {
            Some(own) => shorten(table, before, own),
            None => Ok((via, column)),
        },
        _ => Ok((via, column)),
    }
}

/// The column of a foreign key that holds this column of the key it points at.
fn own_part(hop: &Hop, column: u16) -> Option<u16> {
    hop.to.iter().zip(hop.from).find(|(to, _)| **to == column).map(|(_, from)| *from)
}
