//! Names that are made from other names.

use heck::{ToKebabCase as _, ToLowerCamelCase as _, ToPascalCase as _, ToShoutySnakeCase as _, ToSnakeCase as _};

/// How names are written in the database: the values of `rename_all`.
#[derive(Clone, Copy, Default)]
pub(crate) enum Case {
    #[default]
    Snake,
    Pascal,
    Camel,
    ScreamingSnake,
    Kebab,
    Lower,
    Upper,
}

pub(super) const CASES: [(&str, Case); 7] = [
    ("snake_case", Case::Snake),
    ("PascalCase", Case::Pascal),
    ("camelCase", Case::Camel),
    ("SCREAMING_SNAKE_CASE", Case::ScreamingSnake),
    ("kebab-case", Case::Kebab),
    ("lowercase", Case::Lower),
    ("UPPERCASE", Case::Upper),
];

impl Case {
    pub(crate) fn apply(self, name: &str) -> String {
        match self {
            Self::Snake => name.to_snake_case(),
            Self::Pascal => name.to_pascal_case(),
            Self::Camel => name.to_lower_camel_case(),
            Self::ScreamingSnake => name.to_shouty_snake_case(),
            Self::Kebab => name.to_kebab_case(),
            Self::Lower => name.to_snake_case().replace('_', ""),
            Self::Upper => name.to_snake_case().replace('_', "").to_uppercase(),
        }
    }
}

/// A model's name in the names of columns that lead to it: `OrderLine` is `order_line`.
pub(super) fn singular(model: &str) -> String {
    model.to_snake_case()
}

/// The table of a model: `OrderLine` is `order_lines`.
pub(super) fn table(model: &str, case: Case) -> String {
    let snake = model.to_snake_case();
    let plural = match snake.rsplit_once('_') {
        Some((before, last)) => format!("{before}_{}", plural(last)),
        None => plural(&snake),
    };
    case.apply(&plural)
}

/// The plural of an English word by rule; `table = "…"` says another.
fn plural(word: &str) -> String {
    const IRREGULAR: [(&str, &str); 14] = [
        ("person", "people"),
        ("child", "children"),
        ("man", "men"),
        ("woman", "women"),
        ("tooth", "teeth"),
        ("foot", "feet"),
        ("goose", "geese"),
        ("mouse", "mice"),
        ("ox", "oxen"),
        ("datum", "data"),
        ("criterion", "criteria"),
        ("analysis", "analyses"),
        ("index", "indices"),
        ("quiz", "quizzes"),
    ];
    const SAME: [&str; 9] =
        ["news", "data", "series", "species", "sheep", "fish", "equipment", "information", "metadata"];
    if SAME.contains(&word) {
        return word.to_owned();
    }
    if let Some((_, plural)) = IRREGULAR.iter().find(|(singular, _)| *singular == word) {
        return (*plural).to_owned();
    }
    let vowel = |c: Option<char>| c.is_some_and(|c| "aeiou".contains(c));
    if let Some(stem) = word.strip_suffix('y')
        && !vowel(stem.chars().last())
    {
        return format!("{stem}ies");
    }
    let hisses = ["s", "x", "z", "ch", "sh"].iter().any(|end| word.ends_with(end));
    format!("{word}{}", if hisses { "es" } else { "s" })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn tables_are_plural_and_snake_case() {
        for (model, expected) in [
            ("Item", "items"),
            ("OrderLine", "order_lines"),
            ("Category", "categories"),
            ("Day", "days"),
            ("Box", "boxes"),
            ("Address", "addresses"),
            ("Person", "people"),
            ("News", "news"),
            ("HTTPLog", "http_logs"),
        ] {
            assert_eq!(table(model, Case::Snake), expected);
        }
        assert_eq!(table("OrderLine", Case::Pascal), "OrderLines");
    }
}
