//! A field and its attributes, checked.

use std::ops::Range;

use proc_macro2::Span;
use quote::format_ident;
use syn::{Attribute, Expr, Field, Ident, LitInt, LitStr, Type};

use super::attributes::{Of, OnField, Reference};
use super::check::check_name;
use super::names::Case;
use super::types::{self, Literal, argument, is_key_value, known_other_than, last_word};
use crate::errors::Errors;

/// A field that is a column, or the several of a foreign key to a key of several.
pub(super) struct Column {
    pub(super) ident: Ident,
    /// The field's name without `r#`.
    pub(super) field: String,
    /// The position of its first column in the table.
    pub(super) at: u16,
    /// The name of each of its columns.
    pub(super) names: Vec<String>,
    /// Of a foreign key of several columns, those of the key that it points at.
    pub(super) references: Vec<String>,
    /// Where it is said which they are, or else where the field is.
    pub(super) references_at: Span,
    pub(super) ty: Type,
    /// What stands inside `Option`, where the field is one.
    pub(super) inner: Option<Type>,
    /// What the foreign key points at, where the field is one.
    pub(super) target: Option<Type>,
    /// Whether its type is none that the macro knows.
    pub(super) unknown: bool,
    pub(super) key: Option<KeyKind>,
    /// Where it is said that the key is generated.
    pub(super) generated: Option<Span>,
    pub(super) max_length: Option<LitInt>,
    pub(super) decimal: Option<(u8, u8)>,
    pub(super) unique: bool,
    pub(super) index: bool,
    pub(super) default: Option<Expr>,
    pub(super) db_default: Option<String>,
    pub(super) check: Option<String>,
    pub(super) on_delete: Option<Ident>,
    pub(super) on_update: Option<Ident>,
    /// The name of its method on the path.
    pub(super) path: Ident,
    /// The name of its method on the builder.
    pub(super) setter: Ident,
    /// What the user says about it.
    pub(super) docs: Vec<Attribute>,
    pub(super) secret: bool,
    /// Whether it counts the versions of the row.
    pub(super) version: bool,
    /// What gives its value, of a mapper; the entity's method of the field's name where nothing is said.
    pub(super) get: Option<Expr>,
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
    /// Whether it is a foreign key of several columns.
    pub(super) fn is_composite(&self) -> bool {
        !self.references.is_empty()
    }

    /// The positions of its columns in the table.
    pub(super) fn positions(&self) -> Range<u16> {
        self.at..self.at + self.names.len() as u16
    }

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

    /// Whether the builder's type says that it has a value: what every builder needs, and what a plain value needs
    /// although an insert can leave it to the database.
    pub(super) fn is_tracked(&self) -> bool {
        self.is_required() || self.db_default.is_some()
    }

    /// The type of its value, without `Option`.
    pub(super) fn value_type(&self) -> &Type {
        self.inner.as_ref().unwrap_or(&self.ty)
    }
}

/// Methods that every path has: a column's method of that name could not be told from them.
const PATH_METHODS: [&str; 5] = ["eq", "ne", "is_null", "is_not_null", "is_in"];

/// Methods that every builder has: the setter of a field so named ends in `_`.
const BUILDER_METHODS: [&str; 4] = ["build", "insert", "get_or_insert", "upsert"];

