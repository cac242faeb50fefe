//! Every type of field: what is stored is what is read back, or it is refused.

use cormorant::prelude::*;
use cormorant::{Cell, ColumnType, ErrorKind, Mismatch, Scalar, Unstorable, Value};
use cormorant_conformance::{Backend, Fixture, conformance};

type Bytes = Vec<u8>;

/// A type of the program's own, that is text.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
struct Email(String);

impl Scalar for Email {
    const TYPE: ColumnType = ColumnType::Text { max_length: Some(60) };

    fn to_value(&self) -> Result<Value<'_>, Unstorable> {
        match self.0.contains('@') {
            true => self.0.to_value(),
            false => Err(Unstorable("an e-mail address has an @".to_owned())),
        }
    }

    fn from_cell(cell: Cell<'_>) -> Result<Self, Mismatch> {
        match cell.text()? {
            text if text.contains('@') => Ok(Self(text.to_owned())),
            _ => Err(Mismatch::new("an e-mail address", "text without @")),
        }
    }
}

fn email(text: &str) -> Email {
    Email(text.to_owned())
}

fn parsed<T: std::str::FromStr>(texts: &[&str]) -> Vec<T> {
    texts.iter().map(|text| text.parse().unwrap_or_else(|_| panic!("{text:?} is none"))).collect()
}

