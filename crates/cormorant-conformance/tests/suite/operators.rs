//! Operators and functions, against data that is hard on them. Where Rust has the same operation, Rust says what is
//! right.

use cormorant::ErrorKind;
use cormorant::expr::Assign;
use cormorant::prelude::*;
use cormorant_conformance::{Backend, Fixture, conformance};

#[derive(Model, Clone, Debug, PartialEq)]
struct Word {
    id: i64,
    text: String,
    maybe: Option<String>,
}

#[derive(Model, Clone, Debug, PartialEq)]
struct Number {
    id: i64,
    a: i64,
    b: i64,
    maybe: Option<i64>,
    small: i16,
    unsigned: u32,
    float: f64,
    flag: bool,
    perhaps: Option<bool>,
}

impl Number {
    fn of(a: i64, b: i64) -> Self {
        Self { id: 0, a, b, maybe: None, small: 0, unsigned: 0, float: 0.0, flag: false, perhaps: None }
    }
}

#[derive(Model, Clone, Debug, PartialEq)]
struct Money {
    id: i64,
    #[model(precision = 12, scale = 2)]
    price: Decimal,
    #[model(precision = 12, scale = 4)]
    rate: Option<Decimal>,
    quantity: i32,
}

#[derive(Model, Clone, Debug, PartialEq)]
struct Moment {
    id: i64,
    date: Date,
    time: Time,
    local: DateTime,
    at: Timestamp,
    maybe: Option<Date>,
}

/// Texts that operators of text get wrong.
const TEXTS: [&str; 36] = [
    "",
    " ",
    "a",
    "A",
    "abc",
    "ABC",
    "aBc",
    "abc ",
    " abc",
    "a b",
    "a%c",
    "a_c",
    "a!c",
    "a\\c",
    "a\\",
    "a'c",
    "a\"c",
    "a`c",
    "%",
    "_",
    "!",
    "\\",
    "'",
    "''",
    "Ä",
    "ä",
    "ÄPFEL",
    "äpfel",
    "Straße",
    "naïve",
    "ÉTÉ",
    "été",
    "🦀",
    "a🦀c",
    "日本語",
    "e\u{301}",
];

async fn words(test: &Fixture) -> cormorant::Result<()> {
    test.db.create(models![Word]).await?;
    let words = TEXTS.iter().map(|text| Word { id: 0, text: (*text).to_owned(), maybe: Some((*text).to_owned()) });
    let unknown = Word { id: 0, text: "unknown".into(), maybe: None };
    Word::insert_many(&test.db, words.chain([unknown])).await?;
    Ok(())
}

/// The texts that a condition finds among [`TEXTS`], in their order.
async fn found(
    test: &Fixture,
    condition: impl FnOnce(PathOf<Word>) -> Predicate<Word>,
) -> cormorant::Result<Vec<String>> {
    let query = Word::filter(|w| w.text().ne("unknown")).filter(condition);
    query.order_by(|w| w.id().asc()).select(|w| w.text()).all(&test.db).await
}

/// The texts of which Rust says so.
fn expected(condition: impl Fn(&str) -> bool) -> Vec<String> {
    TEXTS.iter().filter(|text| condition(text)).map(|text| (*text).to_owned()).collect()
}

async fn value<T: Send + 'static>(
    test: &Fixture,
    of: impl FnOnce(PathOf<Number>) -> Expr<Number, T>,
) -> cormorant::Result<T>
where
    Expr<Number, T>: cormorant::Selectable<Number, Row = T>,
{
    Number::query().order_by(|n| n.id().asc()).limit(1).select(of).one(&test.db).await
}

async fn numbers(test: &Fixture, numbers: impl IntoIterator<Item = Number> + Send) -> cormorant::Result<()> {
    test.db.create(models![Number]).await?;
    Number::insert_many(&test.db, numbers).await?;
    Ok(())
}

async fn prices(test: &Fixture, prices: &[Decimal]) -> cormorant::Result<()> {
    test.db.create(models![Money]).await?;
    let rows = prices.iter().map(|price| Money { id: 0, price: *price, rate: None, quantity: 3 });
    Money::insert_many(&test.db, rows.collect::<Vec<_>>()).await?;
    Ok(())
}

