//! Code for a checked model. What does not depend on the fields is in the library.

mod builder;
mod mapped;
mod mapper;
mod path;
mod related;
mod table;

use proc_macro2::{Ident, TokenStream};
use quote::{format_ident, quote};

use super::check::Model;

/// The names of what the expansion defines: none of them stands in the struct, which would mean another thing by it.
struct Names {
    /// The library's module for derived code.
    support: Ident,
    /// The static with the table's definition.
    table: Ident,
    /// The static with the relations that are kept in other tables.
    many: Ident,
    path: Ident,
    /// The struct of the columns as the database holds them.
    snapshot: Ident,
    /// Of a mapper, the function that gives each column's value, and the one that builds the entity of them.
    getters: Vec<Ident>,
    build: Ident,
    builder: Ident,
    /// What the builder holds.
    values: Ident,
    /// The module with a trait per required field.
    missing: Ident,
    /// The type parameter for the model that a query starts with.
    root: Ident,
    /// The type parameter for how a path reaches its table.
    join: Ident,
    /// The type parameters of methods.
    item: Ident,
    mark: Ident,
    /// The type parameters of the builder, one per tracked field.
    given: Vec<Ident>,
}

impl Names {
    fn of(model: &Model) -> Self {
        let free = |name: &str| model.taken.free(name);
        // The compiler shows these two in its messages: they tell which model is meant.
        let of_model = |what: &str| free(&format_ident!("{}{what}", model.ident).to_string());
        let tracked = model.columns.iter().filter(|column| column.is_tracked()).count();
        Self {
            support: free("support"),
            table: free("TABLE"),
            many: free("MANY"),
            path: of_model("Path"),
            snapshot: match model.mapped {
                None => of_model("Snapshot"),
                // It has a field per column, and the program has no other use for it.
                Some(_) => model.ident.clone(),
            },
            getters: (0..model.columns.len()).map(|n| free(&format!("get{n}"))).collect(),
            build: free("build"),
            builder: of_model("Builder"),
            values: free("Values"),
            missing: free("missing"),
            root: free("R"),
            join: free("J"),
            item: free("K"),
            mark: free("Mark"),
            given: (0..tracked).map(|n| free(&format!("F{n}"))).collect(),
        }
    }
}

pub(super) fn expand(model: &Model) -> TokenStream {
    let Model { ident, krate, .. } = model;
    let names = Names::of(model);
    let support = &names.support;
    let table = table::expand(model, &names);
    let related = related::expand(model, &names);
    let mapper = mapper::expand(model, &names);
    let path = path::expand(model, &names);
    let rest = match &model.mapped {
        None => [builder::expand(model, &names), related::verbs(model, &names)],
        Some(mapped) => [mapped::expand(mapped, model, &names), TokenStream::new()],
    };
    quote! {
        // One block: the names of the path and of the builder stay out of the program's way.
        #[allow(
            dead_code, deprecated, non_snake_case, private_bounds, private_interfaces, unreachable_pub,
            clippy::all, clippy::nursery, clippy::pedantic
        )]
        const _: () = {
            use #krate::__private as #support;
            #table
            #related
            #mapper
            #path
            #(#rest)*
            #support::register!(#ident);
        };
    }
}

/// What the user says about a field, so that it is told where the field is used as well.
fn docs(field: &str, docs: &[syn::Attribute]) -> TokenStream {
    if docs.is_empty() {
        let text = format!("The field `{field}`.");
        return quote!(#[doc = #text]);
    }
    quote!(#(#docs)*)
}
