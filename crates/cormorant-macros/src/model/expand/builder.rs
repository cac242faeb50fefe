//! The model's builder: a type parameter per required field says which are given.

use proc_macro2::TokenStream;
use quote::quote;

use super::Names;
use crate::model::check::Model;
use crate::model::column::{Column, KeyKind};
use crate::model::types::{Literal, literal};

pub(super) fn expand(model: &Model, names: &Names) -> TokenStream {
    let Model { ident, vis, columns, skipped, .. } = model;
    let Names { support, builder, values, missing, given: parameters, item, .. } = names;
    let tracked: Vec<_> = columns.iter().filter(|column| column.is_tracked()).collect();
    let traits: Vec<_> = tracked.iter().map(|column| &column.ident).collect();
    // What an insert needs: what has a default in the database may be missing.
    let required: Vec<_> = tracked.iter().zip(parameters).filter(|(column, _)| column.is_required()).collect();
    let required_parameters: Vec<_> = required.iter().map(|(_, parameter)| parameter).collect();
    let required_traits: Vec<_> = required.iter().map(|(column, _)| &column.ident).collect();
    let left_to_database: Vec<_> = columns.iter().filter(|column| column.db_default.is_some()).collect();
    let left_positions = left_to_database.iter().map(|column| column.at);
    let left_fields = left_to_database.iter().map(|column| &column.ident);
    let nothing = tracked.iter().map(|_| quote!(()));
    let messages = tracked.iter().map(|column| {
        let (field, setter) = (&column.field, &column.setter);
        let message = match column.is_required() {
            true => format!("`{ident}::builder()` is not complete: the field `{field}` has no value"),
            false => {
                format!("a plain `{ident}` needs a value of `{field}`: only `insert` can leave it to the database")
            }
        };
        let label = format!("`.{setter}(…)` is missing before this");
        quote!(#[diagnostic::on_unimplemented(message = #message, label = #label)])
    });
    let fields: Vec<_> = columns.iter().map(|column| &column.ident).collect();
    let positions: Vec<Vec<u16>> = columns.iter().map(|column| column.positions().collect()).collect();
    let types: Vec<_> = columns.iter().map(|column| &column.ty).collect();
    let setters = columns.iter().map(|column| {
        let given: Vec<_> = tracked
            .iter()
            .zip(parameters)
            .map(|(other, parameter)| match other.ident == column.ident {
                true => quote!(#support::Given),
                false => quote!(#parameter),
            })
            .collect();
        setter(column, names, &given)
    });
    let related = super::related::unloaded(model, names);
    let built = columns.iter().map(|column| value(column, names));
    quote! {
        /// A trait per required field, whose message says that it has no value.
        #[allow(non_camel_case_types)]
        mod #missing {
            #(#messages pub trait #traits {})*
        }
        #(impl #missing::#traits for #support::Given {})*

        struct #values {
            #(#fields: #support::Option<#types>,)*
        }

        /// Builds a model field by field; the compiler knows which are missing.
        #[must_use = "a builder does nothing until `insert` or `build`"]
        #vis struct #builder<#(#parameters),*> {
            values: #values,
            mark: #support::PhantomData<fn() -> (#(#parameters,)*)>,
        }

        impl #ident {
            /// Starts a new one.
            #vis fn builder() -> #builder<#(#nothing),*> {
                #builder { values: #values { #(#fields: #support::None,)* }, mark: #support::PhantomData }
            }
        }

        impl<#(#parameters),*> #builder<#(#parameters),*> {
            #(#setters)*

            /// The plain value.
            pub fn build(self) -> #ident
            where
                #(#parameters: #missing::#traits,)*
            {
                self.values.finish()
            }

            /// Inserts it.
            pub async fn insert(self, db: &impl #support::Executor) -> #support::Result<#support::Record<#ident>>
            where
                #(#required_parameters: #missing::#required_traits,)*
            {
                #support::Record::insert(self, db).await
            }

            /// The row that is there by a unique constraint, `|row| row.email()`, or else this one inserted; `true` when
            /// it was. One INSERT, and a SELECT where the row was there; safe when others do the same at once. A NULL
            /// equals no other, so a row with one is always inserted.
            ///
            /// # Errors
            /// `Misuse` when the columns are no unique constraint, `Unique` when a row is there by another one.
            pub async fn get_or_insert<#item: #support::UniqueColumns<#ident>>(
                self,
                db: &impl #support::Executor,
                columns: impl #support::FnOnce(#support::PathOf<#ident>) -> #item,
            ) -> #support::Result<(#support::Record<#ident>, ::core::primitive::bool)>
            where
                #(#required_parameters: #missing::#required_traits,)*
            {
                #support::get_or_insert(self, db, columns).await
            }

            /// Inserts it; where a row is there by a unique constraint, `|row| row.email()`, writes into that every
            /// column that was given here. The row's key and what was not given stay as they are, defaults too.
            ///
            /// # Errors
            /// As `get_or_insert`.
            pub async fn upsert<#item: #support::UniqueColumns<#ident>>(
                self,
                db: &impl #support::Executor,
                columns: impl #support::FnOnce(#support::PathOf<#ident>) -> #item,
            ) -> #support::Result<#support::Record<#ident>>
            where
                #(#required_parameters: #missing::#required_traits,)*
            {
                #support::upsert(self, db, columns).await
            }
        }

        impl #values {
            fn given(&self) -> #support::Columns {
                let mut given = #support::Columns::none();
                #(if self.#fields.is_some() {
                    #(given.add(#positions);)*
                })*
                given
            }

            fn finish(self) -> #ident {
                #ident {
                    #(#built,)*
                    #(#skipped: #support::Default::default(),)*
                    #(#related,)*
                }
            }
        }

        impl<#(#parameters),*> #support::IntoModel for #builder<#(#parameters),*>
        where
            #(#required_parameters: #missing::#required_traits,)*
        {
            type Model = #ident;

            fn into_unsaved(self) -> #support::Unsaved<#ident> {
                #[allow(unused_mut)]
                let mut omitted = #support::Columns::none();
                #(if self.values.#left_fields.is_none() {
                    omitted.add(#left_positions);
                })*
                let given = self.values.given();
                #support::Unsaved::new(self.values.finish(), omitted, given)
            }
        }
    }
}

