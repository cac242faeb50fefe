//! The model's path: a method per column and per relation.

use proc_macro2::TokenStream;
use quote::quote;

use super::Names;
use crate::model::check::Model;
use crate::model::column::Column;
use crate::model::related::{Kind, Related};

pub(super) fn expand(model: &Model, names: &Names) -> TokenStream {
    let Names { support, path, root, join, .. } = names;
    let Model { vis, columns, .. } = model;
    let mut relation = 0u8;
    let methods: Vec<_> = columns
        .iter()
        .map(|column| {
            let number = column.target.is_some().then_some(relation);
            relation += u8::from(number.is_some());
            method(number, column, names)
        })
        .collect();
    let relations = model.related.iter().enumerate().map(|(n, related)| to_many(n as u8, related, names));
    // What needs rows as records: a model has them.
    let (comparisons, of_records) = match model.mapped {
        None => (comparisons(model, names), of_records(model, names)),
        Some(_) => Default::default(),
    };
    quote! {
        /// The columns and relations of a model, as a query sees them.
        #vis struct #path<#root, #join> {
            route: #support::Route,
            mark: #support::PhantomData<fn() -> (#root, #join)>,
        }

        impl<#root, #join> #support::Clone for #path<#root, #join> {
            fn clone(&self) -> Self {
                *self
            }
        }

        impl<#root, #join> #support::Copy for #path<#root, #join> {}

        impl<#root: 'static, #join: #support::Join> #path<#root, #join> {
            #(#methods)*
            #(#relations)*
            #comparisons
        }

        #of_records
    }
}

/// The path as the row itself: what is included, and what is selected.
fn of_records(model: &Model, names: &Names) -> TokenStream {
    let Names { support, path, root, join, .. } = names;
    let ident = &model.ident;
    quote! {
        impl<#root: 'static, #join: #support::Join> #support::Relation<#root> for #path<#root, #join> {
            type Target = #ident;

            fn to_include(self) -> #support::Include {
                #support::Include::to(self.route)
            }
        }

        impl<#root: 'static, #join: #support::Join> #support::Selectable<#root> for #path<#root, #join> {
            type Row = #join::Of<#support::Record<#ident>>;

            fn push(self, buffer: &mut #support::Buffer) {
                #support::push_entity(buffer, self.route);
            }

            fn load(row: &mut #support::Row<'_>) -> #support::Result<Self::Row> {
                #support::load_joined::<#join, #ident>(row)
            }
        }
    }
}

fn method(relation: Option<u8>, column: &Column, names: &Names) -> TokenStream {
    let Names { support, root, join, .. } = names;
    let Column { path, target, at, .. } = column;
    let docs = super::docs(&column.field, &column.docs);
    match (target, relation) {
        (Some(target), Some(relation)) => {
            let reached = if column.is_option() { quote!(#support::Left) } else { quote!(#join) };
            quote! {
                #docs
                pub fn #path(&self) -> <#target as #support::Mapper>::Path<#root, #reached> {
                    <#target as #support::Mapper>::path(self.route.then(#relation))
                }
            }
        }
        _ => {
            let value = column.value_type();
            // NULL is NULL, whether the column or the row is missing.
            let ty = if column.is_option() { quote!(#support::Option<#value>) } else { quote!(#join::Of<#value>) };
            quote! {
                #docs
                pub fn #path(&self) -> #support::Expr<#root, #ty> {
                    #support::Expr::column(self.route, #at)
                }
            }
        }
    }
}

/// A path to many rows, or to the one that points here.
fn to_many(number: u8, related: &Related, names: &Names) -> TokenStream {
    let Names { support, many, root, .. } = names;
    let Related { path, target, kind, .. } = related;
    let docs = super::docs(&related.field, &related.docs);
    if *kind == Kind::HasOne {
        return quote! {
            #docs
            pub fn #path(&self) -> <#target as #support::Mapper>::Path<#root, #support::Left> {
                <#target as #support::Mapper>::path(self.route.then(#support::Route::REVERSE + #number))
            }
        };
    }
    let place = usize::from(number);
    quote! {
        #docs
        pub fn #path(&self) -> #support::ToMany<#root, #target> {
            #support::ToMany::new(self.route, #number, &#many[#place])
        }
    }
}

/// Comparing the row itself: by its key.
fn comparisons(model: &Model, names: &Names) -> TokenStream {
    let Names { support, root, join, item, mark, .. } = names;
    let ident = &model.ident;
    // A column of that name comes first: its key can be set, `b.author().id().set(2)`.
    let set = (!model.columns.iter().any(|column| column.path == "set")).then(|| {
        quote! {
            /// Points the foreign key that leads here at this row, in an update; at none, where it may be NULL.
            pub fn set<#mark>(&self, other: impl #support::IntoTarget<#ident, #join, #mark>) -> #support::Assign<#root> {
                #support::row_set::<#root, #ident, #join, #mark>(self.route, other)
            }
        }
    });
    quote! {
        #set

        /// The row is this one.
        pub fn eq(&self, other: impl #support::IntoField<#support::ForeignKey<#ident>>) -> #support::Predicate<#root> {
            #support::row_eq::<#root, #ident>(self.route, other.into_field())
        }

        /// The row is another one, or none.
        pub fn ne(&self, other: impl #support::IntoField<#support::ForeignKey<#ident>>) -> #support::Predicate<#root> {
            #support::row_ne::<#root, #ident>(self.route, other.into_field())
        }

        /// The row is one of these.
        pub fn is_in<#item: #support::Into<#support::ForeignKey<#ident>>>(&self, others: impl #support::IntoIterator<Item = #item>) -> #support::Predicate<#root> {
            #support::row_is_in::<#root, #ident>(self.route, others.into_iter().map(#support::Into::into))
        }

        /// There is no row.
        pub fn is_null(&self) -> #support::Predicate<#root> {
            #support::row_is_null::<#root, #ident>(self.route, true)
        }

        /// There is a row.
        pub fn is_not_null(&self) -> #support::Predicate<#root> {
            #support::row_is_null::<#root, #ident>(self.route, false)
        }
    }
}
