//! What building an expression appends to.

use smallvec::SmallVec;

use crate::render::depths;
use crate::{Token, Value};

/// Tokens and their values, side by side: the n-th `Bind` or `List` token takes the n-th value.
///
/// Small expressions and most queries stay inside the value itself; nothing is allocated and no tree is walked.
#[derive(Clone, Debug, Default)]
pub struct Buffer {
    /// The tokens, in postfix order.
    pub tokens: SmallVec<[Token; 8]>,
    /// The values.
    pub values: SmallVec<[Value<'static>; 2]>,
}

impl Buffer {
    /// A buffer with one token.
    pub fn of(token: Token) -> Self {
        let mut buffer = Self::default();
        buffer.push(token);
        buffer
    }

    /// A buffer with one bound value.
    pub fn bind(token: Token, value: Value<'static>) -> Self {
        let mut buffer = Self::of(token);
        buffer.values.push(value);
        buffer
    }

    /// Appends a token.
    pub fn push(&mut self, token: Token) {
        self.tokens.push(token);
    }

    /// Appends another buffer: in postfix order, that is all that combining two expressions takes.
    pub fn append(&mut self, other: Buffer) {
        if self.tokens.is_empty() {
            // The memory that it has comes along.
            *self = other;
            return;
        }
        self.tokens.extend_from_slice(&other.tokens);
        // A column has none: moving them as a whole is less work than one by one.
        if self.values.is_empty() {
            self.values = other.values;
        } else {
            self.values.extend(other.values);
        }
    }

    /// Its own tokens, with their positions: those of queries nested in it are passed over.
    pub fn own(&self) -> impl Iterator<Item = (usize, Token)> {
        let nests = self.tokens.iter().any(|token| matches!(token, Token::Subquery { .. }));
        let depths = if nests { depths(&self.tokens).unwrap_or_default() } else { Vec::new() };
        let tokens = self.tokens.iter().copied().enumerate();
        tokens.filter(move |(at, _)| depths.get(*at).is_none_or(|depth| *depth == Some(0)))
    }

    /// Whether one of its own tokens is such a one.
    #[inline]
    pub fn has(&self, such: impl Fn(&Token) -> bool) -> bool {
        // Mostly there is none at all, nested or not.
        self.tokens.iter().any(&such) && self.own().any(|(_, token)| such(&token))
    }

    /// The same expression as a query inside the one it was made for sees it.
    pub fn outward(&mut self) {
        let depths = depths(&self.tokens).unwrap_or_default();
        for (token, depth) in self.tokens.iter_mut().zip(depths) {
            if let Token::Column { outer, .. } = token
                && depth.is_some_and(|depth| usize::from(*outer) >= depth)
            {
                *outer = outer.saturating_add(1);
            }
        }
    }
}