fn setter(column: &Column, names: &Names, given: &[TokenStream]) -> TokenStream {
    let Names { support, builder, mark, .. } = names;
    let (field, name, value) = (&column.ident, &column.setter, column.value_type());
    let docs = super::docs(&column.field, &column.docs);
    let plain = is_plain(value);
    let (argument, stored) = match (column.is_option(), plain) {
        (false, true) => (quote!(#value), quote!(value)),
        (false, false) => (quote!(impl #support::IntoField<#value>), quote!(value.into_field())),
        (true, true) => (quote!(impl #support::IntoField<#support::Option<#value>>), quote!(value.into_field())),
        (true, false) => (quote!(impl #support::IntoOption<#value, #mark>), quote!(value.into_option())),
    };
    let generic = (column.is_option() && !plain).then(|| quote!(<#mark>));
    quote! {
        #docs
        pub fn #name #generic (mut self, value: #argument) -> #builder<#(#given),*> {
            self.values.#field = #support::Some(#stored);
            #builder { values: self.values, mark: #support::PhantomData }
        }
    }
}

/// Types that a literal stands for: taken as they are, so that the compiler knows which literal is meant.
fn is_plain(ty: &syn::Type) -> bool {
    const PLAIN: [&str; 11] = ["i8", "i16", "i32", "i64", "u8", "u16", "u32", "u64", "f32", "f64", "bool"];
    matches!(ty, syn::Type::Path(path) if path.path.get_ident().is_some_and(|word| PLAIN.contains(&word.to_string().as_str())))
}

fn value(column: &Column, names: &Names) -> TokenStream {
    let support = &names.support;
    let field = &column.ident;
    let given = quote!(self.#field);
    if column.is_required() {
        // The type parameter says that it is given; the compiler cannot see that, so a value stands here.
        return quote!(#field: match #given {
            #support::Some(value) => value,
            #support::None => #support::never_missing(),
        });
    }
    let otherwise = match (&column.default, column.key) {
        (Some(expr), _) => match literal(expr) {
            Some(Literal::Text(_)) => quote!(#support::Into::into(#expr)),
            // The key that it points at.
            Some(_) if column.target.is_some() => quote!(#support::Into::into(#expr)),
            _ => quote!(#expr),
        },
        (None, Some(KeyKind::Client)) => quote!(#support::new_uuid()),
        (None, _) if column.db_default.is_some() => quote!(#support::Placeholder::placeholder()),
        (None, _) => quote!(#support::Default::default()),
    };
    let otherwise =
        if column.is_option() && column.default.is_some() { quote!(#support::Some(#otherwise)) } else { otherwise };
    quote!(#field: match #given {
        #support::Some(value) => value,
        #support::None => #otherwise,
    })
}
