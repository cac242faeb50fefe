//! A statement before and after rendering.

use cormorant_schema::TableDef;

use crate::{Class, Token};

/// A statement: what it does, the table it starts at, and its tokens. Its values stand beside it, in a
/// [`Buffer`](crate::Buffer): they are no part of its shape.
#[derive(Clone, Copy, Debug)]
pub struct Statement<'a> {
    /// What it does.
    pub kind: Kind,
    /// The table it starts at.
    pub table: &'static TableDef,
    /// Its tokens.
    pub tokens: &'a [Token],
}

/// What a statement does.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Kind {
    /// Reads rows.
    Select,
    /// Counts the rows a select would give.
    Count,
    /// Says whether a select would give a row.
    Exists,
    /// Writes new rows.
    Insert,
    /// Changes rows.
    Update,
    /// Removes rows.
    Delete,
}

impl Kind {
    /// True for statements that change rows.
    pub fn writes(self) -> bool {
        matches!(self, Self::Insert | Self::Update | Self::Delete)
    }
}

/// A statement's text, ready to be prepared.
#[derive(Clone, Debug, PartialEq)]
pub struct Compiled {
    /// The text.
    pub sql: String,
    /// True when it changes rows.
    pub writes: bool,
    /// The class of each value, in the order the values are bound while building.
    pub parameters: Vec<Parameter>,
    /// For dialects whose placeholders have no number: which value each placeholder takes, in the order of the text.
    pub order: Option<Vec<u16>>,
    /// The columns it gives back.
    pub outputs: Vec<Output>,
    /// Of an INSERT of several rows whose generated keys follow each other: what is asked before, so that they are told
    /// by one. See [`Dialect::counts_keys_up`](crate::Dialect::counts_keys_up).
    pub key_query: Option<String>,
}

/// What a server is told about a parameter.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Parameter {
    /// Its class, or the class of its elements.
    pub class: Class,
    /// Whether it is a list.
    pub list: bool,
}

/// A column that a statement gives back.
#[derive(Clone, Debug, PartialEq)]
pub struct Output {
    /// Its name in messages: `Item.unit_value`, or `column 2`.
    pub name: String,
    /// How an exact number is to be read from a store that has none.
    pub decimal: DecimalForm,
}

/// How an exact number is to be read from a store that has only integers and floats (SQLite).
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum DecimalForm {
    /// As it is: nothing is known about it.
    #[default]
    Plain,
    /// A number with so many digits behind the point.
    Scale(u8),
    /// An integer that counts units of the last of so many digits behind the point.
    Units(u8),
}
