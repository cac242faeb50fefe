//! Tables as the database has them, read from its catalog: enough to say whether a model can use one.

use cormorant_driver::{Call, Error, ErrorKind, Result, Row};
use cormorant_sql::schema::{Ident, Schema, Table};
use cormorant_sql::{Class, Dialect, Parameter, Value};

use crate::executor::Target;

/// A table of the database.
pub(super) struct LiveTable {
    schema: Option<Ident>,
    pub(super) name: String,
    pub(super) columns: Vec<LiveColumn>,
    pub(super) indexes: Vec<LiveIndex>,
    pub(super) foreign_keys: Vec<LiveForeignKey>,
    /// What the catalog says of its checks.
    pub(super) checks: Vec<String>,
}

pub(super) struct LiveColumn {
    pub(super) name: String,
    pub(super) ty: String,
    pub(super) null: bool,
    /// Whether a row can be written without a value for it.
    pub(super) filled: bool,
}

pub(super) struct LiveIndex {
    name: String,
    pub(super) columns: Vec<String>,
    pub(super) unique: bool,
    pub(super) primary: bool,
}

pub(super) struct LiveForeignKey {
    name: String,
    pub(super) columns: Vec<String>,
    pub(super) target: String,
    /// Empty where they are the target's primary key and the table does not name them.
    pub(super) target_columns: Vec<String>,
    pub(super) on_delete: String,
    pub(super) on_update: String,
}

/// Reads the tables of a schema that exist: one statement, where the models name no database schema.
pub(super) async fn tables(target: Target<'_>, schema: &Schema) -> Result<Vec<LiveTable>> {
    let mut schemas: Vec<Option<&Ident>> = schema.tables.iter().map(|table| table.schema.as_ref()).collect();
    schemas.sort_unstable();
    schemas.dedup();
    let mut tables = Vec::new();
    for name in schemas {
        let inside = schema.tables.iter().filter(|table| table.schema.as_ref() == name);
        read(target, name, inside, &mut tables).await?;
    }
    Ok(tables)
}

async fn read(
    target: Target<'_>,
    schema: Option<&Ident>,
    wanted: impl Iterator<Item = &Table>,
    tables: &mut Vec<LiveTable>,
) -> Result<()> {
    let text = |name: &Ident| Value::Text(name.as_str().to_owned().into());
    let values = [Value::List(wanted.map(|table| text(&table.name)).collect()), schema.map_or(Value::Null, text)];
    let sql = target.dialect().catalog(schema);
    let call = Call {
        sql: &sql,
        values: &values,
        parameters: &[Parameter { class: Class::Text, list: true }, Parameter { class: Class::Text, list: false }],
        order: target.dialect().catalog_order(),
        outputs: &[],
        writes: false,
        keep: false,
        session: false,
        repeats: true,
        single: false,
        key_query: None,
    };
    target
        .call(&call, &mut |row| {
            let name = text_of(row)?;
            if tables.last().is_none_or(|last| last.name != name || last.schema.as_ref() != schema) {
                tables.push(LiveTable::new(schema.cloned(), name));
            }
            tables.last_mut().map_or(Ok(()), |table| table.take(row))
        })
        .await?;
    Ok(())
}

fn text_of(row: &mut Row<'_>) -> Result<String> {
    row.read(|cell| cell.text().map(str::to_owned))
}

impl LiveTable {
    fn new(schema: Option<Ident>, name: String) -> Self {
        Self { schema, name, columns: Vec::new(), indexes: Vec::new(), foreign_keys: Vec::new(), checks: Vec::new() }
    }

    /// Takes in what one row of the catalog says. The rows of one key or index follow each other.
    fn take(&mut self, row: &mut Row<'_>) -> Result<()> {
        let (kind, name, part) = (text_of(row)?, text_of(row)?, text_of(row)?);
        let (target, target_column) = (text_of(row)?, text_of(row)?);
        let (on_delete, on_update) = (text_of(row)?, text_of(row)?);
        let mut flag = || row.read(|cell| cell.int()).map(|flag| flag != 0);
        let (first, second) = (flag()?, flag()?);
        match kind.as_str() {
            "column" => {
                self.columns.push(LiveColumn { name, ty: part.to_lowercase(), null: first, filled: second });
            }
            "index" => match self.indexes.last_mut() {
                Some(last) if last.name == name => last.columns.push(part),
                _ => {
                    self.indexes.push(LiveIndex { name, columns: vec![part], unique: first, primary: second });
                }
            },
            "foreign key" => {
                if self.foreign_keys.last().is_none_or(|last| last.name != name) {
                    let (columns, target_columns) = (Vec::new(), Vec::new());
                    self.foreign_keys.push(LiveForeignKey {
                        name,
                        columns,
                        target,
                        target_columns,
                        on_delete,
                        on_update,
                    });
                }
                if let Some(last) = self.foreign_keys.last_mut() {
                    last.columns.push(part);
                    last.target_columns.extend(Some(target_column).filter(|column| !column.is_empty()));
                }
            }
            "check" => self.checks.push(name),
            other => return Err(Error::new(ErrorKind::Decode, format!("the catalog has an unknown kind {other:?}"))),
        }
        Ok(())
    }

    /// Whether this is the model's table.
    pub(super) fn is(&self, table: &Table, dialect: Dialect) -> bool {
        self.schema == table.schema && dialect.same_name(&self.name, table.name.as_str())
    }
}
