//! A struct and its attributes, checked: what the expansion can rely on.

use proc_macro2::Span;
use quote::ToTokens as _;
use syn::{Data, DeriveInput, Fields, Ident, Path, Type, Visibility};

use super::attributes::{Index, Of, OnField, OnStruct};
use super::column::{Column, KeyKind, column, null_key};
use super::names;
use super::related::{self, Related};
use super::types::last_word;
use crate::errors::Errors;
use crate::hygiene::Taken;

/// A model that can be expanded, or a mapper.
pub(super) struct Model {
    pub(super) ident: Ident,
    /// The entity's name: a model is its own.
    pub(super) name: String,
    /// What a mapper stores.
    pub(super) mapped: Option<Mapped>,
    pub(super) vis: Visibility,
    pub(super) krate: Path,
    pub(super) table: String,
    pub(super) schema: Option<String>,
    pub(super) columns: Vec<Column>,
    /// Relations that are kept in other tables.
    pub(super) related: Vec<Related>,
    /// Fields that are no columns.
    pub(super) skipped: Vec<Ident>,
    pub(super) indexes: Vec<CheckedIndex>,
    pub(super) checks: Vec<(String, String)>,
    pub(super) strict: bool,
    pub(super) autoincrement: bool,
    /// The names that the expansion may not take.
    pub(super) taken: Taken,
    /// Faults beside which it can be expanded.
    pub(super) faults: Option<syn::Error>,
}

/// What a mapper stores.
pub(super) struct Mapped {
    pub(super) entity: Type,
    /// The constructor, which takes the columns in order.
    pub(super) build: Path,
    /// Whether it can refuse them.
    pub(super) refuses: bool,
}

pub(super) struct CheckedIndex {
    /// The numbers of its fields.
    pub(super) columns: Vec<usize>,
    pub(super) name: Option<String>,
    pub(super) unique: bool,
}

/// Bits in a set of columns.
const MOST_COLUMNS: usize = 256;

/// The most bytes a name may have on every backend.
const NAME_BYTES: usize = 63;

pub(super) fn check(of: Of, input: &DeriveInput) -> syn::Result<Model> {
    let mut errors = Errors::default();
    let on_struct = OnStruct::parse(of, &input.attrs, &mut errors);
    let a = format!("a {}", of.name());
    let fields = match &input.data {
        Data::Struct(data) => match &data.fields {
            Fields::Named(fields) => Some(&fields.named),
            Fields::Unnamed(fields) => {
                errors.fatal(fields, format!("{a} has named fields: they are its columns"));
                None
            }
            Fields::Unit => {
                errors.fatal(&input.ident, format!("{a} has named fields: they are its columns"));
                None
            }
        },
        Data::Enum(_) | Data::Union(_) => {
            errors.fatal(&input.ident, format!("{a} is a struct: one per table"));
            None
        }
    };
    if !input.generics.params.is_empty() {
        errors.fatal(&input.generics, format!("{a} cannot be generic: one struct is one table"));
    }
    let mapped = mapped(of, &on_struct, input, &mut errors);
    let mut columns = Vec::new();
    let mut related = Vec::new();
    let mut skipped = Vec::new();
    for field in fields.into_iter().flatten() {
        let Some(ident) = &field.ident else { continue };
        let on_field = OnField::parse(of, &field.attrs, &mut errors);
        if on_field.skip {
            if on_field.spans.len() > 1 {
                errors.at(ident, format!("`{ident}` is no column: `skip` stands alone"));
            }
            skipped.push(ident.clone());
        } else if related::kind(&field.ty).is_some() && of == Of::Mapper {
            let message = format!("`{ident}` is no column: relations that are kept in other tables are a model's");
            errors.fatal(&field.ty, message);
        } else if let Some((kind, target)) = related::kind(&field.ty) {
            related.push(related::related(ident, field, on_field, kind, target, &mut errors));
        } else if !related::refuse_option(field, &mut errors) {
            columns.push(column(ident, field, on_field, on_struct.case, &mut errors));
        }
    }
    let mut width = 0;
    for column in &mut columns {
        column.at = width as u16;
        width += column.names.len();
    }
    keys(of, input, &mut columns, fields.is_some(), &mut errors);
    for second in columns.iter().filter(|column| column.version).skip(1) {
        errors.fatal(&second.ident, format!("`{}` is a second `version`: a row has one", second.field));
    }
    unique_names(&columns, &mut errors);
    unique_paths(&columns, &related, &mut errors);
    related::check_inverses(&related, &mut errors);
    if width > MOST_COLUMNS {
        errors.fatal(&input.ident, format!("{width} columns: {a} has at most {MOST_COLUMNS}"));
    }
    let name = match &mapped {
        Some(mapped) => last_word(&mapped.entity).unwrap_or_default(),
        None => input.ident.to_string(),
    };
    let table = match &on_struct.table {
        Some(name) => {
            check_name(&name.value(), name.span(), &mut errors);
            name.value()
        }
        None => {
            let table = names::table(&name, on_struct.case.unwrap_or_default());
            check_name(&table, input.ident.span(), &mut errors);
            table
        }
    };
    if let Some(schema) = &on_struct.schema {
        check_name(&schema.value(), schema.span(), &mut errors);
    }
    let mut indexes = indexes(&on_struct.indexes, &columns, &mut errors);
    let checks: Vec<(Ident, String, String)> = on_struct
        .checks
        .into_iter()
        .map(|(name, sql)| (name.clone(), name.to_string().trim_start_matches("r#").to_owned(), sql.value()))
        .collect();
    index_names(&table, &on_struct.indexes, &indexes, &columns, &mut errors);
    check_names(&checks, &columns, &mut errors);
    for (n, column) in columns.iter().enumerate().filter(|(_, column)| column.is_composite()) {
        if column.unique || column.index {
            indexes.push(CheckedIndex { columns: vec![n], name: None, unique: column.unique });
        }
    }
    if on_struct.autoincrement && !columns.iter().any(|column| column.key == Some(KeyKind::Database)) {
        errors.at(
            &input.ident,
            format!("`autoincrement` is for a key that the database generates, and `{}` has none", input.ident),
        );
    }
    let krate = on_struct.krate.unwrap_or_else(|| syn::parse_quote!(::cormorant));
    let faults = errors.finish()?;
    Ok(Model {
        ident: input.ident.clone(),
        name,
        mapped,
        vis: input.vis.clone(),
        krate,
        table,
        schema: on_struct.schema.map(|schema| schema.value()),
        columns,
        related,
        skipped,
        indexes,
        checks: checks.into_iter().map(|(_, name, sql)| (name, sql)).collect(),
        strict: on_struct.strict,
        autoincrement: on_struct.autoincrement,
        taken: Taken::by(input.to_token_stream()),
        faults,
    })
}

