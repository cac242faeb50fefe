//! How a type is stored.

use cormorant_driver::{Result, Row};
use cormorant_sql::schema::TableDef;
use cormorant_sql::{Buffer, Route, Token, Value};
use smallvec::SmallVec;

use crate::executor::{Target, Work};
use crate::expr::Predicate;
use crate::foreign_key::Pointer;
use crate::relation::{self, Step};
use crate::session::Objects;
use crate::{Columns, Executor, Inner, Join, Key, Query, Record, UniqueColumns, Unstorable, key, query, record};

/// How an entity is stored: its table, and the way between rows and values.
///
/// `#[derive(Model)]` writes it for a struct that is its own mapper, [`#[derive(Mapper)]`](derive.Mapper.html) for a type
/// that knows nothing of databases. By hand it is written of the same parts: a table ([`TableDef::new`]), a path, which
/// holds a [`Route`] and gives [`Expr::column`](crate::Expr::column), and how columns come in and out;
/// [`register!`](crate::register) tells `create_all` of it. The provided methods start queries.
#[diagnostic::on_unimplemented(
    message = "`{Self}` is not a model",
    label = "no table belongs to it",
    note = "write `#[derive(Model)]` above the struct; or, of a type that is to know nothing of it, `#[derive(Mapper)]` above another one"
)]
pub trait Mapper: Sized + 'static {
    /// What is stored.
    type Entity: Send + Sync + 'static;
    /// The type of its key.
    type Key: Key;
    /// Its columns and relations, as a query that starts at `R` sees them.
    type Path<R: 'static, J: Join>: Copy;
    /// Its columns as the database holds them, taken at the first mutable borrow.
    type Snapshot: Send + Sync + 'static;

    /// The name of the entity in Rust.
    const NAME: &'static str;
    /// Where it stands: `shop::models::User`. Two models have two.
    const PATH: &'static str;
    /// The table.
    const TABLE: &'static TableDef;

    /// The path at the end of a route.
    fn path<R: 'static, J: Join>(route: Route) -> Self::Path<R, J>;

    /// Makes an entity of a row's next cells, one per column, in order.
    ///
    /// # Errors
    /// [`ErrorKind::Decode`](crate::ErrorKind::Decode) when a cell holds something else.
    fn load(row: &mut Row<'_>) -> Result<Self::Entity>;

    /// Takes one column's value from the row's next cell. The columns of a foreign key are taken together, at the first
    /// of them: the others take nothing then.
    ///
    /// # Errors
    /// [`ErrorKind::Decode`](crate::ErrorKind::Decode) when the cell holds something else.
    fn assign(entity: &mut Self::Entity, column: u16, row: &mut Row<'_>) -> Result<()>;

    /// The value of a column.
    ///
    /// # Errors
    /// [`Unstorable`] when the column cannot hold it.
    fn value(entity: &Self::Entity, column: u16) -> Result<Value<'_>, Unstorable>;

    /// The key.
    ///
    /// # Errors
    /// [`ErrorKind::Encode`](crate::ErrorKind::Encode) when a part of it points at a row that is not saved.
    fn key(entity: &Self::Entity) -> Result<Self::Key>;

    /// The columns as they are now.
    fn snapshot(entity: &Self::Entity) -> Self::Snapshot;

    /// Makes a snapshot one of the columns as they are now, in the memory it has.
    fn renew(snapshot: &mut Self::Snapshot, entity: &Self::Entity) {
        *snapshot = Self::snapshot(entity);
    }

    /// Another copy of a snapshot.
    fn copy(snapshot: &Self::Snapshot) -> Self::Snapshot;

    /// The key of the row that a snapshot was taken of.
    ///
    /// # Errors
    /// As [`key`](Self::key).
    fn snapshot_key(snapshot: &Self::Snapshot) -> Result<Self::Key>;

    /// Makes the columns what a snapshot has.
    ///
    /// # Errors
    /// Whatever the entity says of values that it had before.
    fn restore(entity: &mut Self::Entity, snapshot: Self::Snapshot) -> Result<()>;

    /// Makes the version of a row what the snapshot has, and one `up` where the row is about to be written; gives its
    /// column and what the snapshot has, where the table has one.
    fn bump(_snapshot: &Self::Snapshot, _entity: &mut Self::Entity, _up: bool) -> Option<(u16, Value<'static>)> {
        None
    }

    /// The value that a snapshot has in a column of a unique constraint other than the key; NULL for others. A session
    /// asks for it where unique values move between rows.
    ///
    /// # Errors
    /// As [`value`](Self::value).
    fn unique_value(_snapshot: &Self::Snapshot, _column: u16) -> Result<Value<'_>, Unstorable> {
        Ok(Value::Null)
    }

    /// The columns that are no longer as the snapshot has them.
    fn changed(snapshot: &Self::Snapshot, entity: &Self::Entity) -> Columns;

    /// Makes every value what will be read back.
    fn as_stored(_entity: &mut Self::Entity) {}

    /// Fills in what the program generates before an insert: UUID keys.
    fn prepare(_entity: &mut Self::Entity) {}

    /// Takes over the integer key that the database generated.
    ///
    /// # Errors
    /// [`ErrorKind::Decode`](crate::ErrorKind::Decode) when the key's type does not hold it.
    fn set_generated_key(_entity: &mut Self::Entity, _key: i64) -> Result<()> {
        Ok(())
    }

    /// The field of the foreign key with this number, where the entity has one. Derived code writes it.
    #[doc(hidden)]
    fn pointer(_entity: &mut Self::Entity, _number: u8) -> Option<&mut dyn Pointer> {
        None
    }

    /// The objects that the relation with this number leads to. Derived code writes it.
    #[doc(hidden)]
    fn related(_number: u8) -> Option<Objects> {
        None
    }

    /// Every row.
    fn query() -> Query<Self, Self> {
        Query::new()
    }

    /// The rows that meet a condition.
    fn filter(condition: impl FnOnce(PathOf<Self>) -> Predicate<Self>) -> Query<Self, Self> {
        Self::query().filter(condition)
    }
}

