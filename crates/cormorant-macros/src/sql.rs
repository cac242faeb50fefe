//! `sql!("… {value} … {..list} …")`, with the path of the library before the text.

use proc_macro2::{TokenStream, TokenTree};
use quote::quote;
use syn::parse::{Parse, ParseStream};
use syn::{LitStr, Token};

/// What stands between the parentheses: the library, a comma, and one text.
pub(crate) struct Input {
    krate: TokenTree,
    text: LitStr,
}

impl Parse for Input {
    fn parse(input: ParseStream<'_>) -> syn::Result<Self> {
        let krate = input.parse()?;
        input.parse::<Token![,]>()?;
        if !input.peek(LitStr) {
            let message = "`sql!` takes a text in quotes, whose braces bind values: `sql!(\"… {value} …\")`; \
                text made while the program runs is `Sql::unchecked(UncheckedSql::vouch_for(text))`";
            let place: TokenStream = input.parse()?;
            return Err(syn::Error::new_spanned(place, message));
        }
        let text = input.parse()?;
        // A comma behind the text is no argument.
        let comma: Option<Token![,]> = input.parse()?;
        if !input.is_empty() {
            let behind: TokenStream = input.parse()?;
            let rest = quote!(#comma #behind);
            return Err(syn::Error::new_spanned(
                rest,
                "`sql!` takes the text alone: values stand in its braces, `{value}`",
            ));
        }
        Ok(Self { krate, text })
    }
}

pub(crate) fn expand(input: Input) -> syn::Result<TokenStream> {
    let Input { krate, text } = input;
    let mut pieces: Vec<TokenStream> = Vec::new();
    let mut plain = String::new();
    let value = text.value();
    let mut rest = value.as_str();
    while let Some(at) = rest.find(['{', '}']) {
        let (before, from) = rest.split_at(at);
        plain.push_str(before);
        if let Some(after) = from.strip_prefix("{{") {
            plain.push('{');
            rest = after;
        } else if let Some(after) = from.strip_prefix("}}") {
            plain.push('}');
            rest = after;
        } else if let Some(after) = from.strip_prefix('{') {
            let Some((inside, after)) = after.split_once('}') else {
                return Err(fault(&text, "a `{` without its `}`: write `{{` for the character itself"));
            };
            if !plain.is_empty() {
                pieces.push(quote!(.text(#plain)));
                plain.clear();
            }
            pieces.push(piece(inside, &text)?);
            rest = after;
        } else {
            return Err(fault(&text, "a `}` without its `{`: write `}}` for the character itself"));
        }
    }
    plain.push_str(rest);
    if !plain.is_empty() {
        pieces.push(quote!(.text(#plain)));
    }
    Ok(quote!({
        static __SQL_OF_THIS_PLACE: #krate::__private::Known = #krate::__private::Known::new();
        #krate::Sql::new(&__SQL_OF_THIS_PLACE) #(#pieces)*
    }))
}

fn piece(inside: &str, text: &LitStr) -> syn::Result<TokenStream> {
    let (list, expr) = match inside.trim().strip_prefix("..") {
        Some(list) => (true, list),
        None => (false, inside.trim()),
    };
    if expr.is_empty() {
        return Err(fault(text, "empty braces: name the value, `{value}`; write `{{` for the character itself"));
    }
    let no_expression =
        || fault(text, &format!("`{{{inside}}}` holds no expression of Rust: write `{{{{` for the character itself"));
    let parsed: TokenStream = expr.parse().map_err(|_| no_expression())?;
    // Names are looked up where the text stands.
    let expr: syn::Expr = syn::parse2(respan(parsed, text.span())).map_err(|_| no_expression())?;
    Ok(if list { quote!(.list(&(#expr))) } else { quote!(.bind(&(#expr))) })
}

fn fault(text: &LitStr, message: &str) -> syn::Error {
    syn::Error::new(text.span(), message)
}

fn respan(tokens: TokenStream, span: proc_macro2::Span) -> TokenStream {
    tokens
        .into_iter()
        .map(|mut token| {
            if let proc_macro2::TokenTree::Group(group) = &token {
                let mut inner = proc_macro2::Group::new(group.delimiter(), respan(group.stream(), span));
                inner.set_span(span);
                return inner.into();
            }
            token.set_span(span);
            token
        })
        .collect()
}