/// What a mapper stores, and how it is made.
fn mapped(of: Of, on: &OnStruct, input: &DeriveInput, errors: &mut Errors) -> Option<Mapped> {
    if of == Of::Model {
        return None;
    }
    let said = |key: &str| on.seen.iter().any(|seen| seen == key);
    if on.entity.is_none() && said("entity") {
        errors.give_up();
    } else if on.entity.is_none() {
        let message = format!("`{}` stores nothing: say what, `#[mapper(entity = domain::Account)]`", input.ident);
        errors.fatal(&input.ident, message);
    }
    let build = match (&on.build, &on.try_build) {
        (Some(build), None) => Some((build, false)),
        (None, Some(build)) => Some((build, true)),
        (Some(_), Some(second)) => {
            errors.fatal(second, "there is one constructor: `build`, or `try_build` where it can refuse a row");
            None
        }
        (None, None) if said("build") || said("try_build") => {
            errors.give_up();
            None
        }
        (None, None) => {
            let what = on.entity.as_ref().and_then(last_word).unwrap_or_else(|| "Account".to_owned());
            let message = format!(
                "`{}` cannot build what it reads: name the constructor, `build = {what}::new`, or `try_build` where it can refuse a row",
                input.ident
            );
            errors.fatal(&input.ident, message);
            None
        }
    };
    let (build, refuses) = build?;
    Some(Mapped { entity: on.entity.clone()?, build: build.clone(), refuses })
}

/// Finds the key, or says that there is none.
fn keys(of: Of, input: &DeriveInput, columns: &mut [Column], has_fields: bool, errors: &mut Errors) {
    // A field named `id` is the key only while no other says so.
    let said = |column: &Column| column.key.is_some() && column.field != "id";
    if columns.iter().any(said) {
        for column in columns.iter_mut().filter(|column| column.field == "id") {
            if !attribute_says_key(of, input, "id") {
                column.key = None;
            }
        }
    }
    let count = columns.iter().filter(|column| column.key.is_some()).count();
    if count == 0
        && let Some(id) = columns.iter().find(|column| column.field == "id" && column.is_option())
    {
        errors.fatal(&id.ty, null_key("id"));
    } else if count == 0 && has_fields {
        errors.fatal(
            &input.ident,
            format!("`{}` has no key: name a field `id`, or mark one with `#[{}(key)]`", input.ident, of.name()),
        );
    }
    if count > 1 {
        // The parts of a composite key are given: no database generates one of them.
        for column in columns.iter_mut().filter(|column| column.key.is_some()) {
            column.key = Some(KeyKind::Given);
            if let Some(span) = column.generated {
                let message = format!("`{}` is a part of the key: only a key of one column is generated", column.field);
                errors.add(syn::Error::new(span, message));
            }
        }
    }
}

fn attribute_says_key(of: Of, input: &DeriveInput, name: &str) -> bool {
    let Data::Struct(data) = &input.data else { return false };
    let field = data.fields.iter().find(|field| field.ident.as_ref().is_some_and(|ident| ident == name));
    field.is_some_and(|field| OnField::parse(of, &field.attrs, &mut Errors::default()).key == Some(true))
}

