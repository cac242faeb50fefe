//! `#[model(…)]`: what stands in it, before anything is checked against the types.

use proc_macro2::Span;
use syn::meta::ParseNestedMeta;
use syn::spanned::Spanned;
use syn::{Attribute, Expr, Ident, Lit, LitBool, LitInt, LitStr, Path, Token};

use super::names::{CASES, Case};
use crate::errors::{Errors, list, unknown};

/// `#[model(…)]` on the struct.
#[derive(Default)]
pub(super) struct OnStruct {
    pub(super) table: Option<LitStr>,
    pub(super) schema: Option<LitStr>,
    pub(super) case: Case,
    pub(super) krate: Option<Path>,
    pub(super) indexes: Vec<Index>,
    pub(super) checks: Vec<(Ident, LitStr)>,
    pub(super) strict: bool,
    pub(super) autoincrement: bool,
}

/// `index(a, b, name = "…")` or `unique(a, b)`.
pub(super) struct Index {
    pub(super) fields: Vec<Ident>,
    pub(super) name: Option<LitStr>,
    pub(super) unique: bool,
}

/// `#[model(…)]` on a field.
#[derive(Default)]
pub(super) struct OnField {
    pub(super) key: bool,
    pub(super) column: Option<LitStr>,
    pub(super) max_length: Option<LitInt>,
    pub(super) precision: Option<LitInt>,
    pub(super) scale: Option<LitInt>,
    pub(super) unique: bool,
    pub(super) index: Option<bool>,
    pub(super) default: Option<Expr>,
    pub(super) db_default: Option<LitStr>,
    pub(super) check: Option<LitStr>,
    pub(super) generated: Option<bool>,
    pub(super) on_delete: Option<Ident>,
    pub(super) path: Option<LitStr>,
    pub(super) secret: bool,
    pub(super) skip: bool,
    /// Where each key stands, for faults found later.
    pub(super) spans: Vec<(String, Span)>,
}

const STRUCT_KEYS: [&str; 9] =
    ["table", "schema", "rename_all", "crate", "index", "unique", "check", "strict", "autoincrement"];
const FIELD_KEYS: [&str; 15] = [
    "key",
    "column",
    "max_length",
    "precision",
    "scale",
    "unique",
    "index",
    "default",
    "db_default",
    "check",
    "generated",
    "on_delete",
    "path",
    "secret",
    "skip",
];

impl OnStruct {
    pub(super) fn parse(attributes: &[Attribute], errors: &mut Errors) -> Self {
        let mut this = Self::default();
        each_key(attributes, errors, |key, meta, errors| {
            match key {
                "table" => this.table = Some(text(meta)?),
                "schema" => this.schema = Some(text(meta)?),
                "rename_all" => this.case = case(meta)?,
                "crate" => this.krate = Some(text(meta)?.parse()?),
                "index" => this.indexes.push(Index::parse(meta, false)?),
                "unique" => this.indexes.push(Index::parse(meta, true)?),
                "check" => this.checks.extend(checks(meta)?),
                "strict" => this.strict = true,
                "autoincrement" => this.autoincrement = true,
                _ => {
                    errors.at(&meta.path, unknown(key, &STRUCT_KEYS));
                    skip_value(meta)?;
                }
            }
            Ok(())
        });
        this
    }
}

impl OnField {
    pub(super) fn parse(attributes: &[Attribute], errors: &mut Errors) -> Self {
        let mut this = Self::default();
        each_key(attributes, errors, |key, meta, errors| {
            if this.spans.iter().any(|(other, _)| other == key) {
                errors.at(&meta.path, format!("`{key}` stands here twice"));
            }
            this.spans.push((key.to_owned(), meta.path.span()));
            match key {
                "key" => this.key = true,
                "column" => this.column = Some(text(meta)?),
                "max_length" => this.max_length = Some(number(meta)?),
                "precision" => this.precision = Some(number(meta)?),
                "scale" => this.scale = Some(number(meta)?),
                "unique" => this.unique = true,
                "index" => this.index = Some(flag(meta)?),
                "default" => this.default = Some(meta.value()?.parse()?),
                "db_default" => this.db_default = Some(text(meta)?),
                "check" => this.check = Some(text(meta)?),
                "generated" => this.generated = Some(flag(meta)?),
                "on_delete" => this.on_delete = Some(meta.value()?.parse()?),
                "path" => this.path = Some(text(meta)?),
                "secret" => this.secret = true,
                "skip" => this.skip = true,
                _ => {
                    errors.at(&meta.path, unknown(key, &FIELD_KEYS));
                    skip_value(meta)?;
                }
            }
            Ok(())
        });
        this
    }

