//! Statements that create and drop tables.

use cormorant_schema::{Column, ColumnType, Condition, Default, ForeignKey, Ident, Index, OnDelete, Table};

use crate::{Dialect, Fault, Value, literal, quote};

/// The statements that create a table with its keys, checks and indexes.
///
/// A foreign key to a table that does not exist yet must not be among `table.foreign_keys` where
/// [`Dialect::adds_foreign_keys`] says so: add it afterwards with [`add_foreign_key`].
///
/// # Errors
/// [`Fault`] when the dialect cannot store a column or keep a foreign key.
pub fn create_table(table: &Table, dialect: Dialect) -> Result<Vec<String>, Fault> {
    let mut sql = Sql::new(dialect);
    sql.text("CREATE TABLE ").table(table).text(" (");
    let inline_key = inline_key(table, dialect);
    if table.columns.is_empty() {
        return Err(Fault::Malformed("a table has no column"));
    }
    for (n, column) in table.columns.iter().enumerate() {
        sql.text(if n == 0 { "\n    " } else { ",\n    " });
        if inline_key == Some(&column.name) {
            sql.inline_key(table, column);
        } else {
            sql.column(table, column)?;
        }
    }
    if inline_key.is_none() && !table.primary_key.columns.is_empty() {
        sql.text(",\n    CONSTRAINT ").name(&table.primary_key.name).text(" PRIMARY KEY ");
        sql.names(&table.primary_key.columns);
    }
    for index in table.indexes.iter().filter(|index| index.unique) {
        sql.text(",\n    CONSTRAINT ").name(&index.name).text(" UNIQUE ").names(&index.columns);
    }
    for key in &table.foreign_keys {
        possible(table, key, dialect)?;
        sql.text(",\n    ").foreign_key(key);
    }
    let (inline, apart): (Vec<&Index>, Vec<&Index>) = table
        .indexes
        .iter()
        .filter(|index| !index.unique && !is_covered(table, index))
        .partition(|_| dialect.creates_indexes_with_tables());
    for index in inline {
        sql.text(",\n    INDEX ").name(&index.name).text(" ").names(&index.columns);
    }
    for check in &table.checks {
        sql.text(",\n    CONSTRAINT ").name(&check.name).text(" CHECK (").condition(&check.condition)?.text(")");
    }
    sql.text("\n)").text(dialect.table_options());
    if table.strict && dialect == Dialect::Sqlite {
        sql.text(" STRICT");
    }
    let mut statements = vec![sql.sql];
    statements.extend(apart.into_iter().map(|index| create_index(table, index, dialect)));
    Ok(statements)
}

/// The statement that creates an index.
pub fn create_index(table: &Table, index: &Index, dialect: Dialect) -> String {
    let mut sql = Sql::new(dialect);
    sql.text(if index.unique { "CREATE UNIQUE INDEX " } else { "CREATE INDEX " });
    // SQLite names the schema at the index, the others at the table.
    match dialect {
        Dialect::Sqlite => sql.qualified(table.schema.as_ref(), &index.name).text(" ON ").name(&table.name),
        _ => sql.name(&index.name).text(" ON ").table(table),
    };
    sql.text(" ").names(&index.columns);
    sql.sql
}

/// The statement that adds a foreign key to a table that exists, where [`Dialect::adds_foreign_keys`].
pub fn add_foreign_key(table: &Table, key: &ForeignKey, dialect: Dialect) -> String {
    let mut sql = Sql::new(dialect);
    sql.text("ALTER TABLE ").table(table).text(" ADD ").foreign_key(key);
    sql.sql
}

/// The statement that drops a foreign key, where [`Dialect::adds_foreign_keys`].
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

/// A generated key of SQLite says so itself: only there can AUTOINCREMENT stand.
fn inline_key(table: &Table, dialect: Dialect) -> Option<&Ident> {
    let [only] = table.primary_key.columns.as_slice() else { return None };
    let column = table.columns.iter().find(|column| column.name == *only)?;
    (dialect == Dialect::Sqlite && column.generated).then_some(only)
}

