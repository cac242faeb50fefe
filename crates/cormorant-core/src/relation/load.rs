//! Loading related rows: one statement per relation, whichever rows they belong to.

use std::collections::HashMap;
use std::collections::hash_map::Entry;
use std::iter::repeat_n;
use std::slice;
use std::sync::Arc;

use cormorant_driver::{Error, ErrorKind, Result, Row};
use cormorant_sql::schema::{ManyDef, TableDef};
use cormorant_sql::{Buffer, Class, Dialect, Kind, Route, Token, Value};

use super::fields::{HasOne, Many};
use super::include::{Plan, Relation, Step};
use super::push_linked;
use super::related::push_equal;
use crate::executor::{Target, Work, statement};
use crate::query::class_of;
use crate::{Executor, ForeignKey, Key, Model, PathOf, Record, key, problem};

/// Keys per statement: they are one parameter, and no server takes one of any size.
pub(crate) const MOST_KEYS: usize = 50_000;

impl<M: Model> Record<M> {
    /// Loads a relation of this row, as [`include`](crate::Query::include) does for the rows of a query.
    ///
    /// ```
    /// use cormorant::prelude::*;
    ///
    /// #[derive(Model)]
    /// struct Author { id: i64, name: String, books: HasMany<Book> }
    ///
    /// #[derive(Model)]
    /// struct Book { id: i64, author: ForeignKey<Author>, title: String }
    ///
    /// # fn main() -> cormorant::Result<()> {
    /// # let db = Database::connect("sqlite::memory:").wait()?;
    /// # db.create(models![Author, Book]).wait()?;
    /// let mut ann = Author::builder().name("Ann").insert(&db).wait()?;
    /// ann.load(&db, |a| a.books().order_by(|b| b.title().asc())).wait()?;
    /// assert!(ann.books.get()?.is_empty());
    /// # Ok(())
    /// # }
    /// ```
    ///
    /// # Errors
    /// The database's.
    pub async fn load<I: Relation<M>>(
        &mut self,
        db: &impl Executor,
        relation: impl FnOnce(PathOf<M>) -> I,
    ) -> Result<()> {
        load_all(slice::from_mut(self), db, relation).await
    }
}

/// Loads a relation of many rows: one statement for all of them.
///
/// ```
/// use cormorant::prelude::*;
///
/// #[derive(Model)]
/// struct Author { id: i64, name: String }
///
/// #[derive(Model)]
/// struct Book { id: i64, author: ForeignKey<Author>, title: String }
///
/// # fn main() -> cormorant::Result<()> {
/// # let db = Database::connect("sqlite::memory:").wait()?;
/// # db.create(models![Author, Book]).wait()?;
/// let mut books = Book::query().all(&db).wait()?;
/// load_all(&mut books, &db, |b| b.author()).wait()?;
/// for book in &books {
///     println!("{} by {}", book.title, book.author.get()?.name);
/// }
/// # Ok(())
/// # }
/// ```
///
/// # Errors
/// The database's.
pub async fn load_all<M: Model, I: Relation<M>>(
    records: &mut [Record<M>],
    db: &impl Executor,
    relation: impl FnOnce(PathOf<M>) -> I,
) -> Result<()> {
    let mut plan = Plan::default();
    plan.add(relation(M::path(Route::ROOT)).to_include());
    fill(&plan, db.target(), records).await
}

/// Loads what a plan says into rows.
pub(crate) async fn fill<M: Model>(plan: &Plan, target: Target<'_>, records: &mut [Record<M>]) -> Result<()> {
    plan.check(M::NAME)?;
    if records.is_empty() {
        return Ok(());
    }
    for step in &plan.steps {
        M::load_related(step, target, records).await?;
    }
    Ok(())
}

/// Loads the rows that foreign keys point at. Derived code calls it.
pub fn load_foreign_key<'a, P: Model, C: Model>(
    step: &'a Step,
    target: Target<'a>,
    records: &'a mut [Record<P>],
    field: fn(&mut P) -> Option<&mut ForeignKey<C>>,
) -> Work<'a, ()> {
    Box::pin(async move {
        let mut rows: HashMap<C::Key, Option<Arc<Record<C>>>> = HashMap::new();
        for record in &mut *records {
            let key = field(record.unchanged()).and_then(|field| field.key());
            if let Some(key) = key.filter(|key| !rows.contains_key(key)) {
                rows.insert(key.clone(), None);
            }
        }
        let keys: Vec<&C::Key> = rows.keys().collect();
        let mut found: Vec<Record<C>> = Vec::with_capacity(keys.len());
        for keys in keys.chunks(MOST_KEYS) {
            let mut buffer = Buffer::default();
            let keys = keys.iter().map(|key| key::whole(*key)).collect();
            one_of(&mut buffer, C::TABLE, C::TABLE.key, keys, target.dialect());
            select::<C>(C::TABLE, &buffer, target, &mut |row| {
                found.push(Record::loaded(C::load(row)?));
                Ok(())
            })
            .await?;
        }
        fill(&step.plan, target, &mut found).await?;
        for record in found {
            if let Entry::Occupied(mut place) = rows.entry(C::key(&record)?) {
                place.insert(Some(Arc::new(record)));
            }
        }
        for record in records {
            if let Some(field) = field(record.unchanged())
                && let Some(row) = field.key().and_then(|key| rows.get(key))
            {
                field.put(row.clone());
            }
        }
        Ok(())
    })
}

