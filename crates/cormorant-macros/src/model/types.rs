//! What the tokens of a type and of a default tell. A name of the user's own may stand for anything.

use syn::{Expr, GenericArgument, Lit, PathArguments, Type};

const INTEGERS: [&str; 8] = ["i8", "i16", "i32", "i64", "u8", "u16", "u32", "u64"];

pub(super) fn is_integer(word: Option<&str>) -> bool {
    word.is_some_and(|word| INTEGERS.contains(&word))
}

pub(super) fn is_float(word: Option<&str>) -> bool {
    matches!(word, Some("f32" | "f64"))
}

/// The built-in types of fields, but the integers.
const OTHERS: [&str; 13] = [
    "bool",
    "f32",
    "f64",
    "String",
    "Decimal",
    "Date",
    "Time",
    "DateTime",
    "Timestamp",
    "Uuid",
    "Vec",
    "ForeignKey",
    "OneToOne",
];

/// True for a name that is none of the built-in types': what it means, only the compiler knows.
pub(super) fn is_unknown(word: Option<&str>) -> bool {
    !is_integer(word) && word.is_none_or(|word| !OTHERS.contains(&word))
}

/// True for a type that a key has, and that is no model.
pub(super) fn is_key_value(word: Option<&str>) -> bool {
    is_integer(word) || matches!(word, Some("String" | "Uuid"))
}

/// True for a type that is certainly another one.
pub(super) fn known_other_than(word: Option<&str>, wanted: &str) -> bool {
    word != Some(wanted) && (is_integer(word) || word.is_some_and(|word| OTHERS.contains(&word)))
}

/// Without the invisible brackets around what a `macro_rules!` macro passes on, and without visible ones.
pub(super) fn bare(ty: &Type) -> &Type {
    match ty {
        Type::Group(group) => bare(&group.elem),
        Type::Paren(paren) => bare(&paren.elem),
        other => other,
    }
}

/// As [`bare`], of an expression.
pub(super) fn bare_expr(expr: &Expr) -> &Expr {
    match expr {
        Expr::Group(group) => bare_expr(&group.expr),
        Expr::Paren(paren) => bare_expr(&paren.expr),
        other => other,
    }
}

/// `T` of `Name<T>`.
pub(super) fn argument<'a>(ty: &'a Type, name: &str) -> Option<&'a Type> {
    let Type::Path(path) = bare(ty) else { return None };
    let segment = path.path.segments.last().filter(|segment| segment.ident == name)?;
    let PathArguments::AngleBracketed(arguments) = &segment.arguments else { return None };
    match (arguments.args.first(), arguments.args.len()) {
        (Some(GenericArgument::Type(ty)), 1) => Some(bare(ty)),
        _ => None,
    }
}

pub(super) fn last_word(ty: &Type) -> Option<String> {
    let Type::Path(path) = bare(ty) else { return None };
    path.path.segments.last().map(|segment| segment.ident.to_string())
}

/// A default that the database can know as well: a literal.
pub(super) enum Literal {
    Bool(bool),
    Int(i64),
    Number(String),
    Text(String),
}

pub(super) fn literal(expr: &Expr) -> Option<Literal> {
    let (negative, lit) = match bare_expr(expr) {
        Expr::Lit(lit) => (false, &lit.lit),
        Expr::Unary(unary) if matches!(unary.op, syn::UnOp::Neg(_)) => match bare_expr(&unary.expr) {
            Expr::Lit(lit) => (true, &lit.lit),
            _ => return None,
        },
        // `dec!(9.90)`
        Expr::Macro(mac) if mac.mac.path.segments.last().is_some_and(|segment| segment.ident == "dec") => {
            let text = mac.mac.tokens.to_string().replace([' ', '_'], "");
            return text
                .trim_start_matches('-')
                .starts_with(|c: char| c.is_ascii_digit())
                .then_some(Literal::Number(text));
        }
        _ => return None,
    };
    let sign = if negative { "-" } else { "" };
    match lit {
        Lit::Bool(value) => Some(Literal::Bool(value.value)),
        Lit::Int(value) => format!("{sign}{}", value.base10_digits()).parse().ok().map(Literal::Int),
        Lit::Float(value) => {
            // `5.` is a number in Rust and none in SQL.
            let zero = if value.base10_digits().ends_with('.') { "0" } else { "" };
            Some(Literal::Number(format!("{sign}{}{zero}", value.base10_digits())))
        }
        Lit::Str(value) => Some(Literal::Text(value.value())),
        _ => None,
    }
}
