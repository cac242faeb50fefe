//! Models, queries and sessions of the Cormorant object-relational mapper: all of it but what reads a program's source,
//! the derives and `sql!`. Programs use it as [`cormorant`](https://docs.rs/cormorant), where the same names stand.
//!
//! A crate of its own, so that it need not wait for those macros to be compiled: they and it are, side by side.

mod columns;
mod database;
mod dec;
mod executor;
pub mod expr;
mod foreign_key;
mod identity;
mod join;
mod key;
mod mapped;
mod mapper;
mod problem;
mod query;
mod raw;
mod record;
mod registry;
mod relation;
mod row;
mod scalar;
mod schema;
mod select;
mod session;
mod step;
mod support;
mod transaction;
mod validate;
mod wait;

pub use columns::Columns;
pub use cormorant_driver::{
    Begin, Cell, Conflict, Error, ErrorKind, Fault, Isolation, Mismatch, Options, Result, Row, StatementEvent,
};
pub use cormorant_sql::schema::{Allowed, ColumnDef, ColumnType, TableDef};
pub use cormorant_sql::{Dialect, Lock, Locking, Route, Taken, Value};
pub use database::Database;
pub use executor::Executor;
pub use expr::{Expr, Predicate};
pub use foreign_key::ForeignKey;
pub use join::{Inner, Join, Left};
pub use key::{Key, KeyPart};
pub use mapper::{IntoModel, Mapper, Model, PathOf, Unsaved};
pub use query::{Fetch, IntoLocking, Output, Query, RowStream, Rows};
pub use raw::{Sql, UncheckedSql};
pub use record::{Record, UniqueColumns};
pub use relation::{
    Children, HasMany, HasOne, Included, Links, LinksThrough, Many, ManyToMany, OneToOne, Plain, Related, Relation,
    RowOf, ToMany, load_all,
};
pub use row::{Field, FromRow};
pub use scalar::{Scalar, Unstorable};
pub use select::{Groupable, Selectable, Selection};
pub use session::{Handle, ObjectState, ObjectStream, Savepoint, Session, SessionScope};
pub use transaction::{Scope, Transaction};
pub use wait::Wait;

/// What derived code uses. Not for programs: it changes without notice.
#[doc(hidden)]
pub mod __private {
    pub use crate::support::*;
}
