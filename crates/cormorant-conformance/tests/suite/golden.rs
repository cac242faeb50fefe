//! The golden programs on every backend, and the validation texts they promise, word for word.

use cormorant::prelude::*;
use cormorant_conformance::{Fixture, conformance};

#[derive(Model, Clone, Debug, PartialEq)]
struct Item {
    id: i64,
    #[model(max_length = 24)]
    name: String,
    #[model(precision = 5, scale = 2)]
    unit_value: Decimal,
}

#[derive(Model, Clone, Debug)]
struct Reading {
    id: i64,
    sensor: String,
    celsius: f64,
}

/// Other limits than the golden program's.
#[derive(Model, Clone, Debug, PartialEq)]
struct Limit {
    id: i64,
    #[model(max_length = 3)]
    short: String,
    #[model(max_length = 1)]
    letter: Option<String>,
    #[model(precision = 7, scale = 3)]
    price: Decimal,
    #[model(precision = 3)]
    whole: Option<Decimal>,
    #[model(precision = 15, scale = 15)]
    fraction: Option<Decimal>,
    large: Option<u64>,
    float: Option<f64>,
}

fn fine() -> Limit {
    Limit {
        id: 0,
        short: "abc".into(),
        letter: None,
        price: dec!(1.5),
        whole: None,
        fraction: None,
        large: None,
        float: None,
    }
}

#[derive(Model, Clone, Debug)]
struct Secret {
    id: i64,
    #[model(max_length = 4, secret)]
    pin: String,
    #[model(precision = 4, scale = 2, secret)]
    salary: Decimal,
    #[model(secret)]
    account: u64,
}

/// The text of the error that inserting gives, and nothing was sent.
async fn refusal<M: Model>(test: &Fixture, model: M) -> String {
    test.statements();
    let Err(error) = Record::insert(model, &test.db).await else { panic!("it was inserted") };
    assert!(error.is_validation(), "{error:?}");
    assert_eq!(test.statements(), Vec::<String>::new(), "nothing is sent");
    error.to_string()
}