pub(super) fn column(ident: &Ident, from: &Field, on: OnField, case: Option<Case>, errors: &mut Errors) -> Column {
    let ty = types::bare(&from.ty);
    let field = ident.to_string().trim_start_matches("r#").to_owned();
    let inner = argument(ty, "Option").cloned();
    let value = inner.as_ref().unwrap_or(ty);
    let shared = argument(value, "ForeignKey");
    let one_to_one = argument(value, "OneToOne");
    let target = shared.or(one_to_one).cloned();
    for key in ["via", "through", "inverse", "delete_orphans"]
        .into_iter()
        .filter(|key| on.spans.iter().any(|(other, _)| other == key))
    {
        errors.add(syn::Error::new(
            on.span(key),
            format!("`{field}` is a column: `{key}` is for the other side, a HasMany, HasOne or ManyToMany"),
        ));
    }
    if argument(value, "Option").is_some() {
        errors.fatal(ty, format!("`{field}` is an Option inside an Option: a column knows one NULL"));
    }
    if let Type::Reference(_) = value {
        errors
            .fatal(ty, format!("`{field}` borrows its value: a {} owns its values, such as a `String`", on.of.name()));
    }
    if let Some(target) = &target
        && is_key_value(last_word(target).as_deref())
    {
        errors.fatal(
            target,
            format!("`{field}` points at no model: name the model that it points at, whose key says the column's type"),
        );
    }
    let references = on.references.as_deref().filter(|_| target.is_some()).unwrap_or_default();
    if on.references.is_some() {
        check_references(&field, references, target.is_some(), &on, errors);
    }
    let by_rule = |suffix: &str| {
        let name = format!("{field}_{suffix}");
        case.map_or_else(|| name.clone(), |case| case.apply(&name))
    };
    let names: Vec<String> = match (&on.column, references) {
        (Some(name), []) => vec![name.value()],
        (None, []) if target.is_some() => vec![by_rule("id")],
        (None, []) => vec![case.map_or_else(|| field.clone(), |case| case.apply(&field))],
        (_, several) => {
            let name = |part: &Reference| part.name.as_ref().map_or_else(|| by_rule(&part.key), LitStr::value);
            several.iter().map(name).collect()
        }
    };
    let said = references.iter().map(|part| part.name.as_ref().map_or(ident.span(), LitStr::span));
    let said = said.chain(on.column.iter().map(LitStr::span)).chain([ident.span()]);
    for (name, span) in names.iter().zip(said) {
        check_name(name, span, errors);
    }
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
    for (key, action) in [("on_delete", &on.on_delete), ("on_update", &on.on_update)] {
        if let Some(word) = action.as_ref().filter(|word| on.references.is_none() || *word != "set_default") {
            self::action(&field, key, word, &on, target.is_some(), inner.is_some(), errors);
        }
    }
    if on.default.is_some() && on.db_default.is_some() {
        errors.add(syn::Error::new(
            on.span("db_default"),
            format!("`{field}` has two defaults: keep `default` or `db_default`"),
        ));
    }
    if on.key == Some(true) && inner.is_some() {
        errors.fatal(ty, null_key(&field));
    }
    let is_key = on.key.unwrap_or(field == "id" && inner.is_none());
    if is_key && types::is_float(word.as_deref()) {
        errors.fatal(ty, format!("`{field}` is a key, and a float is none: take an integer, a String or a Uuid"));
    }
    if let Some(expr) = &on.default {
        default(&field, expr, word.as_deref(), target.is_some(), errors);
    }
    if (on.unique || one_to_one.is_some()) && on.index == Some(true) {
        errors.add(syn::Error::new(on.span("index"), format!("`{field}` is unique, which is an index already")));
    }
    if on.version {
        let is_integer = types::is_integer(word.as_deref()) || types::is_unknown(word.as_deref());
        if is_key || inner.is_some() || target.is_some() || !is_integer {
            errors.fatal(
                ty,
                format!("`{field}` cannot count versions: only an integer that is no key and no Option can"),
            );
        }
        if on.default.is_some() || on.db_default.is_some() {
            let message = format!("`{field}` counts versions, and the first is 1: it takes no default");
            errors.add(syn::Error::new(on.span("version"), message));
        }
    }
    let default = match on.version {
        true => Some(syn::parse_quote!(1)),
        false => on.default.clone(),
    };
    let key = is_key.then(|| match word.as_deref() {
        word if types::is_integer(word) && on.generated != Some(false) => KeyKind::Database,
        // An integer by another name, or the compiler says that it is none.
        word if types::is_unknown(word) && on.generated == Some(true) => KeyKind::Database,
        // What a mapper stores makes its own.
        Some("Uuid") if on.generated != Some(false) && on.of == Of::Model => KeyKind::Client,
        _ => KeyKind::Given,
    });
    if on.generated == Some(true) && !matches!(key, Some(KeyKind::Database | KeyKind::Client)) {
        errors.add(syn::Error::new(
            on.span("generated"),
            match on.of {
                Of::Model => format!("`{field}` cannot be generated: only a key that is an integer or a Uuid can"),
                Of::Mapper => format!(
                    "`{field}` cannot be generated: only a key that is an integer can, and what a mapper stores makes its own Uuid"
                ),
            },
        ));
    }
    if on.generated == Some(false) && !is_key {
        errors
            .add(syn::Error::new(on.span("generated"), format!("`{field}` is no key: `generated` says nothing here")));
    }
    Column {
        ident: ident.clone(),
        unknown: types::is_unknown(word.as_deref()),
        generated: (on.generated == Some(true)).then(|| on.span("generated")),
        at: 0,
        names,
        references: references.iter().map(|part| part.key.clone()).collect(),
        references_at: if on.references.is_some() { on.span("references") } else { ident.span() },
        ty: ty.clone(),
        key,
        max_length: on.max_length,
        decimal,
        unique: on.unique || one_to_one.is_some(),
        // A foreign key has an index unless it says not to; one that no two rows share has one as it is.
        index: on.index.unwrap_or(shared.is_some() && !on.unique),
        default: default.filter(|_| references.is_empty()),
        db_default: on.db_default.map(|sql| sql.value()),
        check: on.check.map(|sql| sql.value()),
        on_delete: on.on_delete,
        on_update: on.on_update,
        path,
        setter: match BUILDER_METHODS.contains(&field.as_str()) {
            true => format_ident!("{ident}_"),
            false => ident.clone(),
        },
        docs: from.attrs.iter().filter(|attribute| attribute.path().is_ident("doc")).cloned().collect(),
        secret: on.secret,
        version: on.version,
        get: on.get,
        field,
        inner,
        target,
    }
}

