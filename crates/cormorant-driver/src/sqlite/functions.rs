//! Functions that SQLite lacks, under names of our own.

use regex_lite::Regex;
use rusqlite::Connection;
use rusqlite::functions::FunctionFlags;
use rusqlite::types::{Value, ValueRef};

pub(super) fn add(raw: &Connection) -> rusqlite::Result<()> {
    let flags = FunctionFlags::SQLITE_UTF8 | FunctionFlags::SQLITE_DETERMINISTIC | FunctionFlags::SQLITE_INNOCUOUS;
    raw.create_scalar_function("cormorant_lower", 1, flags, |context| {
        Ok(context.get::<Option<String>>(0)?.map(|text| text.to_lowercase()))
    })?;
    raw.create_scalar_function("cormorant_upper", 1, flags, |context| {
        Ok(context.get::<Option<String>>(0)?.map(|text| text.to_uppercase()))
    })?;
    raw.create_scalar_function("cormorant_integer", 3, flags, |context| match context.get_raw(0) {
        ValueRef::Real(_) => Err(overflow()),
        ValueRef::Integer(n) if n < context.get(1)? || n > context.get(2)? => Err(overflow()),
        value => Ok(Value::try_from(value)?),
    })?;
    raw.create_scalar_function("cormorant_round", 1, flags, |context| match context.get_raw(0) {
        ValueRef::Real(number) => rounded(number).map(Value::Integer).ok_or_else(overflow),
        value => Ok(Value::try_from(value)?),
    })?;
    raw.create_scalar_function("cormorant_like", 2, flags, |context| {
        let (pattern, text) = (context.get::<Option<String>>(0)?, context.get::<Option<String>>(1)?);
        Ok(pattern.zip(text).map(|(pattern, text)| like(&pattern, &text)))
    })?;
    raw.create_scalar_function("cormorant_regex", 2, flags, |context| {
        // Compiled once per statement, and matched in linear time whatever the pattern.
        let regex = context.get_or_create_aux(0, |pattern| match pattern.as_str_or_null() {
            Ok(Some(pattern)) => {
                Regex::new(pattern).map(Some).map_err(Into::<Box<dyn std::error::Error + Send + Sync>>::into)
            }
            Ok(None) => Ok(None),
            Err(error) => Err(error.into()),
        })?;
        let text = context.get::<Option<String>>(1)?;
        Ok(regex.as_ref().as_ref().zip(text).map(|(regex, text)| regex.is_match(&text)))
    })
}

fn overflow() -> rusqlite::Error {
    rusqlite::Error::UserFunctionError("integer overflow".into())
}

/// The nearest integer, the one further from zero of two; none where it would not fit 64 bits.
fn rounded(number: f64) -> Option<i64> {
    // The first float behind the largest integer, which is none itself.
    const END: f64 = 9_223_372_036_854_775_808.0;
    let whole = number.round();
    (-END..END).contains(&whole).then_some(whole as i64)
}

/// LIKE with `%`, `_` and `!` as the escape, by case. Time is at most the product of both lengths.
fn like(pattern: &str, text: &str) -> bool {
    let pattern = pieces(pattern);
    let text: Vec<char> = text.chars().collect();
    let (mut p, mut t) = (0, 0);
    // Where to go on when a guess about the last `%` was wrong: one character further.
    let mut retry = None;
    while let Some(c) = text.get(t) {
        match pattern.get(p) {
            Some(Piece::Many) => {
                retry = Some((p, t));
                p += 1;
            }
            Some(Piece::One) => (p, t) = (p + 1, t + 1),
            Some(Piece::This(wanted)) if wanted == c => (p, t) = (p + 1, t + 1),
            _ => match retry {
                Some((many, from)) => {
                    retry = Some((many, from + 1));
                    (p, t) = (many + 1, from + 1);
                }
                None => return false,
            },
        }
    }
    pattern.get(p..).unwrap_or_default().iter().all(|piece| *piece == Piece::Many)
}

#[derive(PartialEq)]
enum Piece {
    Many,
    One,
    This(char),
}

fn pieces(pattern: &str) -> Vec<Piece> {
    let mut pieces = Vec::with_capacity(pattern.len());
    let mut chars = pattern.chars();
    while let Some(c) = chars.next() {
        pieces.push(match c {
            '%' => Piece::Many,
            '_' => Piece::One,
            '!' => Piece::This(chars.next().unwrap_or('!')),
            c => Piece::This(c),
        });
    }
    pieces
}

#[cfg(test)]
mod tests {
    use super::{like, rounded};

    #[test]
    fn a_float_is_rounded_to_an_integer_or_refused() {
        for (number, expected) in [
            (2.5, Some(3)),
            (-2.5, Some(-3)),
            (0.49999999999999994, Some(0)),
            (9_007_199_254_740_991.0, Some(9_007_199_254_740_991)),
            (-9_223_372_036_854_775_808.0, Some(i64::MIN)),
            (9_223_372_036_854_775_808.0, None),
            (f64::NEG_INFINITY, None),
            (f64::NAN, None),
        ] {
            assert_eq!(rounded(number), expected, "{number}");
        }
    }

    #[test]
    fn like_knows_its_wildcards() {
        for (pattern, text, expected) in [
            ("%", "", true),
            ("", "", true),
            ("", "a", false),
            ("a%", "abc", true),
            ("%c", "abc", true),
            ("%b%", "abc", true),
            ("_b_", "abc", true),
            ("_", "", false),
            ("A%", "abc", false),
            ("50!%", "50%", true),
            ("50!%", "50x", false),
            ("!!", "!", true),
            ("%a%b%c%", "xaxxbxxcx", true),
            ("%a%b%c%", "xaxxcxxbx", false),
            ("é_", "éß", true),
        ] {
            assert_eq!(like(pattern, text), expected, "{pattern:?} {text:?}");
        }
    }
}
