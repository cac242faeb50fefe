//! The model's builder: a type parameter per required field says which are given.

use proc_macro2::TokenStream;
use quote::{format_ident, quote};

use crate::model::check::{Column, KeyKind, Model, literal};

pub(super) fn expand(model: &Model) -> TokenStream {
    let Model { ident, vis, columns, skipped, .. } = model;
    let name = format_ident!("{ident}Builder");
    let required: Vec<_> = columns.iter().filter(|column| column.is_required()).collect();
    let parameters: Vec<_> = (0..required.len()).map(|n| format_ident!("F{n}")).collect();
    let missing: Vec<_> = required.iter().map(|column| &column.ident).collect();
    let fields: Vec<_> = columns.iter().map(|column| &column.ident).collect();
    let types: Vec<_> = columns.iter().map(|column| &column.ty).collect();
    let setters = columns.iter().map(|column| {
        let given: Vec<_> = required
            .iter()
            .zip(&parameters)
            .map(
                |(other, parameter)| {
                    if other.ident == column.ident { quote!(support::Given) } else { quote!(#parameter) }
                },
            )
            .collect();
        setter(column, &name, &given)
    });
    let values = columns.iter().map(value);
    quote! {
        /// Names of the required fields, for the compiler's messages.
        #[allow(non_camel_case_types)]
        mod missing {
            #(pub enum #missing {})*
        }

        struct Values {
            #(#fields: support::Option<#types>,)*
        }

        /// Builds a model field by field; the compiler knows which are missing.
        #[must_use = "a builder does nothing until `insert` or `build`"]
        #vis struct #name<#(#parameters),*> {
            values: Values,
            mark: support::PhantomData<fn() -> (#(#parameters,)*)>,
        }

        impl #ident {
            /// Starts a new one.
            #vis fn builder() -> #name<#(missing::#missing),*> {
                #name { values: Values { #(#fields: support::None,)* }, mark: support::PhantomData }
            }
        }

        impl<#(#parameters),*> #name<#(#parameters),*> {
            #(#setters)*

            /// The plain value.
            pub fn build(self) -> #ident
            where
                #(#parameters: support::IsGiven,)*
            {
                #ident {
                    #(#values,)*
                    #(#skipped: support::Default::default(),)*
                }
            }

            /// Inserts it.
            pub async fn insert(self, db: &impl support::Executor) -> support::Result<support::Record<#ident>>
            where
                #(#parameters: support::IsGiven,)*
            {
                support::Record::insert(self.build(), db).await
            }
        }

        impl<#(#parameters: support::IsGiven),*> support::IntoModel for #name<#(#parameters),*> {
            type Model = #ident;
            fn into_model(self) -> #ident {
                self.build()
            }
        }
    }
}

fn setter(column: &Column, builder: &syn::Ident, given: &[TokenStream]) -> TokenStream {
    let (field, value) = (&column.ident, column.value_type());
    let plain = is_plain(value);
    let (argument, stored) = match (column.is_option(), plain) {
        (false, true) => (quote!(#value), quote!(value)),
        (false, false) => (quote!(impl support::Into<#value>), quote!(value.into())),
        (true, true) => (quote!(impl support::Into<support::Option<#value>>), quote!(value.into())),
        (true, false) => (quote!(impl support::IntoOption<#value, Mark>), quote!(value.into_option())),
    };
    let mark = (column.is_option() && !plain).then(|| quote!(<Mark>));
    quote! {
        pub fn #field #mark (mut self, value: #argument) -> #builder<#(#given),*> {
            self.values.#field = support::Some(#stored);
            #builder { values: self.values, mark: support::PhantomData }
        }
    }
}

/// Types that a literal stands for: taken as they are, so that the compiler knows which literal is meant.
fn is_plain(ty: &syn::Type) -> bool {
    const PLAIN: [&str; 11] = ["i8", "i16", "i32", "i64", "u8", "u16", "u32", "u64", "f32", "f64", "bool"];
    matches!(ty, syn::Type::Path(path) if path.path.get_ident().is_some_and(|word| PLAIN.contains(&word.to_string().as_str())))
}

fn value(column: &Column) -> TokenStream {
    let field = &column.ident;
    let given = quote!(self.values.#field);
    if column.is_required() {
        // The type parameter says that it is given; the compiler cannot see that, so a value stands here.
        return quote!(#field: match #given {
            support::Some(value) => value,
            support::None => support::never_missing(),
        });
    }
    let otherwise = match (&column.default, column.key) {
        (Some(expr), _) => match literal(expr) {
            Some(crate::model::check::Literal::Text(_)) => quote!(support::Into::into(#expr)),
            _ => quote!(#expr),
        },
        (None, Some(KeyKind::Client)) => quote!(support::new_uuid()),
        (None, _) => quote!(support::Default::default()),
    };
    let otherwise =
        if column.is_option() && column.default.is_some() { quote!(support::Some(#otherwise)) } else { otherwise };
    quote!(#field: match #given {
        support::Some(value) => value,
        support::None => #otherwise,
    })
}
