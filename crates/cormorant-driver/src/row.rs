//! What a statement gives back, cell by cell, straight from the driver's row.

use cormorant_sql::Output;
use jiff::Timestamp;
use jiff::civil::{Date, DateTime, Time};
use rust_decimal::Decimal;
use uuid::Uuid;

use crate::mismatch::Mismatch;
use crate::{Error, ErrorKind, Result};

/// One row. Cells are taken from left to right.
#[derive(Debug)]
pub struct Row<'a> {
    cells: Cells<'a>,
    outputs: &'a [Output],
    next: usize,
}

#[derive(Debug)]
pub(crate) enum Cells<'a> {
    #[cfg(feature = "sqlite")]
    Sqlite(&'a rusqlite::Row<'a>),
    /// A row that came from another thread.
    #[cfg(feature = "sqlite")]
    SqliteValues(&'a [rusqlite::types::Value]),
    #[cfg(feature = "postgres")]
    Postgres(&'a tokio_postgres::Row),
    #[cfg(feature = "mysql")]
    MySql(&'a mysql_async::Row),
    /// A build without any driver.
    #[allow(dead_code, reason = "keeps the type usable when no driver is built in")]
    None(std::marker::PhantomData<&'a ()>),
}

impl<'a> Row<'a> {
    pub(crate) fn new(cells: Cells<'a>, outputs: &'a [Output]) -> Self {
        Self { cells, outputs, next: 0 }
    }

    /// Takes the next cell, in the form that `read` makes of it.
    ///
    /// # Errors
    /// [`ErrorKind::Decode`] when `read` refuses it.
    #[inline(always)]
    pub fn read<T>(&mut self, read: impl FnOnce(Cell<'a>) -> Result<T, Mismatch>) -> Result<T> {
        let at = self.next;
        self.next += 1;
        self.cell(at).and_then(read).map_err(|mismatch| self.mismatch(at, mismatch))
    }

    /// Takes the next cell, `None` for NULL.
    ///
    /// # Errors
    /// [`ErrorKind::Decode`] when `read` refuses it.
    #[inline(always)]
    pub fn read_option<T>(&mut self, read: impl FnOnce(Cell<'a>) -> Result<T, Mismatch>) -> Result<Option<T>> {
        self.read(|cell| if cell.is_null() { Ok(None) } else { read(cell).map(Some) })
    }

    /// How many cells the row has.
    #[allow(clippy::len_without_is_empty, reason = "a row has at least one cell")]
    pub fn len(&self) -> usize {
        match self.cells {
            #[cfg(feature = "sqlite")]
            Cells::Sqlite(row) => row.as_ref().column_count(),
            #[cfg(feature = "sqlite")]
            Cells::SqliteValues(values) => values.len(),
            #[cfg(feature = "postgres")]
            Cells::Postgres(row) => row.len(),
            #[cfg(feature = "mysql")]
            Cells::MySql(row) => row.len(),
            Cells::None(_) => 0,
        }
    }

    /// The position of the next cell.
    pub fn position(&self) -> usize {
        self.next
    }

    /// Goes on with the cell at a position.
    pub fn go_to(&mut self, position: usize) {
        self.next = position;
    }

    /// True when the cell `ahead` places after the next one is NULL: a joined row that is not there.
    pub fn is_null(&self, ahead: usize) -> bool {
        self.cell(self.next + ahead).is_ok_and(|cell| cell.is_null())
    }

    #[inline(always)]
    fn cell(&self, at: usize) -> Result<Cell<'a>, Mismatch> {
        match self.cells {
            #[cfg(feature = "sqlite")]
            Cells::Sqlite(row) => match row.get_ref(at) {
                Ok(value) => Ok(self.sqlite_cell(at, value)),
                Err(_) => Err(Mismatch::new("another column", "the end of the row")),
            },
            #[cfg(feature = "sqlite")]
            Cells::SqliteValues(values) => match values.get(at) {
                Some(value) => Ok(self.sqlite_cell(at, value.into())),
                None => Err(Mismatch::new("another column", "the end of the row")),
            },
            #[cfg(feature = "postgres")]
            Cells::Postgres(row) => crate::postgres::cell::of(row, at).map(|cell| Cell(CellOf::Postgres(cell))),
            #[cfg(feature = "mysql")]
            Cells::MySql(row) => match row.as_ref(at) {
                Some(value) => Ok(Cell(CellOf::MySql(value))),
                None => Err(Mismatch::new("another column", "the end of the row")),
            },
            Cells::None(_) => Err(Mismatch::new("a column", "no driver")),
        }
    }

    #[cfg(feature = "sqlite")]
    #[inline]
    fn sqlite_cell(&self, at: usize, value: rusqlite::types::ValueRef<'a>) -> Cell<'a> {
        Cell(CellOf::Sqlite(value, self.outputs, at))
    }

    /// Takes every cell as a value of its own, for another thread.
    #[cfg(feature = "sqlite")]
    pub(crate) fn take_owned(&mut self, values: &mut Vec<rusqlite::types::Value>) -> Result<()> {
        for _ in 0..self.len() {
            values.push(self.read(|cell| match cell.0 {
                CellOf::Sqlite(value, ..) => {
                    rusqlite::types::Value::try_from(value).map_err(|_| Mismatch::new("text", "text that is not UTF-8"))
                }
                #[allow(unreachable_patterns, reason = "reached when a driver is built in")]
                _ => Err(Mismatch::new("a value of SQLite", "another")),
            })?);
        }
        Ok(())
    }

    #[cold]
    fn mismatch(&self, at: usize, mismatch: Mismatch) -> Error {
        let error = Error::new(ErrorKind::Decode, mismatch.to_string());
        match self.outputs.get(at).map(|output| output.name.as_str()) {
            Some(name) => match name.split_once('.') {
                Some((model, field)) => error.with_model(model).with_field(field),
                None => error.with_field(name),
            },
            None => error.with_field(&format!("column {}", at + 1)),
        }
    }
}

/// One cell. Whoever reads it asks for the form it wants.
#[derive(Clone, Copy, Debug)]
pub struct Cell<'a>(pub(crate) CellOf<'a>);

#[derive(Clone, Copy, Debug)]
pub(crate) enum CellOf<'a> {
    /// The value, and where the form of an exact number is found: few cells need it.
    #[cfg(feature = "sqlite")]
    Sqlite(rusqlite::types::ValueRef<'a>, &'a [Output], usize),
    #[cfg(feature = "postgres")]
    Postgres(crate::postgres::cell::PgCell<'a>),
    #[cfg(feature = "mysql")]
    MySql(&'a mysql_async::Value),
    #[allow(dead_code, reason = "keeps the type usable when no driver is built in")]
    None(std::marker::PhantomData<&'a ()>),
}

#[cfg(feature = "sqlite")]
#[inline]
fn decimal_form(outputs: &[Output], at: usize) -> cormorant_sql::DecimalForm {
    outputs.get(at).map_or_else(Default::default, |output| output.decimal)
}

/// Asks the backend's own `cell` module.
macro_rules! by_backend {
    ($cell:expr, $verb:ident) => {
        match $cell.0 {
            #[cfg(feature = "sqlite")]
            CellOf::Sqlite(value, outputs, at) => crate::sqlite::cell::$verb(value, decimal_form(outputs, at)),
            #[cfg(feature = "postgres")]
            CellOf::Postgres(cell) => crate::postgres::cell::$verb(cell),
            #[cfg(feature = "mysql")]
            CellOf::MySql(value) => crate::mysql::cell::$verb(value),
            CellOf::None(_) => Err(Mismatch::new("a value", "no driver")),
        }
    };
}

impl<'a> Cell<'a> {
    /// True for NULL.
    #[inline]
    pub fn is_null(self) -> bool {
        match self.0 {
            #[cfg(feature = "sqlite")]
            CellOf::Sqlite(value, ..) => matches!(value, rusqlite::types::ValueRef::Null),
            #[cfg(feature = "postgres")]
            CellOf::Postgres(cell) => cell.bytes.is_none(),
            #[cfg(feature = "mysql")]
            CellOf::MySql(value) => *value == mysql_async::Value::NULL,
            CellOf::None(_) => true,
        }
    }

    /// As text to read, whatever it is.
    pub fn to_text(self) -> String {
        if self.is_null() {
            return String::new();
        }
        let number = || self.int().map(|n| n.to_string()).or_else(|_| self.float().map(|n| n.to_string()));
        self.text().map(str::to_owned).or_else(|_| number()).unwrap_or_else(|_| "?".to_owned())
    }

    /// As true or false.
    ///
    /// # Errors
    /// [`Mismatch`] when it is anything else; this holds for each form.
    #[inline]
    pub fn bool(self) -> Result<bool, Mismatch> {
        by_backend!(self, bool)
    }

    /// As an integer.
    #[inline]
    #[allow(clippy::missing_errors_doc, reason = "see `bool`")]
    pub fn int(self) -> Result<i64, Mismatch> {
        by_backend!(self, int)
    }

    /// As a float.
    #[inline]
    #[allow(clippy::missing_errors_doc, reason = "see `bool`")]
    pub fn float(self) -> Result<f64, Mismatch> {
        by_backend!(self, float)
    }

    /// As an exact number.
    #[inline]
    #[allow(clippy::missing_errors_doc, reason = "see `bool`")]
    pub fn decimal(self) -> Result<Decimal, Mismatch> {
        by_backend!(self, decimal)
    }

    /// As text.
    #[inline]
    #[allow(clippy::missing_errors_doc, reason = "see `bool`")]
    pub fn text(self) -> Result<&'a str, Mismatch> {
        by_backend!(self, text)
    }

    /// As bytes.
    #[inline]
    #[allow(clippy::missing_errors_doc, reason = "see `bool`")]
    pub fn bytes(self) -> Result<&'a [u8], Mismatch> {
        by_backend!(self, bytes)
    }

    /// As a day.
    #[allow(clippy::missing_errors_doc, reason = "see `bool`")]
    pub fn date(self) -> Result<Date, Mismatch> {
        by_backend!(self, date)
    }

    /// As a time of day.
    #[allow(clippy::missing_errors_doc, reason = "see `bool`")]
    pub fn time(self) -> Result<Time, Mismatch> {
        by_backend!(self, time)
    }

    /// As a day and a time without a zone.
    #[allow(clippy::missing_errors_doc, reason = "see `bool`")]
    pub fn date_time(self) -> Result<DateTime, Mismatch> {
        by_backend!(self, date_time)
    }

    /// As a moment.
    #[allow(clippy::missing_errors_doc, reason = "see `bool`")]
    pub fn timestamp(self) -> Result<Timestamp, Mismatch> {
        by_backend!(self, timestamp)
    }

    /// As a UUID.
    #[allow(clippy::missing_errors_doc, reason = "see `bool`")]
    pub fn uuid(self) -> Result<Uuid, Mismatch> {
        by_backend!(self, uuid)
    }
}
