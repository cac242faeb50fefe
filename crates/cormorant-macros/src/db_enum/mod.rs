//! `#[derive(DbEnum)]`: an enum whose variants have no fields, as the type of a column.

mod check;
mod expand;

use proc_macro2::TokenStream;
use syn::DeriveInput;

pub(crate) fn derive(input: DeriveInput) -> syn::Result<TokenStream> {
    let checked = check::check(&input)?;
    let faults = checked.faults.as_ref().map(syn::Error::to_compile_error);
    let code = expand::expand(&checked);
    Ok(quote::quote!(#faults #code))
}
