//! How rows become entities and entities become values.

use proc_macro2::TokenStream;
use quote::quote;

use super::Names;
use crate::model::check::Model;
use crate::model::column::KeyKind;

pub(super) fn expand(model: &Model, names: &Names) -> TokenStream {
    let Model { ident, vis, columns, skipped, .. } = model;
    let Names { support, table, path, snapshot, root, join, .. } = names;
    let name = ident.to_string();
    let fields: Vec<_> = columns.iter().map(|column| &column.ident).collect();
    let types: Vec<_> = columns.iter().map(|column| &column.ty).collect();
    let mut foreign = 0usize..;
    let loaded: Vec<_> = columns
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
        .collect();
    let related = super::related::unloaded(model, names);
    let load_related = super::related::load(model, names);
    let firsts = columns.iter().map(|column| column.at);
    let positions: Vec<Vec<u16>> = columns.iter().map(|column| column.positions().collect()).collect();
    let values = columns.iter().flat_map(|column| {
        let (ident, ty) = (&column.ident, &column.ty);
        column.positions().enumerate().map(move |(part, position)| match column.is_composite() {
            true => quote!(#position => <#ty as #support::Composite>::value(&entity.#ident, #part)),
            false => quote!(#position => <#ty as #support::Field>::value(&entity.#ident)),
        })
    });
    let stored = columns.iter().filter(|column| !column.is_composite()).map(|column| {
        let (ident, ty) = (&column.ident, &column.ty);
        quote!(<#ty as #support::Field>::as_stored(&mut entity.#ident);)
    });
    let places: Vec<_> = (0..columns.len()).map(syn::Index::from).collect();
    let keys: Vec<_> = columns.iter().enumerate().filter(|(_, column)| column.key.is_some()).collect();
    let key_fields: Vec<_> = keys.iter().map(|(_, column)| &column.ident).collect();
    let key_places: Vec<_> = keys.iter().map(|(n, _)| syn::Index::from(*n)).collect();
    let key_types: Vec<_> = keys.iter().map(|(_, column)| &column.ty).collect();
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
    // A key of one part is that part; of several, a tuple.
    let (key_type, key, snapshot_key) = match (key_types.as_slice(), key_fields.as_slice(), key_places.as_slice()) {
        ([ty], [field], [place]) => (
            quote!(<#ty as #support::KeyPart>::Key),
            quote!(#support::KeyPart::key(&entity.#field)),
            quote!(#support::KeyPart::key(&snapshot.#place)),
        ),
        _ => (
            quote!((#(<#key_types as #support::KeyPart>::Key,)*)),
            quote!(#support::Ok((#(#support::KeyPart::key(&entity.#key_fields)?,)*))),
            quote!(#support::Ok((#(#support::KeyPart::key(&snapshot.#key_places)?,)*))),
        ),
    };
    quote! {
        /// The columns of a model, as the database holds them.
        #vis struct #snapshot(#(#types),*);

        impl #support::Mapper for #ident {
            type Entity = Self;
            type Key = #key_type;
            type Path<#root: 'static, #join: #support::Join> = #path<#root, #join>;
            type Snapshot = #snapshot;

            const NAME: &'static str = #name;
            const PATH: &'static str = ::core::concat!(::core::module_path!(), "::", #name);
            const TABLE: &'static #support::TableDef = &#table;

            fn path<#root: 'static, #join: #support::Join>(route: #support::Route) -> Self::Path<#root, #join> {
                #path { route, mark: #support::PhantomData }
            }

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

            fn value(entity: &Self::Entity, column: u16) -> #support::Result<#support::Value<'_>, #support::Unstorable> {
                match column {
                    #(#values,)*
                    _ => #support::Ok(#support::Value::Null),
                }
            }

            fn key(entity: &Self::Entity) -> #support::Result<Self::Key> {
                #key
            }

            fn snapshot(entity: &Self::Entity) -> Self::Snapshot {
                #snapshot(#(#support::Clone::clone(&entity.#fields),)*)
            }

            fn renew(snapshot: &mut Self::Snapshot, entity: &Self::Entity) {
                #(#support::Clone::clone_from(&mut snapshot.#places, &entity.#fields);)*
            }

            fn copy(snapshot: &Self::Snapshot) -> Self::Snapshot {
                #snapshot(#(#support::Clone::clone(&snapshot.#places),)*)
            }

            fn snapshot_key(snapshot: &Self::Snapshot) -> #support::Result<Self::Key> {
                #snapshot_key
            }

            fn changed(snapshot: &Self::Snapshot, entity: &Self::Entity) -> #support::Columns {
                let mut changed = #support::Columns::none();
                #(if snapshot.#places != entity.#fields { #(changed.add(#positions);)* })*
                changed
            }

            fn as_stored(entity: &mut Self::Entity) {
                #(#stored)*
            }

            #generated
        }

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
                #support::Unsaved::new(self, #support::Columns::none())
            }
        }
    }
}
