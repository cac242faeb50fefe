//! The verbs of a `HasMany`: `user.posts().add(…)`.

use std::ops::Deref;

use cormorant_driver::{Error, ErrorKind, Result};
use cormorant_sql::schema::{ManyDef, RelationDef, TableDef};
use cormorant_sql::{Buffer, Kind, Token, Value};

use super::fields::Many;
use super::related::{Related, RowOf, keys_of, push_in};
use crate::executor::Target;
use crate::query::class_of;
use crate::{Executor, ForeignKey, IntoModel, Model, Record, Transaction};

/// The rows that point at one row, and what can be done with them: a model's method of a
/// [`HasMany`](crate::HasMany) gives it.
///
/// What was loaded before is stale once a verb has changed it, and says so.
///
/// # Children of a row
/// ```
/// use cormorant::prelude::*;
///
/// #[derive(Model)]
/// struct Author { id: i64, name: String, books: HasMany<Book> }
///
/// #[derive(Model)]
/// struct Book { id: i64, author: Option<ForeignKey<Author>>, title: String }
///
/// # fn main() -> cormorant::Result<()> {
/// # let db = Database::connect("sqlite::memory:").wait()?;
/// # db.create(models![Author, Book]).wait()?;
/// let ann = Author::builder().name("Ann").insert(&db).wait()?;
/// let birds = Book::builder().title("Birds").insert(&db).wait()?;
/// ann.books().add(&db, [&birds]).wait()?;
/// ann.books().create(&db, |book| book.title("Fish")).wait()?; // the author is given already
/// assert_eq!(ann.books().count(&db).wait()?, 2);
/// ann.books().remove(&db, [&birds]).wait()?;
/// let left = ann.books().filter(|b| b.title().contains("s")).all(&db).wait()?;
/// assert_eq!(left[0].title, "Fish");
/// # Ok(())
/// # }
/// ```
#[must_use = "a relation does nothing before a verb: `.all(&db).await?`"]
pub struct Children<'a, P: Model, M: Model, const KEY: u8> {
    owner: &'a P,
    related: Related<'a, M>,
}

impl<'a, P: Model, M: Model, const KEY: u8> Deref for Children<'a, P, M, KEY> {
    type Target = Related<'a, M>;

    fn deref(&self) -> &Related<'a, M> {
        &self.related
    }
}

impl<'a, P: Model, M: Model, const KEY: u8> Children<'a, P, M, KEY> {
    /// The relation of a row. Derived code calls it.
    #[doc(hidden)]
    pub fn new(owner: &'a P, def: &'static ManyDef, field: &'a Many<M>) -> Self {
        Self { owner, related: Related::of(owner, def, field) }
    }

    /// Makes rows point at this one: one statement.
    ///
    /// # Errors
    /// [`ErrorKind::Stale`] when some of them are not there; the others point here then.
    pub async fn add<K: RowOf<M>>(&self, db: &impl Executor, rows: impl IntoIterator<Item = K> + Send) -> Result<()> {
        let keys = keys_of::<M>(rows);
        self.add_keys(db.target(), keys).await
    }

    /// Makes rows that point at this one point at none: one statement. Rows that point elsewhere stay as they are.
    ///
    /// # Errors
    /// [`ErrorKind::Misuse`] when their foreign key is never NULL.
    pub async fn remove<K: RowOf<M>>(
        &self,
        db: &impl Executor,
        rows: impl IntoIterator<Item = K> + Send,
    ) -> Result<()> {
        let keys = keys_of::<M>(rows);
        self.take_away(db.target(), Some((keys, false))).await
    }

    /// Makes every row that points at this one point at none: one statement.
    ///
    /// # Errors
    /// As [`remove`](Self::remove).
    pub async fn clear(&self, db: &impl Executor) -> Result<()> {
        self.take_away(db.target(), None).await
    }

