//! The models of the program.

use std::collections::HashMap;

use cormorant_driver::{Error, ErrorKind, Result};
use cormorant_sql::schema::{TableDef, link};

#[doc(hidden)]
pub use inventory;

/// A model, as the derive registers it.
#[doc(hidden)]
#[derive(Debug)]
pub struct Registered(pub &'static TableDef);

inventory::collect!(Registered);

/// Adds a mapper that was written by hand to those that [`Database::create_all`](crate::Database::create_all) knows:
/// `cormorant::register!(AccountMapper);`, beside it. A derive does it by itself.
#[macro_export]
macro_rules! register {
    ($mapper:ty) => {
        $crate::__private::inventory::submit! {
            $crate::__private::Registered(<$mapper as $crate::Mapper>::TABLE)
        }
    };
}

/// Some models, as [`Database::create`](crate::Database::create) takes them: `models![Item, Order]`.
#[macro_export]
macro_rules! models {
    ($($model:ty),* $(,)?) => {
        [$(<$model as $crate::Mapper>::TABLE),*]
    };
}

/// Every model in the program, by table.
pub(crate) fn models() -> Result<Vec<&'static TableDef>> {
    let mut models: Vec<_> = inventory::iter::<Registered>.into_iter().map(|registered| registered.0).collect();
    if models.is_empty() {
        return Err(Error::new(
            ErrorKind::Misuse,
            "the program has no model: derive Model, and if the models are in another crate, write `use that_crate as _;` so that it is linked",
        ));
    }
    // The linker's order says nothing.
    models.sort_by_key(|table| (table.schema, table.name, table.path));
    checked(models)
}

/// The models and the tables of their links. Refuses two models of one table; the same model twice is one.
pub(crate) fn checked(mut models: Vec<&'static TableDef>) -> Result<Vec<&'static TableDef>> {
    models.extend(link::link_tables(&models));
    let mut seen: HashMap<(Option<&str>, String), &TableDef> = HashMap::new();
    let mut once = Vec::with_capacity(models.len());
    for table in models {
        // SQLite and MySQL may take names that differ by case for one.
        let name = (table.schema, table.name.to_lowercase());
        match seen.insert(name, table) {
            None => once.push(table),
            Some(other) if std::ptr::eq(other, table) => {}
            Some(other) => {
                return Err(Error::new(
                    ErrorKind::Misuse,
                    format!(
                        "the table {} has two models, {} and {}: give one of them another name with `table = \"…\"`, or, where both are to map it, create it by one: `db.create(models![…])`",
                        table.name, other.path, table.path
                    ),
                ));
            }
        }
    }
    Ok(once)
}
