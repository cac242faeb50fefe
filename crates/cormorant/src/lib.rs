//! An object-relational mapper: one plain struct per table, as an Active Record and in a Unit of Work.
//!
//! ```
//! use cormorant::prelude::*;
//!
//! #[derive(Model, Debug)]
//! struct Item {
//!     id: i64,
//!     #[model(max_length = 24)]
//!     name: String,
//! }
//!
//! # fn main() -> cormorant::Result<()> {
//! let db = Database::connect("sqlite::memory:").wait()?;
//! db.create(models![Item]).wait()?;
//! let mut item = Item::builder().name("Cormorant").insert(&db).wait()?;
//! item.name = "Great cormorant".into();
//! item.save(&db).wait()?;
//! let found = Item::filter(|i| i.name().starts_with("Great")).all(&db).wait()?;
//! assert_eq!(found.len(), 1);
//! # Ok(())
//! # }
//! ```
//!
//! # The nouns
//! | noun | the question it answers |
//! |---|---|
//! | [`Model`] | how does this struct map to a table? (derived) |
//! | [`Mapper`] | how is a type that knows nothing of databases stored? |
//! | path ([`PathOf`]) | which column or relation, typed from a root model: `p.author().name()` |
//! | [`Query`] | which rows, as a value; nothing runs until a terminal (`all`, `one`, `count`, `update` …) |
//! | [`Record`] | one row as an Active Record: derefs to the entity, remembers what the database holds |
//! | [`Database`], [`Transaction`] | where statements run; both are an [`Executor`] |
//!
//! Every operation is a future; plain code calls [`.wait()`](Wait::wait) where async code writes `.await`.

mod columns;
mod database;
mod dec;
mod executor;
pub mod expr;
mod foreign_key;
mod join;
mod key;
mod mapper;
mod problem;
mod query;
mod raw;
mod record;
mod registry;
mod row;
mod scalar;
mod schema;
mod select;
mod support;
mod transaction;
mod validate;
mod wait;

pub use columns::Columns;
pub use cormorant_driver::{
    Begin, Cell, Conflict, Error, ErrorKind, Fault, Isolation, Mismatch, Options, Result, Row, StatementEvent,
};
pub use cormorant_macros::{FromRow, Model};
pub use cormorant_sql::schema::{ColumnType, TableDef};
pub use cormorant_sql::{Dialect, Lock, Locking, Taken, Value};
pub use database::Database;
pub use executor::Executor;
pub use expr::{Expr, Predicate};
pub use foreign_key::ForeignKey;
pub use join::{Inner, Join, Left};
pub use key::{Key, KeyPart};
pub use mapper::{IntoModel, Mapper, Model, PathOf, Unsaved};
pub use query::{Fetch, IntoLocking, Output, Query, Rows};
pub use raw::{Sql, UncheckedSql};
pub use record::{Record, UniqueColumns};
pub use row::{Field, FromRow};
pub use scalar::{Scalar, Unstorable};
pub use select::{Groupable, Selectable, Selection};
pub use transaction::{Scope, Transaction};
pub use wait::Wait;

/// What a program that uses Cormorant needs: `use cormorant::prelude::*;`.
pub mod prelude {
    pub use crate::expr::{Expr, Predicate, case, count, func};
    pub use crate::{
        Database, Executor, ForeignKey, FromRow, Lock, Mapper, Model, PathOf, Query, Record, Transaction, Wait, dec,
        models, sql,
    };
    pub use jiff::Timestamp;
    pub use jiff::civil::{Date, DateTime, Time};
    pub use rust_decimal::Decimal;
    pub use uuid::Uuid;
}

/// What derived code uses. Not for programs: it changes without notice.
#[doc(hidden)]
pub mod __private {
    pub use crate::support::*;
}
