//! The unique constraint by which a row may be there already.

use cormorant_driver::{Error, ErrorKind, Result};
use cormorant_sql::schema::TableDef;
use cormorant_sql::{Binary, Kind, Lock, Route, Token, Value, own_column};

use smallvec::SmallVec;

use super::Record;
use crate::executor::{Target, statement};
use crate::identity::Identity;
use crate::query::class_of;
use crate::{Columns, Expr, Model, problem, validate};

/// What names a unique constraint, for `get_or_insert` and `upsert` of a builder and for
/// [`upsert_many`](Model::upsert_many): a column that is unique or the key, or a tuple of columns that are so together.
/// A foreign key is named by the key it holds, `p.author().id()`.
///
/// # Inserting what may be there already
/// ```
/// use cormorant::prelude::*;
/// #[derive(Model, Debug)]
/// #[model(unique(shop, code))]
/// struct Item {
///     id: i64,
///     shop: i64,
///     #[model(max_length = 8)]
///     code: String,
///     #[model(default = 0)]
///     stock: i64,
///     note: Option<String>,
/// }
///
/// # fn main() -> cormorant::Result<()> {
/// # let db = Database::connect("sqlite::memory:").wait()?;
/// # db.create(models![Item]).wait()?;
/// let cup = || Item::builder().shop(1).code("CUP").stock(5);
/// let (item, inserted) = cup().get_or_insert(&db, |i| (i.shop(), i.code())).wait()?;
/// assert!(inserted && item.stock == 5);
///
/// // There now: what the builder gives is written, `note` is not given and stays.
/// let item = cup().stock(7).upsert(&db, |i| (i.shop(), i.code())).wait()?;
/// assert_eq!(item.stock, 7);
///
/// let (item, inserted) = cup().get_or_insert(&db, |i| (i.shop(), i.code())).wait()?;
/// assert!(!inserted && item.stock == 7);
/// # Ok(())
/// # }
/// ```
///
/// # Errors
/// Of each call: [`ErrorKind::Misuse`] when the columns are no unique constraint of the model, or one of them is left
/// to the database; [`ErrorKind::Validation`] before anything is sent;
/// [`ErrorKind::Unique`] when a row is there by *another* unique constraint; the database's.
#[diagnostic::on_unimplemented(
    message = "`{Self}` names no unique constraint of `{R}`",
    label = "expected a column, or a tuple of columns",
    note = "a foreign key is named by the key that it holds: `p.author().id()`"
)]
pub trait UniqueColumns<R> {
    /// Appends each column; `None` is what is no single column.
    #[doc(hidden)]
    fn push_columns(self, columns: &mut Vec<Option<Token>>);
}

impl<R, T> UniqueColumns<R> for Expr<R, T> {
    fn push_columns(self, columns: &mut Vec<Option<Token>>) {
        columns.push(match self.buffer.tokens.as_slice() {
            [column] => Some(*column),
            _ => None,
        });
    }
}

macro_rules! tuples {
    ($($name:ident $place:tt)*) => {
        impl<R, $($name: UniqueColumns<R>),*> UniqueColumns<R> for ($($name,)*) {
            fn push_columns(self, columns: &mut Vec<Option<Token>>) {
                $(self.$place.push_columns(columns);)*
            }
        }
    };
}

tuples!(A 0);
tuples!(A 0 B 1);
tuples!(A 0 B 1 C 2);
tuples!(A 0 B 1 C 2 D 3);
tuples!(A 0 B 1 C 2 D 3 E 4);
tuples!(A 0 B 1 C 2 D 3 E 4 F 5);

/// How often the two statements are run again whose row vanishes in between.
pub(super) const ATTEMPTS: usize = 5;

/// A unique constraint of a model.
pub(crate) struct Unique {
    table: &'static TableDef,
    /// Its columns, as the model declares them.
    pub(super) columns: Vec<u16>,
    /// Their fields, as errors name them.
    pub(super) fields: String,
}

impl Unique {
    /// The constraint over exactly these columns.
    pub(crate) fn of<M: Model>(named: impl UniqueColumns<M>) -> Result<Self> {
        let table = M::TABLE;
        let mut tokens = Vec::new();
        named.push_columns(&mut tokens);
        let columns: Option<Vec<u16>> =
            tokens.into_iter().map(|token| token.and_then(|token| own_column(table, token))).collect();
        let wrong = match columns {
            Some(columns) => match constraints(table).find(|constraint| same(constraint, &columns)) {
                Some(declared) => {
                    return Ok(Self { table, fields: table.fields(declared.iter().copied()), columns: declared });
                }
                None => format!("the columns ({}) are not unique together", table.fields(columns)),
            },
            None => "the closure gives what is no column of the row itself".to_owned(),
        };
        let known: Vec<String> =
            constraints(table).map(|constraint| format!("({})", table.fields(constraint))).collect();
        Err(Error::new(
            ErrorKind::Misuse,
            format!("{wrong}: name one of the unique constraints of {}, {}", M::NAME, known.join(" or ")),
        )
        .with_model(M::NAME))
    }

