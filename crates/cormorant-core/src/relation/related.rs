//! The related rows of one row, however the relation is kept: reading them, and naming them to a verb.

use std::collections::HashSet;
use std::marker::PhantomData;

use cormorant_driver::{Error, ErrorKind, Result};
use cormorant_sql::schema::{ManyDef, TableDef};
use cormorant_sql::{Binary, Buffer, Kind, Route, TableId, Token, Unary, Value};

use super::fields::Many;
use crate::executor::{Target, no_rows, statement};
use crate::expr::Predicate;
use crate::query::class_of;
use crate::{Executor, ForeignKey, Model, PathOf, Query, Record, key, problem};

/// The related rows of one row: what [`Children`](super::Children) and [`Links`](super::Links) read.
#[must_use = "a relation does nothing before a verb: `.all(&db).await?`"]
pub struct Related<'a, M: Model> {
    pub(super) def: &'static ManyDef,
    /// The key of the row, as one value.
    here: Value<'static>,
    pub(super) field: &'a Many<M>,
    mark: PhantomData<fn() -> M>,
}

impl<'a, M: Model> Related<'a, M> {
    pub(super) fn of<P: Model>(owner: &P, def: &'static ManyDef, field: &'a Many<M>) -> Self {
        Self { def, here: key_of(owner), field, mark: PhantomData }
    }

    /// The condition that a row is one of them.
    fn push(&self, buffer: &mut Buffer) {
        match (self.def.there, self.def.foreign_key(), self.def.link()) {
            (None, Some(here), _) => self.push_here(buffer, here.columns),
            (Some(_), Some(here), Some(there)) => {
                let key = M::TABLE.key;
                for column in key {
                    buffer.push(Token::Column { via: Route::ROOT, column: *column, outer: 0 });
                }
                let before = buffer.tokens.len();
                self.push_here(buffer, here.columns);
                for column in there.columns {
                    buffer.push(Token::Column { via: Route::ROOT, column: *column, outer: 0 });
                    buffer.push(Token::Select);
                }
                let tokens = u32::try_from(buffer.tokens.len() - before).unwrap_or(u32::MAX);
                buffer.push(Token::Subquery { table: TableId::of(self.table()), tokens, exists: false });
                buffer.push(if key.len() == 1 { Token::In } else { Token::InRow(key.len() as u8) });
                buffer.push(Token::Filter);
            }
            // No derived relation is without its foreign keys: none of the rows, rather than all.
            _ => {
                buffer.append((!Predicate::<M>::always()).buffer);
                buffer.push(Token::Filter);
            }
        }
    }

    /// The condition that a row belongs to this one.
    pub(super) fn push_here(&self, buffer: &mut Buffer, columns: &[u16]) {
        push_equal(buffer, self.table(), columns, self.here.clone());
    }

    /// The values of the columns that point at the row.
    pub(super) fn here(&self, columns: &[u16]) -> impl Iterator<Item = Value<'static>> {
        key::parts(self.here.clone(), columns.len())
    }

    /// A foreign key that points at the row.
    pub(super) fn pointing<P: Model>(&self, owner: &P) -> Result<ForeignKey<P>> {
        match &self.here {
            Value::Unstorable(why) => Err(Error::new(ErrorKind::Encode, why.as_ref()).with_model(P::NAME)),
            _ => P::key(owner).map(ForeignKey::to),
        }
    }

    pub(super) fn table(&self) -> &'static TableDef {
        (self.def.source)()
    }

    /// Runs a statement on the table that keeps the relation, and tells how many rows it wrote.
    pub(super) async fn write(&self, kind: Kind, buffer: &Buffer, target: Target<'_>) -> Result<u64> {
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
    let unsaved = || Value::Unstorable(format!("the {} is not saved yet: insert it first", P::NAME).into());
    match P::key(owner).map(|key| key::whole(&key)) {
        Ok(Value::Int(0)) if P::TABLE.generated_key().is_some() => unsaved(),
        Ok(Value::Unstorable(_)) | Err(_) => unsaved(),
        Ok(key) => key,
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
pub(super) fn distinct<M: Model>(rows: impl IntoIterator<Item = impl RowOf<M>>) -> Vec<Option<M::Key>> {
    let mut seen = HashSet::new();
    let keys = rows.into_iter().map(|row| row.into().key().cloned());
    keys.filter(|key| key.as_ref().is_none_or(|key| seen.insert(key.clone()))).collect()
}

pub(super) fn values_of<M: Model>(keys: impl IntoIterator<Item = Option<M::Key>>) -> Vec<Value<'static>> {
    let unsaved = || Value::Unstorable(format!("a {} is not saved yet: insert it first", M::NAME).into());
    keys.into_iter().map(|key| key.as_ref().map_or_else(unsaved, key::whole)).collect()
}

/// The keys of some rows, each once.
pub(super) fn keys_of<M: Model>(rows: impl IntoIterator<Item = impl RowOf<M>>) -> Vec<Value<'static>> {
    values_of::<M>(distinct::<M>(rows))
}

/// The condition that some columns are one of these keys, or none of them.
pub(super) fn push_in(
    buffer: &mut Buffer,
    table: &'static TableDef,
    columns: &[u16],
    keys: Vec<Value<'static>>,
    not: bool,
) {
    key::push_in(buffer, Route::ROOT, table, columns, keys);
    if not {
        buffer.push(Token::Unary(Unary::Not));
    }
    buffer.push(Token::Filter);
}

/// The condition that some columns are this key.
pub(crate) fn push_equal(buffer: &mut Buffer, table: &'static TableDef, columns: &[u16], key: Value<'static>) {
    for (column, value) in columns.iter().zip(key::parts(key, columns.len())) {
        buffer.push(Token::Column { via: Route::ROOT, column: *column, outer: 0 });
        buffer.push(Token::Bind(class_of(table, *column)));
        buffer.values.push(value);
        buffer.push(Token::Binary(Binary::Eq));
        buffer.push(Token::Filter);
    }
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