conformance! {
    async fn text_is_equal_only_to_itself(test: &Fixture) {
        words(test).await?;
        for text in TEXTS {
            assert_eq!(found(test, |w| w.text().eq(text)).await?, [text], "eq {text:?}");
            assert_eq!(found(test, |w| w.text().ne(text)).await?, expected(|other| other != text), "ne {text:?}");
            assert_eq!(found(test, |w| w.maybe().eq(text)).await?, [text]);
            assert_eq!(found(test, |w| w.text().is_in([text, "no"])).await?, [text], "is_in {text:?}");
            assert_eq!(found(test, |w| w.maybe().eq(Some(text.to_owned()))).await?, [text]);
        }
        assert_eq!(Word::filter(|w| w.text().eq(w.maybe().or(""))).count(&test.db).await?, TEXTS.len() as u64);
    }

    async fn searches_know_no_wildcards_and_tell_case_apart(test: &Fixture) {
        words(test).await?;
        for part in TEXTS.into_iter().chain(["c", "C", "bc", "B", "pfel", "c ", "no"]) {
            assert_eq!(
                found(test, |w| w.text().contains(part)).await?,
                expected(|t| t.contains(part)),
                "contains {part:?}"
            );
            assert_eq!(
                found(test, |w| w.text().starts_with(part)).await?,
                expected(|t| t.starts_with(part)),
                "starts {part:?}"
            );
            assert_eq!(
                found(test, |w| w.text().ends_with(part)).await?,
                expected(|t| t.ends_with(part)),
                "ends {part:?}"
            );
            assert_eq!(
                found(test, |w| !w.text().contains(part)).await?,
                expected(|t| !t.contains(part)),
                "not {part:?}"
            );
        }
    }

    async fn searches_of_the_i_kind_pass_over_case_in_every_script(test: &Fixture) {
        words(test).await?;
        let low = |text: &str| text.to_lowercase();
        for part in TEXTS.into_iter().chain(["C", "Bc", "PFEL", "STRASSE", "NAÏ", "É"]) {
            let p = low(part);
            assert_eq!(
                found(test, |w| w.text().icontains(part)).await?,
                expected(|t| low(t).contains(&p)),
                "icontains {part:?}"
            );
            assert_eq!(
                found(test, |w| w.text().istarts_with(part)).await?,
                expected(|t| low(t).starts_with(&p)),
                "istarts {part:?}"
            );
            assert_eq!(
                found(test, |w| w.text().iends_with(part)).await?,
                expected(|t| low(t).ends_with(&p)),
                "iends {part:?}"
            );
            assert_eq!(found(test, |w| w.text().ieq(part)).await?, expected(|t| low(t) == p), "ieq {part:?}");
        }
    }

    async fn like_has_two_wildcards_and_an_escape(test: &Fixture) {
        words(test).await?;
        for (pattern, matches) in [
            ("a%c", vec!["abc", "aBc", "a%c", "a_c", "a!c", "a\\c", "a'c", "a\"c", "a`c", "a🦀c"]),
            ("a_c", vec!["abc", "aBc", "a%c", "a_c", "a!c", "a\\c", "a'c", "a\"c", "a`c", "a🦀c"]),
            ("a!%c", vec!["a%c"]),
            ("a!_c", vec!["a_c"]),
            ("a!!c", vec!["a!c"]),
            ("a\\c", vec!["a\\c"]),
            ("a\\", vec!["a\\"]),
            ("", vec![""]),
            ("_", vec![" ", "a", "A", "%", "_", "!", "\\", "'", "Ä", "ä", "🦀"]),
            (
                "___",
                vec![
                    "abc",
                    "ABC",
                    "aBc",
                    "a b",
                    "a%c",
                    "a_c",
                    "a!c",
                    "a\\c",
                    "a'c",
                    "a\"c",
                    "a`c",
                    "ÉTÉ",
                    "été",
                    "a🦀c",
                    "日本語",
                ],
            ),
            ("ABC", vec!["ABC"]),
            ("%c ", vec!["abc "]),
            ("Ä%", vec!["Ä", "ÄPFEL"]),
            ("%本%", vec!["日本語"]),
        ] {
            assert_eq!(found(test, |w| w.text().like(pattern)).await?, matches, "like {pattern:?}");
        }
        assert_eq!(found(test, |w| w.text().like("%")).await?, TEXTS);
        for (pattern, matches) in [
            ("ABC", vec!["abc", "ABC", "aBc"]),
            ("ä%", vec!["Ä", "ä", "ÄPFEL", "äpfel"]),
            ("É_É", vec!["ÉTÉ", "été"]),
            ("A!%C", vec!["a%c"]),
        ] {
            assert_eq!(found(test, |w| w.text().ilike(pattern)).await?, matches, "ilike {pattern:?}");
        }
        for pattern in ["!", "a%!", "!!!"] {
            for error in [
                found(test, |w| w.text().like(pattern)).await.unwrap_err(),
                found(test, |w| w.text().ilike(pattern)).await.unwrap_err(),
            ] {
                assert_eq!(error.kind(), ErrorKind::Encode, "{pattern}: {error}");
                assert!(error.to_string().contains("write `!!`"), "{error}");
            }
        }
        assert_eq!(found(test, |w| w.text().like("!!")).await?, ["!"]);
    }

    async fn regular_expressions_tell_case_apart(test: &Fixture) {
        words(test).await?;
        for (pattern, matches) in [
            ("^a.c$", vec!["abc", "aBc", "a%c", "a_c", "a!c", "a\\c", "a'c", "a\"c", "a`c", "a🦀c"]),
            ("^[A-C]+$", vec!["A", "ABC"]),
            ("ä|é", vec!["ä", "äpfel", "été"]),
            ("^$", vec![""]),
            ("^abc +$", vec!["abc "]),
        ] {
            assert_eq!(found(test, |w| w.text().regex(pattern)).await?, matches, "regex {pattern:?}");
        }
        found(test, |w| w.text().regex("(")).await.unwrap_err();
    }

    async fn null_is_like_no_text(test: &Fixture) {
        words(test).await?;
        let unknown = |condition: fn(PathOf<Word>) -> Predicate<Word>| {
            let query = Word::filter(condition).filter(|w| w.maybe().is_null());
            async { query.count(&test.db).await }
        };
        assert_eq!(unknown(|w| w.maybe().contains("")).await?, 0);
        assert_eq!(unknown(|w| !w.maybe().contains("")).await?, 1);
        assert_eq!(unknown(|w| w.maybe().starts_with("") | w.maybe().istarts_with("")).await?, 0);
        assert_eq!(unknown(|w| w.maybe().ends_with("") | w.maybe().iends_with("")).await?, 0);
        assert_eq!(unknown(|w| !w.maybe().ends_with("") & !w.maybe().iends_with("")).await?, 1);
        assert_eq!(unknown(|w| w.maybe().istarts_with("u")).await?, 0);
        assert_eq!(unknown(|w| !w.maybe().like("%")).await?, 1);
        assert_eq!(unknown(|w| !w.maybe().regex(".")).await?, 1);
        assert_eq!(unknown(|w| w.maybe().ieq("unknown")).await?, 0);
        assert_eq!(unknown(|w| w.maybe().or("x").eq("x")).await?, 1);
    }

    async fn case_tells_apart_in_a_table_that_someone_else_made(test: &Fixture) {
        let (text, table) = (if test.is(Backend::MariaDb) { "varchar(20)" } else { "text" }, test.quoted("words"));
        let key = if test.is(Backend::Postgres) { "bigint PRIMARY KEY" } else { "integer PRIMARY KEY" };
        let options = if test.is(Backend::MariaDb) { "CHARACTER SET utf8mb4 COLLATE utf8mb4_general_ci" } else { "" };
        let column = test.quoted("text");
        test.execute(&format!("CREATE TABLE {table} (id {key}, {column} {text}, maybe {text}) {options}")).await?;
        test.execute(&format!("INSERT INTO {table} VALUES (1, 'abc', 'Äh'), (2, 'ABC', 'äh')")).await?;
        let found = async |condition: fn(PathOf<Word>) -> Predicate<Word>| {
            Word::filter(condition).order_by(|w| w.id().asc()).select(|w| w.id()).all(&test.db).await
        };
        assert_eq!(found(|w| w.text().contains("b")).await?, [1]);
        assert_eq!(found(|w| w.text().starts_with("A")).await?, [2]);
        assert_eq!(found(|w| w.text().ends_with("c")).await?, [1]);
        assert_eq!(found(|w| w.text().like("_B%")).await?, [2]);
        assert_eq!(found(|w| w.text().regex("^a")).await?, [1]);
        assert_eq!(found(|w| w.maybe().contains("ä")).await?, [2]);
        assert_eq!(found(|w| w.maybe().icontains("ä") & w.text().ieq("aBc")).await?, [1, 2]);
    }

    async fn functions_of_text_count_characters(test: &Fixture) {
        words(test).await?;
        type Row = (String, i64, String, String, String, String, Option<i64>, Option<String>);
        let rows: Vec<Row> = Word::query()
            .order_by(|w| w.id().asc())
            .select(|w| {
                let (text, maybe) = (w.text(), w.maybe());
                (
                    w.text(),
                    text.clone().length(),
                    text.clone().lower(),
                    text.clone().upper(),
                    text.clone().trim(),
                    text.concat("<'%").concat(w.text()),
                    maybe.clone().length(),
                    maybe.concat("!").lower(),
                )
            })
            .all(&test.db)
            .await?;
        assert_eq!(rows.len(), TEXTS.len() + 1);
        for (text, length, lower, upper, trim, twice, maybe, marked) in rows {
            assert_eq!(length, text.chars().count() as i64, "{text:?}");
            assert_eq!(lower, text.to_lowercase());
            if !text.contains('ß') {
                // Two letters for one: PostgreSQL and MariaDB keep ß, SQLite takes Rust's word for it.
                assert_eq!(upper, text.to_uppercase());
            }
            assert_eq!(trim, text.trim_matches(' '), "{text:?}");
            assert_eq!(twice, format!("{text}<'%{text}"));
            let known = (text != "unknown").then_some(text);
            assert_eq!(maybe, known.as_ref().map(|text| text.chars().count() as i64));
            assert_eq!(marked, known.map(|text| format!("{}!", text.to_lowercase())), "NULL and a text is NULL");
        }
    }

    async fn text_is_ordered_and_compared(test: &Fixture) {
        words(test).await?;
        assert_eq!(found(test, |w| w.text().between("abb", "abd")).await?, expected(|t| ("abb"..="abd").contains(&t)));
        assert!(!found(test, |w| w.text().lt("a")).await?.contains(&"abc".to_owned()));
        assert_eq!(found(test, |w| w.text().ge("") & w.text().le("")).await?, [""]);
        let (min, max): (Option<String>, Option<String>) = Word::filter(|w| w.text().is_in(["abc", "a", "äpfel"]))
            .select(|w| (w.text().min(), w.maybe().max()))
            .one(&test.db)
            .await?;
        assert_eq!((min.as_deref(), max.as_deref()), (Some("a"), Some("äpfel")));
    }

    async fn whole_numbers_are_calculated_as_in_rust(test: &Fixture) {
        let pairs = [
            (7, 2),
            (-7, 2),
            (7, -2),
            (-7, -2),
            (0, 5),
            (6, 3),
            (i64::MAX, 2),
            (i64::MIN, 2),
            (1 << 53, 3),
            (-1, i64::MAX),
        ];
        numbers(test, pairs.map(|(a, b)| Number::of(a, b))).await?;
        type Row = ((i64, i64), (i64, i64, i64, i64, i64));
        let rows: Vec<Row> = Number::query()
            .select(|n| {
                let (a, b) = (n.a(), n.b());
                (
                    (n.a(), n.b()),
                    (
                        a.clone() / b.clone(),
                        a.clone() % b.clone(),
                        a.clone() / 2 + b.clone() / 2,
                        a.clone() / 2 - b.clone() / 2,
                        (a / 1_000_000_000) * 3,
                    ),
                )
            })
            .all(&test.db)
            .await?;
        assert_eq!(rows.len(), pairs.len());
        for ((a, b), got) in rows {
            assert_eq!(got, (a / b, a % b, a / 2 + b / 2, a / 2 - b / 2, (a / 1_000_000_000) * 3), "{a} and {b}");
        }
        let brackets: i64 = value(test, |n| (n.a() - (n.b() - 1)) * -(n.a() + 1).abs() - 3 * 2).await?;
        assert_eq!(brackets, (7 - 1) * -8 - 6);
        assert_eq!(value(test, |n| n.a() - n.b() - 1).await?, 4, "from left to right");
        assert_eq!(value(test, |n| n.a() / n.b() * n.b()).await?, 6);
        assert_eq!(value(test, |n| n.a() * (n.b() / n.b())).await?, 7);
    }

    async fn overflow_is_an_error_and_never_wraps(test: &Fixture) {
        numbers(test, [Number::of(i64::MAX, i64::MIN), Number::of(1, -1)]).await?;
        let first = || Number::query().order_by(|n| n.id().asc()).limit(1);
        for (what, query) in [
            ("a + 1", first().select(|n| n.a() + 1)),
            ("b - 1", first().select(|n| n.b() - 1)),
            ("a * 2", first().select(|n| n.a() * 2)),
            ("-b", first().select(|n| -n.b())),
            ("abs(b)", first().select(|n| n.b().abs())),
        ] {
            match query.all(&test.db).await {
                Ok(rows) => panic!("{what} gives {rows:?}"),
                Err(error) => {
                    assert!(matches!(error.kind(), ErrorKind::OutOfRange | ErrorKind::Decode), "{what}: {error:?}")
                }
            }
        }
        let error = Number::query().select(|n| n.a().sum()).one(&test.db).await.unwrap_err();
        assert!(matches!(error.kind(), ErrorKind::OutOfRange | ErrorKind::Decode), "i64::MAX + 1: {error:?}");
        Number::query().select(|n| n.b().sum()).one(&test.db).await.unwrap_err();
        let both: Option<i64> = Number::query().select(|n| (n.a() + n.b()).sum()).one(&test.db).await?;
        assert_eq!(both, Some(-1));
    }

    async fn an_update_that_overflows_stores_nothing(test: &Fixture) {
        numbers(test, [Number::of(i64::MAX, 0), Number::of(1, 0)]).await?;
        let result = Number::query().update(&test.db, |n| n.a().set(n.a() + 1)).await;
        assert_eq!(value(test, |n| n.a()).await?, i64::MAX, "the update gave {result:?}");
        result.unwrap_err();
        let full = Number { small: i16::MAX, unsigned: 1, ..Number::of(i64::MAX, i64::MAX) };
        test.db.drop(models![Number]).await?;
        numbers(test, [full]).await?;
        let update = async |assign: fn(PathOf<Number>) -> Vec<Assign<Number>>| {
            let error = Number::query().update(&test.db, assign).await.unwrap_err();
            assert_eq!(error.kind(), ErrorKind::OutOfRange, "{error:?}");
            let number = Number::query().one(&test.db).await?;
            assert_eq!((number.a, number.small), (i64::MAX, i16::MAX), "stored");
            cormorant::Result::Ok(())
        };
        update(|n| vec![n.a().set(case(n.flag(), 0).otherwise(n.a() + n.b()))]).await?;
        update(|n| vec![n.a().set((n.maybe() + 1).or(n.a() + n.b()))]).await?;
        update(|n| vec![n.a().set((n.a() + 1).abs())]).await?;
        // As narrow as the column, not as the widest integer.
        update(|n| vec![n.small().set(n.small() + 1_i16)]).await?;
        update(|n| vec![n.small().set(-n.small() - 2_i16)]).await?;
        update(|n| vec![n.small().set(case(n.flag(), 0_i16).otherwise(n.small() + 1_i16))]).await?;
        assert_eq!(Number::query().update(&test.db, |n| n.small().set(-n.small() - 1_i16)).await?, 1);
        assert_eq!(value(test, |n| n.small()).await?, i16::MIN);
        assert_eq!(Number::query().update(&test.db, |n| n.maybe().set(n.maybe() + 1)).await?, 1, "NULL stays NULL");
    }

    async fn narrow_numbers_are_summed_wide(test: &Fixture) {
        let row =
            || Number { small: i16::MAX, unsigned: u32::MAX, maybe: Some(i64::from(u32::MAX)), ..Number::of(1, 1) };
        numbers(test, (0..4).map(|_| row()).collect::<Vec<_>>()).await?;
        let (small, unsigned, maybe): (Option<i64>, Option<i64>, Option<i64>) =
            Number::query().select(|n| (n.small().sum(), n.unsigned().sum(), n.maybe().sum())).one(&test.db).await?;
        assert_eq!((small, unsigned, maybe), (Some(4 * 32_767), Some(4 * 4_294_967_295), Some(4 * 4_294_967_295)));
        assert_eq!(value(test, |n| n.small() - 1_i16).await?, i16::MAX - 1);
        value(test, |n| n.small() + 1_i16).await.unwrap_err();
        value(test, |n| n.unsigned() * 2_u32).await.unwrap_err();
        value(test, |n| n.unsigned() - n.unsigned() - 1_u32).await.unwrap_err();
        assert_eq!(Number::filter(|n| n.small().lt(i16::MAX)).count(&test.db).await?, 0);
    }

    async fn null_makes_a_calculation_null(test: &Fixture) {
        numbers(test, [Number::of(5, 2), Number { maybe: Some(3), ..Number::of(6, 2) }]).await?;
        let rows: Vec<(Option<i64>, Option<i64>, i64, i64)> = Number::query()
            .order_by(|n| n.id().asc())
            .select(|n| (n.maybe() + 1, -n.maybe() * n.a(), n.maybe().or(0) + n.a(), n.maybe().or(n.b())))
            .all(&test.db)
            .await?;
        assert_eq!(rows, [(None, None, 5, 2), (Some(4), Some(-18), 9, 3)]);
        assert_eq!(Number::filter(|n| n.maybe().lt(n.a())).count(&test.db).await?, 1);
        assert_eq!(Number::filter(|n| !n.maybe().lt(n.a())).count(&test.db).await?, 1);
        assert_eq!(Number::filter(|n| n.maybe().ne(n.a())).count(&test.db).await?, 2, "NULL differs from every value");
    }

    async fn division_by_zero_gives_no_number(test: &Fixture) {
        numbers(test, [Number::of(5, 0)]).await?;
        value(test, |n| n.a() / n.b()).await.unwrap_err();
        value(test, |n| n.a() % n.b()).await.unwrap_err();
        value(test, |n| n.float() / n.float()).await.unwrap_err();
    }

    async fn columns_are_compared_with_columns_and_ranges(test: &Fixture) {
        numbers(test, [Number::of(1, 2), Number::of(2, 2), Number::of(3, 2)]).await?;
        let keys = |condition: fn(PathOf<Number>) -> Predicate<Number>| async move {
            Number::filter(condition).order_by(|n| n.a().asc()).select(|n| n.a()).all(&test.db).await
        };
        assert_eq!(keys(|n| n.a().lt(n.b())).await?, [1]);
        assert_eq!(keys(|n| n.a().le(n.b())).await?, [1, 2]);
        assert_eq!(keys(|n| n.a().eq(n.b())).await?, [2]);
        assert_eq!(keys(|n| n.a().ne(n.b())).await?, [1, 3]);
        assert_eq!(keys(|n| n.a().ge(n.b())).await?, [2, 3]);
        assert_eq!(keys(|n| n.a().gt(n.b())).await?, [3]);
        assert_eq!(keys(|n| n.a().between(1, 2)).await?, [1, 2], "both ends are included");
        assert_eq!(keys(|n| n.a().between(2, 1)).await?, Vec::<i64>::new());
        assert_eq!(keys(|n| n.a().between(n.b(), n.b() + 1)).await?, [2, 3]);
        assert_eq!(keys(|n| (n.a() * 2).gt(n.b() + 1) & n.a().lt(3)).await?, [2]);
        assert_eq!(keys(|n| n.a().is_in([n.b(), n.b() + 1])).await?, [2, 3], "a list may hold columns");
        assert_eq!(keys(|n| !n.a().is_in([n.b()])).await?, [1, 3]);
    }

    async fn truth_is_a_condition(test: &Fixture) {
        let row = |a, flag, perhaps| Number { flag, perhaps, ..Number::of(a, 0) };
        numbers(test, [row(1, true, Some(true)), row(2, false, Some(false)), row(3, false, None)]).await?;
        let keys = |condition: fn(PathOf<Number>) -> Predicate<Number>| async move {
            Number::filter(condition).order_by(|n| n.a().asc()).select(|n| n.a()).all(&test.db).await
        };
        assert_eq!(keys(|n| n.flag()).await?, [1]);
        assert_eq!(keys(|n| !n.flag()).await?, [2, 3]);
        assert_eq!(keys(|n| n.flag().eq(false)).await?, [2, 3]);
        assert_eq!(keys(|n| n.perhaps().eq(true)).await?, [1]);
        assert_eq!(keys(|n| n.perhaps().ne(true)).await?, [2, 3]);
        assert_eq!(keys(|n| n.perhaps().or(true)).await?, [1, 3]);
        assert_eq!(keys(|n| n.perhaps().is_in([false])).await?, [2]);
        assert_eq!(keys(|_| Predicate::always()).await?, [1, 2, 3]);
        assert_eq!(keys(|_| !Predicate::<Number>::always()).await?, Vec::<i64>::new());
        let rows: Vec<(bool, bool, Option<bool>)> = Number::query()
            .order_by(|n| n.a().asc())
            .select(|n| (n.a().gt(1), n.flag() | n.a().eq(3), n.perhaps()))
            .all(&test.db)
            .await?;
        assert_eq!(rows, [(false, true, Some(true)), (true, false, Some(false)), (true, true, None)]);
    }

    async fn floats_are_calculated_as_floats(test: &Fixture) {
        let row = |float| Number { float, ..Number::of(7, 2) };
        numbers(test, [row(7.5), row(2.5), row(-1.25)]).await?;
        assert_eq!(value(test, |n| n.float() / 2.0).await?, 3.75);
        assert_eq!(value(test, |n| n.a().cast_float() / n.b().cast_float()).await?, 3.5, "not cut to 3");
        assert_eq!(value(test, |n| n.float() * 2.0 - 0.5).await?, 14.5);
        let (sum, avg, min, max): (Option<f64>, Option<f64>, Option<f64>, Option<f64>) = Number::query()
            .select(|n| (n.float().sum(), n.float().avg(), n.float().min(), n.float().max()))
            .one(&test.db)
            .await?;
        assert_eq!((sum, min, max), (Some(8.75), Some(-1.25), Some(7.5)));
        assert!((avg.unwrap_or_default() - 8.75 / 3.0).abs() < 1e-12);
        assert_eq!(Number::filter(|n| n.float().gt(2.4999)).count(&test.db).await?, 2);
    }

    async fn the_mean_of_whole_numbers_is_no_whole_number(test: &Fixture) {
        let row = |a, maybe| Number { maybe, ..Number::of(a, 0) };
        numbers(test, [row(1, Some(1)), row(2, None), row(2, Some(4))]).await?;
        let (all, known): (Option<f64>, Option<f64>) =
            Number::query().select(|n| (n.a().avg(), n.maybe().avg())).one(&test.db).await?;
        assert!((all.unwrap_or_default() - 5.0 / 3.0).abs() < 1e-12, "{all:?}");
        assert_eq!(known, Some(2.5), "NULL does not count");
    }

    async fn exact_numbers_stay_exact_in_arithmetic(test: &Fixture) {
        prices(test, &[dec!(0.10)]).await?;
        let one = || Money::query().limit(1);
        assert_eq!(one().select(|m| m.price() + dec!(0.2)).one(&test.db).await?, dec!(0.3));
        assert_eq!(
            Money::filter(|m| (m.price() + dec!(0.2)).eq(dec!(0.3))).count(&test.db).await?,
            1,
            "0.1 + 0.2 = 0.3"
        );
        assert_eq!(Money::filter(|m| (m.price() * dec!(3)).eq(dec!(0.3))).count(&test.db).await?, 1);
        assert_eq!(Money::filter(|m| (m.price() - dec!(0.1)).eq(dec!(0))).count(&test.db).await?, 1);
        assert_eq!(one().select(|m| m.price() * m.quantity()).one(&test.db).await?, dec!(0.3));
        assert_eq!(one().select(|m| m.price() * m.price()).one(&test.db).await?, dec!(0.01));
        assert_eq!(one().select(|m| -m.price() - dec!(0.02)).one(&test.db).await?, dec!(-0.12));
        assert_eq!(one().select(|m| (m.price() - dec!(0.35)).abs()).one(&test.db).await?, dec!(0.25));
        assert_eq!(one().select(|m| m.price() / dec!(4)).one(&test.db).await?, dec!(0.025));
        match one().select(|m| m.price() % dec!(0.03)).one(&test.db).await {
            Ok(rest) => assert_eq!(rest, dec!(0.01)),
            // It has to know the digits of both, and a bound number brings its own.
            Err(error) => assert!(test.is(Backend::Sqlite) && error.kind() == ErrorKind::Unsupported, "{error:?}"),
        }
        for _ in 0..9 {
            Money::query().update(&test.db, |m| m.price().set(m.price() + dec!(0.1))).await?;
        }
        assert_eq!(one().select(|m| m.price()).one(&test.db).await?.to_string(), "1.00");
        assert_eq!(Money::filter(|m| m.price().eq(dec!(1))).count(&test.db).await?, 1, "ten times 0.1 is 1");
    }

    async fn ten_thousand_cents_are_a_hundred(test: &Fixture) {
        prices(test, &[dec!(0.01); 10_000]).await?;
        let (sum, revenue): (Option<Decimal>, Option<Decimal>) =
            Money::query().select(|m| (m.price().sum(), (m.price() * m.quantity()).sum())).one(&test.db).await?;
        assert_eq!((sum, revenue), (Some(dec!(100)), Some(dec!(300))));
        let grouped: Vec<(i32, Option<Decimal>)> = Money::query()
            .group_by(|m| m.quantity())
            .filter(|m| m.price().sum().eq(dec!(100)))
            .select(|m| (m.quantity(), m.price().sum()))
            .all(&test.db)
            .await?;
        assert_eq!(grouped, [(3, Some(dec!(100)))], "in a condition as well");
    }

    async fn exact_numbers_are_compared_and_ordered_by_value(test: &Fixture) {
        let all = [
            dec!(-9999999999.99),
            dec!(-1.5),
            dec!(-0.01),
            dec!(0),
            dec!(0.01),
            dec!(0.1),
            dec!(0.11),
            dec!(1),
            dec!(9.9),
            dec!(10),
            dec!(100),
            dec!(9999999999.98),
            dec!(9999999999.99),
        ];
        let mut shuffled = all;
        shuffled.reverse();
        shuffled.swap(2, 9);
        prices(test, &shuffled).await?;
        let ordered: Vec<Decimal> =
            Money::query().order_by(|m| m.price().asc()).select(|m| m.price()).all(&test.db).await?;
        assert_eq!(ordered, all);
        for number in all {
            let count = |condition: fn(PathOf<Money>, Decimal) -> Predicate<Money>| async move {
                Money::filter(|m| condition(m, number)).count(&test.db).await
            };
            assert_eq!(count(|m, x| m.price().eq(x)).await?, 1, "{number}");
            let below = all.iter().filter(|other| **other < number).count() as u64;
            assert_eq!(count(|m, x| m.price().lt(x)).await?, below, "{number}");
            assert_eq!(count(|m, x| m.price().ge(x)).await?, all.len() as u64 - below, "{number}");
            assert_eq!(count(|m, x| m.price().is_in([x])).await?, 1, "{number}");
            assert_eq!(count(|m, x| m.price().between(x, x)).await?, 1, "{number}");
        }
        let (min, max, sum): (Option<Decimal>, Option<Decimal>, Option<Decimal>) =
            Money::query().select(|m| (m.price().min(), m.price().max(), m.price().sum())).one(&test.db).await?;
        assert_eq!((min, max, sum), (Some(all[0]), Some(all[12]), Some(all.iter().sum())));
        assert_eq!(Money::filter(|m| m.price().eq(dec!(9.900))).count(&test.db).await?, 1, "9.900 is 9.9");
        assert_eq!(
            Money::filter(|m| m.price().gt(dec!(9.8999999))).count(&test.db).await?,
            5,
            "more digits than the column"
        );
    }

    async fn decimals_beside_null_and_other_scales(test: &Fixture) {
        prices(test, &[dec!(10), dec!(20)]).await?;
        Money::filter(|m| m.price().eq(dec!(10))).update(&test.db, |m| m.rate().set(dec!(0.0825))).await?;
        let rows: Vec<(Option<Decimal>, Decimal, Option<Decimal>)> = Money::query()
            .order_by(|m| m.price().asc())
            .select(|m| (m.rate() * m.price(), m.price() * m.rate().or(dec!(0)), m.rate() + dec!(1)))
            .all(&test.db)
            .await?;
        assert_eq!(rows, [(Some(dec!(0.825)), dec!(0.825), Some(dec!(1.0825))), (None, dec!(0), None)]);
        let sum: Option<Decimal> = Money::query().select(|m| m.rate().sum()).one(&test.db).await?;
        assert_eq!(sum, Some(dec!(0.0825)));
        let avg: Option<f64> = Money::query().select(|m| m.price().avg()).one(&test.db).await?;
        assert_eq!(avg, Some(15.0));
    }

    async fn exact_numbers_beyond_fifteen_digits_are_exact_or_refused(test: &Fixture) {
        test.db.create(models![Large]).await?;
        let most = dec!(999999999999999);
        Large::insert_many(&test.db, (0..9).map(|_| Large { id: 0, number: most, cents: dec!(9999999999999.99) }))
            .await?;
        let (numbers, cents): (Option<Decimal>, Option<Decimal>) =
            Large::query().select(|l| (l.number().sum(), l.cents().sum())).one(&test.db).await?;
        assert_eq!(
            (numbers, cents),
            (Some(dec!(8999999999999991)), Some(dec!(89999999999999.91))),
            "exact beyond 15 digits"
        );
        // A product of 17 digits: exact, or refused; never something near it.
        match Large::query().limit(1).select(|l| l.cents() * dec!(997)).one(&test.db).await {
            Ok(product) => assert_eq!(product, dec!(9969999999999990.03)),
            Err(error) => assert!(test.is(Backend::Sqlite), "{error:?}"),
        }
    }

    async fn a_case_gives_the_value_of_the_first_condition_that_holds(test: &Fixture) {
        let row = |a, maybe| Number { maybe, ..Number::of(a, 10) };
        numbers(test, [row(0, None), row(5, Some(1)), row(50, Some(2))]).await?;
        let rows: Vec<(String, i64, i64)> = Number::query()
            .order_by(|n| n.a().asc())
            .select(|n| {
                let size = case(n.a().gt(10), "many").when(n.a().gt(0), "few").otherwise("none");
                let column = case(n.maybe().gt(1), n.a()).otherwise(n.b() + 1);
                (size, column, case(n.maybe().eq(None::<i64>), 1).otherwise(0))
            })
            .all(&test.db)
            .await?;
        assert_eq!(rows, [("none".into(), 11, 1), ("few".into(), 11, 0), ("many".into(), 50, 0)]);
        let big: Option<i64> =
            Number::query().select(|n| case(n.a().ge(5), n.a()).otherwise(0).sum()).one(&test.db).await?;
        assert_eq!(big, Some(55));
    }

    async fn groups_may_be_calculated(test: &Fixture) {
        numbers(test, [Number::of(0, 1), Number::of(5, 1), Number::of(50, 1)]).await?;
        let size = |n: PathOf<Number>| case(n.a().gt(0), "some").otherwise("none");
        let counted: Vec<(String, i64)> = Number::query()
            .group_by(size)
            .select(|n| (size(n), count()))
            .order_by(|n| (count().desc(), size(n).asc()))
            .all(&test.db)
            .await?;
        assert_eq!(counted, [("some".to_owned(), 2), ("none".to_owned(), 1)]);
        let tens: Vec<(i64, i64)> = Number::query()
            .group_by(|n| n.a() / 10)
            .select(|n| (n.a() / 10, count()))
            .order_by(|_| count().asc())
            .all(&test.db)
            .await?;
        assert_eq!(tens, [(5, 1), (0, 2)]);
    }

    async fn functions_of_the_database_go_by_name(test: &Fixture) {
        numbers(test, [Number::of(-5, 2)]).await?;
        assert_eq!(value(test, |n| func("abs").arg(n.a()).returns::<i64>()).await?, 5);
        assert_eq!(Number::filter(|n| func("abs").arg(n.a()).returns::<i64>().eq(5)).count(&test.db).await?, 1);
        assert_eq!(value(test, |n| func("coalesce").arg(n.maybe()).arg(n.b()).arg(9).returns::<i64>()).await?, 2);
        for hostile in ["abs(1); --", "a b", "", "é'", "abs\""] {
            let error = value(test, |n| func(hostile).arg(n.a()).returns::<i64>()).await.unwrap_err();
            assert!(
                matches!(error.kind(), ErrorKind::InvalidIdentifier | ErrorKind::Unsupported),
                "{hostile:?}: {error:?}"
            );
        }
    }

    async fn a_function_of_the_database_gives_what_it_is_said_to_give(test: &Fixture) {
        words(test).await?;
        let query = Word::filter(|w| w.text().eq("abc")).select(|w| {
            let length = |w: PathOf<Word>| func("length").arg(w.text()).returns::<i64>();
            (length(w) / 2, length(w).sum())
        });
        // The length of a text is a number: it is divided and summed as one, and SQLite keeps the whole part.
        assert_eq!(query.group_by(|w| w.text()).one(&test.db).await?, (1, Some(3)));
        let halves = Word::filter(|w| w.text().eq("abc") & (func("length").arg(w.text()).returns::<i64>() / 2).eq(1));
        assert_eq!(halves.count(&test.db).await?, 1);
    }

    async fn a_cast_of_what_may_be_missing_may_be_missing(test: &Fixture) {
        numbers(test, [Number { maybe: None, ..Number::of(1, 1) }, Number { maybe: Some(2), ..Number::of(2, 2) }]).await?;
        type Row = (Option<i64>, Option<f64>, Option<Decimal>, i64);
        let rows: Vec<Row> = Number::query()
            .order_by(|n| n.id().asc())
            .select(|n| {
                let float = n.maybe().cast_float();
                (float.clone().cast_int(), float, n.maybe().cast_decimal(5, 1), n.a().cast_float().cast_int())
            })
            .all(&test.db)
            .await?;
        assert_eq!(rows, [(None, None, None, 1), (Some(2), Some(2.0), Some(dec!(2)), 2)]);
    }

    async fn a_cast_of_what_no_integer_holds_is_an_error(test: &Fixture) {
        for float in [1e19, -1e19, 1e300, 9_223_372_036_854_775_808.0] {
            numbers(test, [Number { float, ..Number::of(0, 0) }]).await?;
            let error = value(test, |n| n.float().cast_int()).await.unwrap_err();
            assert_eq!(error.kind(), ErrorKind::OutOfRange, "{float}: {error:?}");
            test.db.drop(models![Number]).await?;
        }
        // MariaDB keeps but fifteen digits of a float on the way to an integer.
        if !test.is(Backend::MariaDb) {
            numbers(test, [Number { float: -9_223_372_036_854_775_808.0, ..Number::of(0, 0) }]).await?;
            assert_eq!(value(test, |n| n.float().cast_int()).await?, i64::MIN);
        }
    }

    async fn an_infinity_is_no_exact_number(test: &Fixture) {
        if test.is(Backend::MariaDb) {
            return Ok(()); // stores none
        }
        for float in [f64::INFINITY, f64::NEG_INFINITY] {
            numbers(test, [Number { float, ..Number::of(0, 0) }]).await?;
            let decimal = value(test, |n| n.float().cast_decimal(10, 2)).await;
            assert!(decimal.is_err(), "{float} is {decimal:?}");
            test.db.drop(models![Number]).await?;
        }
    }

    async fn casts_round_half_away_from_zero(test: &Fixture) {
        numbers(test, [Number { float: 2.5, maybe: Some(-3), ..Number::of(7, -7) }]).await?;
        assert_eq!(value(test, |n| n.a().cast_float()).await?, 7.0);
        assert_eq!(value(test, |n| (n.float() + 0.2).cast_int()).await?, 3);
        assert_eq!(value(test, |n| (-n.float() - 0.2).cast_int()).await?, -3);
        assert_eq!(value(test, |n| n.a().cast_decimal(10, 2)).await?, dec!(7));
        assert_eq!(value(test, |n| n.float().cast_decimal(10, 1)).await?, dec!(2.5));
        assert_eq!(value(test, |n| n.float().cast_decimal(10, 0)).await?, dec!(3));
        prices(test, &[dec!(2.50), dec!(-2.50), dec!(2.49)]).await?;
        let rounded: Vec<i64> =
            Money::query().order_by(|m| m.id().asc()).select(|m| m.price().cast_int()).all(&test.db).await?;
        assert_eq!(rounded, [3, -3, 2]);
        let tenths: Vec<Decimal> =
            Money::query().order_by(|m| m.id().asc()).select(|m| m.price().cast_decimal(10, 1)).all(&test.db).await?;
        assert_eq!(tenths, [dec!(2.5), dec!(-2.5), dec!(2.5)]);
    }

    async fn a_float_between_two_integers_is_cast_alike_everywhere(test: &Fixture) {
        numbers(test, [Number { float: 2.5, ..Number::of(0, 0) }]).await?;
        assert_eq!(value(test, |n| n.float().cast_int()).await?, 3);
        assert_eq!(value(test, |n| (-n.float()).cast_int()).await?, -3);
    }

    async fn dates_and_times_have_parts(test: &Fixture) {
        test.db.create(models![Moment]).await?;
        for text in [
            "2024-02-29T13:07:09.123456",
            "2024-12-31T23:59:59.999999",
            "0001-01-01T00:00:00",
            "9999-12-30T12:30:45.5",
            "1969-12-31T23:59:59.75",
        ] {
            let Ok(local) = text.parse::<DateTime>() else { panic!("{text}") };
            let Ok(at) = format!("{text}Z").parse::<Timestamp>() else { panic!("{text}") };
            let moment = Moment { id: 0, date: local.date(), time: local.time(), local, at, maybe: None };
            let moment = Record::insert(moment, &test.db).await?;
            type Parts = (
                (i64, i64, i64),
                (i64, i64, i64),
                (i64, i64, i64, i64, i64, i64),
                (i64, i64, i64, i64, i64, i64),
                Option<i64>,
            );
            let parts: Parts = Moment::filter(|m| m.eq(&moment))
                .select(|m| {
                    let (date, time, local, at) = (m.date(), m.time(), m.local(), m.at());
                    (
                        (date.clone().year(), date.clone().month(), date.day()),
                        (time.clone().hour(), time.clone().minute(), time.second()),
                        (
                            local.clone().year(),
                            local.clone().month(),
                            local.clone().day(),
                            local.clone().hour(),
                            local.clone().minute(),
                            local.second(),
                        ),
                        (
                            at.clone().year(),
                            at.clone().month(),
                            at.clone().day(),
                            at.clone().hour(),
                            at.clone().minute(),
                            at.second(),
                        ),
                        m.maybe().year(),
                    )
                })
                .one(&test.db)
                .await?;
            let day = (i64::from(local.year()), i64::from(local.month()), i64::from(local.day()));
            let clock = (i64::from(local.hour()), i64::from(local.minute()), i64::from(local.second()));
            let both = (day.0, day.1, day.2, clock.0, clock.1, clock.2);
            assert_eq!(parts, (day, clock, both, both, None), "{text}");
        }
        assert_eq!(
            Moment::filter(|m| m.at().year().eq(2024) & m.date().month().between(1, 6)).count(&test.db).await?,
            1
        );
    }

    async fn moments_are_compared_and_ordered(test: &Fixture) {
        test.db.create(models![Moment]).await?;
        let texts = [
            "1969-12-31T23:59:59.999999",
            "2024-02-29T13:07:09",
            "2024-02-29T13:07:09.000001",
            "2024-02-29T13:07:09.1",
            "2024-02-29T13:07:10",
        ];
        let mut moments = Vec::new();
        for text in texts {
            let (Ok(local), Ok(at)) = (text.parse::<DateTime>(), format!("{text}Z").parse::<Timestamp>()) else {
                panic!("{text}")
            };
            moments.push(Moment {
                id: 0,
                date: local.date(),
                time: local.time(),
                local,
                at,
                maybe: Some(local.date()),
            });
        }
        let shuffled = [3, 0, 4, 2, 1].map(|n: usize| moments[n].clone());
        Moment::insert_many(&test.db, shuffled).await?;
        let at: Vec<Timestamp> = Moment::query().order_by(|m| m.at().asc()).select(|m| m.at()).all(&test.db).await?;
        assert_eq!(at, moments.iter().map(|m| m.at).collect::<Vec<_>>());
        let local: Vec<DateTime> =
            Moment::query().order_by(|m| m.local().desc()).select(|m| m.local()).all(&test.db).await?;
        assert_eq!(local, moments.iter().rev().map(|m| m.local).collect::<Vec<_>>());
        for (n, moment) in moments.iter().enumerate() {
            assert_eq!(Moment::filter(|m| m.at().lt(moment.at)).count(&test.db).await?, n as u64, "{}", moment.at);
            assert_eq!(
                Moment::filter(|m| m.local().ge(moment.local)).count(&test.db).await?,
                (moments.len() - n) as u64
            );
            assert_eq!(Moment::filter(|m| m.at().eq(moment.at)).count(&test.db).await?, 1);
            assert_eq!(Moment::filter(|m| m.at().is_in([moment.at])).count(&test.db).await?, 1);
            assert_eq!(Moment::filter(|m| m.local().is_in([moment.local])).count(&test.db).await?, 1);
            assert_eq!(
                Moment::filter(|m| m.time().is_in([moment.time]) & m.date().is_in([moment.date]))
                    .count(&test.db)
                    .await?,
                1
            );
        }
        let (first, last): (Option<Timestamp>, Option<Time>) =
            Moment::query().select(|m| (m.at().min(), m.time().max())).one(&test.db).await?;
        assert_eq!((first, last), (Some(moments[0].at), Some(moments[0].time)));
    }

    async fn null_stands_where_it_is_asked_for(test: &Fixture) {
        let row = |a, maybe| Number { maybe, ..Number::of(a, 0) };
        numbers(test, [row(1, Some(20)), row(2, None), row(3, Some(10))]).await?;
        type Ordered = cormorant::expr::Order<Number>;
        for (name, order, expected) in [
            ("asc first", (|n| n.maybe().asc().nulls_first()) as fn(PathOf<Number>) -> Ordered, [2, 3, 1]),
            ("asc last", |n| n.maybe().asc().nulls_last(), [3, 1, 2]),
            ("desc first", |n| n.maybe().desc().nulls_first(), [2, 1, 3]),
            ("desc last", |n| n.maybe().desc().nulls_last(), [1, 3, 2]),
        ] {
            let rows: Vec<i64> = Number::query().order_by(order).select(|n| n.a()).all(&test.db).await?;
            assert_eq!(rows, expected, "{name}");
        }
    }
}

#[derive(Model, Clone, Debug, PartialEq)]
struct Large {
    id: i64,
    #[model(precision = 15)]
    number: Decimal,
    #[model(precision = 15, scale = 2)]
    cents: Decimal,
}
