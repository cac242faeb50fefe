//! What `#[derive(DbEnum)]` calls: enums as one of a few texts or integers.

use cormorant_sql::Value;
use cormorant_sql::schema::{Allowed, ColumnType, DefaultDef};

use super::Scalar;
use cormorant_driver::{Cell, Mismatch};

/// The variant that a text stands for. `texts` and `variants` are in one order.
pub fn read_text<T, const N: usize>(
    cell: Cell<'_>,
    expected: &'static str,
    texts: &'static [&'static str],
    variants: [T; N],
) -> Result<T, Mismatch> {
    let text = cell.text()?;
    let mut both = texts.iter().zip(variants);
    let found = both.find(|(other, _)| **other == text).map(|(_, variant)| variant);
    // What stands there is not shown: a text is the user's.
    found.ok_or_else(|| Mismatch::new(expected, format!("a text that is none of {}", Allowed::Texts(texts))))
}

/// The variant that an integer stands for. `integers` and `variants` are in one order.
pub fn read_integer<T, const N: usize>(
    cell: Cell<'_>,
    expected: &'static str,
    integers: &'static [i64],
    variants: [T; N],
) -> Result<T, Mismatch> {
    let integer = cell.int()?;
    let mut both = integers.iter().zip(variants);
    let found = both.find(|(other, _)| **other == integer).map(|(_, variant)| variant);
    found.ok_or_else(|| Mismatch::new(expected, format!("an integer that is none of {}", Allowed::Integers(integers))))
}

/// The discriminants as a column holds them. Runs in the compiler only, where a panic is a message.
#[allow(clippy::panic, clippy::indexing_slicing, reason = "evaluated by the compiler: a panic is a compile error")]
pub const fn integers<const N: usize>(discriminants: [i128; N]) -> [i64; N] {
    let mut integers = [0; N];
    let mut at = 0;
    while at < N {
        integers[at] = discriminants[at] as i64;
        if integers[at] as i128 != discriminants[at] {
            panic!("a discriminant is out of the range of i64, the largest integer that a column holds");
        }
        at += 1;
    }
    integers
}

/// The smallest column that holds them all.
#[allow(clippy::indexing_slicing, reason = "evaluated by the compiler, and within its length")]
pub const fn integer_type(integers: &[i64]) -> ColumnType {
    let (mut ty, mut at) = (ColumnType::I16, 0);
    while at < integers.len() {
        let integer = integers[at];
        if integer as i32 as i64 != integer {
            return ColumnType::I64;
        }
        if integer as i16 as i64 != integer {
            ty = ColumnType::I32;
        }
        at += 1;
    }
    ty
}

/// What a constant of the program is in the database's own default: one of the values that its type allows. Of other
/// types the database knows literals alone.
pub fn constant<T: Scalar>(value: &T) -> Option<DefaultDef> {
    match (T::ALLOWED?, value.to_value().ok()?) {
        (Allowed::Texts(texts), Value::Text(text)) => {
            texts.iter().find(|other| **other == text).map(|text| DefaultDef::Text(text))
        }
        (Allowed::Integers(_), Value::Int(integer)) => Some(DefaultDef::Int(integer)),
        _ => None,
    }
}