conformance! {
    async fn the_item_program(test: &Fixture) {
        let db = &test.db;
        db.create(models![Item]).await?;
        test.statements();

        let mut item = Item::builder().name("Novo Item 1").unit_value(dec!(9.90)).insert(db).await?;
        assert_eq!(test.statements().len(), 1);
        item.name = "Item renomeado".into();
        item.save(db).await?;
        let update = test.statements();
        assert!(update.len() == 1 && update[0].starts_with("UPDATE"), "{update:?}");
        item.save(db).await?;
        assert_eq!(test.statements(), Vec::<String>::new(), "nothing changed: no statement at all");

        let mut other = Record::new(Item { id: 0, name: "Outro".into(), unit_value: dec!(12) });
        other.name = "Outro Item".into();
        other.save(db).await?;
        assert_ne!(other.id, item.id);

        let cheap = Item::filter(|i| i.unit_value().lt(dec!(10)) & i.name().contains("Item"))
            .order_by(|i| i.name().asc())
            .all(db)
            .await?;
        assert_eq!(cheap.len(), 1);
        assert_eq!(cheap[0], item);
        assert_eq!(cheap[0].unit_value.to_string(), "9.90");

        test.statements();
        let error = Item::builder().name("x".repeat(25)).unit_value(dec!(1000)).insert(db).await.unwrap_err();
        assert!(error.is_validation());
        assert_eq!(test.statements(), Vec::<String>::new(), "refused before any SQL is sent");
        assert_eq!(
            error.to_string(),
            "Item is invalid:\n  \
               name: 25 characters, at most 24 are allowed\n  \
               unit_value: 1000 does not fit numeric(5, 2), whose largest value is 999.99"
        );
        let faults: Vec<&str> = error.faults().iter().map(|fault| fault.field.as_str()).collect();
        assert_eq!((error.model(), faults), (Some("Item"), vec!["name", "unit_value"]));

        item.delete(db).await?;
        other.delete(db).await?;
        assert_eq!(Item::query().count(db).await?, 0);
    }

    async fn the_script_program_without_async(test: &Fixture) {
        let url = test.url.clone();
        // Plain code: a thread of its own, no runtime in sight.
        let script = std::thread::spawn(move || -> cormorant::Result<Vec<(String, Option<f64>)>> {
            let db = Database::connect(&url).wait()?;
            db.create(models![Reading]).wait()?;
            let readings =
                (0..10_000).map(|n| Reading::builder().sensor(format!("s{}", n % 10)).celsius(n as f64 / 100.0));
            Reading::insert_many(&db, readings).wait()?;
            Reading::query().group_by(|r| r.sensor()).select(|r| (r.sensor(), r.celsius().avg())).all(&db).wait()
        });
        let means = tokio::task::spawn_blocking(|| script.join()).await;
        let Ok(Ok(means)) = means else { panic!("the script panicked") };
        let mut means: Vec<String> =
            means?.into_iter().map(|(sensor, mean)| format!("{sensor} {:.2}", mean.unwrap_or_default())).collect();
        means.sort();
        let expected: Vec<String> = (0..10).map(|n| format!("s{n} {:.2}", 49.95 + f64::from(n) / 100.0)).collect();
        assert_eq!(means, expected);
    }

    async fn texts_say_the_fields_own_limits(test: &Fixture) {
        test.db.create(models![Limit]).await?;
        assert_eq!(
            refusal(test, Limit { short: "abcd".into(), ..fine() }).await,
            "Limit is invalid:\n  short: 4 characters, at most 3 are allowed"
        );
        assert_eq!(
            refusal(test, Limit { letter: Some("x".repeat(1_000)), ..fine() }).await,
            "Limit is invalid:\n  letter: 1000 characters, at most 1 are allowed"
        );
        assert_eq!(
            refusal(test, Limit { price: dec!(10000), ..fine() }).await,
            "Limit is invalid:\n  price: 10000 does not fit numeric(7, 3), whose largest value is 9999.999"
        );
        assert_eq!(
            refusal(test, Limit { whole: Some(dec!(1000)), ..fine() }).await,
            "Limit is invalid:\n  whole: 1000 does not fit numeric(3, 0), whose largest value is 999"
        );
        assert_eq!(
            refusal(test, Limit { fraction: Some(dec!(1)), ..fine() }).await,
            "Limit is invalid:\n  fraction: 1 does not fit numeric(15, 15), whose largest value is 0.999999999999999"
        );
        assert_eq!(
            refusal(test, Limit { large: Some(u64::MAX), ..fine() }).await,
            "Limit is invalid:\n  large: 18446744073709551615 is more than 9223372036854775807, the largest integer \
             a column holds"
        );
        assert_eq!(
            refusal(test, Limit { float: Some(f64::NAN), ..fine() }).await,
            "Limit is invalid:\n  float: NaN is not a number, and not every database stores it"
        );
    }

    async fn numbers_below_zero_have_the_same_limit(test: &Fixture) {
        test.db.create(models![Limit]).await?;
        assert_eq!(
            refusal(test, Limit { price: dec!(-10000), ..fine() }).await,
            "Limit is invalid:\n  price: -10000 does not fit numeric(7, 3), whose largest value is 9999.999"
        );
        let record = Record::insert(Limit { price: dec!(-9999.999), ..fine() }, &test.db).await?;
        assert_eq!(Limit::get(&test.db, record.id).await?.price, dec!(-9999.999));
    }

    async fn digits_behind_the_point_are_not_cut_in_silence(test: &Fixture) {
        test.db.create(models![Limit]).await?;
        assert_eq!(
            refusal(test, Limit { price: dec!(1.2345), ..fine() }).await,
            "Limit is invalid:\n  price: 1.2345 has 4 digits behind the point, numeric(7, 3) keeps 3"
        );
        assert_eq!(
            refusal(test, Limit { whole: Some(dec!(-0.5)), ..fine() }).await,
            "Limit is invalid:\n  whole: -0.5 has 1 digits behind the point, numeric(3, 0) keeps 0"
        );
        // Zeros at the end are no digits that would be lost.
        let record = Record::insert(Limit { price: dec!(1.50000), ..fine() }, &test.db).await?;
        assert_eq!(Limit::get(&test.db, record.id).await?.price.to_string(), "1.500");
    }

    async fn the_largest_of_everything_is_kept(test: &Fixture) {
        test.db.create(models![Limit]).await?;
        let most = Limit {
            short: "äß🦀".into(), // characters, not bytes
            letter: Some("🦀".into()),
            price: dec!(9999.999),
            whole: Some(dec!(-999)),
            fraction: Some(dec!(0.999999999999999)),
            large: Some(9_223_372_036_854_775_807),
            ..fine()
        };
        let record = Record::insert(most, &test.db).await?;
        assert_eq!(Limit::get(&test.db, record.id).await?, record);
    }

    async fn every_fault_is_named_at_once_in_the_order_of_fields(test: &Fixture) {
        test.db.create(models![Limit]).await?;
        let bad = Limit {
            id: 0,
            short: "four".into(),
            letter: Some("ab".into()),
            price: dec!(12345.6),
            whole: Some(dec!(1.5)),
            fraction: Some(dec!(-2)),
            large: Some(1 << 63),
            float: Some(f64::NAN),
        };
        assert_eq!(
            refusal(test, bad).await,
            "Limit is invalid:\n  \
               short: 4 characters, at most 3 are allowed\n  \
               letter: 2 characters, at most 1 are allowed\n  \
               price: 12345.6 does not fit numeric(7, 3), whose largest value is 9999.999\n  \
               whole: 1.5 has 1 digits behind the point, numeric(3, 0) keeps 0\n  \
               fraction: -2 does not fit numeric(15, 15), whose largest value is 0.999999999999999\n  \
               large: 9223372036854775808 is more than 9223372036854775807, the largest integer a column holds\n  \
               float: NaN is not a number, and not every database stores it"
        );
    }

    async fn saving_and_inserting_many_validate_as_well(test: &Fixture) {
        test.db.create(models![Limit]).await?;
        let mut record = Record::insert(fine(), &test.db).await?;
        test.statements();
        record.short = "abcd".into();
        let error = record.save(&test.db).await.unwrap_err();
        assert_eq!(error.to_string(), "Limit is invalid:\n  short: 4 characters, at most 3 are allowed");
        let error = Limit::insert_many(&test.db, [fine(), Limit { price: dec!(0.0001), ..fine() }]).await.unwrap_err();
        assert_eq!(
            error.to_string(),
            "Limit is invalid:\n  price: 0.0001 has 4 digits behind the point, numeric(7, 3) keeps 3, in the model at position 1"
        );
        assert_eq!(test.statements(), Vec::<String>::new());
        assert_eq!(test.rows_in("limits").await?, 1);
    }

    async fn secret_fields_show_the_rule_and_nothing_of_the_value(test: &Fixture) {
        test.db.create(models![Secret]).await?;
        let bad = Secret { id: 0, pin: "1234567".into(), salary: dec!(123.45), account: u64::MAX };
        assert_eq!(
            refusal(test, bad.clone()).await,
            "Secret is invalid:\n  \
               pin: too long, at most 4 characters are allowed\n  \
               salary: the number does not fit numeric(4, 2), whose largest value is 99.99\n  \
               account: the value cannot be stored"
        );
        let text = refusal(test, Secret { pin: "1".into(), salary: dec!(1.2345678), account: 1, ..bad }).await;
        assert!(text.starts_with("Secret is invalid:\n  salary: the number has "), "{text}");
        assert!(
            text.ends_with("numeric(4, 2) keeps 2") && !text.contains('7'),
            "how many digits it has is shown: {text}"
        );
    }
}
