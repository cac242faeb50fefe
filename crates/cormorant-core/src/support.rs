//! What derived code calls. What is the same for every model is here, once.

pub use std::clone::Clone;
pub use std::convert::Into;
pub use std::default::Default;
pub use std::iter::IntoIterator;
pub use std::marker::{Copy, PhantomData};
pub use std::ops::FnOnce;
pub use std::option::Option::{self, None, Some};
pub use std::result::Result::Ok;

pub use cormorant_driver::{Cell, Mismatch, Result, Row};
pub use cormorant_sql::schema::{
    Allowed, CheckDef, ColumnDef, ColumnType, DefaultDef, IndexDef, LinkDef, ManyDef, OnDelete, RelationDef, TableDef,
    link,
};
use cormorant_sql::{Binary, Class, Token, Unary};
pub use cormorant_sql::{Buffer, Route, Value};

pub use crate::dec::decimal;
pub use crate::executor::{Target, Work};
pub use crate::expr::{Assign, IntoExpr};
pub use crate::foreign_key::{Composite, Named, Pointer};
pub use crate::mapped::{Built, Refusal, TryBuilt, built, get, get_option, owned, rebuild, refused_row, try_built};
pub use crate::raw::Known;
pub use crate::record::{get_or_insert, upsert};
pub use crate::register;
pub use crate::registry::{Registered, inventory};
pub use crate::relation::{
    BuilderWith, Children, HasOne, Include, Links, LinksThrough, Many, Relation, Step, ToMany, Unloaded,
    load_foreign_key, load_many, load_one, nothing,
};
pub use crate::scalar::db_enum::{constant, integer_type, integers, read_integer, read_text};
pub use crate::session::Objects;
pub use crate::{
    Columns, Executor, Expr, Field, ForeignKey, FromRow, IntoModel, Join, Key, KeyPart, Left, Mapper, Model, PathOf,
    Predicate, Record, Scalar, Selectable, Selection, UniqueColumns, Unsaved, Unstorable,
};
use crate::{Error, ErrorKind, key};

/// A required field of a builder that has a value.
#[derive(Debug)]
pub enum Given {}

/// A required field is [`Given`] by type, so its value is there.
#[allow(clippy::unreachable, reason = "the type parameter of the field says that its value was set")]
pub fn never_missing<T>() -> T {
    unreachable!("a required field of a builder has no value although its type says so")
}

/// What a field's setter takes: whatever converts into its type.
#[diagnostic::on_unimplemented(
    message = "a field of type `{T}` takes no `{Self}`",
    label = "expected `{T}`, or what converts into it"
)]
pub trait IntoField<T> {
    /// The value.
    fn into_field(self) -> T;
}

#[diagnostic::do_not_recommend]
impl<T, U: Into<T>> IntoField<T> for U {
    fn into_field(self) -> T {
        self.into()
    }
}

/// What an optional field's setter takes: a value, or an `Option` of one. `Mark` tells the two apart.
#[diagnostic::on_unimplemented(
    message = "a field of type `Option<{T}>` takes no `{Self}`",
    label = "expected `{T}`, or an `Option` of it"
)]
pub trait IntoOption<T, Mark> {
    /// The value.
    fn into_option(self) -> Option<T>;
}

impl<T, U: Into<T>> IntoOption<T, ()> for U {
    fn into_option(self) -> Option<T> {
        Some(self.into())
    }
}

impl<T, U: Into<T>> IntoOption<T, (Option<()>,)> for Option<U> {
    fn into_option(self) -> Option<T> {
        self.map(Into::into)
    }
}

/// What stands in a field that an insert leaves to the database, until the row is read back.
#[diagnostic::on_unimplemented(
    message = "a field of type `{Self}` cannot be left to the database",
    label = "something has to stand in it before the database's default is read back",
    note = "implement `Default` for it, or leave `db_default` out"
)]
pub trait Placeholder {
    /// It.
    fn placeholder() -> Self;
}

impl<T: Default> Placeholder for T {
    fn placeholder() -> Self {
        Self::default()
    }
}

impl<M: Model> Placeholder for ForeignKey<M> {
    fn placeholder() -> Self {
        Self::nowhere()
    }
}

/// The database's key as the field's type.
pub fn generated_key<T: TryFrom<i64>>(key: i64) -> Result<T> {
    T::try_from(key)
        .map_err(|_| Error::new(ErrorKind::Decode, "the generated key does not fit the type of the field: use i64"))
}

/// A key that sorts by the time it was made (UUID version 7).
pub fn new_uuid() -> uuid::Uuid {
    uuid::Uuid::now_v7()
}

/// Selects every column of the table at the end of a route.
pub fn push_entity(buffer: &mut Buffer, route: Route) {
    buffer.push(Token::Entity(route));
}

