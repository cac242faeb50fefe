//! Statements that create and drop tables.

use cormorant_schema::{Column, Default, ForeignKey, Ident, Index, OnDelete, Table};

use crate::{Dialect, Fault, Value, literal, quote};

/// The statements that create a table with its keys, checks and indexes.
///
/// A foreign key to a table that does not exist yet must not be among `table.foreign_keys` where
/// [`Dialect::adds_foreign_keys`] says so: add it afterwards with [`add_foreign_key`].
///
/// # Errors
/// [`Fault`] when the dialect cannot store a column.
pub fn create_table(table: &Table, dialect: Dialect) -> Result<Vec<String>, Fault> {
    let mut sql = Sql::new(dialect);
    sql.text("CREATE TABLE ").table(table).text(" (");
    let inline_key = inline_key(table, dialect);
    for (n, column) in table.columns.iter().enumerate() {
        sql.text(if n == 0 { "\n    " } else { ",\n    " });
        sql.column(table, column, inline_key.as_ref() == Some(&column.name))?;
    }
    if inline_key.is_none() {
        sql.text(",\n    CONSTRAINT ").name(&table.primary_key.name).text(" PRIMARY KEY ");
        sql.names(&table.primary_key.columns);
    }
    for index in table.indexes.iter().filter(|index| index.unique) {
        sql.text(",\n    CONSTRAINT ").name(&index.name).text(" UNIQUE ").names(&index.columns);
    }
    for key in &table.foreign_keys {
        sql.text(",\n    ").foreign_key(key);
    }
    for check in &table.checks {
        sql.text(",\n    CONSTRAINT ").name(&check.name).text(" CHECK (").text(&check.sql).text(")");
    }
    sql.text("\n)").text(dialect.table_options());
    if table.strict && dialect == Dialect::Sqlite {
        sql.text(" STRICT");
    }
    let mut statements = vec![sql.sql];
    let indexes = table.indexes.iter().filter(|index| !index.unique && !dialect.indexes_by_itself(table, index));
    statements.extend(indexes.map(|index| create_index(table, index, dialect)));
    Ok(statements)
}

/// The statement that creates an index.
pub fn create_index(table: &Table, index: &Index, dialect: Dialect) -> String {
    let mut sql = Sql::new(dialect);
    sql.text(if index.unique { "CREATE UNIQUE INDEX " } else { "CREATE INDEX " });
    if let Some(schema) = table.schema.as_ref().filter(|_| dialect == Dialect::Sqlite) {
        sql.name(schema).text(".");
    }
    sql.name(&index.name).text(" ON ");
    // SQLite names the schema at the index, the others at the table.
    match dialect {
        Dialect::Sqlite => sql.name(&table.name),
        _ => sql.table(table),
    };
    sql.text(" ").names(&index.columns);
    sql.sql
}

/// The statement that adds a foreign key to a table that exists.
pub fn add_foreign_key(table: &Table, key: &ForeignKey, dialect: Dialect) -> String {
    let mut sql = Sql::new(dialect);
    sql.text("ALTER TABLE ").table(table).text(" ADD ").foreign_key(key);
    sql.sql
}

/// The statement that drops a foreign key.
pub fn drop_foreign_key(table: &Table, key: &ForeignKey, dialect: Dialect) -> String {
    let mut sql = Sql::new(dialect);
    let word =
        if matches!(dialect, Dialect::MySql | Dialect::MariaDb) { " DROP FOREIGN KEY " } else { " DROP CONSTRAINT " };
    sql.text("ALTER TABLE ").table(table).text(word).name(&key.name);
    sql.sql
}

/// The statement that drops a table.
pub fn drop_table(table: &Table, dialect: Dialect) -> String {
    let mut sql = Sql::new(dialect);
    sql.text("DROP TABLE ").table(table);
    sql.sql
}

/// An integer key of SQLite is the row's own number only when the column itself says `PRIMARY KEY`.
fn inline_key(table: &Table, dialect: Dialect) -> Option<Ident> {
    let [only] = table.primary_key.columns.as_slice() else { return None };
    let column = table.columns.iter().find(|column| column.name == *only)?;
    (dialect == Dialect::Sqlite && column.generated).then(|| only.clone())
}

