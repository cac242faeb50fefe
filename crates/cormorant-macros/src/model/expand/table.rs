//! The table's definition, as a constant.

use proc_macro2::{Ident, TokenStream};
use quote::{quote, quote_spanned};
use syn::Expr;
use syn::spanned::Spanned as _;

use super::{Names, related};
use crate::model::check::Model;
use crate::model::column::{Column, KeyKind};
use crate::model::names::singular;
use crate::model::types::{Literal, literal};

pub(super) fn expand(model: &Model, names: &Names) -> TokenStream {
    let Names { support, table: static_name, many, .. } = names;
    let Model { ident, name, table, strict, autoincrement, .. } = model;
    let singular = singular(name);
    let links = related::links(model, names);
    let schema = optional(model.schema.as_deref());
    let columns = model.columns.iter().enumerate().flat_map(|(number, of)| {
        if of.is_composite() {
            return composite(of, support);
        }
        let column = column(of, support);
        match model.indexes.iter().any(|index| index.columns.contains(&number)) {
            true => vec![quote!(#column.indexable())],
            false => vec![column],
        }
    });
    let key = model.columns.iter().filter(|column| column.key.is_some()).flat_map(Column::positions);
    let relations = model.columns.iter().filter_map(|column| relation(column, name, support));
    let references = model.columns.iter().filter_map(|column| assert_references(column, name, support));
    let indexes = model.indexes.iter().map(|index| {
        let columns = index.columns.iter().filter_map(|number| model.columns.get(*number)).flat_map(Column::positions);
        let (name, unique) = (optional(index.name.as_deref()), index.unique);
        quote!(#support::IndexDef { name: #name, columns: &[#(#columns),*], unique: #unique })
    });
    let asserts = model.columns.iter().filter_map(|column| assert_type(column, support));
    let check_names = model.columns.iter().filter_map(|column| assert_check_name(column, model, support));
    let checks = model.checks.iter().map(|(name, sql)| quote!(#support::CheckDef { name: #name, sql: #sql }));
    quote! {
        #(#asserts)*
        #(#check_names)*
        #(#references)*

        static #static_name: #support::TableDef = #support::TableDef {
            model: #name,
            path: <#ident as #support::Mapper>::PATH,
            singular: #singular,
            schema: #schema,
            name: #table,
            columns: &[#(#columns),*],
            key: &[#(#key),*],
            relations: &[#(#relations),*],
            many: || &#many,
            links: &[#(#links),*],
            indexes: &[#(#indexes),*],
            checks: &[#(#checks),*],
            strict: #strict,
            autoincrement: #autoincrement,
        };
    }
}

fn column(column: &Column, support: &Ident) -> TokenStream {
    let Column { field, names, ty, .. } = column;
    let name = names.first();
    let max_length = column.max_length.as_ref().map(|n| quote!(.max_length(#n)));
    let decimal = column.decimal.map(|(precision, scale)| quote!(.decimal(#precision, #scale)));
    let unique = column.unique.then(|| quote!(.unique()));
    let index = column.index.then(|| quote!(.index()));
    let key = column.key.map(|kind| {
        let generated = kind == KeyKind::Database;
        quote!(.key(#generated))
    });
    let default = match (&column.db_default, column.default.as_ref().and_then(literal)) {
        (Some(sql), _) => Some(quote!(#support::DefaultDef::Sql(#sql))),
        (None, Some(Literal::Bool(value))) => Some(quote!(#support::DefaultDef::Bool(#value))),
        (None, Some(Literal::Int(value))) => Some(quote!(#support::DefaultDef::Int(#value))),
        (None, Some(Literal::Number(text))) => Some(quote!(#support::DefaultDef::Number(#text))),
        (None, Some(Literal::Text(text))) => Some(quote!(#support::DefaultDef::Text(#text))),
        (None, None) => constant(column, support),
    };
    let default = default.map(|default| quote!(.default(#default)));
    let check = column.check.as_ref().map(|sql| quote!(.check(#sql)));
    let secret = column.secret.then(|| quote!(.secret()));
    let version = column.version.then(|| quote!(.version()));
    // The type comes first in both: a type that no column holds is one message, on the type.
    quote!(#support::ColumnDef::new(#field, #name, <#ty as #support::Field>::TYPE, <#ty as #support::Field>::NULL).allowed(<#ty as #support::Field>::ALLOWED) #max_length #decimal #unique #index #key #default #check #secret #version)
}

/// The columns of a foreign key to a key of several: each holds what that of the key does.
fn composite(column: &Column, support: &Ident) -> Vec<TokenStream> {
    let Column { field, names, ty, target, .. } = column;
    let secret = column.secret.then(|| quote!(.secret()));
    let of = |(part, name): (usize, &String)| {
        let holds = quote!(<<#target as #support::Mapper>::Key as #support::Key>::TYPES.at(#part));
        quote!(#support::ColumnDef::new(#field, #name, #holds, <#ty as #support::Composite>::NULL) #secret)
    };
    names.iter().enumerate().map(of).collect()
}

/// The columns that a foreign key references are the key that it points at: only the compiler knows that.
fn assert_references(column: &Column, model: &str, support: &Ident) -> Option<TokenStream> {
    let Column { target, references, .. } = column;
    let target = target.as_ref()?;
    let field = format!("{model}.{}", column.field);
    Some(quote_spanned! {column.references_at=>
        const _: () = {
            const WRONG: #support::Option<#support::link::Message> = #support::link::wrong_references(
                #field,
                <#target as #support::Mapper>::TABLE,
                &[#(#references),*],
            );
            if let #support::Some(message) = &WRONG {
                ::core::panic!("{}", message.text());
            }
        };
    })
}

/// A default that is a path: a variant of an enum is stored as what only its type knows. The database knows no other
/// constants.
fn constant(column: &Column, support: &Ident) -> Option<TokenStream> {
    let expr = column.default.as_ref().filter(|expr| matches!(expr, Expr::Path(_)))?;
    column.target.is_none().then(|| quote!(#support::DefaultDef::Constant(|| #support::constant(&#expr))))
}

/// A length or digits on a type of the program's own: only the compiler knows what that is stored as.
fn assert_type(column: &Column, support: &Ident) -> Option<TokenStream> {
    let Column { field, ty, .. } = column;
    let (key, of, pattern) = match (column.unknown, &column.max_length, column.decimal) {
        (true, Some(_), _) => ("max_length", "text", quote!(Text { .. })),
        (true, None, Some(_)) => ("precision", "an exact number", quote!(Decimal { .. })),
        _ => return None,
    };
    let message = format!("`{key}` is for {of}, which the type of `{field}` is not stored as");
    Some(quote_spanned! {ty.span()=>
        const _: () = ::core::assert!(
            ::core::matches!(<#ty as #support::Field>::TYPE, #support::ColumnType::#pattern),
            #message
        );
    })
}

/// A check of the struct by the name of an enum's: only the compiler knows what is an enum.
fn assert_check_name(column: &Column, model: &Model, support: &Ident) -> Option<TokenStream> {
    let Column { names, ty, .. } = column;
    let name = names.first()?;
    let own = column.check.as_ref().map(|_| format!("{name}_check"));
    let taken = |check: &str| check == name || own.as_deref() == Some(check);
    let (check, _) = model.checks.iter().find(|(check, _)| taken(check)).filter(|_| column.unknown)?;
    let message = format!("two checks have the name `{check}`, one of them the enum's: give the struct's another");
    Some(quote_spanned! {ty.span()=>
        const _: () = ::core::assert!(<#ty as #support::Field>::ALLOWED.is_none(), #message);
    })
}

fn relation(column: &Column, model: &str, support: &Ident) -> Option<TokenStream> {
    let (field, target, positions) = (&column.field, column.target.as_ref()?, column.positions());
    let action = |word: &Ident| match word.to_string().as_str() {
        "cascade" => quote!(#support::OnDelete::Cascade),
        "set_null" => quote!(#support::OnDelete::SetNull),
        "set_default" => quote!(#support::OnDelete::SetDefault),
        _ => quote!(#support::OnDelete::Restrict),
    };
    let on_delete = column.on_delete.as_ref().map_or_else(|| quote!(#support::OnDelete::Restrict), action);
    let on_update = match column.on_update.as_ref().map(action) {
        Some(action) => quote!(#support::Some(#action)),
        None => quote!(#support::None),
    };
    Some(quote! {
        #support::RelationDef {
            model: #model,
            field: #field,
            columns: &[#(#positions),*],
            target: || <#target as #support::Mapper>::TABLE,
            target_path: <#target as #support::Mapper>::PATH,
            on_delete: #on_delete,
            on_update: #on_update,
        }
    })
}

fn optional(text: Option<&str>) -> TokenStream {
    match text {
        Some(text) => quote!(::core::option::Option::Some(#text)),
        None => quote!(::core::option::Option::None),
    }
}
