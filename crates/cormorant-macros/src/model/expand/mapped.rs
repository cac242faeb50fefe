//! A mapper of another type: getters give the columns, a constructor takes them.

use proc_macro2::{Ident, Span, TokenStream};
use quote::{quote, quote_spanned};
use syn::Member;
use syn::spanned::Spanned as _;

use super::Names;
use super::mapper::{Parts, loaded};
use crate::model::check::{Mapped, Model};
use crate::model::column::{Column, KeyKind};

/// A name for a local variable that nothing the user wrote can mean.
fn local(name: &str, span: Span) -> Ident {
    Ident::new(name, Span::mixed_site().located_at(span))
}

/// The function that gives each column's value, and the one that builds the entity of them.
pub(super) fn expand(mapped: &Mapped, model: &Model, names: &Names) -> TokenStream {
    let Names { support, getters, build, snapshot, .. } = names;
    let Mapped { entity, build: constructor, refuses } = mapped;
    let getters = model.columns.iter().zip(getters).map(|(column, name)| getter(column, name, entity, support));
    let values = model.columns.iter().map(|column| {
        let field = &column.ident;
        let columns = local("columns", field.span());
        quote_spanned!(field.span()=> #columns.#field)
    });
    let columns = local("columns", Span::call_site());
    let by = if *refuses { quote!(try_built) } else { quote!(built) };
    // What the compiler has against it, it says where the constructor is named.
    let built = quote_spanned!(constructor.span()=> #support::#by::<#entity, _>(#constructor(#(#values),*)));
    quote! {
        #(#getters)*

        fn #build(#columns: #snapshot) -> #support::Result<#entity, #support::Refusal> {
            #built
        }
    }
}

/// What the user says gives the value, or the entity's method of the field's name.
fn getter(column: &Column, name: &Ident, entity: &syn::Type, support: &Ident) -> TokenStream {
    let Column { ident, ty, get, .. } = column;
    let of = local("entity", Span::call_site());
    let (get, at) = match get {
        Some(get) => (quote!(#get), get.span()),
        None => {
            let it = local("it", ident.span());
            (quote_spanned!(ident.span()=> |#it| #it.#ident()), ident.span())
        }
    };
    let value = match &column.inner {
        Some(inner) => quote_spanned!(at=> #support::get_option::<#entity, #inner, _, _>(#of, #get)),
        None => quote_spanned!(at=> #support::get::<#entity, #ty, _>(#of, #get)),
    };
    quote! {
        fn #name(#of: &#entity) -> #ty {
            #value
        }
    }
}

/// Whatever is changed, the entity is built anew.
pub(super) fn parts(mapped: &Mapped, model: &Model, names: &Names) -> Parts {
    let Names { support, getters, build, snapshot, .. } = names;
    let entity = &mapped.entity;
    let fields: Vec<_> = model.columns.iter().map(|column| &column.ident).collect();
    let positions = 0..model.columns.len() as u16;
    let loaded = loaded(model, names);
    let reads: Vec<_> = getters.iter().map(|get| quote!(#get(entity))).collect();
    let generated = model.columns.iter().find(|column| column.key == Some(KeyKind::Database)).map(|column| {
        let field = &column.ident;
        quote! {
            fn set_generated_key(entity: &mut Self::Entity, key: i64) -> #support::Result<()> {
                let mut columns = Self::snapshot(entity);
                columns.#field = #support::generated_key(key)?;
                #support::rebuild::<Self>(entity, #build(columns))
            }
        }
    });
    let methods = quote! {
        fn load(row: &mut #support::Row<'_>) -> #support::Result<Self::Entity> {
            let start = row.position();
            let columns = #snapshot { #(#fields: #loaded,)* };
            #build(columns).map_err(|why| #support::refused_row::<Self>(row, start, why))
        }

        fn assign(entity: &mut Self::Entity, column: u16, row: &mut #support::Row<'_>) -> #support::Result<()> {
            let mut columns = Self::snapshot(entity);
            match column {
                #(#positions => columns.#fields = #loaded,)*
                _ => {}
            }
            #support::rebuild::<Self>(entity, #build(columns))
        }

        fn restore(entity: &mut Self::Entity, snapshot: Self::Snapshot) -> #support::Result<()> {
            if Self::changed(&snapshot, entity).is_empty() {
                return #support::Ok(());
            }
            #support::rebuild::<Self>(entity, #build(snapshot))
        }

        #generated
    };
    Parts {
        entity: quote!(#entity),
        places: fields.iter().map(|field| Member::from((*field).clone())).collect(),
        values: reads.iter().map(|read| quote!(#support::owned(&#read))).collect(),
        copies: reads.clone(),
        reads,
        methods,
        items: TokenStream::new(),
    }
}
