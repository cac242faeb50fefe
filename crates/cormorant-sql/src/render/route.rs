//! Routes followed from table to table.

use cormorant_schema::TableDef;

use crate::{Fault, Route, Token};

/// One relation of a route: the row of `table` whose column `to` holds what the column `from` of the row before does.
#[derive(Clone, Copy)]
pub(super) struct Hop {
    pub(super) table: &'static TableDef,
    pub(super) from: u16,
    pub(super) to: u16,
    /// Whether there may be no such row.
    pub(super) left: bool,
    /// Whether it follows the row's own foreign key.
    forward: bool,
}

/// The relation with this number.
pub(super) fn hop(table: &'static TableDef, number: u8) -> Result<Hop, Fault> {
    const NOWHERE: Fault = Fault::Malformed("a route leads along no relation");
    const SEVERAL: Fault = Fault::Malformed("a relation leads to a table whose key is not one column");
    let Some(reverse) = number.checked_sub(Route::REVERSE) else {
        let relation = table.relations.get(usize::from(number)).ok_or(NOWHERE)?;
        let target = (relation.target)();
        let [to] = *target.key else { return Err(SEVERAL) };
        let left = table.column(relation.column).is_some_and(|column| column.null);
        return Ok(Hop { table: target, from: relation.column, to, left, forward: true });
    };
    let many = (table.many)().get(usize::from(reverse)).ok_or(NOWHERE)?;
    let to = many.foreign_key().ok_or(NOWHERE)?.column;
    let [from] = *table.key else { return Err(SEVERAL) };
    Ok(Hop { table: (many.source)(), from, to, left: true, forward: false })
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
        Some((_, hop)) if hop.forward && at.key == [column] => shorten(table, before, hop.from),
        _ => Ok((via, column)),
    }
}
