//! What a derive writes down at compile time: constant, borrowed, cheap to read.
//!
//! `#[derive(Model)]` emits these values; a mapper written by hand can do the same. They hold names as text:
//! the text becomes an [`Ident`](crate::Ident) at the one place that writes names into SQL.

use crate::{Allowed, ColumnType, names};

/// A table, as its model describes it.
#[derive(Clone, Copy, Debug)]
pub struct TableDef {
    /// The model's name in Rust, for messages: `Item`.
    pub model: &'static str,
    /// Where the model stands: `shop::models::Item`.
    pub path: &'static str,
    /// The model's name in the names of columns that lead to it: `order_line`.
    pub singular: &'static str,
    /// The database schema, where the model names one.
    pub schema: Option<&'static str>,
    /// The table's name.
    pub name: &'static str,
    /// The columns, in the order of the struct's fields.
    pub columns: &'static [ColumnDef],
    /// Positions in `columns` of the primary key's columns.
    pub key: &'static [u16],
    /// The foreign keys, in the order of the struct's fields.
    pub relations: &'static [RelationDef],
    /// The relations to many rows, or to one whose foreign key points here, in the order of the struct's fields. A
    /// function, as models may mirror each other.
    pub many: fn() -> &'static [ManyDef],
    /// The many-to-many relations among them that have a link table of their own.
    pub links: &'static [LinkDef],
    /// Indexes and unique constraints declared on the struct.
    pub indexes: &'static [IndexDef],
    /// Checks declared on the struct.
    pub checks: &'static [CheckDef],
    /// SQLite: a STRICT table.
    pub strict: bool,
    /// SQLite: keys are never used again.
    pub autoincrement: bool,
}

impl TableDef {
    /// A table with its columns and its key, and nothing else: of a mapper written by hand. `model` is the name of the entity, `path` where
    /// its mapper stands.
    pub const fn new(
        model: &'static str,
        path: &'static str,
        name: &'static str,
        columns: &'static [ColumnDef],
        key: &'static [u16],
    ) -> Self {
        Self {
            model,
            path,
            singular: model,
            schema: None,
            name,
            columns,
            key,
            relations: &[],
            many: || &[],
            links: &[],
            indexes: &[],
            checks: &[],
            strict: false,
            autoincrement: false,
        }
    }

    /// The column at `position`, as tokens and rows count them.
    pub fn column(&self, position: u16) -> Option<&'static ColumnDef> {
        self.columns.get(usize::from(position))
    }

    /// What the column at `position` holds: a foreign key what the key it points at does, as long and as exact.
    #[inline]
    pub fn type_of(&self, position: u16) -> Option<ColumnType> {
        let ty = self.column(position)?.ty;
        match self.relation_of(position) {
            None => Some(ty),
            Some((relation, part)) => Some(relation.key_type(part, ty)),
        }
    }

    /// The foreign key that a column belongs to, and which of its columns it is.
    #[inline]
    fn relation_of(&self, position: u16) -> Option<(&'static RelationDef, usize)> {
        self.relations.iter().find_map(|relation| {
            let part = relation.columns.iter().position(|column| *column == position)?;
            Some((relation, part))
        })
    }

    /// Whether one of some columns may be NULL.
    pub fn any_null(&self, columns: &[u16]) -> bool {
        columns.iter().any(|position| self.column(*position).is_some_and(|column| column.null))
    }

    /// The fields of some columns, for messages: that of a foreign key once, however many columns it has.
    pub fn fields(&self, columns: impl IntoIterator<Item = u16>) -> String {
        let mut fields: Vec<&str> = Vec::new();
        for column in columns.into_iter().filter_map(|position| self.column(position)) {
            if !fields.contains(&column.field) {
                fields.push(column.field);
            }
        }
        fields.join(", ")
    }

    /// The columns of the primary key.
    pub fn key_columns(&self) -> impl Iterator<Item = &'static ColumnDef> + '_ {
        self.key.iter().filter_map(|position| self.column(*position))
    }

    /// The position of the column that counts the versions of a row, where there is one.
    pub fn version(&self) -> Option<u16> {
        (0..).zip(self.columns).find(|(_, column)| column.version).map(|(position, _)| position)
    }

    /// The position of the key column that the database generates, where there is one.
    pub fn generated_key(&self) -> Option<u16> {
        match self.key {
            [only] => self.column(*only).filter(|column| column.generated).map(|_| *only),
            _ => None,
        }
    }
}