fn unique_names(columns: &[Column], errors: &mut Errors) {
    for (n, column) in columns.iter().enumerate() {
        let earlier = || columns.iter().take(n);
        if let Some(other) = earlier().find(|other| other.path == column.path) {
            errors.fatal(
                &column.ident,
                format!(
                    "`{}` and `{}` are both `{}` on the path: say another with `path`",
                    other.field, column.field, column.path
                ),
            );
        }
        let taken = |name: &&String| earlier().find(|other| other.names.contains(name));
        if let Some((other, name)) = column.names.iter().find_map(|name| Some((taken(&name)?, name))) {
            let instead = if column.is_composite() { "references(… = \"…\")" } else { "column" };
            errors.at(
                &column.ident,
                format!(
                    "`{}` and `{}` are both the column \"{name}\": say another with `{instead}`",
                    other.field, column.field
                ),
            );
        }
    }
}

/// A relation's method on the path is named like no column's, and no other relation's.
fn unique_paths(columns: &[Column], related: &[Related], errors: &mut Errors) {
    for (n, this) in related.iter().enumerate() {
        let columns = columns.iter().map(|column| (&column.field, &column.path));
        let before = related.iter().take(n).map(|other| (&other.field, &other.path));
        if let Some((other, _)) = columns.chain(before).find(|(_, path)| **path == this.path) {
            errors.fatal(
                &this.ident,
                format!("`{other}` and `{}` are both `{}` on the path: say another with `path`", this.field, this.path),
            );
        }
    }
}

fn indexes(indexes: &[Index], columns: &[Column], errors: &mut Errors) -> Vec<CheckedIndex> {
    let mut checked = Vec::new();
    for index in indexes {
        let mut positions = Vec::new();
        for field in &index.fields {
            let name = field.to_string();
            match columns.iter().position(|column| column.field == name.trim_start_matches("r#")) {
                Some(position) if positions.contains(&position) => {
                    errors.at(field, format!("`{name}` stands here twice"))
                }
                Some(position) => positions.push(position),
                None => {
                    let known: Vec<&str> = columns.iter().map(|column| column.field.as_str()).collect();
                    errors.at(field, crate::errors::unknown(&name, &known).replace("unknown key", "unknown field"));
                }
            }
        }
        if let Some(name) = &index.name {
            check_name(&name.value(), name.span(), errors);
        }
        checked.push(CheckedIndex {
            columns: positions,
            name: index.name.as_ref().map(|name| name.value()),
            unique: index.unique,
        });
    }
    checked
}

/// What is said twice is made once; two different indexes cannot have one name.
fn index_names(table: &str, said: &[Index], indexes: &[CheckedIndex], columns: &[Column], errors: &mut Errors) {
    let by_rule = |positions: &[usize], unique| {
        let columns = positions.iter().filter_map(|position| columns.get(*position));
        let names: Vec<&str> = columns.flat_map(|column| &column.names).map(String::as_str).collect();
        format!("{}_{table}_{}", if unique { "uq" } else { "ix" }, names.join("_"))
    };
    let mut known: Vec<(String, Vec<usize>, bool)> = Vec::new();
    for (position, column) in columns.iter().enumerate().filter(|(_, column)| column.unique || column.index) {
        known.push((by_rule(&[position], column.unique), vec![position], column.unique));
    }
    for (said, index) in said.iter().zip(indexes) {
        let name = index.name.clone().unwrap_or_else(|| by_rule(&index.columns, index.unique));
        if known
            .iter()
            .any(|(other, columns, unique)| *other == name && (*columns != index.columns || *unique != index.unique))
        {
            let message = format!("two indexes have the name \"{name}\": say another with `name = \"…\"`");
            errors.at(said.fields.first(), message);
        }
        known.push((name, index.columns.clone(), index.unique));
    }
}

/// The same of checks: that of a field has its column's name.
fn check_names(checks: &[(Ident, String, String)], columns: &[Column], errors: &mut Errors) {
    for (n, (ident, name, sql)) in checks.iter().enumerate() {
        let of_columns = columns.iter().filter_map(|column| Some((column.names.first()?, column.check.as_ref()?)));
        let before = checks.iter().take(n).map(|(_, name, sql)| (name, sql));
        if of_columns.chain(before).any(|(other, condition)| other == name && condition != sql) {
            errors.at(ident, format!("two checks have the name `{name}`: give this one another"));
        }
    }
}

/// The rule of every name in SQL, so that a bad one is a compile error; the library checks it again.
pub(super) fn check_name(name: &str, span: Span, errors: &mut Errors) {
    let fault = if name.is_empty() {
        "a name is empty".to_owned()
    } else if name.len() > NAME_BYTES {
        format!("the name {name:?} has {} bytes, at most {NAME_BYTES} are allowed on every backend", name.len())
    } else if name.chars().any(char::is_control) {
        format!("the name {name:?} holds a control character")
    } else {
        return;
    };
    errors.add(syn::Error::new(span, fault));
}
