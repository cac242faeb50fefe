//! One expression, written with a stack of its own.

use super::Renderer;
use super::nodes::{Known, Node, Nodes};
use super::pieces::{Piece, binds, call, case, chain, function_name, split, template};
use crate::dialect::{Cast, FIFTEEN_DIGITS};
use crate::token::{Binary, Function, Nulls, Unary};
use crate::{Class, DecimalForm, Fault, TableId, Token};

impl Renderer {
    /// Writes the expression that ends at token `at`.
    pub(super) fn expression(&mut self, tokens: &[Token], nodes: &Nodes, at: usize) -> Result<(), Fault> {
        self.write(tokens, nodes, vec![Piece::Expression(at, binds::ANYTHING)])
    }

    /// Writes an expression that is selected, and says how an exact number is to be read, where it is.
    pub(super) fn output(
        &mut self,
        tokens: &[Token],
        nodes: &Nodes,
        at: usize,
        read: bool,
    ) -> Result<DecimalForm, Fault> {
        if read && let Some(called) = self.called(tokens, nodes, at)? {
            let (pieces, form) = called.read();
            self.write(tokens, nodes, pieces)?;
            return Ok(form);
        }
        self.expression(tokens, nodes, at)?;
        Ok(nodes.get(at)?.known.digits.map_or(DecimalForm::Plain, |digits| DecimalForm::Scale(digits.count)))
    }

    /// Writes conditions that must all hold.
    pub(super) fn conditions(
        &mut self,
        word: &str,
        tokens: &[Token],
        nodes: &Nodes,
        conditions: &[usize],
    ) -> Result<(), Fault> {
        if conditions.is_empty() {
            return Ok(());
        }
        self.push(word);
        let operands = chain(tokens, nodes, conditions, Binary::And)?;
        self.write(tokens, nodes, vec![Piece::Chain(Binary::And, operands)])
    }

    /// Writes an expression that rows are ordered by.
    pub(super) fn ordering(
        &mut self,
        tokens: &[Token],
        nodes: &Nodes,
        at: usize,
        descending: bool,
        nulls: Nulls,
    ) -> Result<(), Fault> {
        self.write(tokens, nodes, self.sort(at, descending, nulls))
    }

    fn sort(&self, at: usize, descending: bool, nulls: Nulls) -> Vec<Piece> {
        let mut pieces = Vec::new();
        if let Some(test) = self.dialect.sorts_nulls_by(descending, nulls) {
            pieces.extend([Piece::Expression(at, binds::ADD), Piece::Text(test), Piece::Text(", ")]);
        }
        pieces.push(Piece::Expression(at, binds::ANYTHING));
        pieces.push(Piece::Text(self.dialect.direction(descending, nulls)));
        pieces
    }

    fn write(&mut self, tokens: &[Token], nodes: &Nodes, pieces: Vec<Piece>) -> Result<(), Fault> {
        let mut stack = pieces;
        stack.reverse();
        while let Some(piece) = stack.pop() {
            match piece {
                Piece::Text(text) => self.push(text),
                Piece::Owned(text) => self.push(&text),
                Piece::Chain(op, operands) => stack.extend(split(op, operands).into_iter().rev()),
                Piece::Expression(at, asked) => {
                    let token = *tokens.get(at).ok_or(Fault::Malformed("an operand is missing"))?;
                    let node = nodes.get(at)?;
                    match token {
                        Token::Column { via, column, outer } => self.column(via, column, outer)?,
                        Token::Bind(class) | Token::Again(class, _) => self.bind(class, node.value)?,
                        Token::List(_) | Token::Keys => self.placeholder(node.value)?,
                        Token::Subquery { table, exists, .. } => {
                            let inner = tokens.get(node.start..at).unwrap_or_default();
                            self.subquery(table, inner, exists, node.value)?;
                        }
                        _ => {
                            let (pieces, tightness) = self.pieces(tokens, nodes, at, token, node)?;
                            let brackets = tightness < asked;
                            stack.extend(brackets.then_some(Piece::Text(")")));
                            stack.extend(pieces.into_iter().rev());
                            stack.extend(brackets.then_some(Piece::Text("(")));
                        }
                    }
                }
            }
        }
        Ok(())
    }

    fn bind(&mut self, class: Class, value: usize) -> Result<(), Fault> {
        // MySQL receives exact numbers as text, and would compare text with a number as floats.
        let cast = class == Class::Decimal && self.dialect.decimals_travel_as_text();
        self.push(if cast { "CAST(" } else { "" });
        self.placeholder(value)?;
        self.push(if cast { " AS DECIMAL(65, 30))" } else { "" });
        Ok(())
    }

