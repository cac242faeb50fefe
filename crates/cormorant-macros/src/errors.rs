//! Faults of an input, all reported together.

use quote::ToTokens;

/// Collects faults, so that a user sees every one at once.
#[derive(Default)]
pub(crate) struct Errors {
    error: Option<syn::Error>,
    fatal: bool,
}

impl Errors {
    /// A fault that leaves something to expand: what uses the struct is not told that it is missing as well.
    pub(crate) fn add(&mut self, error: syn::Error) {
        match &mut self.error {
            Some(errors) => errors.combine(error),
            None => self.error = Some(error),
        }
    }

    /// As [`add`](Self::add), at these tokens.
    pub(crate) fn at(&mut self, place: impl ToTokens, message: impl std::fmt::Display) {
        self.add(syn::Error::new_spanned(place, message));
    }

    /// A fault after which nothing can be expanded.
    pub(crate) fn fatal(&mut self, place: impl ToTokens, message: impl std::fmt::Display) {
        self.at(place, message);
        self.fatal = true;
    }

    /// Nothing can be expanded after what was said already.
    pub(crate) fn give_up(&mut self) {
        self.fatal = true;
    }

    /// The faults, as an error if nothing can be expanded.
    pub(crate) fn finish(self) -> syn::Result<Option<syn::Error>> {
        match self.error {
            Some(error) if self.fatal => Err(error),
            error => Ok(error),
        }
    }
}

/// "unknown key `uniqe`: did you mean `unique`?"
pub(crate) fn unknown(key: &str, known: &[&str]) -> String {
    // `CASCADE` is `cascade`: capitals are no distance.
    let small = key.to_lowercase();
    let nearest = known.iter().map(|other| (distance(&small, other), *other)).min();
    match nearest {
        Some((distance, other)) if distance <= 1 + key.len() / 4 => {
            format!("unknown key `{key}`: did you mean `{other}`?")
        }
        _ => format!("unknown key `{key}`: known are {}", list(known)),
    }
}

pub(crate) fn list(words: &[&str]) -> String {
    words.iter().map(|word| format!("`{word}`")).collect::<Vec<_>>().join(", ")
}

/// Insertions, deletions and replacements between two words.
fn distance(a: &str, b: &str) -> usize {
    let b: Vec<char> = b.chars().collect();
    let mut row: Vec<usize> = (0..=b.len()).collect();
    for (i, x) in a.chars().enumerate() {
        let mut diagonal = i;
        let mut left = i + 1;
        for (y, above) in b.iter().zip(row.iter_mut().skip(1)) {
            let replaced = diagonal + usize::from(x != *y);
            diagonal = *above;
            left = replaced.min(*above + 1).min(left + 1);
            *above = left;
        }
        if let Some(first) = row.first_mut() {
            *first = i + 1;
        }
    }
    row.last().copied().unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_nearest_key_is_offered() {
        assert_eq!(distance("uniqe", "unique"), 1);
        assert_eq!(distance("", "abc"), 3);
        assert_eq!(distance("kitten", "sitting"), 3);
        assert!(unknown("uniqe", &["unique", "index"]).ends_with("did you mean `unique`?"));
        assert!(unknown("UNIQUE", &["unique", "index"]).ends_with("did you mean `unique`?"));
        assert!(unknown("colour", &["unique", "index"]).ends_with("known are `unique`, `index`"));
    }
}