    /// Where a key stands.
    pub(super) fn span(&self, key: &str) -> Span {
        self.spans.iter().find(|(other, _)| other == key).map_or_else(Span::call_site, |(_, span)| *span)
    }
}

impl Index {
    fn parse(meta: &ParseNestedMeta<'_>, unique: bool) -> syn::Result<Self> {
        let mut index = Self { fields: Vec::new(), name: None, unique };
        meta.parse_nested_meta(|inner| {
            if inner.path.is_ident("name") && inner.input.peek(Token![=]) {
                index.name = Some(text(&inner)?);
            } else {
                index.fields.push(inner.path.require_ident()?.clone());
            }
            Ok(())
        })?;
        if index.fields.is_empty() {
            return Err(meta.error("name the fields: `index(a, b)`"));
        }
        Ok(index)
    }
}

fn each_key(
    attributes: &[Attribute],
    errors: &mut Errors,
    mut read: impl FnMut(&str, &ParseNestedMeta<'_>, &mut Errors) -> syn::Result<()>,
) {
    for attribute in attributes.iter().filter(|attribute| attribute.path().is_ident("model")) {
        let parsed = attribute.parse_nested_meta(|meta| {
            let key = meta.path.get_ident().map(ToString::to_string).unwrap_or_default();
            read(key.trim_start_matches("r#"), &meta, errors)
        });
        if let Err(error) = parsed {
            errors.add(error);
        }
    }
}

fn text(meta: &ParseNestedMeta<'_>) -> syn::Result<LitStr> {
    match meta.value()?.parse::<Lit>()? {
        Lit::Str(text) => Ok(text),
        other => Err(syn::Error::new(other.span(), format!("`{}` takes text: \"…\"", name(meta)))),
    }
}

fn number(meta: &ParseNestedMeta<'_>) -> syn::Result<LitInt> {
    match meta.value()?.parse::<Lit>()? {
        Lit::Int(number) => Ok(number),
        other => Err(syn::Error::new(other.span(), format!("`{}` takes a whole number", name(meta)))),
    }
}

/// `index` alone is true; `index = false` says so.
fn flag(meta: &ParseNestedMeta<'_>) -> syn::Result<bool> {
    if meta.input.peek(Token![=]) {
        return Ok(meta.value()?.parse::<LitBool>()?.value);
    }
    Ok(true)
}

fn case(meta: &ParseNestedMeta<'_>) -> syn::Result<Case> {
    let text = text(meta)?;
    match CASES.iter().find(|(name, _)| *name == text.value()) {
        Some((_, case)) => Ok(*case),
        None => {
            let known: Vec<&str> = CASES.iter().map(|(name, _)| *name).collect();
            Err(syn::Error::new(text.span(), format!("`rename_all` is one of {}", list(&known))))
        }
    }
}

/// `check(positive = "price > 0", other = "…")`.
fn checks(meta: &ParseNestedMeta<'_>) -> syn::Result<Vec<(Ident, LitStr)>> {
    let mut checks = Vec::new();
    meta.parse_nested_meta(|inner| {
        checks.push((inner.path.require_ident()?.clone(), text(&inner)?));
        Ok(())
    })?;
    Ok(checks)
}

/// An unknown key's value is passed over, so that the keys behind it are read.
fn skip_value(meta: &ParseNestedMeta<'_>) -> syn::Result<()> {
    if meta.input.peek(Token![=]) {
        meta.value()?.parse::<Expr>()?;
    } else if meta.input.peek(syn::token::Paren) {
        let inside;
        syn::parenthesized!(inside in meta.input);
        inside.parse::<proc_macro2::TokenStream>()?;
    }
    Ok(())
}

fn name(meta: &ParseNestedMeta<'_>) -> String {
    meta.path.get_ident().map(ToString::to_string).unwrap_or_default()
}