    /// Makes exactly these rows point at this one: two statements, in one transaction.
    ///
    /// # Errors
    /// As [`add`](Self::add) and [`remove`](Self::remove).
    pub async fn set<K: RowOf<M>>(&self, db: &impl Executor, rows: impl IntoIterator<Item = K> + Send) -> Result<()> {
        let keys = keys_of::<M>(rows);
        let unit = Transaction::around(db.target()).await?;
        let result = self.set_keys(Target::Transaction(&unit), keys).await;
        unit.settle(result).await
    }

    async fn set_keys(&self, target: Target<'_>, keys: Vec<Value<'static>>) -> Result<()> {
        self.take_away(target, Some((keys.clone(), true))).await?;
        self.add_keys(target, keys).await
    }

    /// Inserts a row that points at this one. The closure gets a builder that has its foreign key already.
    ///
    /// # Errors
    /// Those of an insert.
    pub async fn create<X: IntoModel<Model = M>>(
        &self,
        db: &impl Executor,
        build: impl FnOnce(M::Builder) -> X,
    ) -> Result<Record<M>>
    where
        M: BuilderWith<KEY, P>,
    {
        let row = build(M::builder_with(self.related.pointing(self.owner)?));
        self.related.field.mark_stale();
        Record::insert(row, db).await
    }

    /// The foreign key that points here.
    fn foreign_key(&self) -> Result<&'static RelationDef> {
        let key = self.related.def.foreign_key();
        key.ok_or_else(|| Error::new(ErrorKind::Misuse, "the relation has no foreign key"))
    }

    async fn add_keys(&self, target: Target<'_>, keys: Vec<Value<'static>>) -> Result<()> {
        let here = self.foreign_key()?;
        if keys.is_empty() {
            return Ok(());
        }
        let wanted = keys.len() as u64;
        let mut buffer = Buffer::default();
        push_set(&mut buffer, M::TABLE, here.columns, self.related.here(here.columns));
        push_in(&mut buffer, M::TABLE, M::TABLE.key, keys, false);
        let found = self.related.write(Kind::Update, &buffer, target).await?;
        if found < wanted {
            let message = format!("{} of {wanted} rows to add are not there", wanted - found);
            return Err(Error::new(ErrorKind::Stale, message).with_model(M::NAME));
        }
        Ok(())
    }

    /// Makes rows of this one point at none: all, or those with or without these keys.
    async fn take_away(&self, target: Target<'_>, which: Option<(Vec<Value<'static>>, bool)>) -> Result<()> {
        let here = self.foreign_key()?;
        if !M::TABLE.any_null(here.columns) {
            return Err(Error::new(
                ErrorKind::Misuse,
                format!(
                    "{}.{} is never NULL, so a row cannot be without it: delete the rows, or add them to another",
                    M::NAME,
                    here.field
                ),
            ));
        }
        let mut buffer = Buffer::default();
        push_set(&mut buffer, M::TABLE, here.columns, here.columns.iter().map(|_| Value::Null));
        self.related.push_here(&mut buffer, here.columns);
        if let Some((keys, not)) = which {
            push_in(&mut buffer, M::TABLE, M::TABLE.key, keys, not);
        }
        self.related.write(Kind::Update, &buffer, target).await.map(|_| ())
    }
}

/// The assignments of values to some columns.
fn push_set(
    buffer: &mut Buffer,
    table: &'static TableDef,
    columns: &[u16],
    values: impl Iterator<Item = Value<'static>>,
) {
    for (column, value) in columns.iter().zip(values) {
        buffer.push(Token::Bind(class_of(table, *column)));
        buffer.values.push(value);
        buffer.push(Token::Set(*column));
    }
}

/// A model whose builder can be begun with the foreign key that has this number. Derived code implements it.
#[doc(hidden)]
pub trait BuilderWith<const KEY: u8, P: Model>: Model {
    /// The builder.
    type Builder;
    fn builder_with(key: ForeignKey<P>) -> Self::Builder;
}
