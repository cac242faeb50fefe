//! Tables, columns, keys and names as plain data. No I/O, no SQL, no async.
//!
//! Two forms of the same facts:
//! - [`def`]: what a derive writes down at compile time, borrowed and constant ([`TableDef`]);
//! - [`table`]: what tools compare, build and read from a live database, owned ([`Table`], [`Schema`]).
//!
//! Names: [`Ident`] is the only type a name can have on its way into SQL; [`names`] makes the names of
//! constraints and indexes by rule.

mod allowed;
pub mod def;
mod ident;
pub mod link;
pub mod names;
pub mod table;
mod types;

pub use allowed::Allowed;
pub use def::{CheckDef, ColumnDef, DefaultDef, IndexDef, LinkDef, ManyDef, OnDelete, RelationDef, TableDef};
pub use ident::{Ident, InvalidIdent};
pub use table::{Check, Column, Condition, Default, ForeignKey, Index, PrimaryKey, Schema, Table};
pub use types::ColumnType;
