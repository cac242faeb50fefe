//! Reading a live database's catalog: the query, and what the catalog's words mean.

use std::borrow::Cow;

use cormorant_schema::{ColumnType, Ident, OnDelete};

use crate::{Dialect, ddl, quote};

impl Dialect {
    /// What the tables of a schema whose names are in the first value, a list, are made of. The second value is the
    /// schema's name once more, NULL for the usual one.
    ///
    /// A row is a column, or a column of a key or an index, or a check: the table, its kind, the name, the
    /// type (of a column) or the column (of anything else), the table and the column pointed at, what happens when
    /// that is deleted and when it takes another key, two flags, and the place in the key or index. The flags are, of a column, whether it may be
    /// NULL and whether the database fills it; of an index, whether it is unique and whether it is the primary key.
    pub fn catalog(self, schema: Option<&Ident>) -> Cow<'static, str> {
        match schema.filter(|_| self == Self::Sqlite) {
            // The texts of an attached file's tables stand in a table of its own, which only its name tells.
            Some(schema) => {
                let mut table = String::new();
                quote(&mut table, self, schema);
                Cow::Owned(self.catalog_text().replace("sqlite_schema", &(table + ".sqlite_schema")))
            }
            None => Cow::Borrowed(self.catalog_text()),
        }
    }

    fn catalog_text(self) -> &'static str {
        match self {
            Self::Sqlite => {
                "WITH t AS (SELECT name, schema FROM pragma_table_list \
                            WHERE type = 'table' AND schema = coalesce(?2, 'main') \
                              AND name COLLATE NOCASE IN (SELECT value FROM json_each(?1))) \
                 SELECT t.name, 'column', c.name, c.type, '', '', '', '', c.\"notnull\" = 0, \
                        c.dflt_value IS NOT NULL \
                          OR (c.pk = 1 AND lower(c.type) = 'integer' AND NOT EXISTS \
                              (SELECT 1 FROM pragma_table_info(t.name, t.schema) AS k WHERE k.pk = 2)), c.cid \
                 FROM t, pragma_table_info(t.name, t.schema) AS c \
                 UNION ALL SELECT t.name, 'index', '', c.name, '', '', '', '', 1, 1, c.pk \
                 FROM t, pragma_table_info(t.name, t.schema) AS c WHERE c.pk > 0 \
                 UNION ALL SELECT t.name, 'index', i.name, c.name, '', '', '', '', i.\"unique\", 0, c.seqno \
                 FROM t, pragma_index_list(t.name, t.schema) AS i, pragma_index_info(i.name, t.schema) AS c \
                 WHERE i.origin <> 'pk' AND i.partial = 0 AND c.name IS NOT NULL \
                 UNION ALL SELECT t.name, 'foreign key', CAST(f.id AS TEXT), f.\"from\", f.\"table\", coalesce(f.\"to\", ''), \
                        f.on_delete, f.on_update, 0, 0, f.seq \
                 FROM t, pragma_foreign_key_list(t.name, t.schema) AS f \
                 UNION ALL SELECT t.name, 'check', m.sql, '', '', '', '', '', 0, 0, 0 \
                 FROM t JOIN sqlite_schema AS m ON m.type = 'table' AND m.name = t.name \
                 ORDER BY 1, 2, 3, 11"
            }
            Self::Postgres => {
                "WITH t AS (SELECT c.oid, c.relname FROM pg_class AS c JOIN pg_namespace AS n ON n.oid = c.relnamespace \
                            WHERE c.relkind IN ('r', 'p') AND c.relname = ANY($1) \
                              AND CASE WHEN $2::text IS NULL THEN pg_table_is_visible(c.oid) ELSE n.nspname = $2 END) \
                 SELECT t.relname::text, 'column', a.attname::text, format_type(a.atttypid, a.atttypmod), '', '', '', '', \
                        (NOT a.attnotnull)::int, (a.atthasdef OR a.attidentity <> '')::int, a.attnum::int \
                 FROM t JOIN pg_attribute AS a ON a.attrelid = t.oid AND a.attnum > 0 AND NOT a.attisdropped \
                 UNION ALL SELECT t.relname::text, 'index', x.relname::text, a.attname::text, '', '', '', '', \
                        i.indisunique::int, i.indisprimary::int, k.place::int \
                 FROM t JOIN pg_index AS i ON i.indrelid = t.oid AND i.indisvalid AND i.indpred IS NULL \
                                          AND i.indexprs IS NULL \
                 JOIN pg_class AS x ON x.oid = i.indexrelid \
                 CROSS JOIN unnest(i.indkey::int2[]) WITH ORDINALITY AS k (attnum, place) \
                 JOIN pg_attribute AS a ON a.attrelid = t.oid AND a.attnum = k.attnum \
                 WHERE k.place <= i.indnkeyatts \
                 UNION ALL SELECT t.relname::text, 'foreign key', f.conname::text, a.attname::text, p.relname::text, \
                        b.attname::text, CASE f.confdeltype WHEN 'c' THEN 'CASCADE' WHEN 'n' THEN 'SET NULL' \
                                         WHEN 'd' THEN 'SET DEFAULT' ELSE 'RESTRICT' END, \
                        CASE f.confupdtype WHEN 'c' THEN 'CASCADE' WHEN 'n' THEN 'SET NULL' \
                                         WHEN 'd' THEN 'SET DEFAULT' ELSE 'RESTRICT' END, 0, 0, k.place::int \
                 FROM t JOIN pg_constraint AS f ON f.conrelid = t.oid AND f.contype = 'f' \
                 JOIN pg_class AS p ON p.oid = f.confrelid \
                 CROSS JOIN unnest(f.conkey, f.confkey) WITH ORDINALITY AS k (here, there, place) \
                 JOIN pg_attribute AS a ON a.attrelid = t.oid AND a.attnum = k.here \
                 JOIN pg_attribute AS b ON b.attrelid = p.oid AND b.attnum = k.there \
                 UNION ALL SELECT t.relname::text, 'check', k.conname::text, '', '', '', '', '', 0, 0, 0 \
                 FROM t JOIN pg_constraint AS k ON k.conrelid = t.oid AND k.contype = 'c' \
                 ORDER BY 1, 2, 3, 11"
            }
            // Each part names the schema by itself: only so does the server not open every table it has.
            Self::MySql | Self::MariaDb => {
                "WITH t AS (SELECT v FROM JSON_TABLE(?, '$[*]' COLUMNS (v VARCHAR(64) PATH '$')) AS l) \
                 SELECT table_name, 'column', column_name, column_type, '', '', '', '', is_nullable = 'YES', \
                        column_default IS NOT NULL OR extra LIKE '%auto_increment%', ordinal_position \
                 FROM information_schema.columns \
                 WHERE table_schema = coalesce(?, DATABASE()) AND table_name IN (SELECT v FROM t) \
                 UNION ALL SELECT table_name, 'index', index_name, coalesce(column_name, ''), '', '', '', '', \
                        non_unique = 0, index_name = 'PRIMARY', seq_in_index \
                 FROM information_schema.statistics \
                 WHERE table_schema = coalesce(?, DATABASE()) AND table_name IN (SELECT v FROM t) \
                 UNION ALL SELECT k.table_name, 'foreign key', k.constraint_name, k.column_name, \
                        k.referenced_table_name, k.referenced_column_name, r.delete_rule, r.update_rule, 0, 0, k.ordinal_position \
                 FROM information_schema.key_column_usage AS k \
                 JOIN information_schema.referential_constraints AS r ON r.constraint_schema = k.constraint_schema \
                  AND r.constraint_name = k.constraint_name AND r.table_name = k.table_name \
                 WHERE k.table_schema = coalesce(?, DATABASE()) AND k.table_name IN (SELECT v FROM t) \
                   AND k.referenced_table_name IS NOT NULL \
                 UNION ALL SELECT table_name, 'check', constraint_name, '', '', '', '', '', 0, 0, 0 \
                 FROM information_schema.table_constraints \
                 WHERE table_schema = coalesce(?, DATABASE()) AND table_name IN (SELECT v FROM t) \
                   AND constraint_type = 'CHECK' \
                 ORDER BY 1, 2, 3, 11"
            }
        }
    }

    /// Which of the two values each placeholder of [`catalog`](Self::catalog) takes, where they have no numbers.
    pub fn catalog_order(self) -> Option<&'static [u16]> {
        matches!(self, Self::MySql | Self::MariaDb).then_some(&[0, 1, 1, 1, 1])
    }

    /// Whether a check of the catalog has a name: SQLite's catalog holds the text of the whole table.
    pub fn is_check(self, found: &str, name: &str) -> bool {
        match self {
            Self::Sqlite => constraints(found).any(|found| self.same_name(&found, name)),
            _ => self.same_name(found, name),
        }
    }

    /// Whether the catalog's word for what a foreign key does means the same. NO ACTION refuses as
    /// RESTRICT does, only later.
    pub fn same_action(self, found: &str, wanted: OnDelete) -> bool {
        let found = if found.eq_ignore_ascii_case("NO ACTION") { "RESTRICT" } else { found };
        found.eq_ignore_ascii_case(ddl::action(wanted))
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
            (Self::Postgres, T::Text { max_length: Some(_) }) => {
                self.type_name(ty).replace("varchar", "character varying")
            }
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
            // Six digits are what a time has there without a word about them.
            Self::Postgres => {
                let time = wanted.starts_with("time");
                found == wanted || (time && found == wanted.replace("(6)", ""))
            }
        }
    }
}

