//! The verbs of a `ManyToMany`: `post.tags().add(…)`.

use std::collections::HashSet;
use std::marker::PhantomData;
use std::ops::Deref;

use cormorant_driver::{Error, ErrorKind, Result, Row};
use cormorant_sql::schema::{ManyDef, RelationDef, TableDef};
use cormorant_sql::{Buffer, Kind, Route, Token, Value};

use super::children::BuilderWith;
use super::fields::Many;
use super::push_linked;
use super::related::{Related, RowOf, distinct, keys_of, push_in, values_of};
use crate::executor::{Target, statement};
use crate::record::is_unique;
use crate::{Executor, IntoModel, Key, Model, Record, Transaction, key, problem};

/// The rows that one row is linked with, and what can be done with the links: a model's method of a
/// [`ManyToMany`](crate::ManyToMany) gives it.
///
/// What was loaded before is stale once a verb has changed it, and says so.
///
/// # Links of a row
/// ```
/// use cormorant::prelude::*;
///
/// #[derive(Model)]
/// struct Post { id: i64, title: String, tags: ManyToMany<Tag> }
///
/// #[derive(Model)]
/// struct Tag { id: i64, name: String, posts: ManyToMany<Post> }
///
/// # fn main() -> cormorant::Result<()> {
/// # let db = Database::connect("sqlite::memory:").wait()?;
/// # db.create(models![Post, Tag]).wait()?;
/// let post = Post::builder().title("Birds").insert(&db).wait()?;
/// let birds = post.tags().create(&db, Tag::builder().name("birds")).wait()?; // and its link
/// let fish = Tag::builder().name("fish").insert(&db).wait()?;
/// post.tags().add(&db, [&birds, &fish]).wait()?; // what is linked already stays so
/// post.tags().set(&db, [&fish]).wait()?;
/// assert_eq!(fish.posts().count(&db).wait()?, 1);
/// post.tags().clear(&db).wait()?;
/// # Ok(())
/// # }
/// ```
#[must_use = "a relation does nothing before a verb: `.all(&db).await?`"]
pub struct Links<'a, M: Model> {
    related: Related<'a, M>,
}

/// [`Links`] that are rows of a model, with data of their own: what `#[model(through = Enrollment)]` gives.
///
/// # Links with data
/// ```
/// use cormorant::prelude::*;
///
/// #[derive(Model)]
/// struct Student {
///     id: i64,
///     name: String,
///     #[model(through = Enrollment)]
///     courses: ManyToMany<Course>,
///     enrollments: HasMany<Enrollment>,
/// }
///
/// #[derive(Model)]
/// struct Course { id: i64, name: String }
///
/// #[derive(Model)]
/// struct Enrollment {
///     #[model(key)]
///     student: ForeignKey<Student>,
///     #[model(key)]
///     course: ForeignKey<Course>,
///     grade: i64,
/// }
///
/// # fn main() -> cormorant::Result<()> {
/// # let db = Database::connect("sqlite::memory:").wait()?;
/// # db.create(models![Student, Course, Enrollment]).wait()?;
/// let ann = Student::builder().name("Ann").insert(&db).wait()?;
/// let math = Course::builder().name("Math").insert(&db).wait()?;
/// ann.courses().link(&db, |link| link.course(&math).grade(1)).wait()?; // the student is given already
/// assert_eq!(ann.courses().count(&db).wait()?, 1);
/// assert_eq!(ann.enrollments().all(&db).wait()?[0].grade, 1);
/// # Ok(())
/// # }
/// ```
#[must_use = "a relation does nothing before a verb: `.all(&db).await?`"]
pub struct LinksThrough<'a, P: Model, M: Model, L: Model, const KEY: u8> {
    owner: &'a P,
    links: Links<'a, M>,
    mark: PhantomData<fn() -> L>,
}

impl<'a, M: Model> Deref for Links<'a, M> {
    type Target = Related<'a, M>;

    fn deref(&self) -> &Related<'a, M> {
        &self.related
    }
}