/// Loads the many rows that belong to each row. Derived code calls it.
pub fn load_many<'a, P: Model, C: Model>(
    step: &'a Step,
    target: Target<'a>,
    records: &'a mut [Record<P>],
    field: fn(&mut P) -> &mut Many<C>,
) -> Work<'a, ()> {
    Box::pin(async move {
        let def = relation::<P>(step)?;
        let rows = related::<P, C>(def, step, target, records).await?;
        for (record, rows) in records.iter_mut().zip(rows) {
            field(record.unchanged()).put(def, rows);
        }
        Ok(())
    })
}

/// Loads the one row that belongs to each row, where there is one. Derived code calls it.
pub fn load_one<'a, P: Model, C: Model>(
    step: &'a Step,
    target: Target<'a>,
    records: &'a mut [Record<P>],
    field: fn(&mut P) -> &mut HasOne<C>,
) -> Work<'a, ()> {
    Box::pin(async move {
        let def = relation::<P>(step)?;
        let rows = related::<P, C>(def, step, target, records).await?;
        for (record, mut rows) in records.iter_mut().zip(rows) {
            field(record.unchanged()).put(def, rows.pop());
        }
        Ok(())
    })
}

/// A relation that a model does not have. Derived code calls it.
pub fn nothing<'a>() -> Work<'a, ()> {
    Box::pin(async { Err(Error::new(ErrorKind::Misuse, "the model has no such relation")) })
}

fn relation<P: Model>(step: &Step) -> Result<&'static ManyDef> {
    let number = usize::from(step.relation.saturating_sub(Route::REVERSE));
    (P::TABLE.many)().get(number).ok_or_else(|| Error::new(ErrorKind::Misuse, "the model has no such relation"))
}

/// The related rows of each row, in the order of the rows.
async fn related<P: Model, C: Model>(
    def: &'static ManyDef,
    step: &Step,
    target: Target<'_>,
    records: &[Record<P>],
) -> Result<Vec<Vec<Record<C>>>> {
    let owners = Owners::of(records)?;
    // Which row each belongs to stands beside it: its own relations are loaded for all of them at once.
    let (mut found, mut owner_of): (Vec<Record<C>>, Vec<usize>) = (Vec::new(), Vec::new());
    for keys in owners.keys.chunks(MOST_KEYS) {
        let query = many_query(def, step, keys.iter().map(key::whole).collect(), target.dialect())?;
        let mut last = 0;
        select::<C>((def.source)(), &query.buffer, target, &mut |row| {
            let start = row.position();
            found.push(Record::loaded(C::load(row)?));
            let owner = match found.last_mut().and_then(|record| owner_key::<P, C>(def, record)) {
                Some(key) => owners.of_key(key, last),
                None => {
                    row.go_to(start + query.key_at);
                    owners.of_key(&P::Key::load(row)?, last)
                }
            };
            let Some(owner) = owner else {
                found.pop();
                return Ok(());
            };
            last = owner;
            owner_of.push(owner);
            let mut owner = owner;
            while let Some(next) = owners.next.get(&owner) {
                // Read anew for each: the same row may stand among the records twice.
                row.go_to(start);
                found.push(Record::loaded(C::load(row)?));
                owner_of.push(*next);
                owner = *next;
            }
            Ok(())
        })
        .await?;
    }
    fill(&step.plan, target, &mut found).await?;
    Ok(distribute(found, &owner_of, records.len()))
}

/// The key of the row that a related row belongs to, where its foreign key is its own: read already, so that its cells
/// need not be read twice.
fn owner_key<'c, P: Model, C: Model>(def: &ManyDef, record: &'c mut Record<C>) -> Option<&'c P::Key> {
    match def.there {
        None => C::pointer(record.unchanged(), def.here)?.key()?.downcast_ref(),
        Some(_) => None,
    }
}

/// Related rows by the row that they belong to, each list as long as it has to be.
fn distribute<T>(found: Vec<T>, owner_of: &[usize], owners: usize) -> Vec<Vec<T>> {
    let mut counts = vec![0; owners];
    for owner in owner_of {
        if let Some(count) = counts.get_mut(*owner) {
            *count += 1;
        }
    }
    let mut rows: Vec<Vec<T>> = counts.into_iter().map(Vec::with_capacity).collect();
    for (row, owner) in found.into_iter().zip(owner_of) {
        if let Some(rows) = rows.get_mut(*owner) {
            rows.push(row);
        }
    }
    rows
}

/// The rows that others belong to, by key.
struct Owners<K> {
    /// The key of each row.
    of: Vec<K>,
    /// Each key once.
    keys: Vec<K>,
    /// The first row of each key.
    first: HashMap<K, usize>,
    /// The next row of the same key.
    next: HashMap<usize, usize>,
}

