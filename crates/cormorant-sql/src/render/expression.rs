//! One expression, written with a stack of its own.

use super::Renderer;
use super::nodes::{Node, Nodes};
use crate::token::{Aggregate, Binary, Nulls, SetOperation, Unary};
use crate::{Class, DecimalForm, Fault, TableId, Token};

/// How tightly an expression holds together, loosest first.
mod binds {
    pub(super) const ANYTHING: u8 = 0;
    pub(super) const OR: u8 = 1;
    pub(super) const AND: u8 = 2;
    pub(super) const NOT: u8 = 3;
    pub(super) const COMPARE: u8 = 4;
    pub(super) const ADD: u8 = 5;
    pub(super) const MULTIPLY: u8 = 6;
    pub(super) const ATOM: u8 = 8;
}

/// A chain of AND or OR longer than this is split with brackets: SQLite refuses expressions deeper than 1,000.
const LONGEST_CHAIN: usize = 256;

/// What is still to be written.
enum Piece {
    Text(&'static str),
    Owned(String),
    /// The expression that ends here, in brackets when it holds together less tightly than asked.
    Expression(usize, u8),
    /// Operands of a long chain of AND or OR.
    Chain(Binary, Vec<usize>),
}

impl Renderer {
    /// Writes the expression that ends at token `at`.
    pub(super) fn expression(&mut self, tokens: &[Token], nodes: &Nodes, at: usize) -> Result<(), Fault> {
        self.write(tokens, nodes, vec![Piece::Expression(at, binds::ANYTHING)])
    }

    /// Writes an expression whose value goes to the caller, and says how an exact number is to be read.
    pub(super) fn output(&mut self, tokens: &[Token], nodes: &Nodes, at: usize) -> Result<DecimalForm, Fault> {
        let node = nodes.get(at)?;
        if let Some(Token::Aggregate { function: Aggregate::Sum, distinct, filter }) = tokens.get(at).copied() {
            let operands = nodes.operands(at, 1 + usize::from(filter))?;
            let (pieces, form) = self.aggregate(Aggregate::Sum, distinct, filter, node, &operands)?;
            self.write(tokens, nodes, pieces.into_iter().rev().collect())?;
            return Ok(form);
        }
        self.expression(tokens, nodes, at)?;
        Ok(node.scale.map_or(DecimalForm::Plain, DecimalForm::Scale))
    }

