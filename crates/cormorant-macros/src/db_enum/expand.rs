//! Code for a checked enum: it is a `Scalar`.

use proc_macro2::TokenStream;
use quote::quote;

use super::check::DbEnum;

pub(super) fn expand(checked: &DbEnum) -> TokenStream {
    let DbEnum { ident, krate, integer, variants, taken, .. } = checked;
    let (support, values) = (&taken.free("support"), &taken.free("VALUES"));
    let (names, texts): (Vec<_>, Vec<_>) = variants.iter().map(|(name, text)| (name, text)).unzip();
    let expected = format!("a `{ident}`");
    let (constant, ty, allowed, value, read) = match integer {
        true => (
            quote!(const #values: &[i64] = &#support::integers([#(#ident::#names as i128),*]);),
            quote!(#support::integer_type(#values)),
            quote!(Integers),
            quote!(#support::Value::Int(match self { #(#ident::#names => #ident::#names as i64,)* })),
            quote!(read_integer),
        ),
        false => {
            // No database has a varchar without a character.
            let longest = texts.iter().map(|text| text.chars().count() as u32).max().unwrap_or_default().max(1);
            (
                quote!(const #values: &[&str] = &[#(#texts),*];),
                quote!(#support::ColumnType::Text { max_length: #support::Some(#longest) }),
                quote!(Texts),
                quote!(#support::Value::Text(#support::Into::into(match self { #(#ident::#names => #texts,)* }))),
                quote!(read_text),
            )
        }
    };
    quote! {
        #[allow(deprecated, clippy::all, clippy::nursery, clippy::pedantic)]
        const _: () = {
            use #krate::__private as #support;
            #constant

            impl #support::Scalar for #ident {
                const TYPE: #support::ColumnType = #ty;
                const ALLOWED: #support::Option<#support::Allowed> = #support::Some(#support::Allowed::#allowed(#values));

                fn to_value(&self) -> #support::Result<#support::Value<'_>, #support::Unstorable> {
                    #support::Ok(#value)
                }

                fn from_cell(cell: #support::Cell<'_>) -> #support::Result<Self, #support::Mismatch> {
                    #support::#read(cell, #expected, #values, [#(#ident::#names),*])
                }
            }
        };
    }
}
