//! `#[derive(Model)]`: attributes to a checked model, a checked model to code.

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

pub(crate) fn derive(input: DeriveInput) -> syn::Result<TokenStream> {
    let model = check::check(&input)?;
    let faults = model.faults.as_ref().map(syn::Error::to_compile_error);
    let code = expand::expand(&model);
    Ok(quote::quote!(#faults #code))
}
