//! Code for a checked model. What does not depend on the fields is in the library.

mod builder;
mod mapper;
mod path;
mod table;

use proc_macro2::TokenStream;
use quote::quote;

use super::check::Model;

pub(super) fn expand(model: &Model) -> TokenStream {
    let Model { ident, krate, .. } = model;
    let table = table::expand(model);
    let mapper = mapper::expand(model);
    let path = path::expand(model);
    let builder = builder::expand(model);
    quote! {
        // One block: the names of the path and of the builder stay out of the program's way.
        #[allow(dead_code, missing_docs, unreachable_pub, clippy::pedantic)]
        const _: () = {
            use #krate::__private as support;
            #table
            #mapper
            #path
            #builder
            support::register!(#ident);
        };
    }
}