/// The names of the constraints in a table's text.
fn constraints(sql: &str) -> impl Iterator<Item = String> {
    let places: Vec<usize> = sql.to_ascii_lowercase().match_indices("constraint").map(|(at, _)| at).collect();
    places.into_iter().filter_map(|at| first_name(sql.get(at + "constraint".len()..)?.trim_start()))
}

/// The name that a text begins with, bare or in one of the quotes that SQLite takes: one inside is doubled.
fn first_name(text: &str) -> Option<String> {
    let mut rest = text.chars().peekable();
    let close = match rest.next()? {
        '[' => ']',
        quote @ ('"' | '`' | '\'') => quote,
        _ => return text.split(|c: char| !c.is_alphanumeric() && c != '_' && c != '$').next().map(str::to_owned),
    };
    let mut name = String::new();
    while let Some(c) = rest.next() {
        if c == close && (close == ']' || rest.next_if_eq(&close).is_none()) {
            return Some(name);
        }
        name.push(c);
    }
    None
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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_check_is_found_by_its_whole_name() {
        let table = r#"CREATE TABLE t (a int constraint  [ck_t_c] CHECK (a > 0), CONSTRAINT "ck_t_a""b" CHECK (a > 1),
            CONSTRAINT 'ck t' CHECK(a), CONSTRAINT ck_t_d CHECK (a), CONSTRAINT "open"#;
        for there in ["ck_t_c", "ck_t_a\"b", "ck t", "CK_T_D"] {
            assert!(Dialect::Sqlite.is_check(table, there), "{there}");
        }
        for missing in ["ck_t_a", "ck_t", "b", "ck", "", "open", "a"] {
            assert!(!Dialect::Sqlite.is_check(table, missing), "{missing}");
        }
        assert!(!Dialect::Postgres.is_check("ck_t_ab", "ck_t_a"));
    }

    #[test]
    fn only_times_have_six_digits_without_a_word() {
        let same = |found, wanted| Dialect::Postgres.same_type(found, wanted);
        assert!(same("timestamp with time zone", "timestamp(6) with time zone"));
        assert!(same("time without time zone", "time(6) without time zone"));
        assert!(!same("timestamp(3) with time zone", "timestamp(6) with time zone"));
        assert!(!same("character varying", "character varying(6)"));
    }
}
