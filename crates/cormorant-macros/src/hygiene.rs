//! Names that the expansion defines, and that nothing the user wrote can mean.

use std::collections::HashSet;

use proc_macro2::{Ident, Span, TokenStream, TokenTree};

/// Every name in an input.
///
/// An item that the expansion defines would hide another of the same name from the user's own types and defaults: so
/// it takes a name that does not stand in the input.
pub(crate) struct Taken(HashSet<String>);

impl Taken {
    pub(crate) fn by(input: TokenStream) -> Self {
        let mut names = HashSet::new();
        collect(input, &mut names);
        Self(names)
    }

    /// This name, or one like it that is free.
    pub(crate) fn free(&self, name: &str) -> Ident {
        let mut name = name.to_owned();
        while self.0.contains(&name) {
            name.push('_');
        }
        Ident::new(&name, Span::call_site())
    }
}

/// A struct that calls itself by its name: where its types and values stand in the expansion, `Self` is another.
pub(crate) fn named(input: TokenStream) -> TokenStream {
    let mut words = input.clone().into_iter();
    let name = words.find(|word| matches!(word, TokenTree::Ident(word) if word == "struct")).and(words.next());
    match name {
        Some(TokenTree::Ident(name)) => without_self(input, &name),
        _ => input,
    }
}

fn without_self(tokens: TokenStream, name: &Ident) -> TokenStream {
    let replaced = tokens.into_iter().map(|token| match token {
        TokenTree::Ident(word) if word == "Self" => {
            let mut name = name.clone();
            name.set_span(word.span());
            name.into()
        }
        TokenTree::Group(group) => {
            let mut inner = proc_macro2::Group::new(group.delimiter(), without_self(group.stream(), name));
            inner.set_span(group.span());
            inner.into()
        }
        other => other,
    });
    replaced.collect()
}

fn collect(tokens: TokenStream, names: &mut HashSet<String>) {
    for token in tokens {
        match token {
            TokenTree::Ident(name) => {
                names.insert(name.to_string().trim_start_matches("r#").to_owned());
            }
            TokenTree::Group(group) => collect(group.stream(), names),
            TokenTree::Punct(_) | TokenTree::Literal(_) => {}
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_struct_calls_itself_by_its_name() {
        let input = quote::quote!(
            pub(crate) struct Node {
                parent: Option<ForeignKey<Self>>,
                #[model(default = Self::X)]
                x: i64,
            }
        );
        let text = named(input).to_string();
        assert!(!text.contains("Self") && text.contains("ForeignKey < Node >") && text.contains("Node :: X"), "{text}");
    }

    #[test]
    fn a_name_of_the_input_is_not_free() {
        let taken = Taken::by(quote::quote!(
            struct Path {
                r#type: Values<R>,
            }
        ));
        assert_eq!(taken.free("Path"), "Path_");
        assert_eq!(taken.free("R"), "R_");
        assert_eq!(taken.free("type"), "type_");
        assert_eq!(taken.free("J"), "J");
    }
}
