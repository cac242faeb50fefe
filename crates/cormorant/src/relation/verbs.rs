//! The verbs of a relation, on the row that it belongs to: `user.posts().add(…)`.

use std::collections::HashSet;
use std::marker::PhantomData;
use std::ops::Deref;

use cormorant_driver::{Error, ErrorKind, Result, Row};
use cormorant_sql::schema::{ManyDef, RelationDef, TableDef};
use cormorant_sql::{Binary, Buffer, Kind, Route, TableId, Token, Unary, Value};

use super::fields::Many;
use super::push_linked;
use crate::executor::{Target, no_rows, statement};
use crate::expr::Predicate;
use crate::query::class_of;
use crate::record::is_unique;
use crate::{Executor, ForeignKey, IntoModel, Key, Model, PathOf, Query, Record, Transaction, problem};

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

/// The related rows of one row: what [`Children`] and [`Links`] read.
#[must_use = "a relation does nothing before a verb: `.all(&db).await?`"]
pub struct Related<'a, M: Model> {
    def: &'static ManyDef,
    /// The key of the row.
    here: Value<'static>,
    field: &'a Many<M>,
    mark: PhantomData<fn() -> M>,
}

impl<'a, M: Model> Related<'a, M> {
    fn of<P: Model>(owner: &P, def: &'static ManyDef, field: &'a Many<M>) -> Self {
        Self { def, here: key_of(owner), field, mark: PhantomData }
    }

    /// The condition that a row is one of them.
    fn push(&self, buffer: &mut Buffer) {
        match (self.def.there, self.def.foreign_key(), self.def.link(), M::TABLE.key) {
            (None, Some(here), ..) => self.push_here(buffer, here.column),
            (Some(_), Some(here), Some(there), [key]) => {
                buffer.push(Token::Column { via: Route::ROOT, column: *key, outer: 0 });
                let before = buffer.tokens.len();
                self.push_here(buffer, here.column);
                buffer.push(Token::Column { via: Route::ROOT, column: there.column, outer: 0 });
                buffer.push(Token::Select);
                let tokens = u32::try_from(buffer.tokens.len() - before).unwrap_or(u32::MAX);
                buffer.push(Token::Subquery { table: TableId::of((self.def.source)()), tokens, exists: false });
                buffer.push(Token::In);
                buffer.push(Token::Filter);
            }
            _ => {}
        }
    }

    /// The condition that a row belongs to this one.
    fn push_here(&self, buffer: &mut Buffer, column: u16) {
        buffer.push(Token::Column { via: Route::ROOT, column, outer: 0 });
        buffer.push(Token::Bind(class_of((self.def.source)(), column)));
        buffer.values.push(self.here.clone());
        buffer.push(Token::Binary(Binary::Eq));
        buffer.push(Token::Filter);
    }

    /// A foreign key that points at the row.
    fn pointing<P: Model>(&self, owner: &P) -> Result<ForeignKey<P>> {
        match &self.here {
            Value::Unstorable(why) => Err(Error::new(ErrorKind::Encode, why.as_ref()).with_model(P::NAME)),
            _ => P::key(owner).map(ForeignKey::to),
        }
    }

    fn table(&self) -> &'static TableDef {
        (self.def.source)()
    }

    /// Runs a statement on the table that keeps the relation, and tells how many rows it wrote.
    async fn write(&self, kind: Kind, buffer: &Buffer, target: Target<'_>) -> Result<u64> {
        self.field.mark_stale();
        let table = self.table();
        match target.run(&statement(kind, table, &buffer.tokens), &buffer.values, &mut no_rows).await {
            Ok(done) => Ok(done.rows),
            Err(error) => Err(problem::of_write(error, table, &[], &[])),
        }
    }
}

/// The key of a row, or why it has none.
fn key_of<P: Model>(owner: &P) -> Value<'static> {
    let mut values = Vec::new();
    let unsaved = || Value::Unstorable(format!("the {} is not saved yet: insert it first", P::NAME).into());
    match P::key(owner).and_then(|key| key.values(|value| values.push(value))) {
        Ok(()) if P::TABLE.generated_key().is_some() && values == [Value::Int(0)] => unsaved(),
        Ok(()) => values.into_iter().next().unwrap_or(Value::Null),
        Err(_) => unsaved(),
    }
}