/// A struct that is its own mapper: one table, one struct.
///
/// Derive it: `#[derive(Model)]`. The table is the struct's name in snake case and plural, a column a field's name;
/// a field named `id` is the key unless another says `key`; `Option` is NULL.
///
/// # Attributes of the struct
/// `table = "…"`, `schema = "…"`, `rename_all = "PascalCase"` (names of columns; without it they are the fields'),
/// `index(a, b)`, `unique(a, b)` (both with `name = "…"`), `check(name = "SQL")`, `strict` and `autoincrement` (SQLite), `crate = "path"`.
///
/// # Attributes of a field
/// | attribute | meaning |
/// |---|---|
/// | `key` | the key, or a part of it |
/// | `generated = false` | the program gives the key |
/// | `generated` | the database gives it: said of a type that is an integer by another name |
/// | `column = "…"` | the column's name |
/// | `max_length = n` | at most `n` characters |
/// | `precision = p, scale = s` | `p` digits, `s` of them behind the point |
/// | `unique`, `index`, `index = false` | an index; a foreign key has one unless it says not to |
/// | `default = value` | in the builder, and in the database where it is a literal or a variant of a [`DbEnum`](derive.DbEnum.html) |
/// | `db_default = "SQL"` | in the database |
/// | `check = "SQL"` | a condition every row meets: the constraint `ck_<table>_<column>`, and of a `DbEnum`, which has that one already, `ck_<table>_<column>_check` |
/// | `on_delete = cascade` | also `restrict`, `set_null`, `set_default` |
/// | `on_update = cascade` | the same, when the key it points at changes; nothing is said of it to the database without |
/// | `references(a, b)` | the columns of the key that a `ForeignKey` points at, where that key has several; `references(a = "x", b)` gives the foreign key's own another name |
/// | `via = field` | the foreign key that a `HasMany` or `HasOne` mirrors, where there are two |
/// | `through = "…"`, `through = Model` | the table of links of a `ManyToMany` |
/// | `delete_orphans` | of a `HasMany`: a session deletes a row that is taken away from this one and given to no other |
/// | `inverse = field` | the other side of a `ManyToMany` of a model with itself |
/// | `path = "…"` | the method's name on the path |
/// | `secret` | never shown in messages |
/// | `version` | counts the versions of the row, from 1: saving or deleting one that somebody else has saved since is [`ErrorKind::Stale`](crate::ErrorKind::Stale) |
/// | `skip` | no column |
///
/// The builder has a method per field; for a field named as one of its own methods (`build`, `insert`,
/// `get_or_insert`, `upsert`) it ends in `_`. [`UniqueColumns`](crate::UniqueColumns) tells what the last two do.
#[diagnostic::on_unimplemented(
    message = "`{Self}` is not a model",
    label = "no table belongs to it",
    note = "write `#[derive(Model)]` above the struct"
)]
pub trait Model: Mapper<Entity = Self> + IntoModel<Model = Self> + Send + Sync {
    /// Loads a relation into records. Derived code writes it.
    #[doc(hidden)]
    fn load_related<'a>(_step: &'a Step, _target: Target<'a>, _records: &'a mut [Record<Self>]) -> Work<'a, ()> {
        relation::nothing()
    }

    /// The row with this key.
    ///
    /// # Errors
    /// [`ErrorKind::NotFound`](crate::ErrorKind::NotFound) when there is none.
    fn get(db: &impl Executor, key: impl Into<Self::Key> + Send) -> impl Future<Output = Result<Record<Self>>> + Send {
        record::find(db.target(), key.into(), |found| found.ok_or_else(|| query::not_found(Self::NAME)))
    }

    /// The row with this key, if there is one.
    ///
    /// # Errors
    /// Those of the database.
    fn find(
        db: &impl Executor,
        key: impl Into<Self::Key> + Send,
    ) -> impl Future<Output = Result<Option<Record<Self>>>> + Send {
        record::find(db.target(), key.into(), Ok)
    }

    /// The rows with these keys, in the order of the keys in the database; a key without a row is passed over.
    /// The keys travel as one parameter, however many they are.
    ///
    /// # Errors
    /// Those of the database.
    fn get_many<K: Into<Self::Key>>(
        db: &impl Executor,
        keys: impl IntoIterator<Item = K> + Send,
    ) -> impl Future<Output = Result<Vec<Record<Self>>>> + Send {
        let query = by_keys::<Self>(keys.into_iter().map(Into::into));
        async move { query.all(db).await }
    }

    /// Inserts many at once: few statements, one transaction, and the keys that the database generates read back.
    ///
    /// # Errors
    /// [`ErrorKind::Validation`](crate::ErrorKind::Validation) when one is invalid, and nothing is sent; those of the database, and nothing is kept.
    fn insert_many<X: IntoModel<Model = Self>>(
        db: &impl Executor,
        models: impl IntoIterator<Item = X> + Send,
    ) -> impl Future<Output = Result<Vec<Record<Self>>>> + Send {
        let records = models.into_iter().map(|model| Record::unsaved(model.into_unsaved())).collect();
        async move { record::insert_many(db.target(), records).await }
    }

    /// Inserts many, or writes them into the rows that are there by a unique constraint, which the closure names: all or
    /// none, in one statement for those that give the same columns, or a few where they are many. A struct gives all of
    /// its columns, a builder what it was given; the rest of a row that is there stays as it is, and so do its key and
    /// its version: whoever read the row before may save over what was written. The records come in the order of the
    /// models; messages count those from 0.
    ///
    /// # Take over a list
    /// ```
    /// use cormorant::prelude::*;
    /// #[derive(Model)]
    /// struct Item {
    ///     id: i64,
    ///     #[model(unique, max_length = 20)]
    ///     code: String,
    ///     price: i64,
    ///     #[model(default = 0)]
    ///     stock: i64,
    /// }
    ///
    /// # fn main() -> cormorant::Result<()> {
    /// # let db = Database::connect("sqlite::memory:").wait()?;
    /// # db.create(models![Item]).wait()?;
    /// Item::insert_many(&db, [Item { id: 0, code: "CUP".into(), price: 5, stock: 9 }]).wait()?;
    /// let list = [("CUP", 6), ("MUG", 7)].map(|(code, price)| Item::builder().code(code).price(price));
    /// let items = Item::upsert_many(&db, list, |i| i.code()).wait()?; // INSERT … ON CONFLICT (code) DO UPDATE SET …
    /// assert_eq!((items[0].price, items[0].stock), (6, 9)); // was there
    /// assert_eq!((items[1].price, items[1].stock), (7, 0)); // is new
    /// # Ok(())
    /// # }
    /// ```
    ///
    /// # Errors
    /// Those of [`UniqueColumns`], and [`ErrorKind::Misuse`](crate::ErrorKind::Misuse) where two of the models name one
    /// row, be it to the database alone: to some collations `Cup` is `CUP`.
    fn upsert_many<X: IntoModel<Model = Self>, C: UniqueColumns<Self>>(
        db: &impl Executor,
        models: impl IntoIterator<Item = X> + Send,
        columns: impl FnOnce(PathOf<Self>) -> C,
    ) -> impl Future<Output = Result<Vec<Record<Self>>>> + Send {
        let unique = record::Unique::of::<Self>(columns(Self::path(Route::ROOT)));
        let models = models.into_iter().map(IntoModel::into_unsaved).collect();
        async move { record::upsert_many(db.target(), &unique?, models).await }
    }

    /// Writes what changed in many records, as [`save`](Record::save) does in each: a statement for those in which the
    /// same columns changed, or a few where they are many, in one transaction. With no change nothing is sent. Messages
    /// count the records from 0.
    ///
    /// # Change many, write once
    /// ```
    /// use cormorant::prelude::*;
    /// #[derive(Model)]
    /// struct Item { id: i64, name: String, stock: i64 }
    ///
    /// # fn main() -> cormorant::Result<()> {
    /// # let db = Database::connect("sqlite::memory:").wait()?;
    /// # db.create(models![Item]).wait()?;
    /// # Item::insert_many(&db, (1..4).map(|n| Item { id: 0, name: format!("Cup {n}"), stock: n })).wait()?;
    /// let mut items = Item::query().all(&db).wait()?;
    /// for item in &mut items {
    ///     item.stock *= 10;
    /// }
    /// Item::update_many(&db, &mut items).wait()?; // UPDATE items SET stock = … FROM …
    /// assert_eq!(Item::filter(|i| i.stock().ge(10)).count(&db).wait()?, 3);
    ///
    /// // Some of them:
    /// items[2].name = "Mug".into();
    /// Item::update_many(&db, items.iter_mut().filter(|item| item.stock == 30)).wait()?;
    /// # Ok(())
    /// # }
    /// ```
    ///
    /// # Errors
    /// After every error nothing is kept, and the records are as changed as before:
    /// [`ErrorKind::Validation`](crate::ErrorKind::Validation) with every fault of every record, before anything is sent;
    /// [`ErrorKind::Misuse`](crate::ErrorKind::Misuse) for a record that was never saved, and for two of the same row;
    /// [`ErrorKind::Stale`](crate::ErrorKind::Stale) when a row is gone, with its key
    /// where that is a number; those of the database.
    fn update_many<'r>(
        db: &impl Executor,
        records: impl IntoIterator<Item = &'r mut Record<Self>> + Send,
    ) -> impl Future<Output = Result<()>> + Send {
        let records = records.into_iter().collect();
        async move { record::update_many(db.target(), records).await }
    }
}