/// What goes with `references`, and what does not: a foreign key of several columns has no one value.
fn check_references(field: &str, references: &[Reference], foreign: bool, on: &OnField, errors: &mut Errors) {
    if !foreign {
        let message = format!("`{field}` is no ForeignKey: `references` says nothing here");
        errors.add(syn::Error::new(on.span("references"), message));
        return;
    }
    if references.len() < 2 {
        let instead = match references {
            [] => "`references(order_id, number)`".to_owned(),
            _ => format!("the name of the one column of `{field}` is `column = \"…\"`"),
        };
        let message = format!("`references` names the columns of a key that has several: {instead}");
        errors.fatal(Ident::new("references", on.span("references")), message);
    }
    for (n, part) in references.iter().enumerate() {
        if references.iter().take(n).any(|other| other.key == part.key) {
            errors.add(syn::Error::new(part.span, format!("`{}` stands here twice", part.key)));
        }
    }
    for (key, instead) in [
        ("column", "name each where it is referenced, `references(order_id = \"…\")`"),
        ("default", "none of them has a default"),
        ("db_default", "none of them has a default"),
        ("check", "a check of them stands above the struct, `check(name = \"SQL\")`"),
    ] {
        if on.spans.iter().any(|(other, _)| other == key) {
            errors.add(syn::Error::new(on.span(key), format!("`{field}` has several columns: {instead}")));
        }
    }
    for (key, action) in [("on_delete", &on.on_delete), ("on_update", &on.on_update)] {
        if action.as_ref().is_some_and(|word| word == "set_default") {
            let message = format!("`{field}` has several columns, and no default: choose another action");
            errors.add(syn::Error::new(on.span(key), message));
        }
    }
}

pub(super) fn null_key(field: &str) -> String {
    format!("`{field}` is a key, and a key is never NULL: take the Option away")
}

/// A literal of another type than the field's. That of a foreign key is one of the key it points at.
fn default(field: &str, expr: &Expr, word: Option<&str>, foreign: bool, errors: &mut Errors) {
    if foreign {
        return;
    }
    let (is, wanted) = match types::literal(expr) {
        Some(Literal::Text(_)) => ("text", "String"),
        Some(Literal::Bool(_)) => ("true or false", "bool"),
        Some(Literal::Int(_)) if !types::is_integer(word) && known_other_than(word, "") => {
            ("a whole number", "integer")
        }
        _ => return,
    };
    if known_other_than(word, wanted) {
        errors.fatal(expr, format!("the default of `{field}` is {is}, and `{field}` is no {wanted}"));
    }
}

/// The name of a column's method on the path.
pub(super) fn method(ident: &Ident, field: &str, on: &OnField, errors: &mut Errors) -> Ident {
    let name = on.path.as_ref().map_or_else(|| field.to_owned(), |path| path.value());
    if PATH_METHODS.contains(&name.as_str()) {
        let span = on.path.as_ref().map_or(ident.span(), |path| path.span());
        errors.add(syn::Error::new(
            span,
            format!("`{name}` is a method of every path: say another with `#[{}(path = \"{name}_\")]`; the column keeps its name", on.of.name()),
        ));
        return format_ident!("{field}_");
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
                errors.at(ty, format!("`{field}` needs its digits: `#[{}(precision = 10, scale = 2)]`", on.of.name()));
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

/// What the database does when the row that is pointed at is deleted (`on_delete`) or takes another key (`on_update`).
fn action(field: &str, key: &str, action: &Ident, on: &OnField, foreign: bool, null: bool, errors: &mut Errors) {
    const ACTIONS: [&str; 4] = ["restrict", "cascade", "set_null", "set_default"];
    let word = action.to_string();
    if !foreign {
        errors.add(syn::Error::new(on.span(key), format!("`{field}` is no ForeignKey: `{key}` says nothing here")));
    } else if !ACTIONS.contains(&word.as_str()) {
        errors.at(action, crate::errors::unknown(&word, &ACTIONS).replace("unknown key", "unknown action"));
    } else if word == "set_null" && !null {
        errors
            .at(action, format!("`{field}` is never NULL: make it `Option<ForeignKey<…>>`, or choose another action"));
    } else if word == "set_default" && on.db_default.is_none() {
        match &on.default {
            None => errors.at(
                action,
                format!("`{field}` has no default: say one with `default`, or choose another action"),
            ),
            Some(expr) if types::literal(expr).is_none() => errors.at(
                expr,
                format!("the database does not know this default of `{field}`: say the key itself, `default = 1`, or SQL with `db_default`"),
            ),
            Some(_) => {}
        }
    }
}

fn wrong_type(on: &OnField, key: &str, field: &str, what: &str, ty: &str) -> syn::Error {
    syn::Error::new(on.span(key), format!("`{key}` is for {what}: `{field}` is no {ty}"))
}
