//! What an expression is made of: text, and other expressions.

use super::nodes::Nodes;
use crate::token::{Binary, SetOperation};
use crate::{Dialect, Fault, Token};

/// How tightly an expression holds together, loosest first.
pub(super) mod binds {
    pub(in crate::render) const ANYTHING: u8 = 0;
    pub(in crate::render) const OR: u8 = 1;
    pub(in crate::render) const AND: u8 = 2;
    pub(in crate::render) const NOT: u8 = 3;
    /// Comparisons, and what the dialects disagree about: it stands in brackets beside any other operator.
    pub(in crate::render) const COMPARE: u8 = 4;
    pub(in crate::render) const ADD: u8 = 5;
    pub(in crate::render) const MULTIPLY: u8 = 6;
    pub(in crate::render) const ATOM: u8 = 7;
}

/// A chain of AND or OR longer than this is split with brackets: SQLite refuses expressions deeper than 1,000.
const LONGEST_CHAIN: usize = 256;

/// What is still to be written.
pub(super) enum Piece {
    Text(&'static str),
    Owned(String),
    /// The expression that ends here, in brackets when it holds together less tightly than asked.
    Expression(usize, u8),
    /// Operands of a chain of AND or OR.
    Chain(Binary, Vec<usize>),
}

/// The operands of a chain of one operator, however it was built: `(a AND b) AND c` has three.
pub(super) fn chain(tokens: &[Token], nodes: &Nodes, ends: &[usize], op: Binary) -> Result<Vec<usize>, Fault> {
    let mut operands = Vec::new();
    let mut waiting: Vec<usize> = ends.iter().rev().copied().collect();
    while let Some(at) = waiting.pop() {
        match tokens.get(at) {
            Some(Token::Binary(other)) if *other == op => waiting.extend(nodes.operands(at, 2)?.into_iter().rev()),
            _ => operands.push(at),
        }
    }
    Ok(operands)
}

/// A chain as pieces; a long one as a chain of chains.
pub(super) fn split(op: Binary, operands: Vec<usize>) -> Vec<Piece> {
    let (word, inside) = match op {
        Binary::And => (" AND ", binds::AND + 1),
        _ => (" OR ", binds::OR + 1),
    };
    let mut pieces = Vec::new();
    if let [only] = operands.as_slice() {
        pieces.push(Piece::Expression(*only, binds::ANYTHING));
    } else if operands.len() <= LONGEST_CHAIN {
        for (n, operand) in operands.into_iter().enumerate() {
            pieces.push(Piece::Text(if n == 0 { "" } else { word }));
            pieces.push(Piece::Expression(operand, inside));
        }
    } else {
        let size = operands.len().div_ceil(LONGEST_CHAIN);
        for (n, part) in operands.chunks(size).enumerate() {
            pieces.push(Piece::Text(if n == 0 { "" } else { word }));
            pieces.push(Piece::Text("("));
            pieces.push(Piece::Chain(op, part.to_vec()));
            pieces.push(Piece::Text(")"));
        }
    }
    pieces
}

/// Fills a template's places: `{n}` with an operand as it is, `<n>` with one that nothing can tear apart, `[n]` with
/// one that stands beside an operator, on whose left and right it must hold together so tightly.
pub(super) fn template(
    dialect: Dialect,
    text: &'static str,
    operands: &[usize],
    (left, right): (u8, u8),
) -> Result<Vec<Piece>, Fault> {
    let mut pieces = Vec::new();
    let mut rest = text;
    while let Some(open) = rest.find(['{', '[', '<']) {
        let (before, place) = rest.split_at(open);
        let (before, piece, behind) = match place.as_bytes() {
            [b'{', b'c', b'}', ..] => (before, Piece::Text(dialect.binary_collation()), place.get(3..)),
            [bracket, digit @ b'0'..=b'9', _, ..] => {
                let operand = operands.get(usize::from(digit - b'0')).copied();
                let operand = operand.ok_or(Fault::Malformed("an operand is missing"))?;
                let asked = match (bracket, digit) {
                    (b'{', _) => binds::ANYTHING,
                    (b'[', b'0') => left,
                    (b'[', _) => right,
                    _ => binds::ATOM,
                };
                (before, Piece::Expression(operand, asked), place.get(3..))
            }
            // A comparison, not a place.
            _ => (rest.get(..=open).unwrap_or_default(), Piece::Text(""), place.get(1..)),
        };
        pieces.extend([Piece::Text(before), piece]);
        rest = behind.unwrap_or_default();
    }
    pieces.push(Piece::Text(rest));
    Ok(pieces)
}

pub(super) fn call(name: Piece, operands: &[usize]) -> Vec<Piece> {
    let mut pieces = vec![name, Piece::Text("(")];
    list(&mut pieces, operands);
    pieces.push(Piece::Text(")"));
    pieces
}

pub(super) fn list(pieces: &mut Vec<Piece>, operands: &[usize]) {
    for (n, operand) in operands.iter().enumerate() {
        pieces.push(Piece::Text(if n == 0 { "" } else { ", " }));
        pieces.push(Piece::Expression(*operand, binds::ANYTHING));
    }
}

/// A function of the database's own: letters, digits and underscores, nothing that could end the word.
pub(super) fn function_name(name: &'static str) -> Result<Piece, Fault> {
    let word = |c: char| c.is_ascii_alphanumeric() || c == '_';
    if !name.is_empty() && name.chars().all(word) && !name.starts_with(|c: char| c.is_ascii_digit()) {
        return Ok(Piece::Text(name));
    }
    Err(Fault::Unsupported {
        what: format!("{name:?} is not the name of a function"),
        instead: "a name is made of letters, digits and underscores",
    })
}

pub(super) fn case(operands: &[usize], otherwise: bool) -> Vec<Piece> {
    let (branches, last) = match operands.split_last() {
        Some((last, branches)) if otherwise => (branches, Some(*last)),
        _ => (operands, None),
    };
    let mut pieces = vec![Piece::Text("CASE")];
    for (n, operand) in branches.iter().enumerate() {
        pieces.push(Piece::Text(if n % 2 == 0 { " WHEN " } else { " THEN " }));
        pieces.push(Piece::Expression(*operand, binds::ANYTHING));
    }
    if let Some(last) = last {
        pieces.extend([Piece::Text(" ELSE "), Piece::Expression(last, binds::ANYTHING)]);
    }
    pieces.push(Piece::Text(" END"));
    pieces
}

impl SetOperation {
    pub(super) fn word(self) -> &'static str {
        match self {
            Self::Union => " UNION ",
            Self::UnionAll => " UNION ALL ",
            Self::Intersect => " INTERSECT ",
            Self::Except => " EXCEPT ",
        }
    }
}
