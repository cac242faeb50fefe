//! How rows become entities and entities become values.

use proc_macro2::TokenStream;
use quote::quote;
use syn::Member;

use super::{Names, mapped};
use crate::model::check::Model;
use crate::model::column::{Column, KeyKind};

pub(super) fn expand(model: &Model, names: &Names) -> TokenStream {
    let Model { ident, name, columns, .. } = model;
    let Names { support, table, path, snapshot, root, join, .. } = names;
    let parts = match &model.mapped {
        None => own(model, names),
        Some(mapped) => mapped::parts(mapped, model, names),
    };
    let Parts { entity, places, reads, values, copies, methods, items } = &parts;
    let leads = super::related::leads(model, names);
    let unique_value = unique_value(model, names, places);
    let positions: Vec<Vec<u16>> = columns.iter().map(|column| column.positions().collect()).collect();
    let all = 0..values.len() as u16;
    let keys: Vec<_> = columns.iter().enumerate().filter(|(_, column)| column.key.is_some()).collect();
    let key_reads: Vec<_> = keys.iter().filter_map(|(n, _)| reads.get(*n)).collect();
    let key_places: Vec<_> = keys.iter().filter_map(|(n, _)| places.get(*n)).collect();
    let key_types: Vec<_> = keys.iter().map(|(_, column)| &column.ty).collect();
    // A key of one part is that part; of several, a tuple.
    let (key_type, key, snapshot_key) = match (key_types.as_slice(), key_reads.as_slice(), key_places.as_slice()) {
        ([ty], [read], [place]) => (
            quote!(<#ty as #support::KeyPart>::Key),
            quote!(#support::KeyPart::key(&#read)),
            quote!(#support::KeyPart::key(&snapshot.#place)),
        ),
        _ => (
            quote!((#(<#key_types as #support::KeyPart>::Key,)*)),
            quote!(#support::Ok((#(#support::KeyPart::key(&#key_reads)?,)*))),
            quote!(#support::Ok((#(#support::KeyPart::key(&snapshot.#key_places)?,)*))),
        ),
    };
    quote! {
        impl #support::Mapper for #ident {
            type Entity = #entity;
            type Key = #key_type;
            type Path<#root: 'static, #join: #support::Join> = #path<#root, #join>;
            type Snapshot = #snapshot;

            const NAME: &'static str = #name;
            const PATH: &'static str = ::core::concat!(::core::module_path!(), "::", ::core::stringify!(#ident));
            const TABLE: &'static #support::TableDef = &#table;

            fn path<#root: 'static, #join: #support::Join>(route: #support::Route) -> Self::Path<#root, #join> {
                #path { route, mark: #support::PhantomData }
            }

            fn value(entity: &Self::Entity, column: u16) -> #support::Result<#support::Value<'_>, #support::Unstorable> {
                match column {
                    #(#all => #values,)*
                    _ => #support::Ok(#support::Value::Null),
                }
            }

            fn key(entity: &Self::Entity) -> #support::Result<Self::Key> {
                #key
            }

            fn snapshot(entity: &Self::Entity) -> Self::Snapshot {
                #snapshot { #(#places: #copies,)* }
            }

            fn copy(snapshot: &Self::Snapshot) -> Self::Snapshot {
                #snapshot { #(#places: #support::Clone::clone(&snapshot.#places),)* }
            }

            fn snapshot_key(snapshot: &Self::Snapshot) -> #support::Result<Self::Key> {
                #snapshot_key
            }

            fn changed(snapshot: &Self::Snapshot, entity: &Self::Entity) -> #support::Columns {
                let mut changed = #support::Columns::none();
                #(if snapshot.#places != #reads { #(changed.add(#positions);)* })*
                changed
            }

            #methods
            #leads
            #unique_value
        }

        #items
    }
}

/// What a snapshot has in the columns of unique constraints.
fn unique_value(model: &Model, names: &Names, places: &[Member]) -> Option<TokenStream> {
    let support = &names.support;
    let is_unique = |number: usize| model.indexes.iter().any(|index| index.unique && index.columns.contains(&number));
    let unique = model.columns.iter().enumerate().zip(places);
    let unique = unique.filter(|((number, column), _)| column.unique || is_unique(*number));
    let arms: Vec<_> = unique
        .flat_map(|((_, column), place)| {
            let ty = &column.ty;
            column.positions().enumerate().map(move |(part, position)| match column.is_composite() {
                true => quote!(#position => <#ty as #support::Composite>::value(&snapshot.#place, #part)),
                false => quote!(#position => <#ty as #support::Field>::value(&snapshot.#place)),
            })
        })
        .collect();
    (!arms.is_empty()).then(|| {
        quote! {
            fn unique_value(
                snapshot: &Self::Snapshot,
                column: u16,
            ) -> #support::Result<#support::Value<'_>, #support::Unstorable> {
                match column {
                    #(#arms,)*
                    _ => #support::Ok(#support::Value::Null),
                }
            }
        }
    })
}

/// What of a mapper depends on where its columns are.
pub(super) struct Parts {
    /// What is stored.
    pub(super) entity: TokenStream,
    /// The columns' fields in the snapshot.
    pub(super) places: Vec<Member>,
    /// Each field's place in `entity`, and as a copy; each column as what is bound.
    pub(super) reads: Vec<TokenStream>,
    pub(super) values: Vec<TokenStream>,
    pub(super) copies: Vec<TokenStream>,
    /// The methods that make an entity, or change it.
    pub(super) methods: TokenStream,
    /// What stands beside the mapper.
    pub(super) items: TokenStream,
}

/// Each column, read from a row.
pub(super) fn loaded(model: &Model, names: &Names) -> Vec<TokenStream> {
    let Names { support, table, .. } = names;
    let mut foreign = 0usize..;
    model
        .columns
        .iter()
        .map(|column| {
            let ty = &column.ty;
            let value = quote!(<#ty as #support::Field>::load(row)?);
            match column.target.as_ref().and_then(|_| foreign.next()) {
                // It says which field it is when it is read without its row.
                Some(number) if column.is_composite() => {
                    quote!(<#ty as #support::Composite>::load(row, &#table.relations[#number])?)
                }
                Some(number) => quote!(#support::Named::named(#value, &#table.relations[#number])),
                None => value,
            }
        })
        .collect()
}

/// A model: the columns are its fields.
fn own(model: &Model, names: &Names) -> Parts {
    let Model { ident, vis, columns, skipped, .. } = model;
    let Names { support, snapshot, .. } = names;
    let fields: Vec<_> = columns.iter().map(|column| &column.ident).collect();
    let types: Vec<_> = columns.iter().map(|column| &column.ty).collect();
    let places: Vec<Member> = (0..columns.len()).map(Member::from).collect();
    let loaded = loaded(model, names);
    let pointers: Vec<_> = columns.iter().filter(|column| column.target.is_some()).map(|c| &c.ident).collect();
    let numbers = 0..pointers.len() as u8;
    let pointer = (!pointers.is_empty()).then(|| {
        quote! {
            fn pointer(entity: &mut Self::Entity, number: u8) -> #support::Option<&mut dyn #support::Pointer> {
                match number {
                    #(#numbers => #support::Some(&mut entity.#pointers),)*
                    _ => #support::None,
                }
            }
        }
    });
    let related = super::related::unloaded(model, names);
    let load_related = super::related::load(model, names);
    let firsts = columns.iter().map(|column| column.at);
    let values = columns.iter().flat_map(|column| {
        let (ident, ty) = (&column.ident, &column.ty);
        (0..column.names.len()).map(move |part| match column.is_composite() {
            true => quote!(<#ty as #support::Composite>::value(&entity.#ident, #part)),
            false => quote!(<#ty as #support::Field>::value(&entity.#ident)),
        })
    });
    let stored = columns.iter().filter(|column| !column.is_composite()).map(|column| {
        let (ident, ty) = (&column.ident, &column.ty);
        quote!(<#ty as #support::Field>::as_stored(&mut entity.#ident);)
    });
    let generated = columns.iter().find_map(|column| {
        let field = &column.ident;
        match column.key? {
            KeyKind::Database => Some(quote! {
                fn set_generated_key(entity: &mut Self::Entity, key: i64) -> #support::Result<()> {
                    entity.#field = #support::generated_key(key)?;
                    #support::Ok(())
                }
            }),
            KeyKind::Client => Some(quote! {
                fn prepare(entity: &mut Self::Entity) {
                    if entity.#field.is_nil() {
                        entity.#field = #support::new_uuid();
                    }
                }
            }),
            KeyKind::Given => None,
        }
    });
    let bump = columns.iter().zip(&places).find(|(column, _)| column.version).map(|(column, place)| {
        let Column { ident, at, .. } = column;
        quote! {
            fn bump(
                snapshot: &Self::Snapshot,
                entity: &mut Self::Entity,
                up: bool,
            ) -> #support::Option<(u16, #support::Value<'static>)> {
                entity.#ident = if up { snapshot.#place.wrapping_add(1) } else { snapshot.#place };
                #support::Some((#at, #support::owned(&snapshot.#place).unwrap_or(#support::Value::Null)))
            }
        }
    });
    let methods = quote! {
        fn load(row: &mut #support::Row<'_>) -> #support::Result<Self> {
            #support::Ok(Self {
                #(#fields: #loaded,)*
                #(#skipped: #support::Default::default(),)*
                #(#related,)*
            })
        }

        fn assign(entity: &mut Self::Entity, column: u16, row: &mut #support::Row<'_>) -> #support::Result<()> {
            match column {
                #(#firsts => entity.#fields = #loaded,)*
                _ => {}
            }
            #support::Ok(())
        }

        fn renew(snapshot: &mut Self::Snapshot, entity: &Self::Entity) {
            #(#support::Clone::clone_from(&mut snapshot.#places, &entity.#fields);)*
        }

        fn restore(entity: &mut Self::Entity, snapshot: Self::Snapshot) -> #support::Result<()> {
            #(entity.#fields = snapshot.#places;)*
            #support::Ok(())
        }

        fn as_stored(entity: &mut Self::Entity) {
            #(#stored)*
        }

        #generated
        #pointer
        #bump
    };
    let items = quote! {
        /// The columns of a model, as the database holds them.
        #vis struct #snapshot(#(#types),*);

        impl #support::Model for #ident {
            #load_related
        }

        impl #support::FromRow for #ident {
            fn from_row(row: &mut #support::Row<'_>) -> #support::Result<Self> {
                <Self as #support::Mapper>::load(row)
            }
        }

        impl #support::IntoModel for #ident {
            type Model = Self;
            fn into_unsaved(self) -> #support::Unsaved<Self> {
                self.into()
            }
        }
    };
    Parts {
        entity: quote!(#ident),
        places,
        reads: fields.iter().map(|field| quote!(entity.#field)).collect(),
        values: values.collect(),
        copies: fields.iter().map(|field| quote!(#support::Clone::clone(&entity.#field))).collect(),
        methods,
        items,
    }
}