    fn write(&mut self, tokens: &[Token], nodes: &Nodes, mut stack: Vec<Piece>) -> Result<(), Fault> {
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
                        Token::Bind(class) => self.bind(class, node.value),
                        Token::List(_) => self.placeholder(node.value),
                        Token::Subquery { table, tokens: n, exists } => {
                            let inner = tokens.get(at.saturating_sub(n as usize)..at).unwrap_or_default();
                            self.subquery(table, inner, exists, node.value)?;
                        }
                        _ => {
                            let (mut pieces, tightness) = self.pieces(tokens, nodes, at, token, node)?;
                            if tightness < asked {
                                pieces.insert(0, Piece::Text("("));
                                pieces.push(Piece::Text(")"));
                            }
                            stack.extend(pieces.into_iter().rev());
                        }
                    }
                }
            }
        }
        Ok(())
    }

    fn bind(&mut self, class: Class, value: usize) {
        // MySQL receives exact numbers as text, and would compare text with a number as floats.
        let cast = class == Class::Decimal && self.dialect.decimals_travel_as_text();
        if cast {
            self.push("CAST(");
        }
        self.placeholder(value);
        if cast {
            self.push(" AS DECIMAL(65, 30))");
        }
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
        Ok(match token {
            Token::Unary(op) => {
                let operands = operands(1)?;
                let null = operands.first().map(|x| nodes.get(*x)).transpose()?.is_some_and(|x| x.null);
                match op {
                    Unary::IsNull => (template("[0] IS NULL", &operands, binds::ADD), binds::COMPARE),
                    Unary::IsNotNull => (template("[0] IS NOT NULL", &operands, binds::ADD), binds::COMPARE),
                    // NOT of an unknown would be unknown: a row that a condition does not match is one that `!` matches.
                    Unary::Not if null => (template("[0] IS NOT TRUE", &operands, binds::ATOM), binds::COMPARE),
                    Unary::Not => (template("NOT [0]", &operands, binds::NOT), binds::NOT),
                    Unary::Negate => (template("-[0]", &operands, binds::ATOM), binds::MULTIPLY),
                }
            }
            Token::Binary(op @ (Binary::And | Binary::Or)) => {
                let operands = chain(tokens, nodes, at, op)?;
                let tightness = if op == Binary::And { binds::AND } else { binds::OR };
                (vec![Piece::Chain(op, operands)], tightness)
            }
            Token::Binary(op) => self.binary(op, node, &operands(2)?),
            Token::Between => (template("[0] BETWEEN [1] AND [2]", &operands(3)?, binds::ADD), binds::COMPARE),
            Token::In => {
                let operands = operands(2)?;
                let class = operands.first().map(|x| nodes.get(*x)).transpose()?.map_or(Class::Int, |x| x.class);
                (template(self.dialect.in_list(class), &operands, binds::ADD), binds::COMPARE)
            }
            Token::Call(function, n) => {
                let operands = operands(usize::from(n))?;
                match self.dialect.function(function) {
                    Ok(text) => (template(text, &operands, binds::ADD), binds::ATOM),
                    Err(name) => (call(Piece::Text(name), &operands), binds::ATOM),
                }
            }
            Token::Named(name, n) => {
                (call(Piece::Owned(function_name(name.name())?), &operands(usize::from(n))?), binds::ATOM)
            }
            Token::Cast(ty) => {
                let mut pieces = template("CAST({0} AS ", &operands(1)?, binds::ADD);
                pieces.push(Piece::Owned(self.dialect.cast_name(ty)));
                pieces.push(Piece::Text(")"));
                (pieces, binds::ATOM)
            }
            Token::Case { branches, otherwise } => {
                let operands = operands(usize::from(branches) * 2 + usize::from(otherwise))?;
                (case(&operands, otherwise), binds::ATOM)
            }
            Token::Aggregate { function, distinct, filter } => {
                let count = usize::from(function != Aggregate::CountAll) + usize::from(filter);
                let (pieces, form) = self.aggregate(function, distinct, filter, node, &operands(count)?)?;
                match form {
                    // Inside a larger expression the sum is a number like any other.
                    DecimalForm::Units(scale) => (around("(", pieces, format!(" / 1e{scale})")), binds::ATOM),
                    _ => (pieces, binds::ATOM),
                }
            }
            Token::Over { partition, order } => {
                let operands = operands(1 + usize::from(partition) + usize::from(order))?;
                (over(&operands, usize::from(partition)), binds::ATOM)
            }
            Token::Sort { descending, nulls } => {
                let mut pieces = template("{0}", &operands(1)?, binds::ANYTHING);
                pieces.push(Piece::Text(if descending { " DESC" } else { "" }));
                pieces.push(Piece::Text(match nulls {
                    Nulls::First if self.dialect.orders_nulls() => " NULLS FIRST",
                    Nulls::Last if self.dialect.orders_nulls() => " NULLS LAST",
                    _ => "",
                }));
                (pieces, binds::ANYTHING)
            }
            _ => return Err(Fault::Malformed("a clause stands where an expression should")),
        })
    }

    fn binary(&self, op: Binary, node: Node, operands: &[usize]) -> (Vec<Piece>, u8) {
        let text = match op {
            Binary::Divide if node.class == Class::Int => self.dialect.integer_division(),
            _ => self.dialect.binary(op),
        };
        let (tightness, inside) = match op {
            Binary::Add | Binary::Subtract | Binary::Concat => (binds::ADD, binds::MULTIPLY),
            Binary::Multiply | Binary::Divide | Binary::Remainder => (binds::MULTIPLY, binds::ATOM),
            _ => (binds::COMPARE, binds::ADD),
        };
        let pieces = template(text, operands, inside);
        // Floats stand in for exact numbers here: rounding each step to its digits keeps the result exact.
        let exact = matches!(op, Binary::Add | Binary::Subtract | Binary::Multiply);
        if exact && node.class == Class::Decimal && self.dialect.decimals_are_floats() {
            return match node.scale {
                Some(scale) => (around("ROUND(", pieces, format!(", {scale})")), binds::ATOM),
                None => (around("CAST(printf('%.15g', ", pieces, ") AS NUMERIC)".to_owned()), binds::ATOM),
            };
        }
        (pieces, tightness)
    }

    fn aggregate(
        &self,
        function: Aggregate,
        distinct: bool,
        filter: bool,
        node: Node,
        operands: &[usize],
    ) -> Result<(Vec<Piece>, DecimalForm), Fault> {
        let mut form = node.scale.map_or(DecimalForm::Plain, DecimalForm::Scale);
        let name = match function {
            Aggregate::CountAll | Aggregate::Count => "COUNT(",
            Aggregate::Sum => "SUM(",
            Aggregate::Avg => "AVG(",
            Aggregate::Min => "MIN(",
            Aggregate::Max => "MAX(",
        };
        let sum = function == Aggregate::Sum;
        // PostgreSQL sums integers in NUMERIC: the cast gives an integer back, and an error where none holds it.
        let integer = sum && node.class == Class::Int && self.dialect.sums_integers_as_numeric();
        let mut pieces = Vec::new();
        if integer {
            pieces.push(Piece::Text("CAST("));
        }
        pieces.push(Piece::Text(name));
        if distinct {
            pieces.push(Piece::Text("DISTINCT "));
        }
        let condition = if filter { operands.last().copied() } else { None };
        // Where FILTER is missing, a row that does not match gives NULL, which every aggregate passes over.
        let by_case = condition.filter(|_| !self.dialect.filters_aggregates());
        if let Some(condition) = by_case {
            pieces.extend([
                Piece::Text("CASE WHEN "),
                Piece::Expression(condition, binds::ANYTHING),
                Piece::Text(" THEN "),
            ]);
        }
        match (function, operands.first()) {
            (Aggregate::CountAll, _) => pieces.push(Piece::Text(if by_case.is_some() { "1" } else { "*" })),
            (Aggregate::Avg, Some(x)) => pieces.extend([
                Piece::Text("CAST("),
                Piece::Expression(*x, binds::ANYTHING),
                Piece::Text(" AS "),
                Piece::Text(self.dialect.float_name()),
                Piece::Text(")"),
            ]),
            // Whole units of the last digit: a sum of floats would not be exact, a sum of integers is.
            (Aggregate::Sum, Some(x)) if node.class == Class::Decimal && self.dialect.decimals_are_floats() => {
                let Some(scale) = node.scale else {
                    return Err(Fault::Unsupported {
                        what: format!("{} cannot sum a number whose digits are not known", self.dialect),
                        instead: "say them with `.cast_decimal(precision, scale)` before `.sum()`",
                    });
                };
                form = DecimalForm::Units(scale);
                pieces.extend([
                    Piece::Text("CAST(ROUND("),
                    Piece::Expression(*x, binds::ATOM),
                    Piece::Owned(format!(" * 1e{scale}) AS INTEGER)")),
                ]);
            }
            (_, Some(x)) => pieces.push(Piece::Expression(*x, binds::ANYTHING)),
            (_, None) => return Err(Fault::Malformed("an aggregate has no operand")),
        }
        if by_case.is_some() {
            pieces.push(Piece::Text(" END"));
        }
        pieces.push(Piece::Text(")"));
        if let Some(condition) = condition.filter(|_| by_case.is_none()) {
            pieces.extend([
                Piece::Text(" FILTER (WHERE "),
                Piece::Expression(condition, binds::ANYTHING),
                Piece::Text(")"),
            ]);
        }
        if integer {
            pieces.push(Piece::Text(" AS bigint)"));
        }
        Ok((pieces, form))
    }
}

