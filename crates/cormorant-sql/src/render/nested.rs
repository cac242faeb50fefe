//! Queries inside the tokens of another.

use std::ops::Range;

use crate::{Fault, Token};

/// How deep queries may be nested in each other: writing one inside another takes call stack.
pub(super) const DEEPEST: usize = 32;

pub(super) fn too_deep() -> Fault {
    Fault::TooMuch { what: "queries nested in each other", limit: DEEPEST }
}

/// How many values a slice of tokens binds.
pub(super) fn values(tokens: &[Token]) -> usize {
    tokens.iter().filter(|token| token.takes_value()).count()
}

/// Where the tokens of nested queries stand, outermost ones only, in order. Each ends before the token that holds
/// it; a query of every row has none.
pub(super) fn nested(tokens: &[Token]) -> Result<Vec<Range<usize>>, Fault> {
    let mut ranges = Vec::new();
    let mut at = tokens.len();
    while let Some(last) = at.checked_sub(1) {
        at = last;
        if let Some(start) = held(tokens, last)? {
            ranges.push(start..last);
            at = start;
        }
    }
    ranges.reverse();
    Ok(ranges)
}

/// For each token, how many queries deeper than these tokens it stands: what [`Token::Column::outer`] counts back.
/// `None` in a query that stands beside this one, in WITH or behind UNION: its columns are none of this one's.
pub(crate) fn depths(tokens: &[Token]) -> Result<Vec<Option<usize>>, Fault> {
    let mut depths = vec![None; tokens.len()];
    // The nested queries around a token, innermost last: where each starts, and how deep it is.
    let mut around: Vec<(usize, usize)> = Vec::new();
    let mut at = tokens.len();
    while let Some(last) = at.checked_sub(1) {
        at = last;
        while around.pop_if(|(start, _)| last < *start).is_some() {}
        let depth = around.last().map_or(0, |(_, depth)| *depth);
        if let Some(place) = depths.get_mut(last) {
            *place = Some(depth);
        }
        match (held(tokens, last)?, tokens.get(last)) {
            (None, _) => {}
            (Some(start), Some(Token::Subquery { .. })) => around.push((start, depth + 1)),
            (Some(start), _) if depth == 0 => at = start,
            (Some(start), _) => around.push((start, depth)),
        }
    }
    Ok(depths)
}

/// Where the query that a token holds starts.
fn held(tokens: &[Token], at: usize) -> Result<Option<usize>, Fault> {
    let Some(Token::Subquery { tokens: n, .. } | Token::Combine(_, n) | Token::With(_, n)) = tokens.get(at) else {
        return Ok(None);
    };
    let start = usize::try_from(*n).ok().and_then(|n| at.checked_sub(n));
    start.map(Some).ok_or(Fault::Malformed("a nested query has too few tokens"))
}
