//! Aggregates, and windows over them.

use super::Renderer;
use super::nodes::{Known, Nodes};
use super::pieces::{Piece, binds, call, function_name, list};
use crate::token::Aggregate;
use crate::{Class, DecimalForm, Fault, Token};

/// A call over many rows, in parts: its window stands right behind the call, and a conversion around both.
pub(super) struct Called {
    before: &'static str,
    call: Vec<Piece>,
    after: &'static str,
    /// How the call's own value is read.
    form: DecimalForm,
}

impl Called {
    /// As a value that goes to the caller, who knows how to read it.
    pub(super) fn read(self) -> (Vec<Piece>, DecimalForm) {
        match self.form {
            DecimalForm::Units(_) => (self.call, self.form),
            form => (self.converted(), form),
        }
    }

    /// As a number like any other, inside a larger expression.
    pub(super) fn whole(self) -> Vec<Piece> {
        match self.form {
            DecimalForm::Units(scale) => {
                let mut pieces = vec![Piece::Text("(")];
                pieces.extend(self.call);
                pieces.push(Piece::Owned(format!(" / 1e{scale})")));
                pieces
            }
            _ => self.converted(),
        }
    }

    fn converted(self) -> Vec<Piece> {
        let mut pieces = vec![Piece::Text(self.before)];
        pieces.extend(self.call);
        pieces.push(Piece::Text(self.after));
        pieces
    }
}

impl Renderer {
    /// An aggregate or a window; `None` for other expressions.
    pub(super) fn called(&self, tokens: &[Token], nodes: &Nodes, at: usize) -> Result<Option<Called>, Fault> {
        Ok(match tokens.get(at).copied() {
            Some(Token::Aggregate { function, distinct, filter }) => {
                let operands =
                    nodes.operands(at, usize::from(function != Aggregate::CountAll) + usize::from(filter))?;
                Some(self.aggregate(function, distinct, filter, nodes.get(at)?.known, &operands)?)
            }
            Some(Token::Over { partition, order }) => {
                let operands = nodes.operands(at, 1 + usize::from(partition) + usize::from(order))?;
                let (function, rest) = operands.split_first().ok_or(Fault::Malformed("a window has no function"))?;
                let mut called = match tokens.get(*function).copied() {
                    Some(Token::Named(name, n, _)) => {
                        let operands = nodes.operands(*function, usize::from(n))?;
                        Called::plain(call(function_name(name.name())?, &operands))
                    }
                    Some(Token::Aggregate { .. }) => {
                        self.called(tokens, nodes, *function)?.ok_or(Fault::Malformed("a window has no function"))?
                    }
                    _ => return Err(Fault::Malformed("a window stands over what is no function of many rows")),
                };
                over(&mut called.call, rest, usize::from(partition));
                Some(called)
            }
            _ => None,
        })
    }

    fn aggregate(
        &self,
        function: Aggregate,
        distinct: bool,
        filter: bool,
        known: Known,
        operands: &[usize],
    ) -> Result<Called, Fault> {
        let (operand, condition) = match (function, filter, operands) {
            (Aggregate::CountAll, _, _) if distinct => {
                return Err(Fault::Malformed("rows are counted, not values: there is nothing to be distinct"));
            }
            (Aggregate::CountAll, false, []) => (None, None),
            (Aggregate::CountAll, true, [condition]) => (None, Some(*condition)),
            (_, false, [operand]) => (Some(*operand), None),
            (_, true, [operand, condition]) => (Some(*operand), Some(*condition)),
            _ => return Err(Fault::Malformed("an aggregate has other operands than it takes")),
        };
        let mut called = Called::plain(vec![Piece::Text(match function {
            Aggregate::CountAll | Aggregate::Count => "COUNT(",
            Aggregate::Sum => "SUM(",
            Aggregate::Avg => "AVG(",
            Aggregate::Min => "MIN(",
            Aggregate::Max => "MAX(",
        })]);
        called.form = known.digits.map_or(DecimalForm::Plain, |digits| DecimalForm::Scale(digits.count));
        let sum = function == Aggregate::Sum;
        if sum && known.class == Class::Int && self.dialect.sums_integers_as_numeric() {
            // The cast gives an integer back, and an error where none holds the sum.
            (called.before, called.after) = ("CAST(", " AS bigint)");
        }
        let pieces = &mut called.call;
        pieces.push(Piece::Text(if distinct { "DISTINCT " } else { "" }));
        // Where FILTER is missing, a row that does not match gives NULL, which every aggregate passes over.
        let by_case = condition.filter(|_| !self.dialect.filters_aggregates());
        if let Some(condition) = by_case {
            let condition = Piece::Expression(condition, binds::ANYTHING);
            pieces.extend([Piece::Text("CASE WHEN "), condition, Piece::Text(" THEN ")]);
        }
        match operand {
            None => pieces.push(Piece::Text(if by_case.is_some() { "1" } else { "*" })),
            Some(operand) if function == Aggregate::Avg => pieces.extend([
                Piece::Text("CAST("),
                Piece::Expression(operand, binds::ANYTHING),
                Piece::Text(" AS "),
                Piece::Text(self.dialect.float_name()),
                Piece::Text(")"),
            ]),
            // Whole units of the last digit: a sum of floats would not be exact, a sum of integers is.
            Some(operand) if sum && known.class == Class::Decimal && self.dialect.decimals_are_floats() => {
                let scale = self.units(known)?;
                called.form = DecimalForm::Units(scale);
                pieces.extend([
                    Piece::Text("CAST(ROUND("),
                    Piece::Expression(operand, binds::MULTIPLY),
                    Piece::Owned(format!(" * 1e{scale}) AS INTEGER)")),
                ]);
            }
            Some(operand) => pieces.push(Piece::Expression(operand, binds::ANYTHING)),
        }
        pieces.push(Piece::Text(if by_case.is_some() { " END)" } else { ")" }));
        if let Some(condition) = condition.filter(|_| by_case.is_none()) {
            let condition = Piece::Expression(condition, binds::ANYTHING);
            pieces.extend([Piece::Text(" FILTER (WHERE "), condition, Piece::Text(")")]);
        }
        Ok(called)
    }

    /// In units of which digit an exact number can be counted.
    pub(super) fn units(&self, known: Known) -> Result<u8, Fault> {
        match known.digits {
            Some(digits) if digits.all && digits.count <= self.dialect.decimal_digits() => Ok(digits.count),
            _ => Err(Fault::Unsupported {
                what: format!(
                    "{} cannot add up or divide numbers whose digits are too many or not known",
                    self.dialect
                ),
                instead: "say them with `.cast_decimal(precision, scale)` first",
            }),
        }
    }
}

impl Called {
    fn plain(call: Vec<Piece>) -> Self {
        Self { before: "", call, after: "", form: DecimalForm::Plain }
    }
}

fn over(pieces: &mut Vec<Piece>, operands: &[usize], partition: usize) {
    let (partition, order) = operands.split_at(partition.min(operands.len()));
    pieces.push(Piece::Text(" OVER ("));
    if !partition.is_empty() {
        pieces.push(Piece::Text("PARTITION BY "));
        list(pieces, partition);
    }
    if !order.is_empty() {
        pieces.push(Piece::Text(if partition.is_empty() { "ORDER BY " } else { " ORDER BY " }));
        list(pieces, order);
    }
    pieces.push(Piece::Text(")"));
}