impl<K: Key> Owners<K> {
    fn of<P: Model<Key = K>>(records: &[Record<P>]) -> Result<Self> {
        let of = records.iter().map(|record| P::key(record)).collect::<Result<Vec<K>>>()?;
        let mut owners = Self { of, keys: Vec::new(), first: HashMap::new(), next: HashMap::new() };
        owners.first.reserve(records.len());
        let mut last: HashMap<usize, usize> = HashMap::new();
        for (at, key) in owners.of.iter().enumerate() {
            match owners.first.entry(key.clone()) {
                Entry::Vacant(place) => {
                    place.insert(at);
                    owners.keys.push(key.clone());
                }
                Entry::Occupied(first) => {
                    let before = last.insert(*first.get(), at).unwrap_or(*first.get());
                    owners.next.insert(before, at);
                }
            }
        }
        Ok(owners)
    }

    /// The first row with a key. Related rows mostly come together, so the one found last is looked at first.
    fn of_key(&self, key: &K, last: usize) -> Option<usize> {
        match self.of.get(last) {
            Some(known) if known == key && self.next.is_empty() => Some(last),
            _ => self.first.get(key).copied(),
        }
    }
}

/// The query for the related rows of some keys.
pub(crate) struct Reader {
    pub(crate) buffer: Buffer,
    /// Where the key of the row that a related row belongs to stands in it.
    pub(crate) key_at: usize,
}

/// The query for the rows that a step asks for of those with some keys, each as one value.
pub(crate) fn many_query(
    def: &'static ManyDef,
    step: &Step,
    keys: Vec<Value<'static>>,
    dialect: Dialect,
) -> Result<Reader> {
    let (source, target) = ((def.source)(), (def.target)());
    let Some(here) = def.foreign_key() else {
        return Err(Error::new(ErrorKind::Misuse, "the relation has no foreign key"));
    };
    let here = here.columns;
    let columns = || here.iter().map(|column| Token::Column { via: Route::ROOT, column: *column, outer: 0 });
    let mut buffer = Buffer::default();
    one_of(&mut buffer, source, here, keys, dialect);
    push_linked(&mut buffer, def);
    buffer.append(step.buffer.clone());
    let key_at = match def.there {
        None => {
            buffer.push(Token::Entity(Route::ROOT));
            // The columns of a foreign key stand one after the other, as those of a key are read.
            here.first().map_or(0, |column| usize::from(*column))
        }
        Some(there) => {
            buffer.push(Token::Entity(Route::ROOT.then(there)));
            for column in columns() {
                buffer.push(column);
                buffer.push(Token::Select);
            }
            target.columns.len()
        }
    };
    if let Some(limit) = step.limit {
        if !buffer.has(|token| matches!(token, Token::OrderBy { .. })) {
            let via = def.there.map_or(Route::ROOT, |there| Route::ROOT.then(there));
            for key in target.key {
                buffer.push(Token::Column { via, column: *key, outer: 0 });
                buffer.push(Token::OrderBy { descending: false, nulls: cormorant_sql::Nulls::Native });
            }
        }
        buffer.tokens.extend(columns());
        buffer.push(Token::Bind(Class::Int));
        buffer.values.push(Value::Int(i64::try_from(limit).unwrap_or(i64::MAX)));
        buffer.push(Token::LimitEach(here.len() as u8));
    }
    Ok(Reader { buffer, key_at })
}

/// The condition that some columns are one of these keys.
fn one_of(buffer: &mut Buffer, table: &'static TableDef, columns: &[u16], keys: Vec<Value<'static>>, dialect: Dialect) {
    match (columns, keys.as_slice()) {
        (_, [key]) => return push_equal(buffer, table, columns, key.clone()),
        ([column], [_, _, ..]) if dialect.names_keys().is_some_and(|most| keys.len() <= most) => {
            push_each(buffer, table, *column, keys);
        }
        _ => key::push_in(buffer, Route::ROOT, table, columns, keys),
    }
    buffer.push(Token::Filter);
}

/// The condition that a column is one of these keys, which are named one by one. The last is repeated until they are a
/// power of two: a relation has a few statements then, not one for each number of keys.
fn push_each(buffer: &mut Buffer, table: &'static TableDef, column: u16, keys: Vec<Value<'static>>) {
    let count = keys.len().next_power_of_two();
    buffer.push(Token::Column { via: Route::ROOT, column, outer: 0 });
    buffer.tokens.extend(repeat_n(Token::Bind(class_of(table, column)), count));
    let again = keys.last().cloned().into_iter().cycle().take(count - keys.len());
    buffer.values.extend(keys.into_iter().chain(again));
    buffer.push(Token::OneOf(u16::try_from(count).unwrap_or(u16::MAX)));
}

async fn select<C: Model>(
    table: &'static TableDef,
    buffer: &Buffer,
    target: Target<'_>,
    sink: &mut (dyn FnMut(&mut Row<'_>) -> Result<()> + Send),
) -> Result<()> {
    let statement = statement(Kind::Select, table, &buffer.tokens);
    target.run(&statement, &buffer.values, sink).await.map_err(|error| problem::of_query(error, C::TABLE))?;
    Ok(())
}
