//! What a derived mapper of another type calls.

use std::fmt::Display;

use cormorant_driver::{Error, ErrorKind, Result, Row};
use cormorant_sql::Value;
use cormorant_sql::schema::ColumnType;

use crate::support::{IntoField, IntoOption};
use crate::{Field, Mapper, Unstorable};

/// A column's value as a getter gives it, made what will be read back.
pub fn get<'e, E, T: Field, V: IntoField<T>>(entity: &'e E, get: impl FnOnce(&'e E) -> V) -> T {
    let mut value = get(entity).into_field();
    value.as_stored();
    value
}

/// As [`get`], of a column that may be NULL.
pub fn get_option<'e, E, T, V: IntoOption<T, Mark>, Mark>(entity: &'e E, get: impl FnOnce(&'e E) -> V) -> Option<T>
where
    Option<T>: Field,
{
    let mut value = get(entity).into_option();
    value.as_stored();
    value
}

/// The value to bind of a column that was got: the entity does not hold it.
pub fn owned(column: &impl Field) -> Result<Value<'static>, Unstorable> {
    column.value().map(Value::into_owned)
}

/// Why a constructor refused its columns, in its own words.
#[derive(Debug)]
pub struct Refusal(String);

/// What `build` gives.
#[diagnostic::on_unimplemented(
    message = "`build` makes `{E}`, and this gives `{Self}`",
    label = "expected `{E}`",
    note = "`try_build` is for a constructor that can refuse a row: it gives a `Result`"
)]
pub trait Built<E> {
    /// It.
    fn built(self) -> E;
}

impl<E> Built<E> for E {
    fn built(self) -> E {
        self
    }
}

/// What `try_build` gives.
#[diagnostic::on_unimplemented(
    message = "`try_build` makes `Result<{E}, …>`, and this gives `{Self}`",
    label = "expected `Result<{E}, …>`, whose error can be displayed",
    note = "`build` is for a constructor that cannot refuse a row"
)]
pub trait TryBuilt<E> {
    /// It.
    fn try_built(self) -> Result<E, Refusal>;
}

impl<E, Why: Display> TryBuilt<E> for Result<E, Why> {
    fn try_built(self) -> Result<E, Refusal> {
        self.map_err(|why| Refusal(why.to_string()))
    }
}

/// What a constructor that cannot refuse has built.
pub fn built<E, B: Built<E>>(entity: B) -> Result<E, Refusal> {
    Ok(entity.built())
}

/// What a constructor that can refuse has built.
pub fn try_built<E, B: TryBuilt<E>>(entity: B) -> Result<E, Refusal> {
    entity.try_built()
}

/// Takes over an entity that was built anew.
pub fn rebuild<M: Mapper>(entity: &mut M::Entity, built: Result<M::Entity, Refusal>) -> Result<()> {
    match built {
        Ok(built) => {
            *entity = built;
            Ok(())
        }
        Err(why) => Err(refused::<M>(why, |position, _| match M::value(entity, position) {
            Ok(Value::Int(number)) => Some(number.to_string()),
            Ok(Value::Text(text)) => Some(length(&text)),
            _ => None,
        })),
    }
}

/// The error of a row that was read, from the cell at `start` on, and refused.
pub fn refused_row<M: Mapper>(row: &mut Row<'_>, start: usize, why: Refusal) -> Error {
    refused::<M>(why, |position, ty| {
        row.go_to(start + usize::from(position));
        // Not every backend keeps the text "12" and the number apart: the column does.
        let shown = row.read(|cell| match ty {
            ColumnType::Text { .. } => cell.text().map(length),
            _ => cell.int().map(|number| number.to_string()),
        });
        shown.ok()
    })
}

fn length(text: &str) -> String {
    format!("({} characters)", text.chars().count())
}

/// Names the table and the key: numbers as they are, of text the length, of what is secret nothing.
fn refused<M: Mapper>(why: Refusal, mut show: impl FnMut(u16, ColumnType) -> Option<String>) -> Error {
    let table = M::TABLE;
    let mut key = Vec::new();
    for position in table.key {
        let Some(column) = table.column(*position) else { continue };
        let tells = matches!(column.ty, ColumnType::Text { .. }) || column.ty.is_integer();
        let value = if tells && !column.secret { show(*position, column.ty) } else { None };
        key.push(match value {
            Some(value) => format!("{} {value}", column.name),
            None => column.name.to_owned(),
        });
    }
    let message = format!("the row of {} with {} was refused: {}", table.name, key.join(", "), why.0);
    Error::new(ErrorKind::Decode, message).with_model(table.model)
}