/// A test for each type: values that must be read back as they were written, by record, by column and by condition.
macro_rules! kept {
    ($($name:ident $type:ident $(#[$attribute:meta])? = $values:expr;)*) => {$(
        mod $name {
            use super::*;

            #[derive(Model, Clone, Debug, PartialEq)]
            #[model(table = "kept")]
            struct Kept {
                id: i64,
                $(#[$attribute])?
                value: $type,
                $(#[$attribute])?
                maybe: Option<$type>,
            }

            conformance! {
                async fn is_read_back_as_written(test: &Fixture) {
                    test.db.create(models![Kept]).await?;
                    for value in $values {
                        let value: $type = value;
                        for maybe in [Some(value.clone()), None] {
                            let kept = Kept { id: 0, value: value.clone(), maybe: maybe.clone() };
                            let mut record = match Record::insert(kept, &test.db).await {
                                Ok(record) => record,
                                Err(error) => panic!("{value:?}: {error}"),
                            };
                            assert_eq!(Kept::get(&test.db, record.id).await?, record, "{value:?}");
                            let this = |k: PathOf<Kept>| k.id().eq(record.id);
                            let (plain, option): ($type, Option<$type>) =
                                Kept::filter(this).select(|k| (k.value(), k.maybe())).one(&test.db).await?;
                            assert_eq!((plain, option), (value.clone(), maybe.clone()));
                            let equal = Kept::filter(this)
                                .filter(|k| k.value().eq(value.clone()) & k.maybe().eq(maybe.clone()))
                                .filter(|k| k.value().is_in([value.clone()]));
                            assert_eq!(equal.count(&test.db).await?, 1, "{value:?} equals itself");
                            let others = Kept::filter(this).filter(|k| k.value().ne(value.clone()));
                            assert_eq!(others.count(&test.db).await?, 0);
                            record.maybe = Some(value.clone());
                            record.save(&test.db).await?;
                            let updated = Kept::get(&test.db, record.id).await?;
                            assert_eq!(updated.maybe, Some(value.clone()), "{value:?} updated");
                        }
                    }
                }

                async fn is_updated_beside_others(test: &Fixture) {
                    test.db.create(models![Kept]).await?;
                    let values: Vec<$type> = $values.into_iter().collect();
                    let kept = |value: &$type| Kept { id: 0, value: value.clone(), maybe: None };
                    let rows = values.iter().rev().chain(values.first()).map(kept);
                    let mut rows = Kept::insert_many(&test.db, rows).await?;
                    for round in 0..3 {
                        for (n, (row, value)) in rows.iter_mut().zip(values.iter().cycle()).enumerate() {
                            row.value = value.clone();
                            // NULL in some rows, the first among them, and then in all.
                            row.maybe = (n % 2 != round && round < 2).then(|| value.clone());
                        }
                        Kept::update_many(&test.db, &mut rows).await?;
                        let read = Kept::get_many(&test.db, rows.iter().map(|row| row.id)).await?;
                        assert_eq!(read, rows);
                    }
                }
            }
        }
    )*};
}

kept! {
    an_i8 i8 = [i8::MIN, -1, 0, 1, i8::MAX];
    an_i16 i16 = [i16::MIN, -1, 0, 1, i16::MAX];
    an_i32 i32 = [i32::MIN, -1, 0, 1, i32::MAX];
    an_i64 i64 = [i64::MIN, -1, 0, 1, (1 << 53) + 1, i64::MAX];
    a_u8 u8 = [0, 1, u8::MAX];
    a_u16 u16 = [0, 1, u16::MAX];
    a_u32 u32 = [0, 1, u32::MAX];
    a_u64 u64 = [0, 1, (1 << 53) + 1, i64::MAX as u64];
    an_f32 f32 = [0.0, 0.1, -0.1, 1.0 / 3.0, 16_777_216.0, 123_456.79, 1e-30, f32::MIN_POSITIVE, f32::MAX, f32::MIN];
    an_f64 f64 = [
        0.0, 0.1, -0.1, 1.0 / 3.0, 1e15 + 0.3, 1e-300, 123_456_789.123_456_79, f64::MIN_POSITIVE, f64::MAX, f64::MIN,
    ];
    a_bool bool = [true, false];
    text String = [
        "", " ", "plain", "trailing ", " leading", "'", "''", "\"", "\\", "\\n", "`", "%_!", "\r\n\t", "\u{1}\u{7f}",
        "äöüß", "e\u{301}", "\u{e9}", "🦀🦀", "日本語", "\u{10FFFF}", "\u{FEFF}", "𝒳", "NULL", "{}", "$1 ?1 ?", "0", "1e3",
        "2024-01-01",
    ].map(str::to_owned);
    bytes Bytes = [
        vec![], vec![0], vec![0, 0, 0], (0..=255).collect(), b"'\"\\".to_vec(), vec![0xff; 3], b"text".to_vec(),
    ];
    a_decimal Decimal #[model(precision = 15, scale = 4)] = [
        dec!(0), dec!(0.0001), dec!(-0.0001), dec!(9.90), dec!(1), dec!(-1), dec!(0.1), dec!(12345678901.2345),
        dec!(99999999999.9999), dec!(-99999999999.9999), dec!(10000000000), dec!(0.3),
    ];
    a_whole_decimal Decimal #[model(precision = 15)] = [
        dec!(0), dec!(999999999999999), dec!(-999999999999999), dec!(123456789012345),
    ];
    a_fraction Decimal #[model(precision = 15, scale = 15)] = [
        dec!(0.000000000000001), dec!(0.999999999999999), dec!(-0.123456789012345),
    ];
    a_date Date = parsed::<Date>(&["0001-01-01", "1582-10-10", "1899-12-31", "1970-01-01", "2024-02-29", "9999-12-31"]);
    a_time Time = parsed::<Time>(&["00:00:00", "00:00:00.000001", "12:34:56.789", "23:59:59.999999"]);
    a_date_time DateTime = parsed::<DateTime>(&[
        "0001-01-01T00:00:00", "1969-12-31T23:59:59.999999", "1970-01-01T00:00:00", "2024-02-29T12:34:56.000001",
        "2024-03-31T02:30:00", "9999-12-31T23:59:59.999999",
    ]);
    a_timestamp Timestamp = parsed::<Timestamp>(&[
        "0001-01-01T00:00:00Z", "1969-12-31T23:59:59.999999Z", "1970-01-01T00:00:00Z", "2001-09-09T01:46:40.5Z",
        "2024-03-31T01:30:00.123456Z", "2024-10-27T01:30:00Z", "2038-01-19T03:14:08Z", "9999-12-30T21:59:59.999999Z",
    ]);
    a_uuid Uuid = [
        Uuid::nil(), Uuid::max(), Uuid::from_u128(0x0123_4567_89ab_4def_8123_4567_89ab_cdef), Uuid::now_v7(),
    ];
    a_type_of_ones_own Email = [email("a@b"), email("Ä🦀@x.y"), email("'@\\")];
}

#[derive(Model, Clone, Debug, PartialEq)]
struct Float {
    id: i64,
    double: f64,
    single: f32,
}

fn float(double: f64, single: f32) -> Float {
    Float { id: 0, double, single }
}