/// Whether the key or a unique constraint starts with the columns of an index, and so serves as well.
fn is_covered(table: &Table, index: &Index) -> bool {
    let starts = |columns: &[Ident]| columns.starts_with(&index.columns);
    starts(&table.primary_key.columns) || table.indexes.iter().any(|other| other.unique && starts(&other.columns))
}

/// Whether a column stands in a key or in an index. MariaDB can keep a long one unique all the same, by a hash.
fn is_indexed(table: &Table, column: &Ident, dialect: Dialect) -> bool {
    let indexes = table.indexes.iter().filter(|index| !(index.unique && dialect == Dialect::MariaDb));
    let of_indexes = indexes.flat_map(|index| &index.columns);
    let of_foreign_keys = table.foreign_keys.iter().flat_map(|key| &key.columns);
    table.primary_key.columns.iter().chain(of_indexes).chain(of_foreign_keys).any(|indexed| indexed == column)
}

/// Refuses foreign keys that the dialect does not have.
fn possible(table: &Table, key: &ForeignKey, dialect: Dialect) -> Result<(), Fault> {
    if key.columns.len() != key.target_columns.len() {
        return Err(Fault::Malformed("a foreign key has not as many columns as the key it points at"));
    }
    let set_default = Some(OnDelete::SetDefault);
    for (event, action) in [("DELETE", Some(key.on_delete)), ("UPDATE", key.on_update)] {
        if action == set_default && !dialect.sets_default() {
            return Err(Fault::Unsupported {
                what: format!("{dialect} has no ON {event} SET DEFAULT, which {} asks for", key.name),
                instead: "use `restrict`, `cascade` or `set_null`",
            });
        }
    }
    if dialect == Dialect::Sqlite && key.target_schema != table.schema {
        return Err(Fault::Unsupported {
            what: format!("{} leads out of its schema, which on SQLite is a file", key.name),
            instead: "keep both tables in one schema",
        });
    }
    Ok(())
}

