//! What is known about each expression of a slice of tokens.

use std::ops::Range;

use cormorant_schema::{ColumnType, TableDef};

use super::{follow, shorten};
use crate::token::{Aggregate, Binary, Function, Unary};
use crate::{Class, Fault, Token};

/// An expression, found by its last token.
#[derive(Clone, Copy, Debug)]
pub(super) struct Node {
    /// Where its first token stands.
    pub(super) start: usize,
    pub(super) class: Class,
    /// Whether it may be NULL.
    pub(super) null: bool,
    /// Digits behind the point, where it is an exact number and they are known.
    pub(super) scale: Option<u8>,
    /// The number of the first value it or its operands bind.
    pub(super) value: usize,
}

/// The expressions of one query: tokens of nested queries are passed over.
pub(super) struct Nodes {
    nodes: Vec<Option<Node>>,
}

impl Nodes {
    /// Finds them. `tables` are the query's own table and those of the queries around it, innermost first;
    /// `value` is the number of the first value.
    pub(super) fn of(tokens: &[Token], tables: &[&'static TableDef], value: usize) -> Result<Self, Fault> {
        let nested = nested(tokens)?;
        let mut finder =
            Finder { tables, nodes: vec![None; tokens.len()], stack: Vec::new(), value, before_nested: value };
        let mut at = 0;
        let mut nested = nested.into_iter().rev().peekable();
        while let Some(token) = tokens.get(at) {
            if let Some(range) = nested.next_if(|range| range.start == at) {
                finder.before_nested = finder.value;
                finder.value += values(tokens.get(range.clone()).unwrap_or_default());
                at = range.end;
                continue;
            }
            finder.token(at, *token)?;
            at += 1;
        }
        match finder.stack.is_empty() {
            true => Ok(Self { nodes: finder.nodes }),
            false => Err(Fault::Malformed("an expression is part of no clause")),
        }
    }

    pub(super) fn get(&self, at: usize) -> Result<Node, Fault> {
        self.nodes.get(at).copied().flatten().ok_or(Fault::Malformed("an operand is missing"))
    }

    /// The last tokens of an expression's `count` operands, in order.
    pub(super) fn operands(&self, at: usize, count: usize) -> Result<Vec<usize>, Fault> {
        let mut operands = Vec::with_capacity(count);
        let mut end = at;
        for _ in 0..count {
            let operand = end.checked_sub(1).ok_or(Fault::Malformed("an operand is missing"))?;
            operands.push(operand);
            end = self.get(operand)?.start;
        }
        operands.reverse();
        Ok(operands)
    }
}

/// How many values a slice of tokens binds.
pub(super) fn values(tokens: &[Token]) -> usize {
    tokens.iter().filter(|token| matches!(token, Token::Bind(_) | Token::List(_))).count()
}

/// The tokens of nested queries, outermost ones only, last first.
pub(super) fn nested(tokens: &[Token]) -> Result<Vec<Range<usize>>, Fault> {
    let mut ranges = Vec::new();
    let mut at = tokens.len();
    while let Some(before) = at.checked_sub(1) {
        at = before;
        if let Some(Token::Subquery { tokens: n, .. } | Token::Combine(_, n) | Token::With(_, n)) = tokens.get(before) {
            let start = before.checked_sub(*n as usize).ok_or(Fault::Malformed("a nested query has too few tokens"))?;
            if start < before {
                ranges.push(start..before);
            }
            at = start;
        }
    }
    Ok(ranges)
}

struct Finder<'a> {
    tables: &'a [&'static TableDef],
    nodes: Vec<Option<Node>>,
    /// The last tokens of the expressions not yet used as operands.
    stack: Vec<usize>,
    value: usize,
    /// The number of the first value of the nested query passed over last.
    before_nested: usize,
}

