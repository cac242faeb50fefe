//! What is known about each expression of a slice of tokens.

use cormorant_schema::{ColumnType, TableDef};

use super::nested::{DEEPEST, nested, too_deep, values};
use super::{follow, shorten};
use crate::token::{Aggregate, Binary, Function, Unary};
use crate::{Class, Fault, TableId, Token};

/// An expression, found by its last token.
#[derive(Clone, Copy, Debug)]
pub(super) struct Node {
    /// Where its first token stands.
    pub(super) start: usize,
    /// The number of the first value it or its operands bind.
    pub(super) value: usize,
    pub(super) known: Known,
}

/// What is known about an expression's value.
#[derive(Clone, Copy, Debug)]
pub(super) struct Known {
    pub(super) class: Class,
    /// Whether it may be NULL.
    pub(super) null: bool,
    /// Of an exact number, where something is known about them.
    pub(super) digits: Option<Digits>,
}

/// Digits behind the point of an exact number.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) struct Digits {
    pub(super) count: u8,
    /// Whether it has no more than these; it may have some of them without that, for a bound number brings its own.
    pub(super) all: bool,
}

/// The expressions of one query: tokens of nested queries are passed over.
pub(super) struct Nodes {
    nodes: Vec<Option<Node>>,
}

impl Nodes {
    /// Finds them. `tables` are the query's own table and those of the queries around it, innermost first;
    /// `value` is the number of the first value.
    pub(super) fn of(tokens: &[Token], tables: &[&'static TableDef], value: usize) -> Result<Self, Fault> {
        let nodes = vec![None; tokens.len()];
        let mut finder = Finder { tokens, tables, nodes, stack: Vec::new(), value, before_nested: value };
        let mut nested = nested(tokens)?.into_iter().peekable();
        let mut at = 0;
        while let Some(token) = tokens.get(at) {
            if let Some(range) = nested.next_if(|range| range.start == at) {
                finder.before_nested = finder.value;
                at = range.end;
                finder.value += values(tokens.get(range).unwrap_or_default());
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

    /// The first expression that is selected.
    fn selected(&self, tokens: &[Token]) -> Option<Known> {
        let pairs = tokens.iter().skip(1).zip(&self.nodes);
        let mut selected = pairs.filter_map(|(token, before)| before.filter(|_| *token == Token::Select));
        selected.next().map(|node| node.known)
    }
}

struct Finder<'a> {
    tokens: &'a [Token],
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
                let known = self.column(via, column, outer)?;
                self.leaf(at, known);
            }
            Token::Bind(class) | Token::List(class) => {
                self.leaf(at, Known::of(class, false));
                self.value += 1;
            }
            Token::Keys => {
                self.leaf(at, Known::of(Class::Text, false));
                self.value += 1;
            }
            Token::Again(class, value) => {
                let node = Node { start: at, known: Known::of(class, false), value: usize::from(value) };
                self.keep(at, node);
            }
            Token::Unary(op) => self.combine(at, 1, |operands| match op {
                Unary::IsNull | Unary::IsNotNull | Unary::Not => Known::of(Class::Bool, false),
                Unary::Negate => same(operands),
            })?,
            Token::Binary(op) => self.combine(at, 2, |operands| binary(op, operands))?,
            Token::Between => self.combine(at, 3, predicate)?,
            Token::In => self.combine(at, 2, predicate)?,
            Token::InRow(n) => self.combine(at, usize::from(n) + 1, predicate)?,
            Token::OneOf(n) => self.combine(at, usize::from(n) + 1, predicate)?,
            Token::Call(function, n) => self.combine(at, usize::from(n), |operands| call(function, operands))?,
            Token::Named(_, n, class) => self.combine(at, usize::from(n), |_| Known::of(class, true))?,
            Token::Cast(ty) => self.combine(at, 1, |operands| {
                let class = Class::of(ty);
                // Text that is no day becomes NULL on SQLite and MySQL.
                let day = matches!(class, Class::Date | Class::Time | Class::DateTime | Class::Timestamp);
                Known { class, null: day || any_null(operands), digits: digits_of(ty) }
            })?,
            Token::Case { branches, otherwise } => {
                let n = usize::from(branches) * 2 + usize::from(otherwise);
                self.combine(at, n, |operands| case(operands, otherwise))?;
            }
            Token::Aggregate { function, filter, .. } => {
                let n = usize::from(function != Aggregate::CountAll) + usize::from(filter);
                self.combine(at, n, |operands| aggregate(function, operands))?;
            }
            Token::Over { partition, order } => {
                let n = 1 + usize::from(partition) + usize::from(order);
                self.combine(at, n, |operands| Known { null: true, ..same(operands) })?;
            }
            Token::Sort { .. } => self.combine(at, 1, same)?,
            Token::Subquery { table, tokens, exists } => {
                let start = usize::try_from(tokens).ok().and_then(|n| at.checked_sub(n)).unwrap_or_default();
                let known = if exists { Known::of(Class::Bool, false) } else { self.subquery(table, start, at)? };
                self.keep(at, Node { start, value: self.before_nested, known });
            }
            Token::Select
            | Token::Filter
            | Token::GroupBy
            | Token::OrderBy { .. }
            | Token::Limit
            | Token::Offset
            | Token::Set(_)
            | Token::SetVia(..) => match (self.stack.pop(), self.stack.is_empty()) {
                (Some(_), true) => {}
                _ => return Err(Fault::Malformed("a clause does not end exactly one expression")),
            },
            Token::LimitEach(n) => {
                if n == 0 || self.stack.len() != usize::from(n) + 1 {
                    return Err(Fault::Malformed("a limit takes what it is for each of, and a number"));
                }
                self.stack.clear();
            }
            Token::Entity(_)
            | Token::Distinct
            | Token::Into(_)
            | Token::Match(_)
            | Token::Rows(_)
            | Token::Lists
            | Token::Conflict(_)
            | Token::Overwrite(_)
            | Token::Lock(_)
            | Token::Returning(_)
            | Token::Source(_)
            | Token::Combine(..)
            | Token::With(..) => {}
        }
        Ok(())
    }