/// A column, as its field describes it. Built by chaining: `ColumnDef::new("name", "name", …).max_length(24)`.
#[derive(Clone, Copy, Debug)]
pub struct ColumnDef {
    /// The field's name in Rust.
    pub field: &'static str,
    /// The column's name.
    pub name: &'static str,
    /// What it holds.
    pub ty: ColumnType,
    /// Whether it may be NULL.
    pub null: bool,
    /// Whether its value alone is unique.
    pub unique: bool,
    /// Whether it has an index of its own.
    pub index: bool,
    /// The value the database gives when none is sent.
    pub default: Option<DefaultDef>,
    /// The values it may hold, where its type has but a few.
    pub allowed: Option<Allowed>,
    /// A condition every row must meet, in SQL.
    pub check: Option<&'static str>,
    /// An integer key that the database generates when it is left at zero.
    pub generated: bool,
    /// Never shown in messages.
    pub secret: bool,
    /// It counts the versions of its row: who writes one that somebody else has written since is refused.
    pub version: bool,
}

impl ColumnDef {
    /// A column with its field's name, its own name, type and nullability, and nothing else.
    pub const fn new(field: &'static str, name: &'static str, ty: ColumnType, null: bool) -> Self {
        Self {
            field,
            name,
            ty,
            null,
            unique: false,
            index: false,
            default: None,
            allowed: None,
            check: None,
            generated: false,
            secret: false,
            version: false,
        }
    }

    /// At most `characters` characters of text.
    pub const fn max_length(mut self, characters: u32) -> Self {
        if let ColumnType::Text { .. } = self.ty {
            self.ty = ColumnType::Text { max_length: Some(characters) };
        }
        self
    }

    /// Text that stands in an index and has no length is 255 long: MySQL cannot index TEXT.
    pub const fn indexable(mut self) -> Self {
        if let ColumnType::Text { max_length: None } = self.ty {
            self.ty = ColumnType::Text { max_length: Some(255) };
        }
        self
    }

    /// `precision` digits, `scale` of them behind the point.
    pub const fn decimal(mut self, precision: u8, scale: u8) -> Self {
        if let ColumnType::Decimal { .. } = self.ty {
            self.ty = ColumnType::Decimal { precision, scale };
        }
        self
    }

    /// Unique by itself.
    pub const fn unique(mut self) -> Self {
        self.unique = true;
        self.indexable()
    }

    /// With an index of its own.
    pub const fn index(mut self) -> Self {
        self.index = true;
        self.indexable()
    }

    /// With a value the database gives when none is sent.
    pub const fn default(mut self, value: DefaultDef) -> Self {
        self.default = Some(value);
        self
    }

    /// With no other values than these, where they are named.
    pub const fn allowed(mut self, values: Option<Allowed>) -> Self {
        self.allowed = values;
        self
    }

    /// With a condition in SQL.
    pub const fn check(mut self, sql: &'static str) -> Self {
        self.check = Some(sql);
        self
    }

    /// A key: generated by the database when it is an integer, and short enough to be indexed when it is text.
    pub const fn key(mut self, generated: bool) -> Self {
        self.generated = generated && self.ty.is_integer();
        self.indexable()
    }

    /// The name of the constraint that it holds one of its allowed values, where there is one.
    pub fn allowed_name(&self, table: &str) -> Option<String> {
        self.allowed.map(|_| names::check(table, self.name))
    }

    /// The name of its own check, where it has one. Beside allowed values it makes room: what they are called does not
    /// depend on whether the field has a check as well.
    pub fn check_name(&self, table: &str) -> Option<String> {
        self.check.map(|_| match self.allowed {
            None => names::check(table, self.name),
            Some(_) => names::check(table, &format!("{}_check", self.name)),
        })
    }

    /// Counting the versions of its row.
    pub const fn version(mut self) -> Self {
        self.version = true;
        self
    }

    /// Never shown in messages.
    pub const fn secret(mut self) -> Self {
        self.secret = true;
        self
    }
}

