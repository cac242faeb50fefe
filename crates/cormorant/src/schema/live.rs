//! Tables as the database has them: enough to say whether a model can use one.

use cormorant_driver::{Call, Result};
use cormorant_sql::schema::{Schema, Table};
use cormorant_sql::{Class, Dialect, Parameter, Value};

use crate::executor::Target;

/// A table of the database.
pub(super) struct LiveTable {
    name: String,
    columns: Vec<LiveColumn>,
}

struct LiveColumn {
    name: String,
    ty: String,
    null: bool,
    /// Whether a row can be written without a value for it.
    filled: bool,
    /// Its place in the primary key, from 1; 0 outside it.
    key: i64,
}

/// Reads the tables of a schema that exist, in one statement.
pub(super) async fn tables(target: Target<'_>, schema: &Schema) -> Result<Vec<LiveTable>> {
    let names = schema.tables.iter().map(|table| Value::Text(table.name.as_str().to_owned().into())).collect();
    let values = [Value::List(names)];
    let sql = target.dialect().columns_of_tables();
    let call = Call {
        sql,
        values: &values,
        parameters: &[Parameter { class: Class::Text, list: true }],
        order: None,
        outputs: &[],
        writes: false,
        keep: false,
        session: false,
    };
    let mut tables: Vec<LiveTable> = Vec::new();
    target
        .call(call, &mut |row| {
            let table = row.read(|cell| cell.text().map(str::to_owned))?;
            let column = LiveColumn {
                name: row.read(|cell| cell.text().map(str::to_owned))?,
                ty: row.read(|cell| cell.text().map(str::to_lowercase))?,
                null: row.read(|cell| cell.int())? != 0,
                filled: row.read(|cell| cell.int())? != 0,
                key: row.read(|cell| cell.int())?,
            };
            match tables.last_mut() {
                Some(last) if last.name == table => last.columns.push(column),
                _ => tables.push(LiveTable { name: table, columns: vec![column] }),
            }
            Ok(())
        })
        .await?;
    Ok(tables)
}

impl LiveTable {
    /// Whether this is the model's table.
    pub(super) fn is(&self, table: &Table, dialect: Dialect) -> bool {
        dialect.same_name(&self.name, table.name.as_str())
    }

    /// How it differs from what the model says, a line each. The order of columns and what a model does not know
    /// make no difference, as long as rows can be written.
    pub(super) fn differences(&self, table: &Table, dialect: Dialect) -> Vec<String> {
        let mut lines = Vec::new();
        for column in &table.columns {
            let (name, wanted) = (&column.name, dialect.catalog_type(column.ty));
            let found = self.columns.iter().find(|live| dialect.same_name(&live.name, name.as_str()));
            match found {
                None => lines.push(format!("{}.{name} is missing", table.name)),
                Some(live) => {
                    if !dialect.same_type(&live.ty, &wanted) {
                        lines.push(format!("{}.{name} is {}, the model says {wanted}", table.name, live.ty));
                    }
                    // SQLite takes a key for nullable that nothing can set to NULL.
                    if live.null != column.null && live.key == 0 {
                        let word = |null| if null { "NULL" } else { "NOT NULL" };
                        lines.push(format!(
                            "{}.{name} is {}, the model says {}",
                            table.name,
                            word(live.null),
                            word(column.null)
                        ));
                    }
                }
            }
        }
        let unknown = self
            .columns
            .iter()
            .filter(|live| !table.columns.iter().any(|column| dialect.same_name(&live.name, column.name.as_str())));
        for live in unknown.filter(|live| !live.null && !live.filled) {
            lines.push(format!(
                "{}.{} is NOT NULL without a default, and the model does not have it",
                table.name, live.name
            ));
        }
        let mut key: Vec<&LiveColumn> = self.columns.iter().filter(|live| live.key > 0).collect();
        key.sort_by_key(|live| live.key);
        let wanted = &table.primary_key.columns;
        if key.len() != wanted.len()
            || !key.iter().zip(wanted).all(|(live, name)| dialect.same_name(&live.name, name.as_str()))
        {
            let found: Vec<&str> = key.iter().map(|live| live.name.as_str()).collect();
            let wanted: Vec<&str> = wanted.iter().map(|name| name.as_str()).collect();
            lines.push(format!(
                "{}: the primary key is ({}), the model says ({})",
                table.name,
                found.join(", "),
                wanted.join(", ")
            ));
        }
        lines
    }
}
