//! The model's path: a method per column and per relation.

use proc_macro2::TokenStream;
use quote::quote;

use crate::model::check::{Column, Model};

pub(super) fn expand(model: &Model) -> TokenStream {
    let Model { ident, vis, columns, .. } = model;
    let mut relation = 0u8;
    let methods: Vec<_> = columns
        .iter()
        .enumerate()
        .map(|(position, column)| {
            let number = column.target.is_some().then_some(relation);
            relation += u8::from(number.is_some());
            method(position as u16, number, column)
        })
        .collect();
    let comparisons = comparisons(model);
    quote! {
        /// The columns and relations of a model, as a query sees them.
        #vis struct Path<R, J> {
            route: support::Route,
            mark: support::PhantomData<fn() -> (R, J)>,
        }

        impl<R, J> support::Clone for Path<R, J> {
            fn clone(&self) -> Self {
                *self
            }
        }

        impl<R, J> support::Copy for Path<R, J> {}

        impl<R: 'static, J: support::Join> Path<R, J> {
            #(#methods)*
            #comparisons
        }

        impl<R: 'static, J: support::Join> support::Selectable<R> for Path<R, J> {
            type Row = J::Of<support::Record<#ident>>;

            fn push(self, buffer: &mut support::Buffer) {
                support::push_entity(buffer, self.route);
            }

            fn load(row: &mut support::Row<'_>) -> support::Result<Self::Row> {
                support::load_joined::<J, #ident>(row)
            }
        }
    }
}

fn method(position: u16, relation: Option<u8>, column: &Column) -> TokenStream {
    let Column { path, target, .. } = column;
    match (target, relation) {
        (Some(target), Some(relation)) => {
            let join = if column.is_option() { quote!(support::Left) } else { quote!(J) };
            quote! {
                pub fn #path(&self) -> <#target as support::Mapper>::Path<R, #join> {
                    <#target as support::Mapper>::path(self.route.then(#relation))
                }
            }
        }
        _ => {
            let value = column.value_type();
            // NULL is NULL, whether the column or the row is missing.
            let ty = if column.is_option() { quote!(support::Option<#value>) } else { quote!(J::Of<#value>) };
            quote! {
                pub fn #path(&self) -> support::Expr<R, #ty> {
                    support::Expr::column(self.route, #position)
                }
            }
        }
    }
}

/// Comparing the row itself: by its key, which has to be one column.
fn comparisons(model: &Model) -> TokenStream {
    let ident = &model.ident;
    let mut keys = model.columns.iter().filter(|column| column.key.is_some());
    let (Some(_), None) = (keys.next(), keys.next()) else { return TokenStream::new() };
    quote! {
        /// The row is this one.
        pub fn eq(&self, other: impl support::Into<support::ForeignKey<#ident>>) -> support::Predicate<R> {
            support::row_eq::<R, #ident>(self.route, other.into())
        }

        /// The row is another one, or none.
        pub fn ne(&self, other: impl support::Into<support::ForeignKey<#ident>>) -> support::Predicate<R> {
            support::row_ne::<R, #ident>(self.route, other.into())
        }

        /// The row is one of these.
        pub fn is_in<K: support::Into<support::ForeignKey<#ident>>>(&self, others: impl support::IntoIterator<Item = K>) -> support::Predicate<R> {
            support::row_is_in::<R, #ident>(self.route, others.into_iter().map(support::Into::into))
        }

        /// There is no row.
        pub fn is_null(&self) -> support::Predicate<R> {
            support::row_is_null::<R, #ident>(self.route, true)
        }

        /// There is a row.
        pub fn is_not_null(&self) -> support::Predicate<R> {
            support::row_is_null::<R, #ident>(self.route, false)
        }
    }
}
