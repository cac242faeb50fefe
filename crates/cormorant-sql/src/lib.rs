//! SQL statements as data, and their text in each dialect. No I/O, no models.
//!
//! A statement is a slice of small [`Token`]s in postfix order over a table's definition, beside its bound
//! [`Value`]s. [`render`] turns the tokens into [`Compiled`] text; [`Shapes`] remembers what was rendered, keyed by
//! the tokens themselves, so that a query that runs again is looked up and not written again.

mod buffer;
mod catalog;
pub mod ddl;
mod dialect;
mod fault;
mod literal;
mod lock;
mod quote;
mod render;
mod shapes;
mod statement;
mod token;
mod value;

pub use buffer::Buffer;
pub use cormorant_schema as schema;
pub use dialect::Dialect;
pub use fault::Fault;
pub use literal::literal;
pub use lock::{Lock, Locking, Taken};
pub use quote::quote;
pub use render::{own_column, render};
pub use shapes::{Recent, Shape, Shapes};
pub use statement::{Compiled, DecimalForm, Kind, Output, Parameter, Statement};
pub use token::{Aggregate, Binary, Function, Nulls, Route, SetOperation, Symbol, TableId, Token, Unary};
pub use value::{Class, Value};