/// What the verbs take: a row of a model, or its key.
#[diagnostic::on_unimplemented(
    message = "`{Self}` is no row of `{M}`",
    label = "expected rows of `{M}`, or their keys",
    note = "the relation leads to rows of `{M}`: give a list of them, such as `[&row]`, or of keys"
)]
pub trait RowOf<M: Model>: Into<ForeignKey<M>> {}

#[diagnostic::do_not_recommend]
impl<M: Model, K: Into<ForeignKey<M>>> RowOf<M> for K {}

/// The keys of some rows, each once; `None` for a row that has none yet.
fn distinct<M: Model>(rows: impl IntoIterator<Item = impl RowOf<M>>) -> Vec<Option<M::Key>> {
    let mut seen = HashSet::new();
    let keys = rows.into_iter().map(|row| row.into().key().cloned());
    keys.filter(|key| key.as_ref().is_none_or(|key| seen.insert(key.clone()))).collect()
}

fn values_of<M: Model>(keys: impl IntoIterator<Item = Option<M::Key>>) -> Vec<Value<'static>> {
    let mut values = Vec::new();
    for key in keys {
        match key.map(|key| key.values(|value| values.push(value))) {
            None => values.push(Value::Unstorable(format!("a {} is not saved yet: insert it first", M::NAME).into())),
            Some(Ok(())) => {}
            Some(Err(error)) => values.push(Value::Unstorable(error.to_string().into())),
        }
    }
    values
}

/// The keys of some rows, each once.
fn keys_of<M: Model>(rows: impl IntoIterator<Item = impl RowOf<M>>) -> Vec<Value<'static>> {
    values_of::<M>(distinct::<M>(rows))
}

/// The condition that a column is one of these keys, or none of them.
fn push_in(buffer: &mut Buffer, table: &'static TableDef, column: u16, keys: Vec<Value<'static>>, not: bool) {
    buffer.push(Token::Column { via: Route::ROOT, column, outer: 0 });
    buffer.push(Token::List(class_of(table, column)));
    buffer.values.push(Value::List(keys));
    buffer.push(Token::In);
    if not {
        buffer.push(Token::Unary(Unary::Not));
    }
    buffer.push(Token::Filter);
}

/// What is read in the same way however the relation is kept.
impl<M: Model> Related<'_, M> {
    /// The related rows, as a query that goes on.
    pub fn query(&self) -> Query<M, M> {
        let mut query = Query::new();
        self.push(query.buffer_mut());
        query
    }

    /// The related rows that meet a condition, as a query that goes on.
    pub fn filter(&self, condition: impl FnOnce(PathOf<M>) -> Predicate<M>) -> Query<M, M> {
        self.query().filter(condition)
    }

    /// Every related row.
    ///
    /// # Errors
    /// The database's; [`ErrorKind::Encode`] when this row is not saved, as of every verb.
    pub async fn all(&self, db: &impl Executor) -> Result<Vec<Record<M>>> {
        self.query().all(db).await
    }

    /// How many related rows there are.
    ///
    /// # Errors
    /// The database's.
    pub async fn count(&self, db: &impl Executor) -> Result<u64> {
        self.query().count(db).await
    }
}

impl<'a, P: Model, M: Model, const KEY: u8> Deref for Children<'a, P, M, KEY> {
    type Target = Related<'a, M>;

    fn deref(&self) -> &Related<'a, M> {
        &self.related
    }
}

impl<'a, M: Model> Deref for Links<'a, M> {
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
        M: BuilderWith<KEY, Target = P>,
    {
        let row = build(M::builder_with(self.related.pointing(self.owner)?));
        self.related.field.mark_stale();
        Record::insert(row, db).await
    }

    async fn add_keys(&self, target: Target<'_>, keys: Vec<Value<'static>>) -> Result<()> {
        let (Some(here), [key]) = (self.related.def.foreign_key(), M::TABLE.key) else { return Ok(()) };
        if keys.is_empty() {
            return Ok(());
        }
        let wanted = keys.len() as u64;
        let mut buffer = Buffer::bind(Token::Bind(class_of(M::TABLE, here.column)), self.related.here.clone());
        buffer.push(Token::Set(here.column));
        push_in(&mut buffer, M::TABLE, *key, keys, false);
        let found = self.related.write(Kind::Update, &buffer, target).await?;
        if found < wanted {
            let message = format!("{} of {wanted} rows to add are not there", wanted - found);
            return Err(Error::new(ErrorKind::Stale, message).with_model(M::NAME));
        }
        Ok(())
    }