    /// Whether a row can be there by it: where one of its columns is NULL none can, as NULL equals nothing.
    pub(super) fn can_be_met<M: Model>(&self, entity: &M, omitted: Columns) -> Result<bool> {
        if self.columns.iter().any(|column| omitted.contains(*column)) {
            return Err(Error::new(
                ErrorKind::Misuse,
                format!("a row cannot be found by ({}) before that has a value: give it to the builder", self.fields),
            )
            .with_model(M::NAME));
        }
        Ok(!self.columns.iter().any(|column| matches!(M::value(entity, *column), Ok(Value::Null))))
    }

    /// Whether an error says that a row is there by this constraint.
    pub(super) fn is_met(&self, error: &Error) -> bool {
        error.kind() == ErrorKind::Unique && error.field() == Some(self.fields.as_str())
    }

    /// The clauses of an INSERT that name it.
    pub(super) fn conflict(&self) -> impl Iterator<Item = Token> + '_ {
        self.columns.iter().map(|column| Token::Conflict(*column))
    }

    /// An INSERT that failed has met a row that may be newer than what the transaction sees; a lock sees it.
    pub(super) fn lock(&self, target: Target<'_>) -> Option<Token> {
        let newer = matches!(target, Target::Transaction(_)) && !target.dialect().names_conflicts();
        newer.then(|| Token::Lock(Lock::Share.into()))
    }

    /// An entity's values in its columns.
    pub(super) fn values<M: Model>(&self, entity: &M) -> Result<Identity> {
        let mut values = SmallVec::new();
        validate::values::<M>(entity, self.columns.iter().copied(), |value| values.push(value.into_owned()))?;
        Ok(Identity(values))
    }

    /// The row that has an entity's values in its columns.
    pub(super) async fn find<M: Model>(&self, target: Target<'_>, entity: &M) -> Result<Option<Record<M>>> {
        let mut tokens = Vec::new();
        for column in &self.columns {
            tokens.push(Token::Column { via: Route::ROOT, column: *column, outer: 0 });
            tokens.push(Token::Bind(class_of(self.table, *column)));
            tokens.push(Token::Binary(Binary::Eq));
            tokens.push(Token::Filter);
        }
        tokens.extend(self.lock(target));
        let mut values = Vec::new();
        validate::values::<M>(entity, self.columns.iter().copied(), |value| values.push(value))?;
        let mut found = None;
        target
            .run_single(&statement(Kind::Select, self.table, &tokens), &values, &mut |row| {
                found = Some(Record::loaded(M::load(row)?));
                Ok(())
            })
            .await
            .map_err(|error| problem::of_query(error, self.table))?;
        Ok(found)
    }

    /// What to say of two rows that the program tells apart and the database does not.
    pub(super) fn taken_as_equal(&self) -> String {
        format!("for the database takes their ({}) as equal: which of them is right?", self.fields)
    }

    /// What is left to say when the row was there for every INSERT and gone for every SELECT.
    pub(super) fn comes_and_goes(&self) -> Error {
        Error::new(
            ErrorKind::Retryable(crate::Conflict::Serialization),
            format!(
                "the row with this ({}) was inserted and deleted by others all the time: run it again",
                self.fields
            ),
        )
        .with_model(self.table.model)
    }
}

/// The columns of each unique constraint: the key comes first.
fn constraints(table: &'static TableDef) -> impl Iterator<Item = Vec<u16>> {
    let alone = (0..=u16::MAX).zip(table.columns).filter(|(_, column)| column.unique).map(|(at, _)| vec![at]);
    let together = table.indexes.iter().filter(|index| index.unique).map(|index| index.columns.to_vec());
    std::iter::once(table.key.to_vec()).chain(alone).chain(together)
}

/// Whether no two rows of a table have the same values in these columns.
pub(crate) fn is_unique(table: &'static TableDef, columns: &[u16]) -> bool {
    constraints(table).any(|constraint| same(&constraint, columns))
}

fn same(constraint: &[u16], columns: &[u16]) -> bool {
    constraint.len() == columns.len() && constraint.iter().all(|column| columns.contains(column))
}
