//! The relations that are kept in another table: their definitions, and how they are loaded.

use proc_macro2::TokenStream;
use quote::{quote, quote_spanned};
use syn::spanned::Spanned as _;

use super::Names;
use crate::model::check::Model;
use crate::model::column::Column;
use crate::model::related::{Kind, Related, Through};

/// The definitions, and what the compiler checks about them.
pub(super) fn expand(model: &Model, names: &Names) -> TokenStream {
    let Names { support, many, .. } = names;
    let count = model.related.len();
    let definitions = model.related.iter().map(|related| definition(related, model, names));
    let checks = model.related.iter().map(|related| check(related, model, names));
    quote! {
        static #many: [#support::ManyDef; #count] = [#(#definitions),*];
        #(#checks)*
    }
}

fn definition(related: &Related, model: &Model, names: &Names) -> TokenStream {
    let Names { support, table, .. } = names;
    let (ident, field, target) = (&model.ident, &related.field, &related.target);
    let name = ident.to_string();
    let theirs = quote!(<#target as #support::Mapper>::TABLE);
    let (source, here, there) = match (&related.through, related.is_linked()) {
        (Some(Through::Model(link)), _) => {
            let (here, there) = (foreign_key(related, model, names), there(related, model, names));
            (
                quote!(<#link as #support::Mapper>::TABLE),
                quote!(#here.position()),
                quote!(#support::Some(#there.position())),
            )
        }
        (_, true) => {
            let position =
                model.related.iter().filter(|other| other.is_linked()).position(|other| other.ident == related.ident);
            let links = quote!({
                static LINKS: ::std::sync::LazyLock<&'static #support::TableDef> =
                    ::std::sync::LazyLock::new(|| #support::link::link_table(&#table.links[#position]));
                *LINKS
            });
            let first = match inverse_is_first(related, model) {
                true => quote!(false),
                false => quote!(#support::link::is_first(&#table, #theirs)),
            };
            (links, quote!(if #first { 0 } else { 1 }), quote!(#support::Some(if #first { 1 } else { 0 })))
        }
        _ => {
            let here = foreign_key(related, model, names);
            (theirs.clone(), quote!(#here.position()), quote!(#support::None))
        }
    };
    let (linked, delete_orphans) = (related.is_linked(), related.delete_orphans);
    quote! {
        #support::ManyDef {
            model: #name,
            field: #field,
            target: || #theirs,
            source: || #source,
            here: #here,
            there: #there,
            linked: #linked,
            delete_orphans: #delete_orphans,
        }
    }
}

/// Which foreign key of the other table, or of a model that links, points here: found while the program is compiled.
fn foreign_key(related: &Related, model: &Model, names: &Names) -> TokenStream {
    let support = &names.support;
    let ident = &model.ident;
    let source = source(related);
    let via = match &related.via {
        Some(via) => {
            let via = via.to_string().trim_start_matches("r#").to_owned();
            quote!(#support::Some(#via))
        }
        None => quote!(#support::None),
    };
    quote! {
        #support::link::foreign_key_to(
            <#source as #support::Mapper>::TABLE, <#ident as #support::Mapper>::PATH, #via, #support::None
        )
    }
}

/// Which foreign key of a model that links points at the related row: another than the one that points here.
fn there(related: &Related, model: &Model, names: &Names) -> TokenStream {
    let support = &names.support;
    let (source, target) = (source(related), &related.target);
    let here = foreign_key(related, model, names);
    quote! {
        #support::link::foreign_key_to(
            <#source as #support::Mapper>::TABLE,
            <#target as #support::Mapper>::PATH,
            #support::None,
            #support::Some(#here.position())
        )
    }
}

/// The model whose foreign key a relation mirrors.
fn source(related: &Related) -> TokenStream {
    match (&related.through, &related.target) {
        (Some(Through::Model(link)), _) => quote!(#link),
        (_, target) => quote!(#target),
    }
}

/// What the compiler says where a relation's foreign keys are not clear, at the field.
fn check_keys(related: &Related, model: &Model, names: &Names) -> TokenStream {
    let (name, field, other) = (&model.ident, &related.field, related.target_name());
    let here = foreign_key(related, model, names);
    let links = match &related.through {
        Some(Through::Model(link)) => Some(last(link)),
        _ => None,
    };
    let source = links.clone().unwrap_or_else(|| other.clone());
    let none = match &related.via {
        Some(via) => format!(
            "`{name}.{field}`: `{source}.{via}` is no ForeignKey<{name}>: `via` names the field of `{source}` that points here"
        ),
        None => format!(
            "`{name}.{field}`: `{source}` has no ForeignKey<{name}>, and that is where the relation is kept: give it one"
        ),
    };
    let several = format!(
        "`{name}.{field}`: `{source}` has several foreign keys to {name}: say which with `#[model(via = field)]`"
    );
    let mut checks = quote_spanned! {related.ident.span()=>
        const _: () = ::core::assert!(!#here.is_none(), #none);
        const _: () = ::core::assert!(!#here.is_several(), #several);
    };
    if links.is_some() {
        let there = there(related, model, names);
        let none = format!(
            "`{name}.{field}`: `{source}` has no ForeignKey<{other}>, which would lead to the related row: give it one"
        );
        let several =
            format!("`{name}.{field}`: `{source}` has several foreign keys to {other}: a model that links has one");
        checks.extend(quote_spanned! {related.ident.span()=>
            const _: () = ::core::assert!(#here.is_none() || !#there.is_none(), #none);
            const _: () = ::core::assert!(!#there.is_several(), #several);
        });
    }
    checks
}

/// Of two sides in one model, the one whose field stands first leads from the first column of the links.
fn inverse_is_first(related: &Related, model: &Model) -> bool {
    let at = |ident: &syn::Ident| model.related.iter().position(|other| other.ident == *ident);
    related.inverse.as_ref().is_some_and(|inverse| at(inverse) < at(&related.ident))
}

fn check(related: &Related, model: &Model, names: &Names) -> TokenStream {
    let Names { support, table, .. } = names;
    let (name, field, target, other) =
        (model.ident.to_string(), &related.field, &related.target, related.target_name());
    if !related.is_linked() {
        let mut checks = check_keys(related, model, names);
        if related.kind == Kind::HasOne {
            let here = foreign_key(related, model, names);
            let message = format!(
                "`{name}.{field}` is at most one row, and several of `{other}` may point at one: make the foreign key there a OneToOne<{name}>, or this a HasMany<{other}>"
            );
            checks.extend(quote_spanned! {related.ident.span()=>
                const _: () = ::core::assert!(
                    #support::link::is_unique(<#target as #support::Mapper>::TABLE, #here),
                    #message
                );
            });
        }
        return checks;
    }
    let alone = format!(
        "`{name}` has two many-to-many relations with one table of links: name another with `#[model(through = \"…\")]` on both sides, or, with itself, the other side with `inverse = field`"
    );
    let inverse = related.inverse.as_ref().map(ToString::to_string).unwrap_or_default();
    let mut checks = quote_spanned! {related.ident.span()=>
        const _: () = ::core::assert!(#support::link::is_only_link(&#table, #field, #inverse), #alone);
    };
    if related.inverse.is_none() {
        let agree = format!(
            "`{name}.{field}` and the ManyToMany<{name}> of `{other}` have different tables of links: say the same `through` on both sides"
        );
        checks.extend(quote_spanned! {related.ident.span()=>
            const _: () = ::core::assert!(
                #support::link::sides_agree(&#table, #field, <#target as #support::Mapper>::TABLE),
                #agree
            );
        });
    }
    checks
}

/// The sides of tables of links that no model describes.
pub(super) fn links(model: &Model, names: &Names) -> Vec<TokenStream> {
    let support = &names.support;
    let ident = &model.ident;
    let link = |related: &Related| {
        let (field, target) = (&related.field, &related.target);
        let through = match &related.through {
            Some(Through::Table(name)) => quote!(#support::Some(#name)),
            _ => quote!(#support::None),
        };
        quote! {
            #support::LinkDef {
                field: #field,
                own: || <#ident as #support::Mapper>::TABLE,
                target: || <#target as #support::Mapper>::TABLE,
                target_path: <#target as #support::Mapper>::PATH,
                through: #through,
            }
        }
    };
    model.related.iter().filter(|related| related.is_linked()).map(link).collect()
}

/// How each relation is loaded, by its number.
pub(super) fn load(model: &Model, names: &Names) -> Option<TokenStream> {
    let support = &names.support;
    let foreign = model.columns.iter().filter(|column| column.target.is_some()).zip(0u8..).map(|(column, number)| {
        let Column { ident, .. } = column;
        let field = match column.is_option() {
            true => quote!(row.#ident.as_mut()),
            false => quote!(#support::Some(&mut row.#ident)),
        };
        quote!(#number => #support::load_foreign_key(step, target, records, |row| #field))
    });
    let many = model.related.iter().zip(128u8..).map(|(related, number)| {
        let field = &related.ident;
        let load = if related.kind == Kind::HasOne { quote!(load_one) } else { quote!(load_many) };
        quote!(#number => #support::#load(step, target, records, |row| &mut row.#field))
    });
    let arms: Vec<_> = foreign.chain(many).collect();
    (!arms.is_empty()).then(|| {
        quote! {
            fn load_related<'a>(
                step: &'a #support::Step,
                target: #support::Target<'a>,
                records: &'a mut [#support::Record<Self>],
            ) -> #support::Work<'a, ()> {
                match step.relation() {
                    #(#arms,)*
                    _ => #support::nothing(),
                }
            }
        }
    })
}

/// Where each relation leads, by its number.
pub(super) fn leads(model: &Model, names: &Names) -> Option<TokenStream> {
    let support = &names.support;
    let foreign = model.columns.iter().filter_map(|column| column.target.as_ref()).zip(0u8..);
    let foreign = foreign.map(|(target, number)| quote!(#number => #support::Objects::of::<#target>()));
    let many = model.related.iter().zip(128u8..).map(|(related, number)| {
        let target = &related.target;
        quote!(#number => #support::Objects::of::<#target>())
    });
    let arms: Vec<_> = foreign.chain(many).collect();
    (!arms.is_empty()).then(|| {
        quote! {
            fn related(number: u8) -> #support::Option<#support::Objects> {
                #support::Some(match number {
                    #(#arms,)*
                    _ => return #support::None,
                })
            }
        }
    })
}

fn last(path: &syn::Path) -> String {
    path.segments.last().map(|segment| segment.ident.to_string()).unwrap_or_default()
}

/// A field that was not loaded.
pub(super) fn unloaded(model: &Model, names: &Names) -> Vec<TokenStream> {
    let Names { support, many, .. } = names;
    let of = |(n, related): (usize, &Related)| {
        let Related { ident, ty, .. } = related;
        quote_spanned!(ty.span()=> #ident: <#ty as #support::Unloaded>::unloaded(&#many[#n]))
    };
    model.related.iter().enumerate().map(of).collect()
}

/// The verbs of each relation to many rows, on the struct; and builders that have a foreign key, for the rows they make.
pub(super) fn verbs(model: &Model, names: &Names) -> TokenStream {
    let Names { support, many, builder, .. } = names;
    let Model { ident, vis, columns, related, .. } = model;
    let verbs = related.iter().enumerate().filter(|(_, related)| related.kind != Kind::HasOne).map(|(n, related)| {
        let Related { ident: field, target, .. } = related;
        let docs = super::docs(&related.field, &related.docs);
        let key = quote!({ #many[#n].here });
        let (new, ty) = match (related.kind, &related.through) {
            (Kind::ManyToMany, Some(Through::Model(link))) => {
                (quote!(LinksThrough), quote!(LinksThrough<'_, Self, #target, #link, #key>))
            }
            (Kind::ManyToMany, _) => (quote!(Links), quote!(Links<'_, #target>)),
            _ => (quote!(Children), quote!(Children<'_, Self, #target, #key>)),
        };
        quote! {
            #docs
            #vis fn #field(&self) -> #support::#ty {
                #support::#new::new(self, &#many[#n], &self.#field)
            }
        }
    });
    let tracked: Vec<_> = columns.iter().filter(|column| column.is_tracked()).collect();
    let foreign = columns.iter().filter(|column| column.target.is_some()).zip(0u8..).map(|(column, number)| {
        let (target, setter) = (&column.target, &column.setter);
        let given = tracked.iter().map(|other| match other.ident == column.ident {
            true => quote!(#support::Given),
            false => quote!(()),
        });
        quote! {
            impl #support::BuilderWith<#number, #target> for #ident {
                type Builder = #builder<#(#given),*>;
                fn builder_with(key: #support::ForeignKey<#target>) -> Self::Builder {
                    #ident::builder().#setter(key)
                }
            }
        }
    });
    quote! {
        impl #ident {
            #(#verbs)*
        }
        #(#foreign)*
    }
}
