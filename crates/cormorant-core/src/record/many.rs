//! Errors about one of many.

use cormorant_driver::{Error, ErrorKind, Fault};

use crate::Model;

/// An error that says which of many it is about.
pub(super) fn refused<M: Model>(kind: ErrorKind, what: &str, place: usize, why: &str) -> Error {
    Error::new(kind, format!("the {what} at position {place}, counted from 0, {why}")).with_model(M::NAME)
}

/// What is invalid in one of many.
pub(super) fn numbered<'f>(faults: &'f [Fault], what: &'f str, place: usize) -> impl Iterator<Item = Fault> + 'f {
    faults.iter().map(move |Fault { field, message }| Fault {
        field: field.clone(),
        message: format!("{message}, in the {what} at position {place}"),
    })
}