    fn subquery(&mut self, table: TableId, tokens: &[Token], exists: bool, value: usize) -> Result<(), Fault> {
        let table = table.table().ok_or(Fault::Malformed("a nested query has no table"))?;
        self.push(if exists { "EXISTS (" } else { "(" });
        self.nested_select(table, tokens, value)?;
        self.push(")");
        Ok(())
    }

    /// What an expression is made of, and how tightly it holds together.
    fn pieces(
        &self,
        tokens: &[Token],
        nodes: &Nodes,
        at: usize,
        token: Token,
        node: Node,
    ) -> Result<(Vec<Piece>, u8), Fault> {
        let operands = |count: usize| nodes.operands(at, count);
        let known = |operand: Option<&usize>| match operand {
            Some(at) => Ok(nodes.get(*at)?.known),
            None => Err(Fault::Malformed("an operand is missing")),
        };
        let fill = |text, operands: &[usize], inside: u8| template(self.dialect, text, operands, (inside, inside));
        Ok(match token {
            Token::Unary(op) => {
                let operands = operands(1)?;
                match op {
                    Unary::IsNull => (fill("[0] IS NULL", &operands, binds::ADD)?, binds::COMPARE),
                    Unary::IsNotNull => (fill("[0] IS NOT NULL", &operands, binds::ADD)?, binds::COMPARE),
                    // NOT of an unknown would be unknown: a row that a condition does not match is one that `!` matches.
                    Unary::Not if known(operands.first())?.null => {
                        (fill("<0> IS NOT TRUE", &operands, binds::ATOM)?, binds::COMPARE)
                    }
                    Unary::Not => (fill("NOT [0]", &operands, binds::NOT)?, binds::NOT),
                    Unary::Negate => (fill("-<0>", &operands, binds::ATOM)?, binds::MULTIPLY),
                }
            }
            Token::Binary(op @ (Binary::And | Binary::Or)) => {
                let operands = chain(tokens, nodes, &[at], op)?;
                let tightness = if op == Binary::And { binds::AND } else { binds::OR };
                (vec![Piece::Chain(op, operands)], tightness)
            }
            Token::Binary(op) => self.binary(op, node.known, &operands(2)?)?,
            Token::Between => (fill("[0] BETWEEN [1] AND [2]", &operands(3)?, binds::ADD)?, binds::COMPARE),
            Token::In => self.in_list(tokens, nodes, operands(2)?)?,
            Token::InRow(n) => self.in_list(tokens, nodes, operands(usize::from(n) + 1)?)?,
            Token::OneOf(n) => (one_of(&operands(usize::from(n) + 1)?)?, binds::COMPARE),
            Token::Call(Function::Coalesce, n @ 2..) => {
                (call(Piece::Text("COALESCE"), &operands(usize::from(n))?), binds::ATOM)
            }
            Token::Call(function, n) => {
                let operands = operands(usize::from(n))?;
                let class = node.known.class;
                let text = self.dialect.function(function, n, class);
                let text = text.ok_or(Fault::Malformed("a function has other operands than it takes"))?;
                let pieces = fill(text, &operands, binds::ADD)?;
                let float = function == Function::Round && n == 2 && self.is_float_for_decimal(node.known);
                (if float { fifteen_digits(pieces) } else { pieces }, binds::ATOM)
            }
            Token::Named(name, n, _) => (call(function_name(name.name())?, &operands(usize::from(n))?), binds::ATOM),
            Token::Cast(ty) => {
                let operands = operands(1)?;
                let pieces = match self.dialect.cast(known(operands.first())?.class, ty)? {
                    Cast::Template(text) => fill(text, &operands, binds::ADD)?,
                    Cast::To(name) => {
                        let mut pieces = fill("CAST({0} AS ", &operands, binds::ANYTHING)?;
                        pieces.push(Piece::Owned(name + ")"));
                        pieces
                    }
                    Cast::Rounded(scale) => {
                        let mut pieces = fill("ROUND(<0> * 1.0000000000000004, ", &operands, binds::ATOM)?;
                        pieces.push(Piece::Owned(format!("{scale})")));
                        fifteen_digits(pieces)
                    }
                };
                (pieces, binds::ATOM)
            }
            Token::Case { branches: 0, .. } => return Err(Fault::Malformed("a CASE has no branch")),
            Token::Case { branches, otherwise } => {
                let operands = operands(usize::from(branches) * 2 + usize::from(otherwise))?;
                (case(&operands, otherwise), binds::ATOM)
            }
            Token::Aggregate { .. } | Token::Over { .. } => {
                let called = self.called(tokens, nodes, at)?;
                (called.ok_or(Fault::Malformed("an aggregate is none"))?.whole(), binds::ATOM)
            }
            Token::Sort { descending, nulls } => {
                let operands = operands(1)?;
                let operand = operands.first().ok_or(Fault::Malformed("an operand is missing"))?;
                (self.sort(*operand, descending, nulls), binds::ANYTHING)
            }
            _ => return Err(Fault::Malformed("a clause stands where an expression should")),
        })
    }