#[derive(Model, Clone, Debug, PartialEq)]
struct Note {
    id: i64,
    number: Option<u64>,
    text: String,
    bytes: Option<Vec<u8>>,
    #[model(precision = 5, scale = 2)]
    price: Option<Decimal>,
    email: Option<Email>,
}

fn note(text: &str) -> Note {
    Note { id: 0, number: None, text: text.to_owned(), bytes: None, price: None, email: None }
}

#[derive(Model, Clone, Debug, PartialEq)]
struct Moment {
    id: i64,
    time: Time,
    local: DateTime,
    at: Timestamp,
    maybe: Option<Timestamp>,
}

#[derive(Model, Clone, Debug, PartialEq)]
struct Day {
    id: i64,
    date: Date,
}

#[derive(Model, Clone, Debug, PartialEq)]
struct Tag {
    id: i64,
    tag: Uuid,
}

#[derive(Model, Clone, Debug, PartialEq)]
struct Strange {
    id: i64,
    number: i32,
    small: u8,
    text: String,
    flag: bool,
    maybe: Option<i64>,
}

/// A table for [`Strange`] that holds anything.
async fn strange(test: &Fixture) -> cormorant::Result<()> {
    let text = if test.is(Backend::MariaDb) { "longtext" } else { "text" };
    let table = test.quoted("stranges");
    let (number, flag) = (test.quoted("number"), if test.is(Backend::MariaDb) { "tinyint" } else { "boolean" });
    test.execute(&format!(
        "CREATE TABLE {table} (id bigint PRIMARY KEY, {number} bigint, small bigint, {} {text}, flag {flag}, \
         maybe bigint)",
        test.quoted("text")
    ))
    .await?;
    Ok(())
}

/// The error of reading the one row that was written, and which field it names.
async fn decode_fault(test: &Fixture, values: &str) -> cormorant::Result<(Option<String>, String)> {
    test.execute(&format!("DELETE FROM {}", test.quoted("stranges"))).await?;
    test.execute(&format!("INSERT INTO {} VALUES ({values})", test.quoted("stranges"))).await?;
    let error = Strange::query().all(&test.db).await.unwrap_err();
    assert_eq!((error.kind(), error.model()), (ErrorKind::Decode, Some("Strange")), "{error:?}");
    Ok((error.field().map(str::to_owned), error.to_string()))
}

