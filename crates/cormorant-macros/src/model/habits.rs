//! Keys that other mappers have: what to write instead.

/// Words of other mappers for what stands on a field here.
const FIELD: [(&[&str], &str); 10] = [
    (&["primary_key", "pk"], "the key is marked with `key`"),
    (
        &["null", "nullable", "not_null", "blank", "optional", "required"],
        "the type says it, `Option<…>` may be NULL and any other type may not",
    ),
    (&["db_column", "column_name", "name", "rename"], "the column's name is `column = \"…\"`"),
    (&["length", "size", "max_len"], "the length of a text is `max_length = 24`"),
    (&["max_digits", "decimal_places", "digits"], "digits are `precision = 10, scale = 2`"),
    (&["db_index", "indexed"], "an index is `index`"),
    (&["server_default", "default_sql"], "a default of the database is `db_default = \"SQL\"`"),
    (
        &["auto", "auto_increment", "serial", "identity"],
        "an integer key is generated unless `generated = false` says no",
    ),
    (&["foreign_key", "belongs_to", "to", "related_name"], "the type says it, `ForeignKey<Model>` points at a row"),
    (&["ignore", "transient"], "a field that is no column is `skip`"),
];

/// Words of other mappers for what stands above the struct here.
const STRUCT: [(&[&str], &str); 3] = [
    (&["db_table", "table_name", "tablename", "name"], "the table's name is `table = \"…\"`"),
    (&["unique_together", "unique_constraint"], "columns that are unique together are `unique(a, b)`"),
    (&["primary_key", "key", "pk"], "`key` stands on each field of the key"),
];

/// What to write instead of a key that another mapper has.
pub(super) fn instead(key: &str, on_field: bool) -> Option<&'static str> {
    let known: &[(&[&str], &str)] = if on_field { &FIELD } else { &STRUCT };
    known.iter().find(|(words, _)| words.contains(&key)).map(|(_, instead)| *instead)
}
