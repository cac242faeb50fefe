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