/// The value a column gets when none is sent.
#[derive(Clone, Copy, Debug)]
pub enum DefaultDef {
    /// `TRUE` or `FALSE`.
    Bool(bool),
    /// An integer.
    Int(i64),
    /// Any other number, in decimal notation.
    Number(&'static str),
    /// Text, quoted by the dialect.
    Text(&'static str),
    /// SQL, written as it stands: `CURRENT_TIMESTAMP`.
    Sql(&'static str),
    /// What a constant of the program is stored as: one of the column's allowed values, or nothing.
    Constant(fn() -> Option<DefaultDef>),
}

/// A foreign key. Its target is a function so that tables may point at each other and at themselves.
#[derive(Clone, Copy, Debug)]
pub struct RelationDef {
    /// The name of the model whose field it is.
    pub model: &'static str,
    /// The field's name in Rust.
    pub field: &'static str,
    /// The positions of its columns in the table, one after the other: as many as the key that it points at has, in the
    /// order of that.
    pub columns: &'static [u16],
    /// The table it points at, by its primary key.
    pub target: fn() -> &'static TableDef,
    /// Where the model it points at stands, as [`TableDef::path`] says.
    pub target_path: &'static str,
    /// What the database does with this row when the target is deleted.
    pub on_delete: OnDelete,
    /// What it does when the target's key changes; the database's own rule where nothing is said.
    pub on_update: Option<OnDelete>,
}

impl RelationDef {
    /// What a column of the key holds that it points at, or `ty` where that key has no such column. A key that is a
    /// foreign key itself leads on; tables whose keys point at each other never end.
    fn key_type(&self, part: usize, ty: ColumnType) -> ColumnType {
        let (mut ty, mut part, mut relation) = (ty, part, self);
        for _ in 0..8 {
            let table = (relation.target)();
            let Some(position) = table.key.get(part).filter(|_| table.key.len() == relation.columns.len()) else {
                break;
            };
            ty = table.column(*position).map_or(ty, |column| column.ty);
            match table.relation_of(*position) {
                Some(next) => (relation, part) = next,
                None => break,
            }
        }
        ty
    }
}

/// A relation that is kept elsewhere: rows that point here, or rows of a link table that point here and there.
#[derive(Clone, Copy, Debug)]
pub struct ManyDef {
    /// The name of the model whose field it is.
    pub model: &'static str,
    /// The field's name in Rust.
    pub field: &'static str,
    /// The table of the related rows.
    pub target: fn() -> &'static TableDef,
    /// The table whose rows point here: the related rows themselves, or links to them.
    pub source: fn() -> &'static TableDef,
    /// The position of its foreign key that points here.
    pub here: u8,
    /// Of a table of links, the position of the foreign key that points at the related row.
    pub there: Option<u8>,
    /// Whether no model describes the table of links.
    pub linked: bool,
    /// Whether a session deletes a row that is taken away from the one it belonged to.
    pub delete_orphans: bool,
}

impl ManyDef {
    /// The foreign key that points here.
    pub fn foreign_key(&self) -> Option<&'static RelationDef> {
        (self.source)().relations.get(usize::from(self.here))
    }

    /// Of a table of links, the foreign key that points at the related row.
    pub fn link(&self) -> Option<&'static RelationDef> {
        (self.source)().relations.get(usize::from(self.there?))
    }
}

/// One side of a many-to-many relation whose link table no model describes.
#[derive(Clone, Copy, Debug)]
pub struct LinkDef {
    /// The field's name in Rust.
    pub field: &'static str,
    /// The table of the model whose field it is.
    pub own: fn() -> &'static TableDef,
    /// The table of the related rows.
    pub target: fn() -> &'static TableDef,
    /// Where the related model stands, as [`TableDef::path`] says.
    pub target_path: &'static str,
    /// The name of the link table, where the model gives one; by rule otherwise.
    pub through: Option<&'static str>,
}

/// What the database does with a row when the row it points at is deleted, or takes another key.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub enum OnDelete {
    /// Refuse it.
    #[default]
    Restrict,
    /// Delete this row as well, or take the key over.
    Cascade,
    /// Set the foreign key to NULL.
    SetNull,
    /// Set the foreign key to its default.
    SetDefault,
}

/// An index or a unique constraint over several columns.
#[derive(Clone, Copy, Debug)]
pub struct IndexDef {
    /// The name, where the model gives one; by rule otherwise.
    pub name: Option<&'static str>,
    /// Positions of its columns in the table.
    pub columns: &'static [u16],
    /// Whether the columns together are unique.
    pub unique: bool,
}

/// A check with a name of its own.
#[derive(Clone, Copy, Debug)]
pub struct CheckDef {
    /// The word that stands in the constraint's name.
    pub name: &'static str,
    /// The condition, in SQL.
    pub sql: &'static str,
}
