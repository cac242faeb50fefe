//! A struct and its attributes, checked: what the expansion can rely on.

use proc_macro2::Span;
use syn::{
    Data, DeriveInput, Expr, Fields, GenericArgument, Ident, Lit, LitInt, Path, PathArguments, Type, Visibility,
};

use super::attributes::{Index, OnField, OnStruct};
use super::names::{self, Case};
use crate::errors::Errors;

/// A model that can be expanded.
pub(super) struct Model {
    pub(super) ident: Ident,
    pub(super) vis: Visibility,
    pub(super) krate: Path,
    pub(super) table: String,
    pub(super) schema: Option<String>,
    pub(super) columns: Vec<Column>,
    /// Fields that are no columns.
    pub(super) skipped: Vec<Ident>,
    pub(super) indexes: Vec<CheckedIndex>,
    pub(super) checks: Vec<(String, String)>,
    pub(super) strict: bool,
    pub(super) autoincrement: bool,
}

pub(super) struct CheckedIndex {
    pub(super) columns: Vec<usize>,
    pub(super) name: Option<String>,
    pub(super) unique: bool,
}

/// A field that is a column.
pub(super) struct Column {
    pub(super) ident: Ident,
    /// The field's name without `r#`.
    pub(super) field: String,
    pub(super) name: String,
    pub(super) ty: Type,
    /// What stands inside `Option`, where the field is one.
    pub(super) inner: Option<Type>,
    /// What the foreign key points at, where the field is one.
    pub(super) target: Option<Type>,
    pub(super) key: Option<KeyKind>,
    pub(super) max_length: Option<LitInt>,
    pub(super) decimal: Option<(u8, u8)>,
    pub(super) unique: bool,
    pub(super) index: bool,
    pub(super) default: Option<Expr>,
    pub(super) db_default: Option<String>,
    pub(super) check: Option<String>,
    pub(super) on_delete: Option<Ident>,
    /// The name of its method on the path.
    pub(super) path: Ident,
    pub(super) secret: bool,
}

/// Where a key's value comes from.
#[derive(Clone, Copy, PartialEq)]
pub(super) enum KeyKind {
    /// The program gives it.
    Given,
    /// The database generates it: an integer.
    Database,
    /// The library generates it: a UUID.
    Client,
}

impl Column {
    pub(super) fn is_option(&self) -> bool {
        self.inner.is_some()
    }

    /// Whether the builder can do without it.
    pub(super) fn is_required(&self) -> bool {
        !self.is_option()
            && self.default.is_none()
            && self.db_default.is_none()
            && !matches!(self.key, Some(KeyKind::Database | KeyKind::Client))
    }

    /// The type of its value, without `Option`.
    pub(super) fn value_type(&self) -> &Type {
        self.inner.as_ref().unwrap_or(&self.ty)
    }
}

/// Methods that every path has: a column's method of that name could not be told from them.
const PATH_METHODS: [&str; 5] = ["eq", "ne", "is_null", "is_not_null", "is_in"];

const INTEGERS: [&str; 8] = ["i8", "i16", "i32", "i64", "u8", "u16", "u32", "u64"];

/// Bits in a set of columns.
const MOST_COLUMNS: usize = 256;

/// The most bytes a name may have on every backend.
const NAME_BYTES: usize = 63;

