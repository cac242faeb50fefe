//! `#[model(…)]` and `#[mapper(…)]`: what stands in them, before anything is checked against the types.

use proc_macro2::Span;
use syn::ext::IdentExt as _;
use syn::meta::ParseNestedMeta;
use syn::parse::ParseStream;
use syn::spanned::Spanned;
use syn::{Attribute, Expr, ExprLit, Ident, Lit, LitInt, LitStr, Path, Token, Type};

use super::habits;
use super::names::{CASES, Case};
use super::related::Through;
use super::types;
use crate::errors::{Errors, list, unknown};

/// Whose attributes they are. Most keys are the same in both.
#[derive(Clone, Copy, Default, PartialEq)]
pub(super) enum Of {
    #[default]
    Model,
    Mapper,
}

impl Of {
    /// The attribute's name, and what the struct is called in messages.
    pub(super) fn name(self) -> &'static str {
        match self {
            Self::Model => "model",
            Self::Mapper => "mapper",
        }
    }

    fn struct_keys(self) -> Vec<&'static str> {
        match self {
            Self::Model => STRUCT_KEYS.to_vec(),
            Self::Mapper => MAPPER_STRUCT_KEYS.iter().chain(&STRUCT_KEYS).copied().collect(),
        }
    }

    fn field_keys(self) -> Vec<&'static str> {
        let keys = FIELD_KEYS.into_iter().filter(|key| self == Self::Model || !is_of_model(key));
        keys.chain((self == Self::Mapper).then_some("get")).collect()
    }
}

/// `#[model(…)]` on the struct.
#[derive(Default)]
pub(super) struct OnStruct {
    pub(super) table: Option<LitStr>,
    pub(super) schema: Option<LitStr>,
    /// How columns are named; as their fields where nothing is said.
    pub(super) case: Option<Case>,
    pub(super) krate: Option<Path>,
    pub(super) indexes: Vec<Index>,
    pub(super) checks: Vec<(Ident, LitStr)>,
    pub(super) strict: bool,
    pub(super) autoincrement: bool,
    /// Of a mapper, what is stored, and how it is made of its columns.
    pub(super) entity: Option<Type>,
    pub(super) build: Option<Path>,
    pub(super) try_build: Option<Path>,
    /// The keys that stand there once.
    pub(super) seen: Vec<String>,
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
    pub(super) key: Option<bool>,
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
    pub(super) on_update: Option<Ident>,
    /// The columns of the key that a foreign key points at, where they are several.
    pub(super) references: Option<Vec<Reference>>,
    /// The foreign key that a relation mirrors.
    pub(super) via: Option<Ident>,
    /// The table or the model that links.
    pub(super) through: Option<Through>,
    /// The other side of a relation of a model with itself.
    pub(super) inverse: Option<Ident>,
    pub(super) path: Option<LitStr>,
    pub(super) secret: bool,
    pub(super) version: bool,
    pub(super) delete_orphans: bool,
    pub(super) skip: bool,
    /// Of a mapper, what gives the column's value.
    pub(super) get: Option<Expr>,
    /// Whose attribute it is.
    pub(super) of: Of,
    /// Where each key stands, for faults found later.
    pub(super) spans: Vec<(String, Span)>,
}

/// A column of the key that a foreign key points at, and the name of the foreign key's own where it is said:
/// `order_id`, `order_id = "shipment_order"`.
pub(super) struct Reference {
    pub(super) key: String,
    pub(super) span: Span,
    pub(super) name: Option<LitStr>,
}

const STRUCT_KEYS: [&str; 9] =
    ["table", "schema", "rename_all", "crate", "index", "unique", "check", "strict", "autoincrement"];
const MAPPER_STRUCT_KEYS: [&str; 3] = ["entity", "build", "try_build"];
const FIELD_KEYS: [&str; 22] = [
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
    "on_update",
    "references",
    "via",
    "through",
    "inverse",
    "path",
    "secret",
    "skip",
    "version",
    "delete_orphans",
];

impl OnStruct {
    pub(super) fn parse(of: Of, attributes: &[Attribute], errors: &mut Errors) -> Self {
        let mut this = Self::default();
        each_key(of.name(), attributes, errors, |key, meta, errors| {
            if !["index", "unique", "check"].contains(&key) {
                if this.seen.iter().any(|other| other == key) {
                    errors.at(&meta.path, twice(key));
                }
                this.seen.push(key.to_owned());
            }
            match key {
                "table" => this.table = Some(text(meta)?),
                "schema" => this.schema = Some(text(meta)?),
                "rename_all" => this.case = Some(case(meta)?),
                "crate" => this.krate = Some(text(meta)?.parse()?),
                "index" => this.indexes.push(Index::parse(meta, false)?),
                "unique" => this.indexes.push(Index::parse(meta, true)?),
                "check" => this.checks.extend(checks(meta)?),
                "strict" => this.strict = flag(meta)?,
                "autoincrement" => this.autoincrement = flag(meta)?,
                "entity" if of == Of::Mapper => this.entity = Some(entity(meta)?),
                "build" if of == Of::Mapper => this.build = Some(constructor(meta)?),
                "try_build" if of == Of::Mapper => this.try_build = Some(constructor(meta)?),
                _ => {
                    let message = match of.field_keys().contains(&key) && key != "key" {
                        true => format!("`{key}` stands on a field, not above the struct"),
                        false => unknown_key(key, false, &of.struct_keys()),
                    };
                    errors.at(&meta.path, message);
                    skip_value(meta)?;
                }
            }
            Ok(())
        });
        this
    }
}