impl<'a, M: Model> Links<'a, M> {
    /// The relation of a row. Derived code calls it.
    #[doc(hidden)]
    pub fn new<P: Model>(owner: &P, def: &'static ManyDef, field: &'a Many<M>) -> Self {
        Self { related: Related::of(owner, def, field) }
    }

    /// Links rows with this one: one statement, or one for each 10,000 (fewer where keys have several columns) in one
    /// transaction. What is linked already stays so.
    ///
    /// # Errors
    /// The database's: [`ErrorKind::ForeignKey`] when a row is not there.
    pub async fn add<K: RowOf<M>>(&self, db: &impl Executor, rows: impl IntoIterator<Item = K> + Send) -> Result<()> {
        let keys = keys_of::<M>(rows);
        if keys.len() <= self.most_links()? {
            return self.link(db.target(), keys).await;
        }
        let unit = Transaction::around(db.target()).await?;
        let result = self.link(Target::Transaction(&unit), keys).await;
        unit.settle(result).await
    }

    /// Takes links away: one statement. The rows stay.
    ///
    /// # Errors
    /// The database's.
    pub async fn remove<K: RowOf<M>>(
        &self,
        db: &impl Executor,
        rows: impl IntoIterator<Item = K> + Send,
    ) -> Result<()> {
        let keys = keys_of::<M>(rows);
        self.unlink(db.target(), Some(keys)).await
    }

    /// Takes every link of this row away: one statement. The rows stay.
    ///
    /// # Errors
    /// The database's.
    pub async fn clear(&self, db: &impl Executor) -> Result<()> {
        self.unlink(db.target(), None).await
    }

    /// Links exactly these rows with this one: one statement that reads, and at most one each for what goes and what
    /// comes, in one transaction.
    ///
    /// # Errors
    /// As [`add`](Self::add).
    pub async fn set<K: RowOf<M>>(&self, db: &impl Executor, rows: impl IntoIterator<Item = K> + Send) -> Result<()> {
        let keys = distinct::<M>(rows);
        let unit = Transaction::around(db.target()).await?;
        let result = self.set_keys(Target::Transaction(&unit), keys).await;
        unit.settle(result).await
    }

    /// Inserts a row and links it with this one, in one transaction.
    ///
    /// # Errors
    /// Those of an insert.
    pub async fn create<X: IntoModel<Model = M>>(&self, db: &impl Executor, row: X) -> Result<Record<M>> {
        let mut record = Record::unsaved(row.into_unsaved());
        let unit = Transaction::around(db.target()).await?;
        let target = Target::Transaction(&unit);
        let result = match record.insert_into(target, &[]).await {
            Ok(_) => self.link(target, keys_of::<M>([&record])).await,
            Err(error) => Err(error),
        };
        unit.settle(result).await?;
        Ok(record)
    }

    async fn set_keys(&self, target: Target<'_>, keys: Vec<Option<M::Key>>) -> Result<()> {
        let linked = self.linked(target).await?;
        let wanted: HashSet<&M::Key> = keys.iter().flatten().collect();
        let gone = values_of::<M>(linked.iter().filter(|key| !wanted.contains(key)).cloned().map(Some));
        let is_new = |key: &Option<M::Key>| key.as_ref().is_none_or(|key| !linked.contains(key));
        let new = values_of::<M>(keys.into_iter().filter(is_new));
        if !gone.is_empty() {
            self.unlink(target, Some(gone)).await?;
        }
        self.link(target, new).await
    }

    /// The two foreign keys of the links: the one that points here, and the one that points there.
    fn keys(&self) -> Result<(&'static RelationDef, &'static RelationDef)> {
        let keys = self.related.def.foreign_key().zip(self.related.def.link());
        keys.ok_or_else(|| Error::new(ErrorKind::Misuse, "the relation has no table of links"))
    }

    /// Links in one statement: a value for each of their columns.
    fn most_links(&self) -> Result<usize> {
        let (here, there) = self.keys()?;
        Ok((MOST_VALUES / (here.columns.len() + there.columns.len()).max(1)).max(1))
    }