/// A record from the row's next cells; `None` where the joined row is missing.
pub fn load_joined<J: Join, M: Model>(row: &mut Row<'_>) -> Result<J::Of<Record<M>>> {
    let key = M::TABLE.key.first().map_or(0, |column| usize::from(*column));
    let present = !row.is_null(key);
    let start = row.position();
    let record = J::of(present, || M::load(row).map(Record::loaded))?;
    row.go_to(start + M::TABLE.columns.len());
    Ok(record)
}

/// Each column of the key of the row at the end of a route, and how its values travel.
fn key_columns<M: Mapper>(route: Route) -> impl Iterator<Item = (Token, Class)> {
    let token = move |column| Token::Column { via: route, column, outer: 0 };
    M::TABLE.key.iter().map(move |column| (token(*column), crate::query::class_of(M::TABLE, *column)))
}

/// Compares with a row's key, by `op` in each column, all or any of them; `None` where it has none. A value that no
/// column holds is refused when the query runs.
fn compare<R, M: Model>(route: Route, other: &ForeignKey<M>, op: Binary, join: Binary) -> Option<Predicate<R>> {
    let key = key::whole(other.key()?);
    let mut buffer = Buffer::default();
    let columns = key_columns::<M>(route).zip(key::parts(key, M::TABLE.key.len()));
    for (n, ((column, class), value)) in columns.enumerate() {
        buffer.push(column);
        buffer.push(Token::Bind(class));
        buffer.values.push(value);
        buffer.push(Token::Binary(op));
        if n > 0 {
            buffer.push(Token::Binary(join));
        }
    }
    Some(Expr::new(buffer))
}

/// A row that is not saved is no row of the database: none is this one. NULL in its place would make the condition
/// unknown, and its opposite too.
fn row_is_none<R, M: Model>(route: Route) -> Predicate<R> {
    row_is_in::<R, M>(route, std::iter::empty())
}

/// The row at the end of a route is this one.
pub fn row_eq<R, M: Model>(route: Route, other: ForeignKey<M>) -> Predicate<R> {
    compare(route, &other, Binary::Eq, Binary::And).unwrap_or_else(|| row_is_none::<R, M>(route))
}

/// The row at the end of a route is another one, or none.
pub fn row_ne<R, M: Model>(route: Route, other: ForeignKey<M>) -> Predicate<R> {
    compare(route, &other, Binary::IsDistinct, Binary::Or).unwrap_or_else(|| !row_is_none::<R, M>(route))
}

/// The row at the end of a route is one of these.
pub fn row_is_in<R, M: Model>(route: Route, others: impl Iterator<Item = ForeignKey<M>>) -> Predicate<R> {
    let keys = others.filter_map(|other| other.key().map(key::whole)).collect();
    let mut buffer = Buffer::default();
    key::push_in(&mut buffer, route, M::TABLE, M::TABLE.key, keys);
    Expr::new(buffer)
}

/// What a foreign key can be set to by query: what converts into it, and an `Option` of it where it may be NULL.
/// `Mark` tells the two apart.
#[diagnostic::on_unimplemented(
    message = "a foreign key to `{M}` cannot be set to `{Self}`",
    label = "expected a row of `{M}` or its key; `None` only where the foreign key is an Option"
)]
pub trait IntoTarget<M: Model, J, Mark> {
    /// The foreign key.
    fn into_target(self) -> Option<ForeignKey<M>>;
}

#[diagnostic::do_not_recommend]
impl<M: Model, J, U: Into<ForeignKey<M>>> IntoTarget<M, J, ()> for U {
    fn into_target(self) -> Option<ForeignKey<M>> {
        Some(self.into())
    }
}

impl<M: Model> IntoTarget<M, Left, (Option<()>,)> for Option<ForeignKey<M>> {
    fn into_target(self) -> Option<ForeignKey<M>> {
        self
    }
}

/// Sets the foreign key that leads to the end of a route.
pub fn row_set<R, M: Model, J, Mark>(route: Route, target: impl IntoTarget<M, J, Mark>) -> Assign<R> {
    let key = match target.into_target() {
        None => Value::Null,
        Some(target) => target.key().map_or_else(
            || {
                Value::Unstorable(
                    format!("the row of {} to point at is not saved yet: insert it first", M::NAME).into(),
                )
            },
            key::whole,
        ),
    };
    let columns = key_columns::<M>(route).zip(key::parts(key, M::TABLE.key.len()));
    Assign::of(columns.map(|((column, class), value)| (column, Buffer::bind(Token::Bind(class), value))))
}

/// There is no row at the end of a route, or there is one: the columns of a foreign key are all NULL or none, so that
/// the first tells.
pub fn row_is_null<R, M: Mapper>(route: Route, null: bool) -> Predicate<R> {
    let mut buffer: Buffer = key_columns::<M>(route).next().map(|(column, _)| Buffer::of(column)).unwrap_or_default();
    buffer.push(Token::Unary(if null { Unary::IsNull } else { Unary::IsNotNull }));
    Expr::new(buffer)
}