pub(super) fn check(input: &DeriveInput) -> syn::Result<Model> {
    let mut errors = Errors::default();
    let on_struct = OnStruct::parse(&input.attrs, &mut errors);
    let fields = match &input.data {
        Data::Struct(data) => match &data.fields {
            Fields::Named(fields) => Some(&fields.named),
            Fields::Unnamed(fields) => {
                errors.at(fields, "a model has named fields: they are its columns");
                None
            }
            Fields::Unit => {
                errors.at(&input.ident, "a model has named fields: they are its columns");
                None
            }
        },
        Data::Enum(_) | Data::Union(_) => {
            errors.at(&input.ident, "a model is a struct: one per table");
            None
        }
    };
    if !input.generics.params.is_empty() {
        errors.at(&input.generics, "a model cannot be generic: one struct is one table");
    }
    let mut columns = Vec::new();
    let mut skipped = Vec::new();
    for field in fields.into_iter().flatten() {
        let Some(ident) = &field.ident else { continue };
        let on_field = OnField::parse(&field.attrs, &mut errors);
        if on_field.skip {
            if on_field.spans.len() > 1 {
                errors.at(ident, format!("`{ident}` is no column: `skip` stands alone"));
            }
            skipped.push(ident.clone());
        } else {
            columns.push(column(ident, &field.ty, on_field, on_struct.case, &mut errors));
        }
    }
    keys(input, &mut columns, fields.is_some(), &mut errors);
    unique_names(&columns, &mut errors);
    if columns.len() > MOST_COLUMNS {
        errors.at(&input.ident, format!("{} columns: a model has at most {MOST_COLUMNS}", columns.len()));
    }
    let table = match &on_struct.table {
        Some(name) => {
            check_name(&name.value(), name.span(), &mut errors);
            name.value()
        }
        None => names::table(&input.ident.to_string(), on_struct.case),
    };
    check_name(&table, input.ident.span(), &mut errors);
    if let Some(schema) = &on_struct.schema {
        check_name(&schema.value(), schema.span(), &mut errors);
    }
    let indexes = indexes(&on_struct.indexes, &columns, &mut errors);
    let krate = on_struct.krate.unwrap_or_else(|| syn::parse_quote!(::cormorant));
    errors.finish()?;
    Ok(Model {
        ident: input.ident.clone(),
        vis: input.vis.clone(),
        krate,
        table,
        schema: on_struct.schema.map(|schema| schema.value()),
        columns,
        skipped,
        indexes,
        checks: on_struct.checks.into_iter().map(|(name, sql)| (name.to_string(), sql.value())).collect(),
        strict: on_struct.strict,
        autoincrement: on_struct.autoincrement,
    })
}

fn column(ident: &Ident, ty: &Type, on: OnField, case: Case, errors: &mut Errors) -> Column {
    let field = ident.to_string().trim_start_matches("r#").to_owned();
    let inner = argument(ty, "Option").cloned();
    let value = inner.as_ref().unwrap_or(ty);
    let target = argument(value, "ForeignKey").cloned();
    if argument(value, "Option").is_some() {
        errors.at(ty, format!("`{field}` is an Option inside an Option: a column knows one NULL"));
    }
    let name = match &on.column {
        Some(name) => name.value(),
        None if target.is_some() => case.apply(&format!("{field}_id")),
        None => case.apply(&field),
    };
    check_name(&name, on.column.as_ref().map_or(ident.span(), |name| name.span()), errors);
    let path = method(ident, &field, &on, errors);
    let word = last_word(value);
    let is_text = word.as_deref() == Some("String");
    let is_decimal = word.as_deref() == Some("Decimal");
    if on.max_length.is_some() && !is_text && known_other_than(word.as_deref(), "String") {
        errors.add(wrong_type(&on, "max_length", &field, "text", "String"));
    }
    if let Some(length) = &on.max_length
        && !matches!(length.base10_parse::<u32>(), Ok(1..))
    {
        errors.at(length, format!("`max_length` of `{field}` is a number of characters from 1 to {}", u32::MAX));
    }
    let decimal = decimal(&field, &on, is_decimal, word.as_deref(), ty, errors);
    if let Some(action) = &on.on_delete {
        on_delete(&field, action, &on, target.is_some(), inner.is_some(), errors);
    }
    if on.default.is_some() && on.db_default.is_some() {
        errors.add(syn::Error::new(
            on.span("db_default"),
            format!("`{field}` has two defaults: keep `default` or `db_default`"),
        ));
    }
    if on.key && inner.is_some() {
        errors.at(ty, format!("`{field}` is a key, and a key is never NULL: take the Option away"));
    }
    if on.unique && on.index == Some(true) {
        errors.add(syn::Error::new(on.span("index"), format!("`{field}` is unique, which is an index already")));
    }
    let key = (on.key || field == "id" && inner.is_none()).then(|| match word.as_deref() {
        Some(word) if INTEGERS.contains(&word) && on.generated != Some(false) => KeyKind::Database,
        Some("Uuid") if on.generated != Some(false) => KeyKind::Client,
        _ => KeyKind::Given,
    });
    if on.generated == Some(true) && !matches!(key, Some(KeyKind::Database | KeyKind::Client)) {
        errors.add(syn::Error::new(
            on.span("generated"),
            format!("`{field}` cannot be generated: only a key that is an integer or a Uuid can"),
        ));
    }
    Column {
        ident: ident.clone(),
        name,
        ty: ty.clone(),
        key,
        max_length: on.max_length,
        decimal,
        unique: on.unique,
        // A foreign key has an index unless it says not to.
        index: on.index.unwrap_or(target.is_some() && !on.unique),
        default: on.default,
        db_default: on.db_default.map(|sql| sql.value()),
        check: on.check.map(|sql| sql.value()),
        on_delete: on.on_delete,
        path,
        secret: on.secret,
        field,
        inner,
        target,
    }
}

