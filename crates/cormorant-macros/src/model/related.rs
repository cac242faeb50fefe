//! A field that holds related rows of another table, checked.

use quote::ToTokens as _;
use syn::{Attribute, Field, Ident, LitStr, Path, Type};

use super::attributes::OnField;
use super::column::method;
use super::types::{argument, bare};
use crate::errors::Errors;

/// A relation that is kept in the other table, or in one of links.
pub(super) struct Related {
    pub(super) ident: Ident,
    /// The field's name without `r#`.
    pub(super) field: String,
    pub(super) ty: Type,
    pub(super) kind: Kind,
    /// The model of the related rows.
    pub(super) target: Type,
    /// The field of the foreign key that it mirrors.
    pub(super) via: Option<Ident>,
    pub(super) through: Option<Through>,
    /// Of a relation of a model with itself, the field that is its other side.
    pub(super) inverse: Option<Ident>,
    /// Whether a session deletes what it takes away.
    pub(super) delete_orphans: bool,
    /// The name of its method on the path.
    pub(super) path: Ident,
    pub(super) docs: Vec<Attribute>,
}

#[derive(Clone, Copy, PartialEq)]
pub(super) enum Kind {
    HasMany,
    HasOne,
    ManyToMany,
}

/// The table of links.
pub(super) enum Through {
    Table(LitStr),
    Model(Path),
}

const KINDS: [(&str, Kind); 3] =
    [("HasMany", Kind::HasMany), ("HasOne", Kind::HasOne), ("ManyToMany", Kind::ManyToMany)];

/// The keys that a relation takes.
const KEYS: [&str; 5] = ["via", "through", "inverse", "path", "delete_orphans"];

/// Methods of a record: a relation so named could not be told from them.
const RECORD_METHODS: [&str; 9] =
    ["insert", "save", "delete", "refresh", "load", "new", "is_saved", "is_changed", "into_inner"];

/// Functions of a model: a relation so named would stand before them.
const MODEL_FUNCTIONS: [&str; 7] = ["builder", "query", "filter", "get", "find", "get_many", "insert_many"];

/// The kind and the model of a field that is a relation.
pub(super) fn kind(ty: &Type) -> Option<(Kind, &Type)> {
    KINDS.into_iter().find_map(|(name, kind)| Some((kind, argument(ty, name)?)))
}

/// Refuses a relation in an Option: no related rows are none as they are.
pub(super) fn refuse_option(field: &Field, errors: &mut Errors) -> bool {
    let Some((name, _)) =
        argument(&field.ty, "Option").and_then(|ty| KINDS.into_iter().find(|(name, _)| argument(ty, name).is_some()))
    else {
        return false;
    };
    errors.at(&field.ty, format!("a {name} may be empty already: write it without Option"));
    true
}

pub(super) fn related(
    ident: &Ident,
    from: &Field,
    on: OnField,
    kind: Kind,
    target: &Type,
    errors: &mut Errors,
) -> Related {
    let field = ident.to_string().trim_start_matches("r#").to_owned();
    for (key, span) in on.spans.iter().filter(|(key, _)| !KEYS.contains(&key.as_str())) {
        let message = format!("`{field}` is a relation and no column: `{key}` says nothing here");
        errors.add(syn::Error::new(*span, message));
    }
    if kind != Kind::ManyToMany {
        for key in ["through", "inverse"].into_iter().filter(|key| on.spans.iter().any(|(other, _)| other == key)) {
            let message = format!("`{key}` is for a ManyToMany: `{field}` has no table of links");
            errors.add(syn::Error::new(on.span(key), message));
        }
    }
    if kind == Kind::ManyToMany && on.via.is_some() && !matches!(on.through, Some(Through::Model(_))) {
        let message =
            format!("`via` of `{field}` names a foreign key of the model that links: it goes with `through = Model`");
        errors.add(syn::Error::new(on.span("via"), message));
    }
    if kind != Kind::HasMany && on.delete_orphans {
        let message = format!("`delete_orphans` is for a HasMany: what `{field}` leads to has other rows to belong to");
        errors.add(syn::Error::new(on.span("delete_orphans"), message));
    }
    if RECORD_METHODS.contains(&field.as_str()) {
        errors.at(ident, format!("`{field}` is a method of every record: call the relation by another name"));
    }
    if MODEL_FUNCTIONS.contains(&field.as_str()) && kind != Kind::HasOne {
        errors.at(ident, format!("`{field}` is a function of every model: call the relation by another name"));
    }
    Related {
        ident: ident.clone(),
        ty: bare(&from.ty).clone(),
        kind,
        target: target.clone(),
        path: method(ident, &field, &on, errors),
        via: on.via,
        through: on.through,
        inverse: on.inverse,
        delete_orphans: on.delete_orphans,
        docs: from.attrs.iter().filter(|attribute| attribute.path().is_ident("doc")).cloned().collect(),
        field,
    }
}

impl Related {
    /// The related model's name, for messages.
    pub(super) fn target_name(&self) -> String {
        super::types::last_word(&self.target).unwrap_or_else(|| self.target.to_token_stream().to_string())
    }

    /// The name of its table of links, where it is given.
    fn through_table(&self) -> Option<String> {
        match &self.through {
            Some(Through::Table(name)) => Some(name.value()),
            _ => None,
        }
    }

    /// Whether its links stand in a table that no model describes.
    pub(super) fn is_linked(&self) -> bool {
        self.kind == Kind::ManyToMany && !matches!(self.through, Some(Through::Model(_)))
    }
}

/// The other side of a relation of a model with itself is one of its fields, which names this one.
pub(super) fn check_inverses(related: &[Related], errors: &mut Errors) {
    for this in related {
        let Some(inverse) = &this.inverse else { continue };
        match related.iter().find(|other| other.ident == *inverse) {
            None => errors.at(inverse, format!("`{inverse}` is no relation of this model: the other side of a relation of a model with itself is a field beside it; two models need no `inverse`")),
            Some(other) if other.inverse.as_ref() != Some(&this.ident) => {
                errors.at(inverse, format!("`{}` does not name `{}` as its other side: say `inverse = {}` there", other.field, this.field, this.field));
            }
            Some(other) if this.through_table() != other.through_table() => {
                errors.at(&this.ident, format!("`{}` and `{}` are two sides of one relation: say the same `through` on both", this.field, other.field));
            }
            Some(_) => {}
        }
    }
}
