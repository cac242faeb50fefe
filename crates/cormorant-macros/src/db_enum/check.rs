//! An enum and its attributes, checked: what the expansion can rely on.

use proc_macro2::Span;
use quote::ToTokens as _;
use syn::spanned::Spanned as _;
use syn::{Attribute, Data, DeriveInput, Fields, Ident, LitStr, Path, Variant};

use crate::errors::{Errors, unknown};
use crate::hygiene::Taken;
use crate::model::attributes::{case, each_key, flag, skip_value, text, twice};
use crate::model::names::Case;

/// An enum that can be expanded.
pub(super) struct DbEnum {
    pub(super) ident: Ident,
    pub(super) krate: Path,
    /// Whether the discriminants are stored, instead of the texts.
    pub(super) integer: bool,
    /// The variants and their texts.
    pub(super) variants: Vec<(Ident, String)>,
    /// The names that the expansion may not take.
    pub(super) taken: Taken,
    /// Faults beside which it can be expanded.
    pub(super) faults: Option<syn::Error>,
}

/// `#[db_enum(…)]` on the enum.
#[derive(Default)]
struct OnEnum {
    case: Option<Case>,
    krate: Option<Path>,
    integer: bool,
    rename_all: Option<Span>,
}

const ENUM_KEYS: [&str; 3] = ["rename_all", "integer", "crate"];
const VARIANT_KEYS: [&str; 1] = ["rename"];

pub(super) fn check(input: &DeriveInput) -> syn::Result<DbEnum> {
    let mut errors = Errors::default();
    let on = on_enum(&input.attrs, &mut errors);
    let ident = &input.ident;
    let declared = match &input.data {
        Data::Enum(data) => Some(&data.variants),
        Data::Struct(_) | Data::Union(_) => {
            errors.fatal(ident, "`DbEnum` is for an enum: a struct is a model, `#[derive(Model)]`");
            None
        }
    };
    if !input.generics.params.is_empty() {
        errors.fatal(&input.generics, "`DbEnum` is for an enum without parameters: its variants have no fields");
    }
    if declared.is_some_and(|variants| variants.is_empty()) {
        errors.fatal(ident, format!("`{ident}` has no variants, and a column holds one of them: name at least one"));
    }
    if let (true, Some(place)) = (on.integer, on.rename_all) {
        errors.add(syn::Error::new(place, "an `integer` enum stores no texts: `rename_all` says nothing here"));
    }
    let variants: Vec<_> = declared.into_iter().flatten().map(|declared| variant(declared, &on, &mut errors)).collect();
    if !on.integer {
        unique_texts(&variants, &mut errors);
    }
    let faults = errors.finish()?;
    Ok(DbEnum {
        ident: ident.clone(),
        krate: on.krate.unwrap_or_else(|| syn::parse_quote!(::cormorant)),
        integer: on.integer,
        variants,
        taken: Taken::by(input.to_token_stream()),
        faults,
    })
}

fn on_enum(attributes: &[Attribute], errors: &mut Errors) -> OnEnum {
    let mut this = OnEnum::default();
    let mut seen: Vec<String> = Vec::new();
    each_key("db_enum", attributes, errors, |key, meta, errors| {
        if seen.iter().any(|other| other == key) {
            errors.at(&meta.path, twice(key));
        }
        seen.push(key.to_owned());
        match key {
            "rename_all" => {
                this.rename_all = Some(meta.path.span());
                this.case = Some(case(meta)?);
            }
            "integer" => this.integer = flag(meta)?,
            "crate" => this.krate = Some(text(meta)?.parse()?),
            _ => {
                let message = match VARIANT_KEYS.contains(&key) {
                    true => format!("`{key}` stands on a variant, not above the enum"),
                    false => unknown(key, &ENUM_KEYS),
                };
                errors.at(&meta.path, message);
                skip_value(meta)?;
            }
        }
        Ok(())
    });
    this
}

/// A variant and its text.
fn variant(variant: &Variant, on: &OnEnum, errors: &mut Errors) -> (Ident, String) {
    let ident = &variant.ident;
    let name = ident.to_string().trim_start_matches("r#").to_owned();
    if !matches!(variant.fields, Fields::Unit) {
        errors.fatal(
            &variant.fields,
            format!(
                "`{name}` has fields, and a column holds only which variant it is: keep them in columns of their own"
            ),
        );
    }
    let rename = rename(&variant.attrs, on.integer, errors);
    let text = rename.map_or_else(|| on.case.unwrap_or_default().apply(&name), |text| text.value());
    (ident.clone(), text)
}

/// `#[db_enum(rename = "…")]` on a variant.
fn rename(attributes: &[Attribute], integer: bool, errors: &mut Errors) -> Option<LitStr> {
    let mut rename: Option<LitStr> = None;
    each_key("db_enum", attributes, errors, |key, meta, errors| {
        if key != "rename" {
            let message = match ENUM_KEYS.contains(&key) {
                true => format!("`{key}` stands above the enum, not on a variant"),
                false => unknown(key, &VARIANT_KEYS),
            };
            errors.at(&meta.path, message);
            return skip_value(meta);
        }
        if rename.is_some() {
            errors.at(&meta.path, twice(key));
        }
        let text = text(meta)?;
        if integer {
            errors.at(&meta.path, "an `integer` enum stores no texts: the number is the discriminant, `Variant = 1`");
        } else if text.value().contains('\0') {
            errors.at(&text, "the text holds NUL, which not every database stores");
        }
        rename = Some(text);
        Ok(())
    });
    rename
}

fn unique_texts(variants: &[(Ident, String)], errors: &mut Errors) {
    for (n, (ident, text)) in variants.iter().enumerate() {
        if let Some((other, _)) = variants.iter().take(n).find(|(_, other)| other == text) {
            errors.at(
                ident,
                format!("`{other}` and `{ident}` are both the text \"{text}\": say another with `#[db_enum(rename = \"…\")]`"),
            );
        }
    }
}