/// What can become a model: the struct itself, or its complete builder.
#[diagnostic::on_unimplemented(
    message = "`{Self}` is not a model, nor a builder with every required field given",
    label = "cannot become a model"
)]
pub trait IntoModel {
    /// The model.
    type Model: Model;

    /// Becomes it.
    fn into_unsaved(self) -> Unsaved<Self::Model>;
}

/// A model that is not in the database yet, and the columns that are left to the database's defaults.
#[derive(Clone, Debug)]
pub struct Unsaved<M> {
    pub(crate) entity: M,
    pub(crate) omitted: Columns,
    /// The columns that the program gave, and no default.
    pub(crate) given: Columns,
}

impl<M> Unsaved<M> {
    /// Derived code calls it.
    #[doc(hidden)]
    pub fn new(entity: M, omitted: Columns, given: Columns) -> Self {
        Self { entity, omitted, given }
    }
}

impl<M: Model> From<M> for Unsaved<M> {
    /// A model that says everything itself.
    fn from(entity: M) -> Self {
        Self::new(entity, Columns::none(), const { Columns::first(M::TABLE.columns.len()) })
    }
}

impl<M: Model> IntoModel for Unsaved<M> {
    type Model = M;

    fn into_unsaved(self) -> Self {
        self
    }
}

