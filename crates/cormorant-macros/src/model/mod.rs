//! `#[derive(Model)]` and `#[derive(Mapper)]`: attributes to a checked model, a checked model to code.

pub(crate) mod attributes;
mod check;
mod column;
mod expand;
mod habits;
pub(crate) mod names;
mod related;
mod types;

use proc_macro2::TokenStream;
use syn::DeriveInput;

use attributes::Of;

pub(crate) fn derive(input: DeriveInput) -> syn::Result<TokenStream> {
    derive_of(Of::Model, &input)
}

pub(crate) fn derive_mapper(input: DeriveInput) -> syn::Result<TokenStream> {
    derive_of(Of::Mapper, &input)
}

fn derive_of(of: Of, input: &DeriveInput) -> syn::Result<TokenStream> {
    let model = check::check(of, input)?;
    let faults = model.faults.as_ref().map(syn::Error::to_compile_error);
    let code = expand::expand(&model);
    Ok(quote::quote!(#faults #code))
}
