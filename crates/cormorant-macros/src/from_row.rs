//! `#[derive(FromRow)]`: a struct of the columns a query gives, in order.

use proc_macro2::TokenStream;
use quote::quote;
use syn::{Data, DeriveInput, Fields};

pub(crate) fn derive(input: DeriveInput) -> syn::Result<TokenStream> {
    let named = match &input.data {
        Data::Struct(data) => match &data.fields {
            Fields::Named(fields) => Some(&fields.named),
            _ => None,
        },
        _ => None,
    };
    let Some(fields) = named else {
        return Err(syn::Error::new(
            input.ident.span(),
            "`FromRow` is for a struct with named fields: each takes one column, in order",
        ));
    };
    if !input.generics.params.is_empty() {
        return Err(syn::Error::new_spanned(&input.generics, "`FromRow` is for a struct without parameters"));
    }
    let (ident, vis) = (&input.ident, &input.vis);
    let names: Vec<_> = fields.iter().filter_map(|field| field.ident.as_ref()).collect();
    let types: Vec<_> = fields.iter().map(|field| &field.ty).collect();
    Ok(quote! {
        const _: () = {
            use ::cormorant::__private as support;

            impl support::FromRow for #ident {
                fn from_row(row: &mut support::Row<'_>) -> support::Result<Self> {
                    support::Ok(Self { #(#names: support::Field::load(row)?,)* })
                }
            }

            impl #ident {
                /// Selects this struct: an expression for each field, in order.
                #vis fn columns<R: 'static>(#(#names: impl support::IntoExpr<R, #types>),*) -> support::Selection<R, Self> {
                    let mut selection = support::Selection::new();
                    #(selection.add(#names);)*
                    selection
                }
            }
        };
    })
}
