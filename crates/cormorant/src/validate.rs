//! Validation: what a column cannot hold is found before anything is sent, and every fault at once.

use cormorant_driver::{Error, Fault, Result};
use cormorant_sql::Value;
use cormorant_sql::schema::{ColumnDef, ColumnType};
use rust_decimal::Decimal;

use crate::{Columns, Mapper};

/// The values of an entity's columns, all valid. Those left to the database are neither looked at nor given.
///
/// # Errors
/// [`ErrorKind::Validation`](crate::ErrorKind::Validation) with every fault.
pub(crate) fn values<M: Mapper>(entity: &M::Entity, omitted: Columns) -> Result<Vec<Value>> {
    let columns = M::TABLE.columns;
    let mut values = Vec::with_capacity(columns.len());
    let mut faults = Vec::new();
    for (position, column) in columns.iter().enumerate() {
        if omitted.contains(position as u16) {
            values.push(Value::Null);
            continue;
        }
        match M::value(entity, position as u16) {
            Ok(value) => {
                if let Some(message) = fault(column, &value) {
                    faults.push(Fault { field: column.field.to_owned(), message });
                }
                values.push(value);
            }
            Err(unstorable) => {
                let message = if column.secret { "the value cannot be stored".to_owned() } else { unstorable.0 };
                faults.push(Fault { field: column.field.to_owned(), message });
                values.push(Value::Null);
            }
        }
    }
    if faults.is_empty() { Ok(values) } else { Err(Error::validation(M::NAME, faults)) }
}

/// What is wrong with a value. Lengths and numbers are shown unless the field is secret, text never.
fn fault(column: &ColumnDef, value: &Value) -> Option<String> {
    match (column.ty, value) {
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