    /// The keys of the rows that are linked with this one.
    async fn linked(&self, target: Target<'_>) -> Result<HashSet<M::Key>> {
        let (here, there) = self.keys()?;
        let mut buffer = Buffer::default();
        self.related.push_here(&mut buffer, here.columns);
        push_linked(&mut buffer, self.related.def);
        for column in there.columns {
            buffer.push(Token::Column { via: Route::ROOT, column: *column, outer: 0 });
            buffer.push(Token::Select);
        }
        let mut keys = HashSet::new();
        let mut sink = |row: &mut Row<'_>| {
            keys.insert(M::Key::load(row)?);
            Ok(())
        };
        let statement = statement(Kind::Select, self.related.table(), &buffer.tokens);
        let read = target.run(&statement, &buffer.values, &mut sink).await;
        read.map_err(|error| problem::of_query(error, self.related.table()))?;
        Ok(keys)
    }

    async fn link(&self, target: Target<'_>, keys: Vec<Value<'static>>) -> Result<()> {
        let (here, there) = self.keys()?;
        if keys.is_empty() {
            return Ok(());
        }
        check_links(self.related.table(), here, there)?;
        for keys in keys.chunks(self.most_links()?) {
            let mut buffer = Buffer::default();
            let columns = || here.columns.iter().chain(there.columns);
            buffer.tokens.extend(columns().map(|column| Token::Into(*column)));
            buffer.push(Token::Rows(keys.len() as u32));
            buffer.tokens.extend(columns().map(|column| Token::Conflict(*column)));
            for key in keys {
                buffer.values.extend(self.related.here(here.columns));
                buffer.values.extend(key::parts(key.clone(), there.columns.len()));
            }
            self.related.write(Kind::Insert, &buffer, target).await?;
        }
        Ok(())
    }

    async fn unlink(&self, target: Target<'_>, keys: Option<Vec<Value<'static>>>) -> Result<()> {
        let (here, there) = self.keys()?;
        let mut buffer = Buffer::default();
        self.related.push_here(&mut buffer, here.columns);
        if let Some(keys) = keys {
            push_in(&mut buffer, self.related.table(), there.columns, keys, false);
        }
        self.related.write(Kind::Delete, &buffer, target).await.map(|_| ())
    }
}

/// Refuses to link rows where nothing says that two are linked already.
fn check_links(links: &'static TableDef, here: &RelationDef, there: &RelationDef) -> Result<()> {
    if is_unique(links, &[here.columns, there.columns].concat()) {
        return Ok(());
    }
    let TableDef { model, .. } = links;
    let (here, there) = (here.field, there.field);
    Err(Error::new(
        ErrorKind::Misuse,
        format!(
            "two rows may be linked twice by {model}: insert rows of {model}, or say `#[model(unique({here}, {there}))]` there, and this links them once"
        ),
    ))
}

/// Values in one statement: no database takes more of them than 32,766.
const MOST_VALUES: usize = 20_000;

impl<'a, P: Model, M: Model, L: Model, const KEY: u8> LinksThrough<'a, P, M, L, KEY> {
    /// The relation of a row. Derived code calls it.
    #[doc(hidden)]
    pub fn new(owner: &'a P, def: &'static ManyDef, field: &'a Many<M>) -> Self {
        Self { owner, links: Links::new(owner, def, field), mark: PhantomData }
    }

    /// Inserts a link with its data. The closure gets a builder of it that points at this row already.
    ///
    /// # Errors
    /// Those of an insert.
    pub async fn link<X: IntoModel<Model = L>>(
        &self,
        db: &impl Executor,
        build: impl FnOnce(L::Builder) -> X,
    ) -> Result<Record<L>>
    where
        L: BuilderWith<KEY, P>,
    {
        let row = build(L::builder_with(self.links.related.pointing(self.owner)?));
        self.links.related.field.mark_stale();
        Record::insert(row, db).await
    }
}

impl<'a, P: Model, M: Model, L: Model, const KEY: u8> Deref for LinksThrough<'a, P, M, L, KEY> {
    type Target = Links<'a, M>;

    fn deref(&self) -> &Links<'a, M> {
        &self.links
    }
}