/// The path that a query over `M` starts with: `fn published(p: PathOf<Post>) -> Predicate<Post>`.
pub type PathOf<M> = <M as Mapper>::Path<M, Inner>;

/// The condition that a row has a key, whose values are to be bound in order.
#[inline]
pub(crate) fn by_key(table: &'static TableDef) -> SmallVec<[Token; 4]> {
    match table.key {
        [column] => SmallVec::from_buf(equal(table, *column)),
        columns => columns.iter().flat_map(|column| equal(table, *column)).collect(),
    }
}

/// The condition that a column has a value, which is to be bound.
#[inline]
pub(crate) fn equal(table: &'static TableDef, column: u16) -> [Token; 4] {
    [
        Token::Column { via: Route::ROOT, column, outer: 0 },
        Token::Bind(query::class_of(table, column)),
        Token::Binary(cormorant_sql::Binary::Eq),
        Token::Filter,
    ]
}

fn by_keys<M: Mapper>(keys: impl Iterator<Item = M::Key>) -> Query<M, M> {
    let mut query = Query::new();
    let buffer: &mut Buffer = query.buffer_mut();
    key::push_in(buffer, Route::ROOT, M::TABLE, M::TABLE.key, keys.map(|key| key::whole(&key)).collect());
    buffer.push(Token::Filter);
    for column in M::TABLE.key {
        buffer.push(Token::Column { via: Route::ROOT, column: *column, outer: 0 });
        buffer.push(Token::OrderBy { descending: false, nulls: cormorant_sql::Nulls::Native });
    }
    query
}
