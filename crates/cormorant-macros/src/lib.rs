//! The derive macros of Cormorant. Each parses, checks, and expands; what is the same for every model lives in the
//! library, not in the expansion.

mod db_enum;
mod errors;
mod from_row;
mod hygiene;
mod model;
mod sql;

use proc_macro::TokenStream;

/// Maps a struct to a table: see the documentation of `cormorant::Model`.
#[proc_macro_derive(Model, attributes(model))]
pub fn derive_model(input: TokenStream) -> TokenStream {
    expand(hygiene::named(input.into()).into(), model::derive)
}

/// Stores a type that knows nothing of databases: see its documentation in `cormorant`.
#[proc_macro_derive(Mapper, attributes(mapper))]
pub fn derive_mapper(input: TokenStream) -> TokenStream {
    expand(hygiene::named(input.into()).into(), model::derive_mapper)
}

/// Makes a struct of the columns a query gives: see the documentation of `cormorant::FromRow`.
#[proc_macro_derive(FromRow, attributes(from_row))]
pub fn derive_from_row(input: TokenStream) -> TokenStream {
    expand(input, from_row::derive)
}

/// Makes an enum the type of a column: see its documentation in `cormorant`.
#[proc_macro_derive(DbEnum, attributes(db_enum))]
pub fn derive_db_enum(input: TokenStream) -> TokenStream {
    expand(input, db_enum::derive)
}

/// SQL text whose braces bind what they hold, behind the path of the library: what `cormorant::sql!` becomes.
#[doc(hidden)]
#[proc_macro]
pub fn __sql(input: TokenStream) -> TokenStream {
    expand(input, sql::expand)
}

fn expand<T: syn::parse::Parse>(
    input: TokenStream,
    with: impl FnOnce(T) -> syn::Result<proc_macro2::TokenStream>,
) -> TokenStream {
    syn::parse::<T>(input).and_then(with).unwrap_or_else(|error| error.to_compile_error()).into()
}
