//! Reading a live database's catalog: the query, and what the catalog's words mean.

use cormorant_schema::ColumnType;

use crate::Dialect;

impl Dialect {
    /// The columns of the tables whose names are in the one bound list: table, column, type, whether it may be NULL,
    /// whether the database fills it, and its place in the primary key (0 outside it); by table and position.
    pub fn columns_of_tables(self) -> &'static str {
        match self {
            Self::Sqlite => {
                "SELECT m.name, c.name, c.type, c.\"notnull\" = 0, \
                        c.dflt_value IS NOT NULL \
                          OR (c.pk = 1 AND lower(c.type) = 'integer' \
                              AND NOT EXISTS (SELECT 1 FROM pragma_table_info(m.name) AS k WHERE k.pk = 2)), c.pk \
                 FROM sqlite_schema AS m JOIN pragma_table_info(m.name) AS c \
                 WHERE m.type = 'table' AND m.name COLLATE NOCASE IN (SELECT value FROM json_each(?1)) \
                 ORDER BY m.name, c.cid"
            }
            Self::Postgres => {
                "SELECT c.relname::text, a.attname::text, format_type(a.atttypid, a.atttypmod), \
                        (NOT a.attnotnull)::int, (a.atthasdef OR a.attidentity <> '')::int, \
                        coalesce(array_position(i.indkey::int2[], a.attnum) + 1, 0) \
                 FROM pg_class AS c \
                 JOIN pg_attribute AS a ON a.attrelid = c.oid AND a.attnum > 0 AND NOT a.attisdropped \
                 LEFT JOIN pg_index AS i ON i.indrelid = c.oid AND i.indisprimary \
                 WHERE c.relkind IN ('r', 'p') AND pg_table_is_visible(c.oid) AND c.relname = ANY($1) \
                 ORDER BY c.relname, a.attnum"
            }
            Self::MySql | Self::MariaDb => {
                "SELECT c.table_name, c.column_name, c.column_type, c.is_nullable = 'YES', \
                        c.column_default IS NOT NULL OR c.extra LIKE '%auto_increment%', coalesce(k.ordinal_position, 0) \
                 FROM information_schema.columns AS c \
                 LEFT JOIN information_schema.key_column_usage AS k \
                   ON k.table_schema = c.table_schema AND k.table_name = c.table_name \
                  AND k.column_name = c.column_name AND k.constraint_name = 'PRIMARY' \
                 WHERE c.table_schema = DATABASE() AND c.table_name IN \
                   (SELECT v FROM JSON_TABLE(?, '$[*]' COLUMNS (v VARCHAR(64) PATH '$')) AS l) \
                 ORDER BY c.table_name, c.ordinal_position"
            }
        }
    }

    /// Whether two names are one table or column to the database.
    pub fn same_name(self, a: &str, b: &str) -> bool {
        match self {
            Self::Sqlite | Self::MySql | Self::MariaDb => a.eq_ignore_ascii_case(b),
            Self::Postgres => a == b,
        }
    }

    /// How the catalog names a column's type.
    pub fn catalog_type(self, ty: ColumnType) -> String {
        use ColumnType as T;
        match (self, ty) {
            (Self::Postgres, T::Text { max_length: Some(n) }) => format!("character varying({n})"),
            (Self::Postgres, T::Time) => "time(6) without time zone".to_owned(),
            (Self::Postgres, T::DateTime) => "timestamp(6) without time zone".to_owned(),
            (Self::MySql | Self::MariaDb, T::Bool) => "tinyint(1)".to_owned(),
            (Self::MySql | Self::MariaDb, T::Decimal { precision, scale }) => format!("decimal({precision},{scale})"),
            (Self::MySql | Self::MariaDb, T::I32) => "int".to_owned(),
            _ => self.type_name(ty),
        }
    }

    /// Whether two types of the catalog store alike.
    pub fn same_type(self, found: &str, wanted: &str) -> bool {
        let plain = |text: &str| text.to_ascii_lowercase().replace(' ', "");
        let (found, wanted) = (plain(found), plain(wanted));
        match self {
            // MariaDB shows a width that stores nothing: bigint(20).
            Self::MySql | Self::MariaDb => without_width(&found) == without_width(&wanted),
            // SQLite stores by affinity: INT and BIGINT are alike, and so are VARCHAR and TEXT of any length.
            Self::Sqlite => found == wanted || affinity(&found) == affinity(&wanted),
            Self::Postgres => found == wanted || found == wanted.replace("(6)", ""),
        }
    }
}

fn without_width(ty: &str) -> &str {
    let integer = ["smallint", "int", "bigint"].iter().any(|word| ty.starts_with(&format!("{word}(")));
    if integer { ty.split('(').next().unwrap_or(ty) } else { ty }
}

/// SQLite's rule, in its order (sqlite.org, datatype3.html, 3.1).
fn affinity(ty: &str) -> &'static str {
    let has = |word| ty.contains(word);
    if has("int") {
        "integer"
    } else if has("char") || has("clob") || has("text") {
        "text"
    } else if has("blob") || ty.is_empty() {
        "blob"
    } else if has("real") || has("floa") || has("doub") {
        "real"
    } else {
        "numeric"
    }
}