/// The name of a column's method on the path.
fn method(ident: &Ident, field: &str, on: &OnField, errors: &mut Errors) -> Ident {
    let name = on.path.as_ref().map_or_else(|| field.to_owned(), |path| path.value());
    if PATH_METHODS.contains(&name.as_str()) {
        let span = on.path.as_ref().map_or(ident.span(), |path| path.span());
        errors.add(syn::Error::new(
            span,
            format!("`{name}` is a method of every path: say another with `#[model(path = \"{name}_\")]`; the column keeps its name"),
        ));
        return ident.clone();
    }
    match &on.path {
        None => ident.clone(),
        Some(path) => path.parse::<Ident>().unwrap_or_else(|_| {
            errors.at(path, format!("`{name}` is no name of a method"));
            ident.clone()
        }),
    }
}

fn decimal(
    field: &str,
    on: &OnField,
    is_decimal: bool,
    word: Option<&str>,
    ty: &Type,
    errors: &mut Errors,
) -> Option<(u8, u8)> {
    let number = |literal: &LitInt, key: &str, errors: &mut Errors| match literal.base10_parse::<u8>() {
        Ok(number @ 0..=28) => Some(number),
        _ => {
            errors.at(literal, format!("`{key}` of `{field}` is a number of digits, at most 28"));
            None
        }
    };
    match (&on.precision, &on.scale) {
        (None, None) => {
            if is_decimal {
                errors.at(ty, format!("`{field}` needs its digits: `#[model(precision = 10, scale = 2)]`"));
            }
            None
        }
        (Some(precision), scale) => {
            if !is_decimal && known_other_than(word, "Decimal") {
                errors.add(wrong_type(on, "precision", field, "an exact number", "Decimal"));
            }
            let precision = number(precision, "precision", errors)?;
            let scale = match scale {
                Some(scale) => number(scale, "scale", errors)?,
                None => 0,
            };
            if precision == 0 || scale > precision {
                errors.add(syn::Error::new(
                    on.span("precision"),
                    format!("numeric({precision}, {scale}) of `{field}` holds no number: `precision` counts all digits, `scale` those behind the point"),
                ));
            }
            Some((precision, scale))
        }
        (None, Some(scale)) => {
            errors.at(scale, format!("`scale` of `{field}` needs `precision`, the number of all digits"));
            None
        }
    }
}

fn on_delete(field: &str, action: &Ident, on: &OnField, foreign: bool, null: bool, errors: &mut Errors) {
    const ACTIONS: [&str; 4] = ["restrict", "cascade", "set_null", "set_default"];
    let word = action.to_string();
    if !foreign {
        errors.add(syn::Error::new(
            on.span("on_delete"),
            format!("`{field}` is no ForeignKey: `on_delete` says nothing here"),
        ));
    } else if !ACTIONS.contains(&word.as_str()) {
        errors.at(action, crate::errors::unknown(&word, &ACTIONS).replace("unknown key", "unknown action"));
    } else if word == "set_null" && !null {
        errors
            .at(action, format!("`{field}` is never NULL: make it `Option<ForeignKey<…>>`, or choose another action"));
    } else if word == "set_default" && on.default.is_none() && on.db_default.is_none() {
        errors.at(action, format!("`{field}` has no default: say one with `default`, or choose another action"));
    }
}

/// Finds the key, or says that there is none.
fn keys(input: &DeriveInput, columns: &mut [Column], has_fields: bool, errors: &mut Errors) {
    // A field named `id` is the key only while no other says so.
    let said = |column: &Column| column.key.is_some() && column.field != "id";
    if columns.iter().any(said) {
        for column in columns.iter_mut().filter(|column| column.field == "id") {
            if !attribute_says_key(input, "id") {
                column.key = None;
            }
        }
    }
    let count = columns.iter().filter(|column| column.key.is_some()).count();
    if count == 0 && has_fields {
        errors.at(
            &input.ident,
            format!("`{}` has no key: name a field `id`, or mark one with `#[model(key)]`", input.ident),
        );
    }
    if count > 1 {
        // The parts of a composite key are given: no database generates one of them.
        for column in columns.iter_mut().filter(|column| column.key.is_some()) {
            column.key = Some(KeyKind::Given);
        }
    }
}