    /// A value, or several that are one key, in what the last operand is: a list or a query.
    fn in_list(&self, tokens: &[Token], nodes: &Nodes, operands: Vec<usize>) -> Result<(Vec<Piece>, u8), Fault> {
        let Some((list, columns)) = operands.split_last() else {
            return Err(Fault::Malformed("an operand is missing"));
        };
        let (before, behind) = match (tokens.get(*list), columns) {
            (Some(Token::List(class)), [_]) => self.dialect.in_list(&[*class]),
            (Some(Token::Keys), [_, _, ..]) => {
                let classes = columns.iter().map(|at| nodes.get(*at).map(|node| node.known.class));
                self.dialect.in_list(&classes.collect::<Result<Vec<_>, _>>()?)
            }
            (Some(Token::Subquery { exists: false, .. }), _) => (" IN ".to_owned(), String::new()),
            _ => return Err(Fault::Malformed("a value is in what is no list")),
        };
        let mut pieces = match columns {
            [column] => vec![Piece::Expression(*column, binds::ADD)],
            _ => call(Piece::Text(""), columns),
        };
        pieces.extend([Piece::Owned(before), Piece::Expression(*list, binds::ANYTHING), Piece::Owned(behind)]);
        Ok((pieces, binds::COMPARE))
    }

    fn binary(&self, op: Binary, known: Known, operands: &[usize]) -> Result<(Vec<Piece>, u8), Fault> {
        let text = self.dialect.binary(op, known.class)?;
        // Operators of one kind read from left to right without brackets.
        let (tightness, inside) = match op {
            Binary::Add | Binary::Subtract => (binds::ADD, (binds::ADD, binds::MULTIPLY)),
            Binary::Multiply | Binary::Divide | Binary::Remainder => (binds::MULTIPLY, (binds::MULTIPLY, binds::ATOM)),
            Binary::Concat if text.starts_with('C') => (binds::ATOM, (binds::ANYTHING, binds::ANYTHING)),
            Binary::Concat => (binds::COMPARE, (binds::ATOM, binds::ATOM)),
            _ => (binds::COMPARE, (binds::ADD, binds::ADD)),
        };
        let mut pieces = template(self.dialect, text, operands, inside)?;
        if !self.is_float_for_decimal(known) {
            return Ok((pieces, tightness));
        }
        // Floats stand in for exact numbers here: rounding each step to its digits keeps the result exact.
        Ok(match (op, known.digits) {
            (Binary::Add | Binary::Subtract | Binary::Multiply, Some(digits)) if digits.all => {
                pieces.insert(0, Piece::Text("ROUND("));
                pieces.push(Piece::Owned(format!(", {})", digits.count)));
                (pieces, binds::ATOM)
            }
            (Binary::Add | Binary::Subtract | Binary::Multiply | Binary::Divide, _) => {
                (fifteen_digits(pieces), binds::ATOM)
            }
            // SQLite cuts both sides to integers: units of the last digit are integers.
            (Binary::Remainder, _) => {
                let scale = self.units(known)?;
                let unit = |at: &usize| {
                    [
                        Piece::Text("CAST(ROUND("),
                        Piece::Expression(*at, binds::MULTIPLY),
                        Piece::Owned(format!(" * 1e{scale}) AS INTEGER)")),
                    ]
                };
                let [a, b] = operands else { return Err(Fault::Malformed("an operand is missing")) };
                let mut pieces = vec![Piece::Text("(")];
                pieces.extend(unit(a));
                pieces.push(Piece::Text(" % "));
                pieces.extend(unit(b));
                pieces.push(Piece::Owned(format!(" / 1e{scale})")));
                (pieces, binds::ATOM)
            }
            _ => (pieces, tightness),
        })
    }

    fn is_float_for_decimal(&self, known: Known) -> bool {
        known.class == Class::Decimal && self.dialect.decimals_are_floats()
    }
}

/// The first operand is one of the others.
fn one_of(operands: &[usize]) -> Result<Vec<Piece>, Fault> {
    let Some((value, others @ [_, ..])) = operands.split_first() else {
        return Err(Fault::Malformed("a value is one of none"));
    };
    let mut pieces = vec![Piece::Expression(*value, binds::ADD)];
    pieces.extend(call(Piece::Text(" IN "), others));
    Ok(pieces)
}

fn fifteen_digits(mut pieces: Vec<Piece>) -> Vec<Piece> {
    let (before, after) = FIFTEEN_DIGITS;
    pieces.insert(0, Piece::Text(before));
    pieces.push(Piece::Text(after));
    pieces
}