impl OnField {
    pub(super) fn parse(of: Of, attributes: &[Attribute], errors: &mut Errors) -> Self {
        let mut this = Self { of, ..Self::default() };
        each_key(of.name(), attributes, errors, |key, meta, errors| {
            if of == Of::Mapper && is_of_model(key) {
                errors.at(&meta.path, not_of_mapper(key));
                return skip_value(meta);
            }
            if this.spans.iter().any(|(other, _)| other == key) {
                errors.at(&meta.path, twice(key));
            }
            this.spans.push((key.to_owned(), meta.path.span()));
            match key {
                "key" => this.key = Some(flag(meta)?),
                "column" => this.column = Some(text(meta)?),
                "max_length" => this.max_length = Some(number(meta)?),
                "precision" => this.precision = Some(number(meta)?),
                "scale" => this.scale = Some(number(meta)?),
                "unique" => this.unique = flag(meta)?,
                "index" => this.index = Some(flag(meta)?),
                "default" => this.default = Some(types::bare_expr(&value(meta, "a value")?.parse()?).clone()),
                "db_default" => this.db_default = Some(text(meta)?),
                "check" => this.check = Some(text(meta)?),
                "generated" => this.generated = Some(flag(meta)?),
                "on_delete" => this.on_delete = Some(word(meta, "cascade")?),
                "on_update" => this.on_update = Some(word(meta, "cascade")?),
                "references" => this.references = Some(references(meta)?),
                "via" => this.via = Some(word(meta, "author")?),
                "through" => this.through = Some(through(meta)?),
                "inverse" => this.inverse = Some(word(meta, "followers")?),
                "path" => this.path = Some(text(meta)?),
                "secret" => this.secret = flag(meta)?,
                "version" => this.version = flag(meta)?,
                "delete_orphans" => this.delete_orphans = flag(meta)?,
                "skip" => this.skip = flag(meta)?,
                "get" if of == Of::Mapper => this.get = Some(getter(meta)?),
                _ => {
                    let message = match of.struct_keys().contains(&key) {
                        true => format!("`{key}` stands above the struct, not on a field"),
                        false => unknown_key(key, true, &of.field_keys()),
                    };
                    errors.at(&meta.path, message);
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
        if !meta.input.peek(syn::token::Paren) {
            let key = name(meta);
            return Err(syn::Error::new(
                meta.path.span(),
                format!("`{key}` above the struct names its fields: `{key}(a, b)`"),
            ));
        }
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

/// Reads what stands in the attributes of this name, key by key.
pub(crate) fn each_key(
    of: &str,
    attributes: &[Attribute],
    errors: &mut Errors,
    mut read: impl FnMut(&str, &ParseNestedMeta<'_>, &mut Errors) -> syn::Result<()>,
) {
    for attribute in attributes.iter().filter(|attribute| attribute.path().is_ident(of)) {
        let parsed = attribute.parse_nested_meta(|meta| {
            // The keys behind a wrong value are read all the same.
            if let Err(error) = read(&name(&meta), &meta, errors) {
                errors.add(error);
            }
            Ok(())
        });
        if let Err(error) = parsed {
            errors.add(error);
        }
    }
}

pub(crate) fn twice(key: &str) -> String {
    format!("`{key}` stands here twice")
}

fn unknown_key(key: &str, on_field: bool, known: &[&str]) -> String {
    match habits::instead(key, on_field) {
        Some(instead) => format!("unknown key `{key}`: {instead}"),
        None => unknown(key, known),
    }
}

/// What follows `key =`.
fn value<'a>(meta: &ParseNestedMeta<'a>, what: &str) -> syn::Result<ParseStream<'a>> {
    if meta.input.peek(Token![=]) {
        return meta.value();
    }
    let name = name(meta);
    Err(syn::Error::new(meta.path.span(), format!("`{name}` takes {what}: `{name} = …`")))
}

pub(crate) fn text(meta: &ParseNestedMeta<'_>) -> syn::Result<LitStr> {
    let expected = "text in quotes";
    match types::bare_expr(&value(meta, expected)?.parse()?) {
        Expr::Lit(ExprLit { lit: Lit::Str(text), .. }) => Ok(text.clone()),
        other => Err(syn::Error::new_spanned(other, format!("`{}` takes {expected}", name(meta)))),
    }
}

fn number(meta: &ParseNestedMeta<'_>) -> syn::Result<LitInt> {
    let expected = "a whole number";
    match types::bare_expr(&value(meta, expected)?.parse()?) {
        Expr::Lit(ExprLit { lit: Lit::Int(number), .. }) => Ok(number.clone()),
        other => Err(syn::Error::new_spanned(other, format!("`{}` takes {expected}", name(meta)))),
    }
}

/// `index` alone is true; `index = false` says no.
pub(crate) fn flag(meta: &ParseNestedMeta<'_>) -> syn::Result<bool> {
    if !meta.input.peek(Token![=]) {
        return Ok(true);
    }
    match types::bare_expr(&meta.value()?.parse()?) {
        Expr::Lit(ExprLit { lit: Lit::Bool(value), .. }) => Ok(value.value),
        other => Err(syn::Error::new_spanned(other, format!("`{}` is `true` or `false`", name(meta)))),
    }
}

fn word(meta: &ParseNestedMeta<'_>, such_as: &str) -> syn::Result<Ident> {
    let expected = "a word without quotes";
    match types::bare_expr(&value(meta, expected)?.parse()?) {
        Expr::Path(path) if path.path.get_ident().is_some() => path.path.require_ident().cloned(),
        other => {
            let key = name(meta);
            Err(syn::Error::new_spanned(other, format!("`{key}` takes {expected}: `{key} = {such_as}`")))
        }
    }
}

/// Keys of a model's fields that a mapper's have not.
fn is_of_model(key: &str) -> bool {
    ["default", "skip", "version", "references", "via", "through", "inverse", "delete_orphans"].contains(&key)
}

fn not_of_mapper(key: &str) -> String {
    let instead = match key {
        "default" => "it is the builder's, and a mapper has none: what the database gives is `db_default = \"SQL\"`",
        "version" => "what it stores counts its own versions, or none",
        "skip" => "each of its fields is a column: leave the field out",
        "references" => "its foreign keys have one column: map the columns as they are",
        _ => "it has columns, and no relations that are kept in other tables",
    };
    format!("a mapper has no `{key}`: {instead}")
}

/// `entity = domain::Account`.
fn entity(meta: &ParseNestedMeta<'_>) -> syn::Result<Type> {
    let expected = "the type that is stored";
    let ty: Type = value(meta, expected)?.parse()?;
    match types::bare(&ty) {
        Type::Path(_) => Ok(types::bare(&ty).clone()),
        _ => Err(syn::Error::new_spanned(ty, format!("`entity` takes {expected}: `entity = domain::Account`"))),
    }
}

/// `build = domain::Account::new`.
fn constructor(meta: &ParseNestedMeta<'_>) -> syn::Result<Path> {
    let expected = "the path of a function";
    match types::bare_expr(&value(meta, expected)?.parse()?) {
        Expr::Path(path) if path.qself.is_none() => Ok(path.path.clone()),
        other => {
            let key = name(meta);
            Err(syn::Error::new_spanned(other, format!("`{key}` takes {expected}: `{key} = domain::Account::new`")))
        }
    }
}

/// `get = |account| account.number()`.
fn getter(meta: &ParseNestedMeta<'_>) -> syn::Result<Expr> {
    let expected = "a closure or the path of a function";
    match types::bare_expr(&value(meta, expected)?.parse()?) {
        get @ (Expr::Closure(_) | Expr::Path(_)) => Ok(get.clone()),
        other => Err(syn::Error::new_spanned(other, format!("`get` takes {expected}: `get = |it| it.name()`"))),
    }
}

/// `references(order_id, number = "line_no")`; nothing where nothing is named.
fn references(meta: &ParseNestedMeta<'_>) -> syn::Result<Vec<Reference>> {
    if !meta.input.peek(syn::token::Paren) {
        return Ok(Vec::new());
    }
    let inside;
    syn::parenthesized!(inside in meta.input);
    let references = inside.parse_terminated(Reference::parse, Token![,])?;
    Ok(references.into_iter().collect())
}

impl Reference {
    fn parse(input: ParseStream<'_>) -> syn::Result<Self> {
        // A column may have a name that is no word of Rust's.
        let (key, span) = match input.parse::<Option<LitStr>>()? {
            Some(text) => (text.value(), text.span()),
            None => {
                let word = input.call(Ident::parse_any)?;
                (word.to_string().trim_start_matches("r#").to_owned(), word.span())
            }
        };
        let name = match input.parse::<Option<Token![=]>>()? {
            Some(_) => Some(input.parse()?),
            None => None,
        };
        Ok(Self { key, span, name })
    }
}

fn through(meta: &ParseNestedMeta<'_>) -> syn::Result<Through> {
    let expected = "a table's name in quotes, or a model";
    match types::bare_expr(&value(meta, expected)?.parse()?) {
        Expr::Lit(ExprLit { lit: Lit::Str(text), .. }) => Ok(Through::Table(text.clone())),
        Expr::Path(path) => Ok(Through::Model(path.path.clone())),
        other => Err(syn::Error::new_spanned(other, format!("`through` takes {expected}: `through = Enrollment`"))),
    }
}

pub(crate) fn case(meta: &ParseNestedMeta<'_>) -> syn::Result<Case> {
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
pub(crate) fn skip_value(meta: &ParseNestedMeta<'_>) -> syn::Result<()> {
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
    meta.path.get_ident().map(|name| name.to_string().trim_start_matches("r#").to_owned()).unwrap_or_default()
}
