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

#[doc(inline)]
pub use cormorant_core::*;
/// An enum as the type of a column: derives [`Scalar`] for an enum whose variants have no fields.
///
/// The column holds a variant's name in snake case, as `varchar` of the longest, and a CHECK by the column's name,
/// `ck_<table>_<column>`, lets no other text in; a check of the field's own is `ck_<table>_<column>_check` beside it. A
/// row with a text that is no variant's is [`ErrorKind::Decode`]. Texts sort by the alphabet, integers by size. A
/// variant stands as `default = Status::Draft` on the model's field, and the database knows that default too.
///
/// Tables that exist are compared by the names of their checks: a variant more, or another text, is no difference to
/// `create_all`, unless it changes the column's type, which is as long as the longest text.
///
/// # Attributes of the enum
/// `rename_all = "SCREAMING_SNAKE_CASE"` (the words of `#[model(rename_all)]`), `integer` (the column holds the
/// discriminants, as the smallest integer that holds them all), `crate = "path"`.
///
/// # Attributes of a variant
/// `rename = "…"`, its text.
///
/// # An enum in a column
/// ```
/// use cormorant::prelude::*;
///
/// #[derive(DbEnum, Clone, Copy, Debug, PartialEq)]
/// enum Status {
///     Draft,
///     #[db_enum(rename = "live")]
///     Published,
/// }
///
/// #[derive(DbEnum, Clone, Copy, Debug, PartialEq)]
/// #[db_enum(integer)]
/// enum Level {
///     Low = 10,
///     High = 20,
/// }
///
/// #[derive(Model)]
/// struct Post {
///     id: i64,
///     #[model(default = Status::Draft)]
///     status: Status,
///     former: Option<Status>,
///     level: Level,
/// }
///
/// # fn main() -> cormorant::Result<()> {
/// # let db = Database::connect("sqlite::memory:").wait()?;
/// # db.create(models![Post]).wait()?;
/// Post::builder().level(Level::High).insert(&db).wait()?;
/// Post::builder().status(Status::Published).former(Status::Draft).level(Level::Low).insert(&db).wait()?;
/// let live = Post::filter(|p| p.status().eq(Status::Published)).one(&db).wait()?;
/// assert_eq!((live.former, live.level), (Some(Status::Draft), Level::Low));
/// let texts: Vec<(String, i64)> = sql!("SELECT status, level FROM posts ORDER BY level").all(&db).wait()?;
/// assert_eq!(texts, [("live".to_owned(), 10), ("draft".to_owned(), 20)]);
/// # Ok(())
/// # }
/// ```
pub use cormorant_macros::DbEnum;
/// A mapper of a type that knows nothing of databases: the Data Mapper pattern.
///
/// The struct says how a type of the domain is stored, a column per field: its getters give the columns, and its
/// constructor, which takes them in the order of the fields, by value, makes the object of a row. So fields stay private,
/// and no object is there that the constructor would not make. The struct itself is never used but by its name:
/// a [`Session`] adds ([`add_to`](Session::add_to)), gets and queries its entity by it.
///
/// A row that `try_build` refuses is [`ErrorKind::Decode`], with the table, the key, and what the constructor said.
/// The object is also built anew where the session changes it: when the database has given it a key, and when a rollback
/// makes it what it was. What no column holds is lost then.
///
/// # Attributes of the struct
/// | attribute | meaning |
/// |---|---|
/// | `entity = domain::Account` | the type that is stored |
/// | `build = path` | its constructor, which cannot fail |
/// | `try_build = path` | its constructor, where that gives a `Result`, whose error can be displayed |
///
/// And those of a [`Model`](trait@Model): `table` (without it, the entity's name in snake case and plural), `schema`,
/// `rename_all`, `index(a, b)`, `unique(a, b)`, `check(name = "SQL")`, `strict`, `autoincrement`, `crate`.
///
/// # Attributes of a field
/// `get = |account| account.number()`: what gives the column's value, a closure or the path of a function. It may give
/// whatever converts into the field's type, `&str` for a `String`. Without it, it is the entity's method of the field's
/// name.
///
/// And those of a model's field: `key`, `generated`, `column`, `max_length`, `precision`, `scale`, `unique`, `index`,
/// `db_default`, `check`, `on_delete`, `on_update`, `path`, `secret`. An integer key is generated where the entity has 0;
/// a `Uuid` is the entity's own to make. A [`ForeignKey`] is a column like any other: queries follow it.
///
/// # Stored without knowing it
/// ```
/// use cormorant::prelude::*;
///
/// mod domain {
///     pub struct Account {
///         number: String,
///         cents: i64,
///     }
///
///     impl Account {
///         pub fn restore(number: String, cents: i64) -> Result<Self, &'static str> {
///             if cents < 0 { Err("an account cannot be overdrawn") } else { Ok(Self { number, cents }) }
///         }
///         pub fn number(&self) -> &str {
///             &self.number
///         }
///         pub fn cents(&self) -> i64 {
///             self.cents
///         }
///         pub fn deposit(&mut self, cents: i64) {
///             self.cents += cents;
///         }
///     }
/// }
///
/// #[derive(Mapper)]
/// #[mapper(entity = domain::Account, try_build = domain::Account::restore)]
/// struct Accounts {
///     #[mapper(key, max_length = 34)]
///     number: String,
///     #[mapper(column = "balance", get = |account| account.cents())]
///     cents: i64,
/// }
///
/// # fn main() -> cormorant::Result<()> {
/// # let db = Database::connect("sqlite::memory:").wait()?;
/// # db.create(models![Accounts]).wait()?;
/// let mut session = db.session();
/// let account = session.add_to::<Accounts>(domain::Account::restore("BR-1".into(), 0).unwrap());
/// session.commit().wait()?; // INSERT INTO accounts (number, balance) …
/// session[account].deposit(500);
/// session.commit().wait()?; // UPDATE accounts SET balance = ? WHERE number = ?
/// let rich = session.all(Accounts::filter(|a| a.cents().gt(100))).wait()?;
/// assert_eq!(rich, [account]);
/// # Ok(())
/// # }
/// ```
pub use cormorant_macros::Mapper;
pub use cormorant_macros::{FromRow, Model};

/// SQL text whose braces bind what they hold: `sql!("SELECT name FROM items WHERE id = {id}")`; `{..list}` binds a
/// list. See [`Sql`].
#[macro_export]
macro_rules! sql {
    ($($text:tt)*) => {
        $crate::__private::__sql!($crate, $($text)*)
    };
}

/// What a program that uses Cormorant needs: `use cormorant::prelude::*;`.
pub mod prelude {
    pub use crate::expr::{Expr, Predicate, case, count, func};
    pub use crate::{
        Database, DbEnum, Executor, ForeignKey, FromRow, Handle, HasMany, HasOne, Lock, ManyToMany, Mapper, Model,
        OneToOne, PathOf, Query, Record, Session, Transaction, Wait, dec, load_all, models, sql,
    };
    pub use jiff::Timestamp;
    pub use jiff::civil::{Date, DateTime, Time};
    pub use rust_decimal::Decimal;
    pub use uuid::Uuid;
}

/// What derived code uses. Not for programs: it changes without notice.
#[doc(hidden)]
pub mod __private {
    pub use cormorant_core::__private::*;
    pub use cormorant_macros::__sql;
}
