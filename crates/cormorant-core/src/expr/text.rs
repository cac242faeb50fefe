//! Text.

use cormorant_sql::{Binary, Function, Token, Value};

use super::{Expr, IntoExpr, Predicate};

/// Types that are text: `String`, and `Option` of it.
#[diagnostic::on_unimplemented(message = "`{Self}` is not text", label = "only columns of type String can be searched")]
pub trait Text {}

impl Text for String {}
impl Text for Option<String> {}

/// Methods that take another text and say whether this one is like it.
macro_rules! searches {
    ($($(#[$doc:meta])* $name:ident => $op:ident;)*) => {
        // The bound is on the method: a number that is searched is told that it is no text.
        impl<R, T> Expr<R, T> {
            $(
                $(#[$doc])*
                #[inline]
                pub fn $name(self, other: impl IntoExpr<R, String>) -> Predicate<R>
                where
                    T: Text,
                {
                    self.with(other.into_expr(), Token::Binary(Binary::$op))
                }
            )*
        }
    };
}

searches! {
    /// Holds this text, by case. `%` and `_` are plain characters.
    contains => Contains;
    /// Starts with this text, by case.
    starts_with => StartsWith;
    /// Ends with this text, by case.
    ends_with => EndsWith;
    /// Holds this text, whatever the case.
    icontains => IContains;
    /// Starts with this text, whatever the case.
    istarts_with => IStartsWith;
    /// Ends with this text, whatever the case.
    iends_with => IEndsWith;
    /// Equals this text, whatever the case.
    ieq => IEq;
    /// Matches a regular expression of the database, by case. A pattern from users belongs into
    /// [`contains`](Expr::contains).
    regex => Regex;
}

impl<R, T: Text> Expr<R, T> {
    /// Matches a pattern by case: `%` is any text, `_` one character, `!` takes the next character as it is.
    pub fn like(self, pattern: impl IntoExpr<R, String>) -> Predicate<R> {
        self.with(complete(pattern.into_expr()), Token::Binary(Binary::Like))
    }

    /// Matches a pattern as [`like`](Expr::like) does, whatever the case.
    pub fn ilike(self, pattern: impl IntoExpr<R, String>) -> Predicate<R> {
        self.with(complete(pattern.into_expr()), Token::Binary(Binary::ILike))
    }
}

/// Refuses a pattern that ends in `!`: one database takes it for a character, another for a mistake.
fn complete<R>(mut pattern: Expr<R, String>) -> Expr<R, String> {
    for value in &mut pattern.buffer.values {
        if let Value::Text(text) = value
            && text.bytes().rev().take_while(|c| *c == b'!').count() % 2 == 1
            && pattern.buffer.tokens.len() == 1
        {
            *value = Value::Unstorable("a pattern ends in `!` and has nothing to take as it is: write `!!`".into());
        }
    }
    pattern
}

/// Methods that make a value of text.
macro_rules! functions {
    ($($(#[$doc:meta])* $name:ident => $function:ident;)*) => {
        impl<R, T> Expr<R, T> {
            $(
                $(#[$doc])*
                pub fn $name(self) -> Self
                where
                    T: Text,
                {
                    self.then(Token::Call(Function::$function, 1))
                }
            )*
        }
    };
}

functions! {
    /// In small letters.
    lower => Lower;
    /// In capital letters.
    upper => Upper;
    /// Without spaces at both ends.
    trim => Trim;
}

impl<R> Expr<R, String> {
    /// How many characters it has.
    pub fn length(self) -> Expr<R, i64> {
        self.then(Token::Call(Function::Length, 1))
    }

    /// This text and another behind it.
    pub fn concat(self, other: impl IntoExpr<R, String>) -> Self {
        self.with(other.into_expr(), Token::Binary(Binary::Concat))
    }
}

impl<R> Expr<R, Option<String>> {
    /// How many characters it has.
    pub fn length(self) -> Expr<R, Option<i64>> {
        self.then(Token::Call(Function::Length, 1))
    }

    /// This text and another behind it.
    pub fn concat(self, other: impl IntoExpr<R, Option<String>>) -> Self {
        self.with(other.into_expr(), Token::Binary(Binary::Concat))
    }
}