impl Dialect {
    /// Whether a foreign key can be added to a table that exists: cycles need it, and SQLite needs no cycle broken.
    pub fn adds_foreign_keys(self) -> bool {
        self != Self::Sqlite
    }

    /// Whether the database makes an index for a foreign key itself, so that ours would be a second one.
    fn indexes_by_itself(self, table: &Table, index: &Index) -> bool {
        let _ = self;
        // A unique constraint or the key that starts with the same columns serves as well.
        let starts = |columns: &[Ident]| columns.starts_with(&index.columns);
        starts(&table.primary_key.columns)
            || table.indexes.iter().any(|other| other.unique && other != index && starts(&other.columns))
    }
}

struct Sql {
    dialect: Dialect,
    sql: String,
}

impl Sql {
    fn new(dialect: Dialect) -> Self {
        Self { dialect, sql: String::new() }
    }

    fn text(&mut self, text: &str) -> &mut Self {
        self.sql.push_str(text);
        self
    }

    fn name(&mut self, name: &Ident) -> &mut Self {
        quote(&mut self.sql, self.dialect, name);
        self
    }

    fn names(&mut self, names: &[Ident]) -> &mut Self {
        for (n, name) in names.iter().enumerate() {
            self.text(if n == 0 { "(" } else { ", " }).name(name);
        }
        self.text(")")
    }

    fn table(&mut self, table: &Table) -> &mut Self {
        self.qualified(table.schema.as_ref(), &table.name)
    }

    fn qualified(&mut self, schema: Option<&Ident>, name: &Ident) -> &mut Self {
        if let Some(schema) = schema {
            self.name(schema).text(".");
        }
        self.name(name)
    }

    fn column(&mut self, table: &Table, column: &Column, inline_key: bool) -> Result<(), Fault> {
        use cormorant_schema::ColumnType as T;
        let dialect = self.dialect;
        if let T::Decimal { precision, .. } = column.ty {
            let limit = dialect.decimal_digits();
            if precision == 0 || precision > limit {
                return Err(Fault::Unsupported {
                    what: format!(
                        "{}.{} is {}, and {dialect} keeps 1 to {limit} digits exactly",
                        table.name, column.name, column.ty
                    ),
                    instead: "say `precision` and `scale` within that",
                });
            }
        }
        self.name(&column.name).text(" ").text(&dialect.type_name(column.ty));
        if inline_key {
            self.text(" PRIMARY KEY").text(if table.autoincrement { " AUTOINCREMENT" } else { "" });
            self.text(" NOT NULL");
            return Ok(());
        }
        if column.generated {
            self.text(dialect.generated());
        }
        if let Some(default) = &column.default {
            self.text(" DEFAULT ").default(default);
        }
        self.text(if column.null { " NULL" } else { " NOT NULL" });
        Ok(())
    }

    fn default(&mut self, default: &Default) -> &mut Self {
        match default {
            Default::Bool(value) => self.text(&literal(self.dialect, &Value::Bool(*value))),
            Default::Number(number) => self.text(number),
            Default::Text(text) => self.text(&literal(self.dialect, &Value::Text(text.clone().into()))),
            Default::Sql(sql) => self.text("(").text(sql).text(")"),
        }
    }

    fn foreign_key(&mut self, key: &ForeignKey) -> &mut Self {
        self.text("CONSTRAINT ").name(&key.name).text(" FOREIGN KEY ").names(&key.columns).text(" REFERENCES ");
        self.qualified(key.target_schema.as_ref(), &key.target).text(" ").names(&key.target_columns);
        self.text(match key.on_delete {
            OnDelete::Restrict => " ON DELETE RESTRICT",
            OnDelete::Cascade => " ON DELETE CASCADE",
            OnDelete::SetNull => " ON DELETE SET NULL",
            OnDelete::SetDefault => " ON DELETE SET DEFAULT",
        })
    }
}

impl Dialect {
    /// What makes the database generate an integer key.
    fn generated(self) -> &'static str {
        match self {
            Self::Sqlite => "",
            Self::Postgres => " GENERATED BY DEFAULT AS IDENTITY",
            Self::MySql | Self::MariaDb => " AUTO_INCREMENT",
        }
    }
}
