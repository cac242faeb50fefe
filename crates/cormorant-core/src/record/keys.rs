//! Rows by their keys.

use cormorant_driver::{Cell, Mismatch, Result, Row};
use cormorant_sql::schema::TableDef;
use cormorant_sql::{Buffer, Class, Route, Token, Value};

use crate::query::class_of;

/// The keys of some rows of a table, row by row.
pub(super) struct Keys {
    table: &'static TableDef,
    values: Vec<Value<'static>>,
    next: usize,
}

impl Keys {
    pub(super) fn new(table: &'static TableDef, values: Vec<Value<'static>>) -> Self {
        Self { table, values, next: 0 }
    }

    /// How many there are.
    pub(super) fn len(&self) -> usize {
        self.values.len() / self.width()
    }

    /// Those of some rows, where they may be shown: a number is, a text could be anything.
    pub(super) fn shown(&self, rows: &[usize]) -> Option<Vec<i64>> {
        let [column] = self.table.key else { return None };
        let secret = self.table.column(*column).is_none_or(|column| column.secret);
        let shown = rows.iter().map(|row| match self.values.get(*row) {
            Some(Value::Int(key)) if !secret => Some(*key),
            _ => None,
        });
        shown.collect()
    }

    /// The place of the row whose key the next cells hold; `None` where it is none of these. The one that is looked
    /// for is mostly the next.
    pub(super) fn place(&mut self, cells: &mut Row<'_>) -> Result<Option<usize>> {
        let width = self.width();
        let mut key = Vec::with_capacity(width);
        for column in self.table.key {
            key.push(cells.read(|cell| value_of(class_of(self.table, *column), cell))?);
        }
        let is_it = |known: &[Value<'_>]| known == key.as_slice();
        let (before, behind) = self.values.split_at_checked(self.next * width).unwrap_or_default();
        let place = behind.chunks_exact(width).position(is_it).map(|n| self.next + n);
        let place = place.or_else(|| before.chunks_exact(width).position(is_it));
        self.next = place.map_or(self.next, |place| place + 1);
        Ok(place)
    }

    /// A query for the rows that have them: their keys, and then some columns. Of a key of several columns each has one
    /// of its values, so that others are found as well, which have no place.
    pub(super) fn query(&self, columns: &[u16]) -> Buffer {
        let mut buffer = Buffer::default();
        let here = |column: &u16| Token::Column { via: Route::ROOT, column: *column, outer: 0 };
        for (n, column) in self.table.key.iter().enumerate() {
            buffer.push(here(column));
            buffer.push(Token::List(class_of(self.table, *column)));
            let values = self.values.iter().skip(n).step_by(self.width());
            buffer.values.push(Value::List(values.cloned().collect()));
            buffer.push(Token::In);
            buffer.push(Token::Filter);
        }
        for column in self.table.key.iter().chain(columns) {
            buffer.push(here(column));
            buffer.push(Token::Select);
        }
        buffer
    }

    fn width(&self) -> usize {
        self.table.key.len().max(1)
    }
}

/// What a cell holds, as the value that was bound.
fn value_of(class: Class, cell: Cell<'_>) -> Result<Value<'static>, Mismatch> {
    Ok(match class {
        Class::Bool => Value::Bool(cell.bool()?),
        Class::Int => Value::Int(cell.int()?),
        Class::Float => Value::Float(cell.float()?),
        Class::Decimal => Value::Decimal(cell.decimal()?),
        Class::Bytes => Value::Bytes(cell.bytes()?.to_vec().into()),
        Class::Date => Value::Date(cell.date()?),
        Class::Time => Value::Time(cell.time()?),
        Class::DateTime => Value::DateTime(cell.date_time()?),
        Class::Timestamp => Value::Timestamp(cell.timestamp()?),
        Class::Uuid => Value::Uuid(cell.uuid()?),
        _ => Value::Text(cell.text()?.to_owned().into()),
    })
}