/// The operands of a chain of one operator, however it was built: `(a AND b) AND c` has three.
fn chain(tokens: &[Token], nodes: &Nodes, at: usize, op: Binary) -> Result<Vec<usize>, Fault> {
    let mut operands = Vec::new();
    let mut waiting = vec![at];
    while let Some(at) = waiting.pop() {
        match tokens.get(at) {
            Some(Token::Binary(other)) if *other == op => waiting.extend(nodes.operands(at, 2)?.into_iter().rev()),
            _ => operands.push(at),
        }
    }
    Ok(operands)
}

/// A chain as pieces; a long one as a chain of chains.
fn split(op: Binary, operands: Vec<usize>) -> Vec<Piece> {
    let (word, inside) = match op {
        Binary::And => (" AND ", binds::AND + 1),
        _ => (" OR ", binds::OR + 1),
    };
    let mut pieces = Vec::new();
    if operands.len() <= LONGEST_CHAIN {
        for (n, operand) in operands.into_iter().enumerate() {
            if n > 0 {
                pieces.push(Piece::Text(word));
            }
            pieces.push(Piece::Expression(operand, inside));
        }
    } else {
        let size = operands.len().div_ceil(LONGEST_CHAIN);
        for (n, part) in operands.chunks(size).enumerate() {
            pieces.push(Piece::Text(if n == 0 { "(" } else { word }));
            if n > 0 {
                pieces.push(Piece::Text("("));
            }
            pieces.push(Piece::Chain(op, part.to_vec()));
            pieces.push(Piece::Text(")"));
        }
    }
    pieces
}

