//! `#[derive(FromRow)]`: a struct of the columns a query gives, in order.

use proc_macro2::{Ident, Span, TokenStream};
use quote::{ToTokens as _, quote};
use syn::{Data, DeriveInput, Fields, LitStr, Path};

use crate::errors::{Errors, unknown};
use crate::hygiene::Taken;

pub(crate) fn derive(input: DeriveInput) -> syn::Result<TokenStream> {
    let mut errors = Errors::default();
    let named = match &input.data {
        Data::Struct(data) => match &data.fields {
            Fields::Named(fields) => Some(&fields.named),
            _ => None,
        },
        _ => None,
    };
    if named.is_none() {
        errors.fatal(&input.ident, "`FromRow` is for a struct with named fields: each takes one column, in order");
    }
    if !input.generics.params.is_empty() {
        errors.fatal(&input.generics, "`FromRow` is for a struct without parameters");
    }
    let krate = krate(&input, &mut errors);
    let faults = errors.finish()?.map(|faults| faults.to_compile_error());
    let fields = named.into_iter().flatten();
    let (names, types): (Vec<_>, Vec<_>) = fields.map(|field| (&field.ident, &field.ty)).unzip();
    let (ident, vis) = (&input.ident, &input.vis);
    let taken = Taken::by(input.to_token_stream());
    let (support, root) = (taken.free("support"), taken.free("R"));
    // A field may have the same name: the span keeps the two apart.
    let selection = Ident::new("selection", Span::mixed_site());
    Ok(quote! {
        #faults
        #[allow(deprecated, private_bounds, private_interfaces, unreachable_pub, clippy::all, clippy::pedantic)]
        const _: () = {
            use #krate::__private as #support;

            impl #support::FromRow for #ident {
                fn from_row(row: &mut #support::Row<'_>) -> #support::Result<Self> {
                    #support::Ok(Self { #(#names: <#types as #support::Field>::load(row)?,)* })
                }
            }

            #[allow(dead_code)]
            impl #ident {
                /// Selects this struct: an expression for each field, in order.
                #vis fn columns<#root: 'static>(
                    #(#names: impl #support::IntoExpr<#root, #types>),*
                ) -> #support::Selection<#root, Self> {
                    let mut #selection = #support::Selection::new();
                    #(#selection.add(#names);)*
                    #selection
                }
            }
        };
    })
}

/// `#[from_row(crate = "…")]`.
fn krate(input: &DeriveInput, errors: &mut Errors) -> Path {
    let mut krate = None;
    for attribute in input.attrs.iter().filter(|attribute| attribute.path().is_ident("from_row")) {
        let parsed = attribute.parse_nested_meta(|meta| {
            if meta.path.is_ident("crate") {
                krate = Some(meta.value()?.parse::<LitStr>()?.parse()?);
                return Ok(());
            }
            let key = meta.path.get_ident().map(ToString::to_string).unwrap_or_default();
            Err(syn::Error::new_spanned(&meta.path, unknown(&key, &["crate"])))
        });
        if let Err(error) = parsed {
            errors.add(error);
        }
    }
    krate.unwrap_or_else(|| syn::parse_quote!(::cormorant))
}