fn attribute_says_key(input: &DeriveInput, name: &str) -> bool {
    let Data::Struct(data) = &input.data else { return false };
    let field = data.fields.iter().find(|field| field.ident.as_ref().is_some_and(|ident| ident == name));
    field.is_some_and(|field| OnField::parse(&field.attrs, &mut Errors::default()).key)
}

fn unique_names(columns: &[Column], errors: &mut Errors) {
    for (n, column) in columns.iter().enumerate() {
        let earlier = columns.iter().take(n).find(|other| other.name == column.name);
        if let Some(other) = earlier {
            errors.at(
                &column.ident,
                format!(
                    "`{}` and `{}` are both the column \"{}\": say another with `column`",
                    other.field, column.field, column.name
                ),
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
                    errors.at(
                        field,
                        crate::errors::unknown(&name, &known).replace("unknown key", "no column is the field"),
                    );
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

/// The rule of every name in SQL, so that a bad one is a compile error; the library checks it again.
fn check_name(name: &str, span: Span, errors: &mut Errors) {
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

fn wrong_type(on: &OnField, key: &str, field: &str, what: &str, ty: &str) -> syn::Error {
    syn::Error::new(on.span(key), format!("`{key}` is for {what}: `{field}` is no {ty}"))
}

/// True for a type that is certainly another one; a name of the user's own may stand for anything.
fn known_other_than(word: Option<&str>, wanted: &str) -> bool {
    const KNOWN: [&str; 12] = [
        "bool",
        "f32",
        "f64",
        "String",
        "Decimal",
        "Date",
        "Time",
        "DateTime",
        "Timestamp",
        "Uuid",
        "Vec",
        "ForeignKey",
    ];
    word.is_some_and(|word| word != wanted && (KNOWN.contains(&word) || INTEGERS.contains(&word)))
}

/// `T` of `Name<T>`.
fn argument<'a>(ty: &'a Type, name: &str) -> Option<&'a Type> {
    let Type::Path(path) = ty else { return None };
    let segment = path.path.segments.last().filter(|segment| segment.ident == name)?;
    let PathArguments::AngleBracketed(arguments) = &segment.arguments else { return None };
    match (arguments.args.first(), arguments.args.len()) {
        (Some(GenericArgument::Type(ty)), 1) => Some(ty),
        _ => None,
    }
}

fn last_word(ty: &Type) -> Option<String> {
    let Type::Path(path) = ty else { return None };
    path.path.segments.last().map(|segment| segment.ident.to_string())
}

/// A default that the database can know as well: a literal.
pub(super) enum Literal {
    Bool(bool),
    Int(i64),
    Number(String),
    Text(String),
}

pub(super) fn literal(expr: &Expr) -> Option<Literal> {
    let (negative, lit) = match expr {
        Expr::Lit(lit) => (false, &lit.lit),
        Expr::Unary(unary) if matches!(unary.op, syn::UnOp::Neg(_)) => match &*unary.expr {
            Expr::Lit(lit) => (true, &lit.lit),
            _ => return None,
        },
        // `dec!(9.90)`
        Expr::Macro(mac) if mac.mac.path.segments.last().is_some_and(|segment| segment.ident == "dec") => {
            let text = mac.mac.tokens.to_string().replace([' ', '_'], "");
            return text
                .trim_start_matches('-')
                .starts_with(|c: char| c.is_ascii_digit())
                .then_some(Literal::Number(text));
        }
        _ => return None,
    };
    let sign = if negative { "-" } else { "" };
    match lit {
        Lit::Bool(value) => Some(Literal::Bool(value.value)),
        Lit::Int(value) => format!("{sign}{}", value.base10_digits()).parse().ok().map(Literal::Int),
        Lit::Float(value) => Some(Literal::Number(format!("{sign}{}", value.base10_digits()))),
        Lit::Str(value) => Some(Literal::Text(value.value())),
        _ => None,
    }
}
