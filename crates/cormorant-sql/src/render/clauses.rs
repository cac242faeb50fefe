//! The clauses of one query.

use std::ops::Range;

use super::nested::{nested, values};
use crate::token::{Nulls, SetOperation};
use crate::{Fault, Locking, Route, Token};

/// The clauses of one query, each as the last tokens of its expressions.
#[derive(Default)]
pub(super) struct Clauses {
    pub(super) select: Vec<Selected>,
    pub(super) distinct: bool,
    pub(super) filter: Vec<usize>,
    pub(super) group_by: Vec<usize>,
    pub(super) having: Vec<usize>,
    pub(super) order_by: Vec<Order>,
    pub(super) limit: Option<usize>,
    pub(super) offset: Option<usize>,
    /// The number of rows for each value of so many expressions before it.
    pub(super) limit_each: Option<(usize, u8)>,
    pub(super) set: Vec<(Route, u16, usize)>,
    pub(super) returning: Vec<u16>,
    pub(super) lock: Option<Locking>,
    pub(super) source: Option<&'static str>,
    /// Queries in WITH, by name.
    pub(super) with: Vec<(&'static str, Beside)>,
    /// Queries behind UNION and its like.
    pub(super) combined: Vec<(SetOperation, Beside)>,
    /// Whether the number of rows depends on what is selected, or values are bound there: it cannot be left out.
    pub(super) select_matters: bool,
    /// Whether values are bound in ORDER BY, so that it cannot be left out.
    order_binds: bool,
}

pub(super) enum Selected {
    Expression(usize),
    Entity(Route),
}

pub(super) struct Order {
    pub(super) at: usize,
    pub(super) descending: bool,
    pub(super) nulls: Nulls,
}

/// A query that stands beside the one it belongs to: where its tokens are, and the number of its first value.
pub(super) struct Beside {
    pub(super) tokens: Range<usize>,
    pub(super) value: usize,
}

impl Clauses {
    pub(super) fn of(tokens: &[Token], value: usize) -> Result<Self, Fault> {
        let mut clauses = Self::default();
        let mut nested = nested(tokens)?.into_iter().peekable();
        let mut value = value;
        // Since the clause before: the values bound, and whether rows are aggregated.
        let (mut bound, mut aggregates) = (value, false);
        let mut at = 0;
        while let Some(token) = tokens.get(at) {
            if let Some(range) = nested.next_if(|range| range.start == at) {
                let beside = Beside { tokens: range.clone(), value };
                at = range.end;
                value += values(tokens.get(range).unwrap_or_default());
                match tokens.get(at) {
                    Some(Token::Combine(operation, _)) => clauses.combined.push((*operation, beside)),
                    Some(Token::With(name, _)) => clauses.with.push((name.name(), beside)),
                    _ => {}
                }
                at += 1;
                continue;
            }
            // The expression that a clause ends.
            let before = at.saturating_sub(1);
            let mut clause = true;
            match *token {
                Token::Bind(_) | Token::List(_) | Token::Keys => {
                    value += 1;
                    clause = false;
                }
                Token::Aggregate { .. } => {
                    aggregates = true;
                    clause = false;
                }
                Token::Select => {
                    clauses.select.push(Selected::Expression(before));
                    clauses.select_matters |= value > bound || aggregates;
                }
                Token::Entity(route) => clauses.select.push(Selected::Entity(route)),
                Token::Filter if clauses.group_by.is_empty() => clauses.filter.push(before),
                Token::Filter => clauses.having.push(before),
                Token::GroupBy => clauses.group_by.push(before),
                Token::OrderBy { descending, nulls } => {
                    clauses.order_by.push(Order { at: before, descending, nulls });
                    clauses.order_binds |= value > bound;
                }
                Token::Distinct => clauses.distinct = true,
                Token::Limit => clauses.limit = Some(before),
                Token::Offset => clauses.offset = Some(before),
                Token::LimitEach(n) => clauses.limit_each = Some((before, n)),
                Token::Set(column) => clauses.set.push((Route::ROOT, column, before)),
                Token::SetVia(route, column) => clauses.set.push((route, column, before)),
                Token::Returning(column) => clauses.returning.push(column),
                Token::Lock(lock) => clauses.lock = Some(lock),
                Token::Source(name) => clauses.source = Some(name.name()),
                _ => clause = false,
            }
            if clause {
                (bound, aggregates) = (value, false);
            }
            at += 1;
        }
        clauses.select_matters |= clauses.distinct || !clauses.combined.is_empty();
        Ok(clauses)
    }

    /// True when rows are only filtered: an UPDATE, DELETE or COUNT can say that itself.
    pub(super) fn only_filters(&self) -> bool {
        !self.distinct
            && self.group_by.is_empty()
            && self.order_by.is_empty()
            && self.limit.is_none()
            && self.offset.is_none()
            && self.limit_each.is_none()
            && self.source.is_none()
            && self.with.is_empty()
            && self.combined.is_empty()
    }

    /// Leaves the order out where it changes nothing: all rows are counted.
    pub(super) fn any_order(&mut self) {
        if self.limit.is_none() && self.offset.is_none() && self.limit_each.is_none() && !self.order_binds {
            self.order_by.clear();
        }
    }

    /// Whether the query can stand behind UNION as it is: what follows there belongs to the whole.
    pub(super) fn stands_alone(&self) -> bool {
        self.order_by.is_empty()
            && self.limit.is_none()
            && self.offset.is_none()
            && self.limit_each.is_none()
            && self.with.is_empty()
            && self.combined.is_empty()
    }
}