    fn column(&self, via: crate::Route, column: u16, outer: u8) -> Result<Known, Fault> {
        let table = self.tables.get(usize::from(outer)).copied();
        let table = table.ok_or(Fault::Malformed("a column of an enclosing query stands outside any"))?;
        let (via, column) = shorten(table, via, column)?;
        let (table, missing) = follow(table, via)?;
        let (definition, ty) = (table.column(column), table.type_of(column));
        let (definition, ty) = definition.zip(ty).ok_or(Fault::Malformed("a column has no definition"))?;
        Ok(Known { class: Class::of(ty), null: missing || definition.null, digits: digits_of(ty) })
    }

    /// The value of a nested query: what it selects, or NULL where it finds no row.
    fn subquery(&self, table: TableId, start: usize, end: usize) -> Result<Known, Fault> {
        let tokens = self.tokens.get(start..end).unwrap_or_default();
        let table = table.table().ok_or(Fault::Malformed("a nested query has no table"))?;
        let mut tables = vec![table];
        tables.extend(self.tables);
        if tables.len() > DEEPEST {
            return Err(too_deep());
        }
        let selected = Nodes::of(tokens, &tables, 0)?.selected(tokens);
        Ok(selected.map_or(Known::of(Class::Int, true), |known| Known { null: true, ..known }))
    }

    fn leaf(&mut self, at: usize, known: Known) {
        self.keep(at, Node { start: at, value: self.value, known });
    }

    fn combine(&mut self, at: usize, count: usize, known: impl FnOnce(&[Known]) -> Known) -> Result<(), Fault> {
        let first = self.stack.len().checked_sub(count).ok_or(Fault::Malformed("an operand is missing"))?;
        let operands: Vec<Node> =
            self.stack.drain(first..).filter_map(|at| self.nodes.get(at).copied().flatten()).collect();
        let (start, value) = operands.first().map_or((at, self.value), |x| (x.start, x.value));
        let operands: Vec<Known> = operands.into_iter().map(|x| x.known).collect();
        self.keep(at, Node { start, value, known: known(&operands) });
        Ok(())
    }

    fn keep(&mut self, at: usize, node: Node) {
        if let Some(place) = self.nodes.get_mut(at) {
            *place = Some(node);
        }
        self.stack.push(at);
    }
}