impl Dialect {
    /// Whether a foreign key can be added to a table that exists: cycles need it, and SQLite needs no cycle broken.
    pub fn adds_foreign_keys(self) -> bool {
        self != Self::Sqlite
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
        self.text("(");
        for (n, name) in names.iter().enumerate() {
            self.text(if n == 0 { "" } else { ", " }).name(name);
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

    fn column(&mut self, table: &Table, column: &Column) -> Result<(), Fault> {
        let dialect = self.dialect;
        let unsupported = |what: String, instead| {
            Err(Fault::Unsupported {
                what: format!("{}.{} is {}, and {what}", table.name, column.name, column.ty),
                instead,
            })
        };
        if let ColumnType::Decimal { precision, scale } = column.ty {
            let limit = dialect.decimal_digits();
            if precision == 0 || precision > limit || scale > precision {
                let instead = "say `precision` and `scale` within that";
                return unsupported(format!("{dialect} keeps 1 to {limit} digits exactly"), instead);
            }
        }
        if dialect.is_long(column.ty) && is_indexed(table, &column.name, dialect) {
            let instead = "leave its index out, or index a shorter column: text with `max_length`, or a digest as text";
            return unsupported(format!("{dialect} indexes no column as long as that"), instead);
        }
        self.name(&column.name).text(" ");
        if table.strict && dialect == Dialect::Sqlite {
            match strict_type_name(column.ty) {
                Some(name) => self.text(name),
                None => return unsupported("STRICT tables do not have it".to_owned(), "leave `strict` out"),
            };
        } else {
            self.text(&dialect.type_name(column.ty));
        }
        if column.generated {
            self.text(dialect.generated());
        }
        if let Some(default) = &column.default {
            self.text(" DEFAULT ").default(default, column.ty)?;
        }
        self.text(if column.null { " NULL" } else { " NOT NULL" });
        Ok(())
    }

    /// SQLite numbers rows by a column only when its type is this very word.
    fn inline_key(&mut self, table: &Table, column: &Column) {
        self.name(&column.name).text(" integer CONSTRAINT ").name(&table.primary_key.name).text(" PRIMARY KEY");
        self.text(if table.autoincrement { " AUTOINCREMENT NOT NULL" } else { " NOT NULL" });
    }

    fn default(&mut self, default: &Default, ty: ColumnType) -> Result<(), Fault> {
        match default {
            Default::Bool(value) => self.text(&literal(self.dialect, &Value::Bool(*value))?),
            Default::Number(number) if is_number(number) => self.text(number),
            Default::Number(number) => {
                return Err(Fault::Unsupported {
                    what: format!("the default {number:?} is not a number in decimal notation"),
                    instead: "write digits, or SQL with `db_default`",
                });
            }
            Default::Text(text) => {
                let brackets = self.dialect.is_long(ty) && self.dialect.brackets_long_defaults();
                let text = literal(self.dialect, &Value::Text(text.clone().into()))?;
                self.text(if brackets { "(" } else { "" }).text(&text).text(if brackets { ")" } else { "" })
            }
            Default::Sql(sql) => self.text("(").text(sql).text(")"),
        };
        Ok(())
    }

    fn condition(&mut self, condition: &Condition) -> Result<&mut Self, Fault> {
        match condition {
            Condition::Sql(sql) => Ok(self.text(sql)),
            Condition::Texts(column, texts) => {
                self.one_of(column, texts.iter().map(|text| Value::Text(text.as_str().into())))
            }
            Condition::Integers(column, integers) => {
                self.one_of(column, integers.iter().map(|integer| Value::Int(*integer)))
            }
        }
    }

    fn one_of<'v>(&mut self, column: &Ident, values: impl Iterator<Item = Value<'v>>) -> Result<&mut Self, Fault> {
        self.name(column).text(" IN (");
        for (n, value) in values.enumerate() {
            let value = literal(self.dialect, &value)?;
            self.text(if n == 0 { "" } else { ", " }).text(&value);
        }
        Ok(self.text(")"))
    }

    fn foreign_key(&mut self, key: &ForeignKey) -> &mut Self {
        self.text("CONSTRAINT ").name(&key.name).text(" FOREIGN KEY ").names(&key.columns).text(" REFERENCES ");
        // On SQLite a foreign key stays in its schema and cannot name it.
        let schema = key.target_schema.as_ref().filter(|_| self.dialect != Dialect::Sqlite);
        self.qualified(schema, &key.target).text(" ").names(&key.target_columns);
        self.text(" ON DELETE ").text(action(key.on_delete));
        match key.on_update {
            Some(on_update) => self.text(" ON UPDATE ").text(action(on_update)),
            None => self,
        }
    }
}

/// What a foreign key does when the row it points at is deleted or takes another key.
pub fn action(action: OnDelete) -> &'static str {
    match action {
        OnDelete::Restrict => "RESTRICT",
        OnDelete::Cascade => "CASCADE",
        OnDelete::SetNull => "SET NULL",
        OnDelete::SetDefault => "SET DEFAULT",
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

/// The types that a STRICT table of SQLite has.
fn strict_type_name(ty: ColumnType) -> Option<&'static str> {
    match ty {
        ColumnType::I16 | ColumnType::I32 | ColumnType::I64 => Some("integer"),
        ColumnType::F32 | ColumnType::F64 => Some("real"),
        ColumnType::Text { max_length: None } => Some("text"),
        ColumnType::Bytes => Some("blob"),
        _ => None,
    }
}

/// `-12.50`, `1e3`: a sign, digits, a point and digits, an exponent.
fn is_number(text: &str) -> bool {
    let digits = |text: &str| !text.is_empty() && text.bytes().all(|c| c.is_ascii_digit());
    let unsigned = |text| str::strip_prefix(text, ['-', '+']).unwrap_or(text);
    let (number, exponent) = text.split_once(['e', 'E']).unwrap_or((text, "0"));
    let (whole, fraction) = unsigned(number).split_once('.').unwrap_or((unsigned(number), "0"));
    digits(whole) && digits(fraction) && digits(unsigned(exponent))
}