    /// Makes rows of this one point at none: all, or those with or without these keys.
    async fn take_away(&self, target: Target<'_>, which: Option<(Vec<Value<'static>>, bool)>) -> Result<()> {
        let (Some(here), [key]) = (self.related.def.foreign_key(), M::TABLE.key) else { return Ok(()) };
        if M::TABLE.column(here.column).is_some_and(|column| !column.null) {
            return Err(Error::new(
                ErrorKind::Misuse,
                format!(
                    "{}.{} is never NULL, so a row cannot be without it: delete the rows, or add them to another",
                    M::NAME,
                    here.field
                ),
            ));
        }
        let mut buffer = Buffer::bind(Token::Bind(class_of(M::TABLE, here.column)), Value::Null);
        buffer.push(Token::Set(here.column));
        self.related.push_here(&mut buffer, here.column);
        if let Some((keys, not)) = which {
            push_in(&mut buffer, M::TABLE, *key, keys, not);
        }
        self.related.write(Kind::Update, &buffer, target).await.map(|_| ())
    }
}

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
        L: BuilderWith<KEY, Target = P>,
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

/// A model whose builder can be begun with the foreign key that has this number. Derived code implements it.
#[doc(hidden)]
pub trait BuilderWith<const KEY: u8>: Model {
    /// The model that it points at.
    type Target: Model;
    /// The builder.
    type Builder;
    fn builder_with(key: ForeignKey<Self::Target>) -> Self::Builder;
}

impl<'a, M: Model> Links<'a, M> {
    /// The relation of a row. Derived code calls it.
    #[doc(hidden)]
    pub fn new<P: Model>(owner: &P, def: &'static ManyDef, field: &'a Many<M>) -> Self {
        Self { related: Related::of(owner, def, field) }
    }

    /// Links rows with this one: one statement. What is linked already stays so.
    ///
    /// # Errors
    /// The database's: [`ErrorKind::ForeignKey`] when a row is not there.
    pub async fn add<K: RowOf<M>>(&self, db: &impl Executor, rows: impl IntoIterator<Item = K> + Send) -> Result<()> {
        let keys = keys_of::<M>(rows);
        self.link(db.target(), keys).await
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

    /// The keys of the rows that are linked with this one.
    async fn linked(&self, target: Target<'_>) -> Result<HashSet<M::Key>> {
        let (here, there) = self.keys()?;
        let mut buffer = Buffer::default();
        self.related.push_here(&mut buffer, here.column);
        push_linked(&mut buffer, self.related.def);
        buffer.push(Token::Column { via: Route::ROOT, column: there.column, outer: 0 });
        buffer.push(Token::Select);
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
        for keys in keys.chunks(MOST_LINKS) {
            let mut buffer = Buffer::default();
            for column in [here.column, there.column] {
                buffer.push(Token::Into(column));
            }
            buffer.push(Token::Rows(keys.len() as u32));
            for column in [here.column, there.column] {
                buffer.push(Token::Conflict(column));
            }
            for key in keys {
                buffer.values.extend([self.related.here.clone(), key.clone()]);
            }
            self.related.write(Kind::Insert, &buffer, target).await?;
        }
        Ok(())
    }

    async fn unlink(&self, target: Target<'_>, keys: Option<Vec<Value<'static>>>) -> Result<()> {
        let (here, there) = self.keys()?;
        let mut buffer = Buffer::default();
        self.related.push_here(&mut buffer, here.column);
        if let Some(keys) = keys {
            push_in(&mut buffer, self.related.table(), there.column, keys, false);
        }
        self.related.write(Kind::Delete, &buffer, target).await.map(|_| ())
    }
}

/// Refuses to link rows where nothing says that two are linked already.
fn check_links(links: &'static TableDef, here: &RelationDef, there: &RelationDef) -> Result<()> {
    if is_unique(links, &[here.column, there.column]) {
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

/// Links in one statement: two values each, and no database takes more values than 32,766.
const MOST_LINKS: usize = 10_000;