impl Known {
    fn of(class: Class, null: bool) -> Self {
        Self { class, null, digits: None }
    }

    /// An integer has no digits behind the point.
    fn digits(&self) -> Option<Digits> {
        if self.class == Class::Int { Some(Digits { count: 0, all: true }) } else { self.digits }
    }
}

fn digits_of(ty: ColumnType) -> Option<Digits> {
    match ty {
        ColumnType::Decimal { scale, .. } => Some(Digits { count: scale, all: true }),
        _ => None,
    }
}

fn any_null(operands: &[Known]) -> bool {
    operands.iter().any(|x| x.null)
}

/// As many digits as the operand with the most has; all of them only where that is known of each.
fn widest<'a>(operands: impl IntoIterator<Item = &'a Known>) -> Option<Digits> {
    let (mut widest, mut all) = (None, true);
    for digits in operands.into_iter().map(Known::digits) {
        all &= digits.is_some_and(|digits| digits.all);
        widest = widest.max(digits.map(|digits| digits.count));
    }
    widest.map(|count| Digits { count, all })
}

fn predicate(operands: &[Known]) -> Known {
    Known::of(Class::Bool, any_null(operands))
}

fn same(operands: &[Known]) -> Known {
    operands.first().copied().unwrap_or(Known::of(Class::Int, true))
}

fn binary(op: Binary, operands: &[Known]) -> Known {
    use Binary as B;
    let null = any_null(operands);
    let [a, b] = operands else { return Known::of(Class::Bool, true) };
    match op {
        B::IsDistinct | B::IsNotDistinct => Known::of(Class::Bool, false),
        B::Concat => Known::of(Class::Text, null),
        B::Add | B::Subtract | B::Multiply | B::Divide | B::Remainder => {
            let either = |class| a.class == class || b.class == class;
            // Division by zero is NULL on SQLite and MySQL.
            let null = null || matches!(op, B::Divide | B::Remainder);
            if either(Class::Float) {
                return Known::of(Class::Float, null);
            }
            if !either(Class::Decimal) {
                return Known::of(a.class, null);
            }
            let digits = match (op, a.digits(), b.digits()) {
                (B::Divide, ..) => None,
                (B::Multiply, Some(a), Some(b)) => {
                    Some(Digits { count: a.count.saturating_add(b.count), all: a.all && b.all })
                }
                _ => widest(operands),
            };
            Known { class: Class::Decimal, null, digits }
        }
        _ => Known::of(Class::Bool, null),
    }
}

fn call(function: Function, operands: &[Known]) -> Known {
    use Function as F;
    let null = any_null(operands);
    match function {
        F::Coalesce => {
            let class = same(operands).class;
            let digits = if class == Class::Decimal { widest(operands) } else { None };
            Known { class, null: operands.iter().all(|x| x.null), digits }
        }
        F::Abs => same(operands),
        F::Round => Known::of(same(operands).class, null),
        F::Lower | F::Upper | F::Trim => Known::of(Class::Text, null),
        // A day that is none has no parts on SQLite and MySQL.
        F::Year | F::Month | F::Day | F::Hour | F::Minute | F::Second => Known::of(Class::Int, true),
        F::Length => Known::of(Class::Int, null),
    }
}

/// Conditions and values in turn, then the value for no match. An unknown condition does not match.
fn case(operands: &[Known], otherwise: bool) -> Known {
    let last = operands.len().saturating_sub(1);
    let values = operands.iter().enumerate().filter(|(n, _)| n % 2 == 1 || (otherwise && *n == last));
    let values: Vec<Known> = values.map(|(_, known)| *known).collect();
    let class = values.first().map_or(Class::Text, |x| x.class);
    let digits = if class == Class::Decimal { widest(&values) } else { None };
    Known { class, null: !otherwise || any_null(&values), digits }
}

fn aggregate(function: Aggregate, operands: &[Known]) -> Known {
    match function {
        Aggregate::CountAll | Aggregate::Count => Known::of(Class::Int, false),
        Aggregate::Avg => Known::of(Class::Float, true),
        Aggregate::Sum | Aggregate::Min | Aggregate::Max => Known { null: true, ..same(operands) },
    }
}