/// Fills a template's places: `{n}` with an operand as it is, `[n]` with one that holds together.
fn template(text: &'static str, operands: &[usize], inside: u8) -> Vec<Piece> {
    let mut pieces = Vec::new();
    let mut rest = text;
    while let Some(open) = rest.find(['{', '[']) {
        let (before, place) = rest.split_at(open);
        let number = place.get(1..2).and_then(|digit| digit.parse::<usize>().ok());
        let operand = number.and_then(|n| operands.get(n));
        let Some(operand) = operand else { break };
        if !before.is_empty() {
            pieces.push(Piece::Text(before));
        }
        let asked = if place.starts_with('[') { inside } else { binds::ANYTHING };
        pieces.push(Piece::Expression(*operand, asked));
        rest = place.get(3..).unwrap_or_default();
    }
    if !rest.is_empty() {
        pieces.push(Piece::Text(rest));
    }
    pieces
}

fn call(name: Piece, operands: &[usize]) -> Vec<Piece> {
    let mut pieces = vec![name, Piece::Text("(")];
    list(&mut pieces, operands);
    pieces.push(Piece::Text(")"));
    pieces
}

fn list(pieces: &mut Vec<Piece>, operands: &[usize]) {
    for (n, operand) in operands.iter().enumerate() {
        if n > 0 {
            pieces.push(Piece::Text(", "));
        }
        pieces.push(Piece::Expression(*operand, binds::ANYTHING));
    }
}

/// A function of the database's own: letters, digits and underscores, nothing that could end the word.
fn function_name(name: &'static str) -> Result<String, Fault> {
    let word = |c: char| c.is_ascii_alphanumeric() || c == '_';
    if !name.is_empty() && name.chars().all(word) && !name.starts_with(|c: char| c.is_ascii_digit()) {
        return Ok(name.to_owned());
    }
    Err(Fault::Unsupported {
        what: format!("{name:?} is not the name of a function"),
        instead: "a name is made of letters, digits and underscores",
    })
}

fn case(operands: &[usize], otherwise: bool) -> Vec<Piece> {
    let (branches, last) = match operands.split_last() {
        Some((last, branches)) if otherwise => (branches, Some(*last)),
        _ => (operands, None),
    };
    let mut pieces = vec![Piece::Text("CASE")];
    for branch in branches.chunks(2) {
        if let [condition, value] = branch {
            pieces.extend([
                Piece::Text(" WHEN "),
                Piece::Expression(*condition, binds::ANYTHING),
                Piece::Text(" THEN "),
                Piece::Expression(*value, binds::ANYTHING),
            ]);
        }
    }
    if let Some(last) = last {
        pieces.extend([Piece::Text(" ELSE "), Piece::Expression(last, binds::ANYTHING)]);
    }
    pieces.push(Piece::Text(" END"));
    pieces
}

fn over(operands: &[usize], partition: usize) -> Vec<Piece> {
    let Some((function, rest)) = operands.split_first() else { return Vec::new() };
    let (partition, order) = rest.split_at(partition.min(rest.len()));
    let mut pieces = vec![Piece::Expression(*function, binds::ATOM), Piece::Text(" OVER (")];
    if !partition.is_empty() {
        pieces.push(Piece::Text("PARTITION BY "));
        list(&mut pieces, partition);
    }
    if !order.is_empty() {
        pieces.push(Piece::Text(if partition.is_empty() { "ORDER BY " } else { " ORDER BY " }));
        list(&mut pieces, order);
    }
    pieces.push(Piece::Text(")"));
    pieces
}

fn around(before: &'static str, mut pieces: Vec<Piece>, after: String) -> Vec<Piece> {
    pieces.insert(0, Piece::Text(before));
    pieces.push(Piece::Owned(after));
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