conformance! {
    async fn zero_keeps_its_sign(test: &Fixture) {
        test.db.create(models![Float]).await?;
        let record = Record::insert(float(-0.0, -0.0), &test.db).await?;
        let read = Float::get(&test.db, record.id).await?;
        assert_eq!(read, record);
        // SQLite stores a float without a fraction as an integer, which has no sign of zero.
        let negative = !test.is(Backend::Sqlite);
        assert_eq!((read.double.is_sign_negative(), read.single.is_sign_negative()), (negative, negative));
    }

    async fn infinity_is_kept_or_refused_and_nan_is_refused(test: &Fixture) {
        test.db.create(models![Float]).await?;
        for (double, single) in
            [(f64::INFINITY, 0.0), (f64::NEG_INFINITY, 0.0), (0.0, f32::INFINITY), (0.0, f32::NEG_INFINITY)]
        {
            match Record::insert(float(double, single), &test.db).await {
                Ok(record) => assert_eq!(Float::get(&test.db, record.id).await?, record),
                Err(error) => assert!(test.is(Backend::MariaDb), "only MariaDB has no infinity: {error:?}"),
            }
        }
        assert_eq!(test.rows_in("floats").await?, if test.is(Backend::MariaDb) { 0 } else { 4 });
        test.statements();
        for (double, single) in [(f64::NAN, 0.0), (0.0, f32::NAN)] {
            assert!(Record::insert(float(double, single), &test.db).await.unwrap_err().is_validation());
        }
        assert_eq!(test.statements(), Vec::<String>::new());
    }

    async fn the_smallest_floats_are_kept(test: &Fixture) {
        test.db.create(models![Float]).await?;
        let record = Record::insert(float(f64::from_bits(1), f32::from_bits(1)), &test.db).await?;
        assert_eq!(Float::get(&test.db, record.id).await?, record);
    }

    async fn a_u64_beyond_the_columns_is_refused_before_sending(test: &Fixture) {
        test.db.create(models![Note]).await?;
        let mut record = Record::insert(note("x"), &test.db).await?;
        test.statements();
        let error =
            Record::insert(Note { number: Some(i64::MAX as u64 + 1), ..note("x") }, &test.db).await.unwrap_err();
        assert_eq!((error.is_validation(), error.faults()[0].field.as_str()), (true, "number"));
        record.number = Some(u64::MAX);
        assert!(record.save(&test.db).await.unwrap_err().is_validation());
        assert_eq!(test.statements(), Vec::<String>::new());
    }

    async fn a_nul_in_text_is_kept_or_refused_before_sending(test: &Fixture) {
        test.db.create(models![Note]).await?;
        test.statements();
        for text in ["\0", "a\0b", "a\0"] {
            match Record::insert(note(text), &test.db).await {
                Ok(record) => {
                    assert!(!test.is(Backend::Postgres));
                    assert_eq!(Note::get(&test.db, record.id).await?.text, text);
                    assert_eq!(Note::filter(|n| n.text().eq(text)).count(&test.db).await?, 1);
                }
                Err(error) => {
                    assert!(test.is(Backend::Postgres), "PostgreSQL has no NUL in text: {error:?}");
                    assert!(matches!(error.kind(), ErrorKind::Validation | ErrorKind::Encode), "{error:?}");
                    assert!(error.to_string().contains("text"), "names the field: {error}");
                    assert_eq!(test.rows_in("notes").await?, 0);
                }
            }
        }
        Note::filter(|n| n.text().eq("\0")).count(&test.db).await.map_or_else(
            |error| assert!(test.is(Backend::Postgres) && error.kind() == ErrorKind::Encode, "{error:?}"),
            |rows| assert!(rows == 1),
        );
    }

    async fn a_uuid_of_no_known_variant_is_kept_or_refused(test: &Fixture) {
        test.db.create(models![Tag]).await?;
        let tag = Uuid::from_u128(0x0123_4567_89ab_cdef_0123_4567_89ab_cdef);
        match Record::insert(Tag { id: 0, tag }, &test.db).await {
            Ok(record) => assert_eq!(Tag::get(&test.db, record.id).await?.tag, tag),
            Err(error) => {
                assert!(test.is(Backend::MariaDb), "MariaDB's type knows the variants of RFC 9562 only: {error:?}");
                assert_eq!((error.model(), error.field()), (Some("Tag"), Some("tag")));
            }
        }
    }

    async fn long_text_and_bytes_are_kept(test: &Fixture) {
        test.db.create(models![Note]).await?;
        let text = "ä🦀'".repeat(200_000);
        let bytes: Vec<u8> = (0..1_500_000_u32).map(|n| (n * 7) as u8).collect();
        let record = Record::insert(Note { bytes: Some(bytes), ..note(&text) }, &test.db).await?;
        let read = Note::get(&test.db, record.id).await?;
        assert!(read == record);
        let length: i64 = Note::query().select(|n| n.text().length()).one(&test.db).await?;
        assert_eq!(length, 600_000, "characters");
    }

    async fn a_decimal_keeps_the_digits_of_its_column(test: &Fixture) {
        test.db.create(models![Note]).await?;
        for (given, shown) in [
            (dec!(9.90), "9.90"),
            (dec!(9.9), "9.90"),
            (dec!(10), "10.00"),
            (dec!(0), "0.00"),
            (dec!(-0.50), "-0.50"),
            (dec!(999.99), "999.99"),
            (dec!(0.10000), "0.10"),
            (dec!(100), "100.00"),
        ] {
            let record = Record::insert(Note { price: Some(given), ..note("") }, &test.db).await?;
            let read = Note::get(&test.db, record.id).await?.price;
            assert_eq!(read.map(|price| price.to_string()).as_deref(), Some(shown));
            let selected = Note::filter(|n| n.eq(&record)).select(|n| n.price()).one(&test.db).await?;
            assert_eq!(selected.map(|price| price.to_string()).as_deref(), Some(shown));
            let (min, sum) =
                Note::filter(|n| n.eq(&record)).select(|n| (n.price().min(), n.price().sum())).one(&test.db).await?;
            assert_eq!(min.map(|price| price.to_string()).as_deref(), Some(shown), "min");
            assert_eq!(sum.map(|price| price.to_string()).as_deref(), Some(shown), "sum");
        }
    }

    async fn nanoseconds_are_cut_so_that_the_record_is_what_is_read_back(test: &Fixture) {
        test.db.create(models![Moment]).await?;
        for (given, kept) in [
            ("2024-05-06T07:08:09.123456789", "2024-05-06T07:08:09.123456"),
            ("2024-12-31T23:59:59.999999999", "2024-12-31T23:59:59.999999"),
            ("1969-12-31T23:59:59.000000001", "1969-12-31T23:59:59"),
            ("1900-01-01T00:00:00.0000019", "1900-01-01T00:00:00.000001"),
        ] {
            let moment = |text: &str| {
                let (Ok(local), Ok(at)) = (text.parse::<DateTime>(), format!("{text}Z").parse::<Timestamp>()) else {
                    panic!("{text}")
                };
                Moment { id: 0, time: local.time(), local, at, maybe: Some(at) }
            };
            let mut record = Record::insert(moment(given), &test.db).await?;
            assert_eq!(*record, Moment { id: record.id, ..moment(kept) });
            assert_eq!(Moment::get(&test.db, record.id).await?, record);
            test.statements();
            record.at = moment(given).at;
            record.save(&test.db).await?;
            assert_eq!(test.statements(), Vec::<String>::new(), "cut, it is what the database holds");
            assert_eq!(record.at, moment(kept).at);
            let asked = moment(given);
            let same = Moment::filter(|m| m.at().eq(asked.at) & m.local().eq(asked.local) & m.time().eq(asked.time));
            assert_eq!(same.count(&test.db).await?, 1, "values in conditions are cut as well");
        }
        let records = Moment::insert_many(
            &test.db,
            [Moment { id: 0, time: Time::MAX, local: DateTime::MAX, at: Timestamp::MAX, maybe: None }],
        )
        .await?;
        assert_eq!(Moment::get(&test.db, records[0].id).await?, records[0]);
    }

    async fn a_day_before_the_first_year_is_kept_or_refused(test: &Fixture) {
        test.db.create(models![Day]).await?;
        for text in ["0000-12-31", "-000001-06-01", "-009999-01-01"] {
            let Ok(date) = text.parse::<Date>() else { panic!("{text}") };
            let inserted = Record::insert(Day { id: 0, date }, &test.db).await;
            let early = Day::filter(|d| d.date().lt(Date::constant(1, 1, 1)));
            // The first year of each: PostgreSQL's is 4713 BC, and text sorts from the year 0 on.
            let (first, refusal) = match test.backend {
                Backend::Postgres => (-4712, ErrorKind::OutOfRange),
                Backend::Sqlite => (0, ErrorKind::Encode),
                Backend::MariaDb => (1, ErrorKind::Encode),
            };
            if date.year() >= first {
                let record = inserted?;
                assert_eq!(Day::get(&test.db, record.id).await?.date, date);
                assert_eq!(early.filter(|d| d.eq(&record)).count(&test.db).await?, 1, "{text} is early");
            } else {
                let error = inserted.unwrap_err();
                assert_eq!(error.kind(), refusal, "{text}: {error:?}");
                assert_eq!(early.filter(|d| d.date().eq(date)).count(&test.db).await.unwrap_err().kind(), refusal);
            }
        }
    }

    async fn null_where_the_field_has_none_is_named(test: &Fixture) {
        strange(test).await?;
        for (field, values) in [
            ("number", "1, NULL, 1, 'x', NULL, 1"),
            ("small", "1, 1, NULL, 'x', NULL, 1"),
            ("text", "1, 1, 1, NULL, NULL, 1"),
            ("flag", "1, 1, 1, 'x', NULL, 1"),
        ] {
            let (named, text) = decode_fault(test, values).await?;
            assert_eq!(named.as_deref(), Some(field));
            assert!(
                text.starts_with(&format!("Strange.{field}: ")) && text.contains("NULL") && text.contains("Option"),
                "{text}"
            );
        }
    }

    async fn a_number_that_does_not_fit_the_field_is_named(test: &Fixture) {
        strange(test).await?;
        for (field, values) in [
            ("number", "1, 2147483648, 1, 'x', NULL, 1"),
            ("number", "1, -2147483649, 1, 'x', NULL, 1"),
            ("small", "1, 1, 256, 'x', NULL, 1"),
            ("small", "1, 1, -1, 'x', NULL, 1"),
        ] {
            let (named, text) = decode_fault(test, values).await?;
            assert_eq!(named.as_deref(), Some(field));
            assert!(!text.contains("2147483649") && !text.contains("256"), "no value is shown: {text}");
        }
    }

    async fn another_type_than_the_fields_is_named_and_not_shown(test: &Fixture) {
        let table = test.quoted("stranges");
        let columns = format!(
            "id bigint PRIMARY KEY, {} varchar(20), small bigint, {} varchar(20), flag boolean, maybe varchar(20)",
            test.quoted("number"),
            test.quoted("text")
        );
        test.execute(&format!("CREATE TABLE {table} ({columns})")).await?;
        let truth = if test.is(Backend::Postgres) { "true" } else { "1" };
        let (named, text) = decode_fault(test, &format!("1, 's3cret', 1, 'x', {truth}, NULL")).await?;
        assert_eq!(named.as_deref(), Some("number"));
        assert!(!text.contains("s3cret"), "{text}");
        test.execute(&format!("DROP TABLE {table}")).await?;
        test.execute(&format!("CREATE TABLE {table} ({})", columns.replacen("varchar(20)", "bigint", 1))).await?;
        let (named, text) = decode_fault(test, &format!("1, 5, 1, 'x', {truth}, 's3cret'")).await?;
        assert_eq!(named.as_deref(), Some("maybe"), "{text}");
        let error = Strange::query().select(|s| (s.id(), s.maybe())).all(&test.db).await.unwrap_err();
        assert_eq!(
            (error.kind(), error.model(), error.field()),
            (ErrorKind::Decode, Some("Strange"), Some("maybe")),
            "{error:?}"
        );
    }

    async fn text_in_a_column_of_integers_is_named(test: &Fixture) {
        if !test.is(Backend::Sqlite) {
            return Ok(()); // Only SQLite lets it in.
        }
        test.db.create(models![Strange, Day]).await?;
        let (named, text) = decode_fault(test, "1, 's3cret', 1, 'x', 1, 1").await?;
        assert_eq!(named.as_deref(), Some("number"));
        assert!(!text.contains("s3cret"), "{text}");
        assert_eq!(decode_fault(test, "1, 1.5, 1, 'x', 1, 1").await?.0.as_deref(), Some("number"), "no half is cut");
        assert_eq!(decode_fault(test, "1, 1, 1, 'x', 'yes', 1").await?.0.as_deref(), Some("flag"));
        assert_eq!(
            decode_fault(test, "1, 1, 1, x'ff', 1, 1").await?.0.as_deref(),
            Some("text"),
            "bytes that are no text"
        );
        for day in ["'2024-02-30'", "'today'", "20240101", "''"] {
            test.execute("DELETE FROM days").await?;
            test.execute(&format!("INSERT INTO days VALUES (1, {day})")).await?;
            let error = Day::query().all(&test.db).await.unwrap_err();
            assert_eq!((error.kind(), error.field()), (ErrorKind::Decode, Some("date")), "{day}: {error:?}");
        }
    }

    async fn a_type_of_ones_own_decides_what_is_stored_and_read(test: &Fixture) {
        test.db.create(models![Note]).await?;
        let error = Record::insert(Note { email: Some(email("nobody")), ..note("") }, &test.db).await.unwrap_err();
        assert_eq!(error.to_string(), "Note is invalid:\n  email: an e-mail address has an @");
        let error = Record::insert(Note { email: Some(email(&format!("{}@", "x".repeat(60)))), ..note("") }, &test.db)
            .await
            .unwrap_err();
        assert_eq!(error.to_string(), "Note is invalid:\n  email: 61 characters, at most 60 are allowed");
        let record = Record::insert(Note { email: Some(email("a@b")), ..note("") }, &test.db).await?;
        assert_eq!(Note::filter(|n| n.email().eq(email("a@b"))).one(&test.db).await?, record);
        test.execute(&format!("UPDATE {} SET email = 's3cret'", test.quoted("notes"))).await?;
        let error = Note::query().all(&test.db).await.unwrap_err();
        assert_eq!(error.to_string(), "Note.email: expected an e-mail address, found text without @");
    }
}
