//! Validation: what a column cannot hold is found before anything is sent, and every fault at once.

use cormorant_driver::{Error, Fault, Result};
use cormorant_sql::Value;
use cormorant_sql::schema::{ColumnDef, ColumnType, TableDef};
use rust_decimal::Decimal;

use crate::{Mapper, Unstorable};

/// Gives the values of some of an entity's columns to `take`, all valid.
///
/// # Errors
/// [`ErrorKind::Validation`](crate::ErrorKind::Validation) with every fault.
#[inline]
pub(crate) fn values<'e, M: Mapper>(
    entity: &'e M::Entity,
    columns: impl Iterator<Item = u16>,
    take: impl FnMut(Value<'e>),
) -> Result<()> {
    values_of(M::TABLE, columns, |column| M::value(entity, column), take)
}

/// The same of a row of a table, whatever holds it.
#[inline]
pub(crate) fn values_of<'e>(
    table: &'static TableDef,
    columns: impl Iterator<Item = u16>,
    value: impl Fn(u16) -> Result<Value<'e>, Unstorable>,
    mut take: impl FnMut(Value<'e>),
) -> Result<()> {
    let mut faults = Vec::new();
    for position in columns {
        let Some(column) = table.column(position) else { continue };
        match value(position) {
            Ok(value) => {
                if let Some(message) = fault(table, position, column, &value) {
                    faults.push(Fault { field: column.field.to_owned(), message });
                }
                take(value);
            }
            Err(unstorable) => {
                let message = if column.secret { "the value cannot be stored".to_owned() } else { unstorable.0 };
                faults.push(Fault { field: column.field.to_owned(), message });
                take(Value::Null);
            }
        }
    }
    if faults.is_empty() {
        return Ok(());
    }
    // What is wrong with a foreign key is wrong with each of its columns.
    faults.dedup();
    Err(Error::validation(table.model, faults))
}

/// What is wrong with a value. Lengths and numbers are shown unless the field is secret, text never.
#[inline]
fn fault(table: &TableDef, position: u16, column: &ColumnDef, value: &Value<'_>) -> Option<String> {
    match (column.ty, value) {
        // Text of any length. A foreign key is never of this type.
        (ColumnType::Text { max_length: None }, _) => None,
        (_, Value::Text(_) | Value::Decimal(_) | Value::Float(_)) => fault_of(table, position, column, value),
        _ => None,
    }
}

fn fault_of(table: &TableDef, position: u16, column: &ColumnDef, value: &Value<'_>) -> Option<String> {
    // A foreign key is as long and as exact as the key it points at.
    let ty = match value {
        Value::Text(_) | Value::Decimal(_) => table.type_of(position).unwrap_or(column.ty),
        _ => column.ty,
    };
    match (ty, value) {
        (ColumnType::Text { max_length: Some(most) }, Value::Text(text)) => {
            // A character has at least one byte: most texts need no counting.
            let characters = if text.len() <= most as usize { return None } else { text.chars().count() };
            (characters > most as usize).then(|| match column.secret {
                true => format!("too long, at most {most} characters are allowed"),
                false => format!("{characters} characters, at most {most} are allowed"),
            })
        }
        (ColumnType::Decimal { precision, scale }, Value::Decimal(number)) => {
            decimal_fault(*number, precision, scale, column.secret)
        }
        (ColumnType::F32 | ColumnType::F64, Value::Float(number)) if number.is_nan() => {
            Some("NaN is not a number, and not every database stores it".to_owned())
        }
        _ => None,
    }
}

fn decimal_fault(number: Decimal, precision: u8, scale: u8, secret: bool) -> Option<String> {
    // Most numbers have no more digits behind the point than their column, and far fewer before it.
    let (digits, more) = (u32::from(precision), u32::from(scale).checked_sub(number.scale()));
    if let Some(most) = more.and_then(|more| digits.checked_sub(more)).and_then(|digits| 10u128.checked_pow(digits))
        && number.mantissa().unsigned_abs() < most
    {
        return None;
    }
    let shown = if secret { "the number".to_owned() } else { number.to_string() };
    let exact = number.normalize();
    let largest = Decimal::try_from_i128_with_scale(10i128.pow(u32::from(precision)) - 1, u32::from(scale)).ok()?;
    if exact.abs() > largest {
        return Some(format!("{shown} does not fit numeric({precision}, {scale}), whose largest value is {largest}"));
    }
    if exact.scale() > u32::from(scale) {
        let digits = if secret { "too many".to_owned() } else { exact.scale().to_string() };
        return Some(format!(
            "{shown} has {digits} digits behind the point, numeric({precision}, {scale}) keeps {scale}"
        ));
    }
    None
}