impl Finder<'_> {
    fn token(&mut self, at: usize, token: Token) -> Result<(), Fault> {
        match token {
            Token::Column { via, column, outer } => {
                let table = self.tables.get(usize::from(outer)).copied();
                let table = table.ok_or(Fault::Malformed("a column of an enclosing query stands outside any"))?;
                let (via, column) = shorten(table, via, column)?;
                let (table, missing) = follow(table, via)?;
                let column = table.column(column).ok_or(Fault::Malformed("a column has no definition"))?;
                let scale = match column.ty {
                    ColumnType::Decimal { scale, .. } => Some(scale),
                    _ => None,
                };
                self.leaf(at, Class::of(column.ty), missing || column.null, scale);
            }
            Token::Bind(class) | Token::List(class) => {
                self.leaf(at, class, false, None);
                self.value += 1;
            }
            Token::Unary(op) => self.combine(at, 1, |operands| match (op, operands) {
                (Unary::IsNull | Unary::IsNotNull, _) => (Class::Bool, false, None),
                (Unary::Not, _) => (Class::Bool, false, None),
                (Unary::Negate, [x]) => (x.class, x.null, x.scale),
                (Unary::Negate, _) => (Class::Int, true, None),
            })?,
            Token::Binary(op) => self.combine(at, 2, |operands| binary(op, operands))?,
            Token::Between => self.combine(at, 3, predicate)?,
            Token::In => self.combine(at, 2, predicate)?,
            Token::Call(function, n) => self.combine(at, usize::from(n), |operands| call(function, operands))?,
            Token::Named(_, n) => self.combine(at, usize::from(n), |operands| {
                (operands.first().map_or(Class::Text, |x| x.class), true, None)
            })?,
            Token::Cast(ty) => self.combine(at, 1, |operands| {
                let scale = match ty {
                    ColumnType::Decimal { scale, .. } => Some(scale),
                    _ => None,
                };
                (Class::of(ty), operands.iter().any(|x| x.null), scale)
            })?,
            Token::Case { branches, otherwise } => {
                let n = usize::from(branches) * 2 + usize::from(otherwise);
                self.combine(at, n, |operands| {
                    let value = operands.get(1);
                    let null = !otherwise || operands.iter().any(|x| x.null);
                    (value.map_or(Class::Text, |x| x.class), null, value.and_then(|x| x.scale))
                })?;
            }
            Token::Aggregate { function, filter, .. } => {
                let n = usize::from(function != Aggregate::CountAll) + usize::from(filter);
                self.combine(at, n, |operands| aggregate(function, operands))?;
            }
            Token::Over { partition, order } => {
                let n = 1 + usize::from(partition) + usize::from(order);
                self.combine(at, n, |operands| match operands.first() {
                    Some(x) => (x.class, true, x.scale),
                    None => (Class::Int, true, None),
                })?;
            }
            Token::Sort { .. } => self.combine(at, 1, same)?,
            Token::Subquery { tokens, exists, .. } => {
                let class = if exists { Class::Bool } else { Class::Int };
                let start = at.saturating_sub(tokens as usize);
                self.keep(at, Node { start, class, null: !exists, scale: None, value: self.before_nested });
            }
            Token::Select
            | Token::Filter
            | Token::GroupBy
            | Token::OrderBy { .. }
            | Token::Limit
            | Token::Offset
            | Token::Set(_) => match (self.stack.pop(), self.stack.is_empty()) {
                (Some(_), true) => {}
                _ => return Err(Fault::Malformed("a clause does not end exactly one expression")),
            },
            Token::Entity(_)
            | Token::Distinct
            | Token::Into(_)
            | Token::Rows(_)
            | Token::Returning(_)
            | Token::Source(_)
            | Token::Combine(..)
            | Token::With(..) => {}
        }
        Ok(())
    }

    fn leaf(&mut self, at: usize, class: Class, null: bool, scale: Option<u8>) {
        self.keep(at, Node { start: at, class, null, scale, value: self.value });
    }

    fn combine(
        &mut self,
        at: usize,
        count: usize,
        known: impl FnOnce(&[Node]) -> (Class, bool, Option<u8>),
    ) -> Result<(), Fault> {
        let first = self.stack.len().checked_sub(count).ok_or(Fault::Malformed("an operand is missing"))?;
        let operands: Vec<Node> =
            self.stack.drain(first..).filter_map(|at| self.nodes.get(at).copied().flatten()).collect();
        let (class, null, scale) = known(&operands);
        let start = operands.first().map_or(at, |x| x.start);
        let value = operands.first().map_or(self.value, |x| x.value);
        self.keep(at, Node { start, class, null, scale, value });
        Ok(())
    }

    fn keep(&mut self, at: usize, node: Node) {
        if let Some(place) = self.nodes.get_mut(at) {
            *place = Some(node);
        }
        self.stack.push(at);
    }
}

fn predicate(operands: &[Node]) -> (Class, bool, Option<u8>) {
    (Class::Bool, operands.iter().any(|x| x.null), None)
}

fn same(operands: &[Node]) -> (Class, bool, Option<u8>) {
    operands.first().map_or((Class::Int, true, None), |x| (x.class, x.null, x.scale))
}

fn binary(op: Binary, operands: &[Node]) -> (Class, bool, Option<u8>) {
    use Binary as B;
    let null = operands.iter().any(|x| x.null);
    let [a, b] = operands else { return (Class::Bool, true, None) };
    match op {
        B::IsDistinct | B::IsNotDistinct => (Class::Bool, false, None),
        B::Concat => (Class::Text, null, None),
        B::Add | B::Subtract | B::Multiply | B::Divide | B::Remainder => {
            let either = |class| a.class == class || b.class == class;
            if either(Class::Float) {
                return (Class::Float, null, None);
            }
            if !either(Class::Decimal) {
                // Division by zero is NULL on SQLite and MySQL.
                return (a.class, null || matches!(op, B::Divide | B::Remainder), None);
            }
            // An integer has no digits behind the point; a bound number has an unknown count of them.
            let digits = |x: &Node| if x.class == Class::Int { Some(0) } else { x.scale };
            let scale = match (op, digits(a), digits(b)) {
                (B::Add | B::Subtract, Some(a), Some(b)) => Some(a.max(b)),
                (B::Multiply, Some(a), Some(b)) => Some(a.saturating_add(b)),
                _ => None,
            };
            (Class::Decimal, null || matches!(op, B::Divide | B::Remainder), scale)
        }
        _ => (Class::Bool, null, None),
    }
}

fn call(function: Function, operands: &[Node]) -> (Class, bool, Option<u8>) {
    use Function as F;
    let null = operands.iter().any(|x| x.null);
    match function {
        F::Coalesce => {
            let scale = operands.iter().filter_map(|x| x.scale).max();
            (same(operands).0, operands.iter().all(|x| x.null), scale)
        }
        F::Abs => same(operands),
        F::Round => (same(operands).0, null, None),
        F::Lower | F::Upper | F::Trim => (Class::Text, null, None),
        F::Length | F::Year | F::Month | F::Day | F::Hour | F::Minute | F::Second => (Class::Int, null, None),
    }
}

fn aggregate(function: Aggregate, operands: &[Node]) -> (Class, bool, Option<u8>) {
    match function {
        Aggregate::CountAll | Aggregate::Count => (Class::Int, false, None),
        Aggregate::Avg => (Class::Float, true, None),
        Aggregate::Sum | Aggregate::Min | Aggregate::Max => {
            let (class, _, scale) = same(operands);
            (class, true, scale)
        }
    }
}
