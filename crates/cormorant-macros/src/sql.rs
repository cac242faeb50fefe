//! `sql!("… {value} … {..list} …")`.

use proc_macro2::TokenStream;
use quote::quote;
use syn::LitStr;

pub(crate) fn expand(text: LitStr) -> syn::Result<TokenStream> {
    let mut pieces: Vec<TokenStream> = Vec::new();
    let mut plain = String::new();
    let value = text.value();
    let mut chars = value.chars().peekable();
    while let Some(c) = chars.next() {
        match c {
            '{' if chars.next_if_eq(&'{').is_some() => plain.push('{'),
            '}' if chars.next_if_eq(&'}').is_some() => plain.push('}'),
            '{' => {
                let inside: String = chars.by_ref().take_while(|c| *c != '}').collect();
                if !plain.is_empty() {
                    pieces.push(quote!(.text(#plain)));
                    plain = String::new();
                }
                pieces.push(piece(&inside, &text)?);
            }
            '}' => {
                return Err(syn::Error::new(text.span(), "a `}` without its `{`: write `}}` for the character itself"));
            }
            c => plain.push(c),
        }
    }
    if !plain.is_empty() {
        pieces.push(quote!(.text(#plain)));
    }
    Ok(quote!(::cormorant::Sql::new() #(#pieces)*))
}

fn piece(inside: &str, text: &LitStr) -> syn::Result<TokenStream> {
    let (list, expr) = match inside.trim().strip_prefix("..") {
        Some(list) => (true, list),
        None => (false, inside.trim()),
    };
    if expr.is_empty() {
        return Err(syn::Error::new(
            text.span(),
            "empty braces: name the value, `{value}`; write `{{` for the character itself",
        ));
    }
    let parsed: TokenStream =
        expr.parse().map_err(|_| syn::Error::new(text.span(), format!("`{{{expr}}}` holds no expression")))?;
    // Names are looked up where the text stands.
    let expr = respan(parsed, text.span());
    let expr: syn::Expr = syn::parse2(expr).map_err(|_| {
        syn::Error::new(
            text.span(),
            format!("`{{{inside}}}` holds no expression: write `{{{{` for the character itself"),
        )
    })?;
    Ok(if list { quote!(.list(&#expr)) } else { quote!(.bind(&#expr)) })
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
