//! Creating and dropping tables, the names in them, and what happens to tables that are there already.

use cormorant::prelude::*;
use cormorant::{ErrorKind, Sql, UncheckedSql};
use cormorant_conformance::{Backend, Fixture, conformance};

#[derive(Model, Clone, Debug, PartialEq)]
#[model(index(city, name), unique(city, number), check(positive = "number > 0"))]
#[model(unique(name, city, name = "own_name"))]
#[allow(clippy::duplicated_attributes, reason = "two constraints, not one attribute twice")]
struct Shop {
    id: i64,
    #[model(max_length = 20, default = "none")]
    name: String,
    #[model(max_length = 20, index)]
    city: String,
    #[model(default = 1)]
    number: i32,
    #[model(unique, max_length = 9)]
    code: Option<String>,
    #[model(check = "stars BETWEEN 0 AND 5", default = 3)]
    stars: i16,
    owner: Option<ForeignKey<Person>>,
    #[model(index = false)]
    heir: Option<ForeignKey<Person>>,
    #[model(default = true)]
    open: bool,
    #[model(precision = 5, scale = 2, default = dec!(9.90))]
    price: Decimal,
    #[model(db_default = "lower('XY')")]
    note: Option<String>,
}

#[derive(Model, Clone, Debug, PartialEq)]
#[model(index(hall, label))]
struct Shelf {
    id: i64,
    hall: String,
    label: String,
}

#[derive(Model, Clone, Debug, PartialEq)]
struct Person {
    id: i64,
    name: String,
}

#[derive(Model, Clone, Debug, PartialEq)]
#[model(unique(city, name), check(grown = "age >= 0"))]
struct Pet {
    id: i64,
    #[model(max_length = 20)]
    name: String,
    #[model(max_length = 20, index)]
    city: String,
    #[model(index)]
    age: i32,
    owner: Option<ForeignKey<Person>>,
    #[model(index = false, on_delete = cascade)]
    vet: Option<ForeignKey<Person>>,
}

#[derive(Model, Clone, Debug, PartialEq)]
struct Student {
    id: i64,
    name: String,
}

#[derive(Model, Clone, Debug, PartialEq)]
struct Course {
    id: i64,
    title: String,
}

#[derive(Model, Clone, Debug, PartialEq)]
struct StudentCourse {
    #[model(key)]
    student: ForeignKey<Student>,
    #[model(key)]
    course: ForeignKey<Course>,
}

#[derive(Model, Clone, Debug, PartialEq)]
struct Node {
    id: i64,
    parent: Option<ForeignKey<Node>>,
}

#[derive(Model, Clone, Debug, PartialEq)]
#[model(table = "sheep", check(a = "wool > 0"))]
struct Sheep {
    id: i64,
    wool: i32,
}

mod meadow {
    use cormorant::prelude::*;

    #[derive(Model, Clone, Debug, PartialEq)]
    #[model(schema = "meadow", table = "sheep", check(woolly = "wool > 0"))]
    pub(super) struct Sheep {
        pub(super) id: i64,
        pub(super) wool: i32,
    }

    #[derive(Model, Clone, Debug, PartialEq)]
    #[model(schema = "meadow", table = "sheep", check(woolly = "wool > 0", shorn = "wool < 9"))]
    pub(super) struct Other {
        pub(super) id: i64,
        pub(super) wool: i32,
    }
}

/// An index of the foreign key, a unique constraint and a check, each said twice.
#[derive(Model, Clone, Debug, PartialEq)]
#[model(index(owner), unique(code), check(size = "size > 0"))]
struct Twice {
    id: i64,
    owner: ForeignKey<Person>,
    #[model(unique)]
    code: String,
    #[model(check = "size > 0")]
    size: i32,
}

#[derive(Model, Clone, Debug, PartialEq)]
struct Scroll {
    id: i64,
    #[model(max_length = 20_000, default = "")]
    text: String,
}

#[derive(Model, Clone, Debug, PartialEq)]
struct Digest {
    id: i64,
    #[model(index)]
    salt: Vec<u8>,
}

#[derive(Model, Clone, Debug, PartialEq)]
struct Fingerprint {
    id: i64,
    #[model(unique)]
    hash: Vec<u8>,
}

mod cycle {
    use cormorant::prelude::*;

    #[derive(Model, Clone, Debug, PartialEq)]
    pub(super) struct Hen {
        pub(super) id: i64,
        pub(super) egg: Option<ForeignKey<Egg>>,
    }

    #[derive(Model, Clone, Debug, PartialEq)]
    pub(super) struct Egg {
        pub(super) id: i64,
        pub(super) hen: Option<ForeignKey<Hen>>,
    }
}

mod other {
    use cormorant::prelude::*;

    /// Another model of the same table.
    #[derive(Model, Clone, Debug, PartialEq)]
    pub(super) struct Person {
        pub(super) id: i64,
    }

    /// A check whose name begins as that of another.
    #[derive(Model, Clone, Debug, PartialEq)]
    #[model(table = "sheep", check(ab = "wool > 0"))]
    pub(super) struct Longer {
        pub(super) id: i64,
        pub(super) wool: i32,
    }

    /// Other columns than the table has.
    #[derive(Model, Clone, Debug, PartialEq)]
    #[model(table = "people")]
    pub(super) struct Changed {
        pub(super) id: i32,
        pub(super) name: Option<String>,
        #[model(max_length = 7)]
        pub(super) city: String,
    }

    /// A pet that follows its owner to another key.
    #[derive(Model, Clone, Debug, PartialEq)]
    #[model(table = "pets", unique(city, name), check(grown = "age >= 0"))]
    pub(super) struct Followed {
        pub(super) id: i64,
        #[model(max_length = 20)]
        pub(super) name: String,
        #[model(max_length = 20, index)]
        pub(super) city: String,
        #[model(index)]
        pub(super) age: i32,
        #[model(on_update = cascade)]
        pub(super) owner: Option<ForeignKey<super::Person>>,
        #[model(index = false, on_delete = cascade)]
        pub(super) vet: Option<ForeignKey<super::Person>>,
    }

    /// The columns of a pet, and nothing that keeps them right.
    #[derive(Model, Clone, Debug, PartialEq)]
    #[model(table = "pets", index(owner_id, name))]
    pub(super) struct Bare {
        pub(super) id: i64,
        #[model(max_length = 20)]
        pub(super) name: String,
        #[model(max_length = 20)]
        pub(super) city: String,
        pub(super) age: i32,
        pub(super) owner_id: Option<i64>,
        #[model(column = "vet_id", index = false)]
        pub(super) vet: Option<ForeignKey<super::Student>>,
    }

    #[derive(Model, Clone, Debug, PartialEq)]
    #[model(table = "pets")]
    pub(super) struct Kept {
        pub(super) id: i64,
        #[model(index = false)]
        pub(super) vet: Option<ForeignKey<super::Person>>,
    }

    #[derive(Model, Clone, Debug, PartialEq)]
    #[model(table = "PEOPLE")]
    pub(super) struct Loud {
        pub(super) id: i64,
        pub(super) name: String,
    }
}

#[derive(Model, Clone, Debug, PartialEq)]
#[model(unique(the_first_of_two_columns_with_names_that_are_long, the_second_of_two_columns_with_names_that_are_long))]
struct AModelWhoseNameAloneIsNearlyAsLongAsANameMayBe {
    id: i64,
    the_first_of_two_columns_with_names_that_are_long: i32,
    the_second_of_two_columns_with_names_that_are_long: i32,
    #[model(index)]
    the_first_of_two_columns_with_names_that_are_longer: i32,
}

#[derive(Model, Clone, Debug, PartialEq)]
#[model(strict)]
struct Exact {
    id: i64,
    number: i64,
    text: String,
}

#[derive(Model, Clone, Debug, PartialEq)]
#[model(autoincrement)]
struct Once {
    id: i64,
    note: Option<i64>,
}

#[derive(Model, Clone, Debug, PartialEq)]
#[model(table = "Weird \"name` of 'a; table", rename_all = "SCREAMING_SNAKE_CASE")]
struct Weird {
    #[model(key, generated = false)]
    r#type: i64,
    #[model(column = "select \"it`", index)]
    from: i64,
    #[model(path = "equals")]
    eq: Option<i64>,
}

async fn names(test: &Fixture, sql: &str) -> cormorant::Result<Vec<String>> {
    Sql::unchecked(UncheckedSql::vouch_for(sql)).all(&test.db).await
}

/// The constraints and indexes of a table, by name, from the catalog.
async fn named(test: &Fixture, table: &str) -> cormorant::Result<Vec<String>> {
    let mut found =
        match test.backend {
            Backend::Sqlite => {
                let sql = format!("SELECT sql FROM sqlite_schema WHERE tbl_name = '{table}' AND sql IS NOT NULL");
                let sql = names(test, &sql).await?;
                let mut found = Vec::new();
                for text in sql {
                    let words: Vec<&str> = text.split_whitespace().collect();
                    let named = words.windows(2).filter(|pair| matches!(pair[0], "CONSTRAINT" | "INDEX"));
                    found.extend(named.map(|pair| pair[1].trim_matches('"').to_owned()));
                }
                found
            }
            Backend::Postgres => names(
                test,
                &format!(
                    "SELECT conname::text FROM pg_constraint WHERE conrelid = '{table}'::regclass AND contype <> 'n' \
                 UNION SELECT indexname::text FROM pg_indexes WHERE tablename = '{table}'"
                ),
            )
            .await?,
            Backend::MariaDb => {
                names(
                    test,
                    &format!(
                        "SELECT constraint_name FROM information_schema.table_constraints \
                 WHERE table_schema = DATABASE() AND table_name = '{table}' \
                 UNION SELECT index_name FROM information_schema.statistics \
                 WHERE table_schema = DATABASE() AND table_name = '{table}'"
                    ),
                )
                .await?
            }
        };
    found.sort();
    found.dedup();
    Ok(found)
}

async fn tables(test: &Fixture) -> cormorant::Result<i64> {
    let sql = match test.backend {
        Backend::Sqlite => "SELECT COUNT(*) FROM sqlite_schema WHERE type = 'table' AND name NOT LIKE 'sqlite_%'",
        Backend::Postgres => "SELECT COUNT(*) FROM pg_tables WHERE schemaname = 'public'",
        Backend::MariaDb => "SELECT COUNT(*) FROM information_schema.tables WHERE table_schema = DATABASE()",
    };
    Sql::unchecked(UncheckedSql::vouch_for(sql)).one(&test.db).await
}

fn shop(number: i32) -> Shop {
    Shop::builder().city("Oslo").name(format!("n{number}")).number(number).note(None::<String>).build()
}

conformance! {
    async fn creating_twice_creates_once(test: &Fixture) {
        test.db.create(models![Person, Shop]).await?;
        Record::insert(shop(1), &test.db).await?;
        test.statements();
        test.db.create(models![Person, Shop]).await?;
        assert_eq!(test.statements().len(), 1, "one look at the catalog");
        test.db.create(models![Shop]).await?;
        assert_eq!(test.statements().len(), 1);
        assert_eq!(test.rows_in("shops").await?, 1);
    }

    async fn text_in_an_index_of_the_struct_is_short_enough_to_be_indexed(test: &Fixture) {
        test.db.create(models![Shelf]).await?;
        let name = Shelf { id: 0, hall: "ä".repeat(255), label: "x".into() };
        let shelf = Record::insert(name, &test.db).await?;
        assert_eq!(Shelf::filter(|s| s.hall().eq("ä".repeat(255)) & s.label().eq("x")).one(&test.db).await?, shelf);
        let long = Shelf { id: 0, hall: "ä".repeat(256), label: "x".into() };
        assert!(Record::insert(long, &test.db).await.unwrap_err().is_validation());
    }

    async fn three_tables_take_few_statements(test: &Fixture) {
        let models = models![Student, Course, StudentCourse];
        test.db.create(models).await?;
        let created = test.statements();
        test.db.create(models).await?;
        assert_eq!(test.statements().len(), 1);
        test.db.drop(models).await?;
        let dropped = test.statements();
        assert_eq!(tables(test).await?, 0);
        assert!(dropped.len() <= 4, "{dropped:#?}");
        // A foreign key has an index, which only MySQL and MariaDB take into CREATE TABLE; SQLAlchemy makes none.
        let indexes = created.iter().filter(|sql| sql.starts_with("CREATE INDEX")).count();
        assert_eq!(indexes, usize::from(!test.is(Backend::MariaDb)), "{created:#?}");
        assert!(created.len() - indexes <= 4, "a look at the catalog, and one for each table: {created:#?}");
    }

    async fn constraints_and_indexes_are_named_by_rule(test: &Fixture) {
        test.db.create(models![Person, Shop]).await?;
        let mut expected = vec![
            "ck_shops_positive",
            "ck_shops_stars",
            "fk_shops_heir_id",
            "fk_shops_owner_id",
            "ix_shops_city",
            "ix_shops_city_name",
            "ix_shops_owner_id",
            "own_name",
            "pk_shops",
            "uq_shops_city_number",
            "uq_shops_code",
        ];
        // The unique constraint begins with the city: it serves as the index.
        expected.retain(|name| *name != "ix_shops_city");
        if test.is(Backend::MariaDb) {
            // MySQL calls every primary key so, and gives a foreign key without an index one of its own.
            expected.retain(|name| *name != "pk_shops");
            expected.push("PRIMARY");
        }
        expected.sort_unstable();
        let found = named(test, "shops").await?;
        assert_eq!(found, expected);
    }

    async fn long_names_are_cut_and_stay_apart(test: &Fixture) {
        test.db.create(models![AModelWhoseNameAloneIsNearlyAsLongAsANameMayBe]).await?;
        let found = named(test, "a_model_whose_name_alone_is_nearly_as_long_as_a_name_may_bes").await?;
        assert_eq!(found.len(), 3, "{found:?}");
        for name in &found {
            assert!(name.len() <= 63, "{name}");
        }
        let cut = found.iter().filter(|name| name.len() == 63).count();
        assert_eq!(
            cut,
            if test.is(Backend::MariaDb) {
                2
            } else {
                2 + usize::from(found.iter().any(|n| n.starts_with("pk_") && n.len() == 63))
            }
        );
        test.statements();
        test.db.create(models![AModelWhoseNameAloneIsNearlyAsLongAsANameMayBe]).await?;
        assert_eq!(test.statements().len(), 1);
        let model = |n| AModelWhoseNameAloneIsNearlyAsLongAsANameMayBe {
            id: 0,
            the_first_of_two_columns_with_names_that_are_long: 1,
            the_second_of_two_columns_with_names_that_are_long: 2,
            the_first_of_two_columns_with_names_that_are_longer: n,
        };
        Record::insert(model(1), &test.db).await?;
        let error = Record::insert(model(2), &test.db).await.unwrap_err();
        let both =
            "the_first_of_two_columns_with_names_that_are_long, the_second_of_two_columns_with_names_that_are_long";
        assert_eq!((error.is_unique(), error.field()), (true, Some(both)), "a cut name is known again: {error:?}");
    }

    async fn constraints_hold_and_their_errors_name_the_field(test: &Fixture) {
        test.db.create(models![Person, Shop]).await?;
        Record::insert(Shop { code: Some("c".into()), ..shop(1) }, &test.db).await?;
        let refused = async |shop: Shop| match Record::insert(shop, &test.db).await {
            Ok(_) => panic!("it was inserted"),
            Err(error) => {
                assert_eq!(error.model(), Some("Shop"));
                (error.kind(), error.constraint().map(str::to_owned), error.field().map(str::to_owned))
            }
        };
        let some = |text: &str| Some(text.to_owned());
        assert_eq!(
            refused(Shop { name: "other".into(), ..shop(1) }).await,
            (ErrorKind::Unique, some("uq_shops_city_number"), some("city, number"))
        );
        assert_eq!(
            refused(Shop { name: "n1".into(), ..shop(2) }).await,
            (ErrorKind::Unique, some("own_name"), some("name, city"))
        );
        assert_eq!(
            refused(Shop { code: Some("c".into()), ..shop(3) }).await,
            (ErrorKind::Unique, some("uq_shops_code"), some("code"))
        );
        assert_eq!(refused(shop(-1)).await, (ErrorKind::Check, some("ck_shops_positive"), None));
        assert_eq!(
            refused(Shop { stars: 6, ..shop(4) }).await,
            (ErrorKind::Check, some("ck_shops_stars"), some("stars"))
        );
        Record::insert(shop(5), &test.db).await?;
        assert_eq!(test.rows_in("shops").await?, 2, "NULL is not unique");
    }

    async fn defaults_are_the_builders_and_the_databases(test: &Fixture) {
        test.db.create(models![Person, Shop]).await?;
        let built = Shop::builder().city("Oslo").note(None::<String>).build();
        assert_eq!(
            (built.name.as_str(), built.number, built.stars, built.open, built.price),
            ("none", 1, 3, true, dec!(9.90))
        );
        test.execute(&format!("INSERT INTO {} (city) VALUES ('Rome')", test.quoted("shops"))).await?;
        let row = Shop::query().one(&test.db).await?;
        let note = row.note.clone();
        assert_eq!(*row, Shop { id: row.id, city: "Rome".into(), note: note.clone(), ..built });
        assert_eq!(note.as_deref(), Some("xy"));
    }

    async fn a_field_left_to_the_databases_default_gets_it(test: &Fixture) {
        test.db.create(models![Person, Shop]).await?;
        let shop = Shop::builder().city("Oslo").insert(&test.db).await?;
        assert_eq!(Shop::get(&test.db, shop.id).await?.note.as_deref(), Some("xy"), "stored");
        assert_eq!(shop.note.as_deref(), Some("xy"), "read back");
    }

    async fn a_table_that_differs_is_an_error_with_every_difference_and_creates_nothing(test: &Fixture) {
        test.db.create(models![Person]).await?;
        test.execute(&format!("ALTER TABLE {} ADD COLUMN age integer NOT NULL DEFAULT 1", test.quoted("people")))
            .await?;
        test.db.create(models![Person]).await?;
        test.statements();
        let error = test.db.create(models![Student, other::Changed]).await.unwrap_err();
        assert_eq!(error.kind(), ErrorKind::SchemaMismatch);
        assert_eq!(test.statements().len(), 1);
        assert_eq!(tables(test).await?, 1, "nothing was created");
        let text = error.to_string();
        assert!(text.contains("people.name is NOT NULL, the model says NULL"), "{text}");
        assert!(text.contains("people.city is missing"), "{text}");
        if !test.is(Backend::Sqlite) {
            // SQLite has one integer.
            assert!(text.contains("people.id is bigint"), "{text}");
        }
        assert!(!text.contains("age"), "a column with a default does no harm: {text}");
    }

    async fn a_table_without_the_models_constraints_differs(test: &Fixture) {
        test.db.create(models![Person, Student, other::Bare]).await?;
        test.statements();
        let error = test.db.create(models![Person, Pet]).await.unwrap_err();
        assert_eq!((error.kind(), test.statements().len()), (ErrorKind::SchemaMismatch, 1));
        let text = error.to_string();
        let lines: Vec<&str> = text.lines().map(str::trim).filter(|line| line.starts_with("pets")).collect();
        assert_eq!(
            lines,
            [
                "pets: there is no index over (city)",
                "pets: there is no index over (age)",
                "pets: there is no unique constraint over (city, name)",
                "pets: the foreign key over (owner_id) is missing",
                "pets: the foreign key over (vet_id) points at students (id), the model says people (id)",
                "pets: the check ck_pets_grown is missing",
            ],
            "the index over the owner and the name serves as the owner's: {text}"
        );
    }

    async fn a_check_is_told_from_one_whose_name_begins_alike(test: &Fixture) {
        test.db.create(models![other::Longer]).await?;
        let error = test.db.create(models![Sheep]).await.unwrap_err();
        assert!(error.to_string().contains("the check ck_sheep_a is missing"), "{error}");
    }

    async fn a_table_of_another_schema_has_its_checks(test: &Fixture) {
        let schema = test.quoted("meadow");
        match test.backend {
            Backend::Sqlite => test.execute(&format!("ATTACH ':memory:' AS {schema}")).await?,
            Backend::Postgres => test.execute(&format!("CREATE SCHEMA {schema}")).await?,
            Backend::MariaDb => test.execute(&format!("CREATE OR REPLACE DATABASE {schema}")).await?,
        };
        test.db.create(models![meadow::Sheep]).await?;
        test.db.create(models![meadow::Sheep]).await?;
        let error = test.db.create(models![meadow::Other]).await.unwrap_err();
        assert!(error.to_string().contains("the check ck_sheep_shorn is missing"), "{error}");
        test.db.drop(models![meadow::Sheep]).await?;
    }

    async fn what_is_said_twice_is_made_once(test: &Fixture) {
        test.db.create(models![Person, Twice]).await?;
        test.db.create(models![Person, Twice]).await?;
        let error = Twice::builder().owner(ForeignKey::to(9)).code("a").size(1).insert(&test.db).await.unwrap_err();
        assert_eq!(error.kind(), ErrorKind::ForeignKey, "{error}");
        let person = Person::builder().name("Ann").insert(&test.db).await?;
        Twice::builder().owner(&person).code("a").size(1).insert(&test.db).await?;
        let error = Twice::builder().owner(&person).code("b").size(-1).insert(&test.db).await.unwrap_err();
        assert_eq!(error.kind(), ErrorKind::Check, "{error}");
        assert!(Twice::builder().owner(&person).code("a").size(1).insert(&test.db).await.unwrap_err().is_unique());
    }

    async fn text_longer_than_a_varchar_is_text_and_is_counted(test: &Fixture) {
        test.db.create(models![Scroll]).await?;
        test.db.create(models![Scroll]).await?;
        let text = "ä".repeat(20_000);
        let scroll = Scroll::builder().text(text.clone()).insert(&test.db).await?;
        assert_eq!(Scroll::get(&test.db, scroll.id).await?.text, text);
        let error = Scroll::builder().text("x".repeat(20_001)).insert(&test.db).await.unwrap_err();
        assert_eq!(error.kind(), ErrorKind::Validation, "{error}");
    }

    async fn bytes_in_an_index_are_kept_or_refused_by_name(test: &Fixture) {
        match (test.db.create(models![Digest]).await, test.backend) {
            (Err(error), Backend::MariaDb) => {
                assert_eq!((error.kind(), error.model()), (ErrorKind::Unsupported, Some("Digest")), "{error}");
                assert!(error.to_string().contains("digests.salt"), "{error}");
                assert_eq!(tables(test).await?, 0);
            }
            (created, _) => created?,
        }
        test.db.create(models![Fingerprint]).await?;
        test.db.create(models![Fingerprint]).await?;
        Fingerprint::builder().hash(b"a").insert(&test.db).await?;
        assert!(Fingerprint::builder().hash(b"a").insert(&test.db).await.unwrap_err().is_unique());
    }

    async fn another_deletion_rule_differs(test: &Fixture) {
        test.db.create(models![Person, Pet]).await?;
        test.db.create(models![Person, Pet]).await?;
        let error = test.db.create(models![Person, other::Kept]).await.unwrap_err();
        let rule = "pets: the foreign key over (vet_id) does CASCADE when its target is deleted, the model says RESTRICT";
        assert!(error.to_string().contains(rule), "{error}");
    }

    async fn another_rule_for_a_new_key_differs(test: &Fixture) {
        test.db.create(models![Person, Pet]).await?;
        let error = test.db.create(models![Person, other::Followed]).await.unwrap_err();
        let text = error.to_string();
        assert!(text.contains("pets: the foreign key over (owner_id) does "), "{text}");
        assert!(text.contains(" when its target takes another key, the model says CASCADE"), "{text}");
        test.db.drop(models![Pet]).await?;
        test.db.create(models![Person, other::Followed]).await?;
        test.db.create(models![Person, other::Followed]).await?;
        // A model that says nothing takes what is there.
        test.db.create(models![Person, Pet]).await?;
    }

    async fn a_table_with_another_key_or_an_unknown_required_column_differs(test: &Fixture) {
        let table = test.quoted("people");
        let text = if test.is(Backend::MariaDb) { "longtext" } else { "text" };
        let columns =
            format!("id bigint NOT NULL, name {text} NOT NULL, must integer NOT NULL, PRIMARY KEY (id, must)");
        test.execute(&format!("CREATE TABLE {table} ({columns})")).await?;
        let error = test.db.create(models![Person]).await.unwrap_err();
        assert_eq!(error.kind(), ErrorKind::SchemaMismatch);
        let text = error.to_string();
        assert!(text.contains("the primary key is (id, must), the model says (id)"), "{text}");
        assert!(text.contains("people.must"), "{text}");
    }

    async fn a_missing_table_is_said_to_be_missing(test: &Fixture) {
        let error = Person::query().all(&test.db).await.unwrap_err();
        assert_eq!((error.kind(), error.model()), (ErrorKind::SchemaMismatch, Some("Person")), "{error:?}");
        let error = Person::builder().name("x").insert(&test.db).await.unwrap_err();
        assert_eq!((error.kind(), error.model()), (ErrorKind::SchemaMismatch, Some("Person")), "{error:?}");
        test.execute(&format!("CREATE TABLE {} (id integer PRIMARY KEY)", test.quoted("people"))).await?;
        let error = Person::query().all(&test.db).await.unwrap_err();
        assert_eq!((error.kind(), error.field()), (ErrorKind::SchemaMismatch, Some("name")), "{error:?}");
    }

    async fn dropped_tables_can_be_created_again(test: &Fixture) {
        for _ in 0..2 {
            test.db.create(models![Person, Shop]).await?;
            let person = Person::builder().name("Ann").insert(&test.db).await?;
            Record::insert(Shop { owner: Some((&person).into()), ..shop(1) }, &test.db).await?;
            test.db.drop(models![Person, Shop]).await?;
            assert_eq!(tables(test).await?, 0);
        }
        test.db.drop(models![Person, Shop]).await?;
        test.db.create(models![Shop, Person]).await?;
        assert_eq!(tables(test).await?, 2, "whatever order they are given in");
        test.db.drop(models![Shop]).await?;
        assert_eq!(tables(test).await?, 1, "only what was named");
    }

    async fn tables_may_point_at_each_other(test: &Fixture) {
        use cycle::{Egg, Hen};
        test.db.create(models![Hen, Egg]).await?;
        let mut hen = Hen::builder().insert(&test.db).await?;
        let egg = Egg::builder().hen(&hen).insert(&test.db).await?;
        hen.egg = Some((&egg).into());
        hen.save(&test.db).await?;
        let error = Hen::builder().egg(ForeignKey::to(99)).insert(&test.db).await.unwrap_err();
        assert!(error.is_foreign_key(), "{error:?}");
        let error = Egg::builder().hen(ForeignKey::to(99)).insert(&test.db).await.unwrap_err();
        assert!(error.is_foreign_key(), "both directions: {error:?}");
        assert_eq!(Hen::filter(|h| h.egg().hen().eq(&hen)).count(&test.db).await?, 1);
        test.statements();
        test.db.create(models![Egg, Hen]).await?;
        assert_eq!(test.statements().len(), 1);
        test.db.drop(models![Hen, Egg]).await?;
        assert_eq!(tables(test).await?, 0, "rows and all");
        test.db.create(models![Egg, Hen]).await?;
    }

    async fn a_table_that_points_at_itself_is_dropped_with_its_rows(test: &Fixture) {
        test.db.create(models![Node]).await?;
        let root = Node::builder().insert(&test.db).await?;
        Node::builder().parent(&root).insert(&test.db).await?;
        Node::builder().id(9).parent(ForeignKey::to(9)).insert(&test.db).await?;
        test.db.drop(models![Node]).await?;
        assert_eq!(tables(test).await?, 0);
    }

    async fn half_of_a_cycle_can_be_created_later(test: &Fixture) {
        use cycle::{Egg, Hen};
        test.db.create(models![Hen, Egg]).await?;
        test.db.drop(models![Hen, Egg]).await?;
        test.db.create(models![Person]).await?;
        test.db.create(models![Person, Shop]).await?;
        assert_eq!(tables(test).await?, 2);
        Record::insert(shop(1), &test.db).await?;
    }

    async fn two_models_of_one_table_are_named(test: &Fixture) {
        let error = test.db.create(models![Person, other::Person]).await.unwrap_err();
        assert_eq!(error.kind(), ErrorKind::Misuse);
        let text = error.to_string();
        assert!(
            text.contains("schema::Person") && text.contains("schema::other::Person") && text.contains("people"),
            "{text}"
        );
        let error = test.db.create(models![Person, other::Loud]).await.unwrap_err();
        assert!(
            error.to_string().contains("schema::other::Loud"),
            "names that differ by case are one table on some: {error}"
        );
        assert_eq!(tables(test).await?, 0);
        test.db.create(models![Person, Person]).await?;
        assert_eq!(tables(test).await?, 1, "the same model twice is one");
    }

    async fn strict_and_autoincrement_are_for_sqlite(test: &Fixture) {
        test.db.create(models![Exact, Once]).await?;
        Record::insert(Exact { id: 0, number: 1, text: "a".into() }, &test.db).await?;
        let once = Once::builder().insert(&test.db).await?;
        Once::query().delete(&test.db).await?;
        let again = Once::builder().insert(&test.db).await?;
        assert!(again.id > once.id, "never used again");
        if test.is(Backend::Sqlite) {
            let error = test.execute("UPDATE exacts SET number = 'text'").await.unwrap_err();
            assert!(error.to_string().contains("INTEGER"), "{error}");
            let error = test.db.create(models![StrictShort]).await.unwrap_err();
            assert_eq!((error.kind(), error.model()), (ErrorKind::Unsupported, Some("StrictShort")), "{error:?}");
            assert_eq!(
                names(test, "SELECT name FROM sqlite_schema WHERE sql LIKE '%AUTOINCREMENT%'").await?,
                ["onces"]
            );
        }
        test.statements();
        test.db.create(models![Exact, Once]).await?;
        assert_eq!(test.statements().len(), 1);
    }

    async fn any_name_can_be_a_name(test: &Fixture) {
        test.db.create(models![Weird]).await?;
        let mut weird = Record::insert(Weird { r#type: 1, from: 2, eq: None }, &test.db).await?;
        weird.from = 3;
        weird.eq = Some(4);
        weird.save(&test.db).await?;
        let found = Weird::filter(|w| w.r#type().eq(1) & w.from().gt(2) & w.equals().eq(4)).one(&test.db).await?;
        assert_eq!(found, weird);
        let sql = format!("SELECT {} FROM {}", test.quoted("TYPE"), test.quoted("Weird \"name` of 'a; table"));
        let key: i64 = Sql::unchecked(UncheckedSql::vouch_for(sql)).one(&test.db).await?;
        assert_eq!(key, 1);
        test.db.create(models![Weird]).await?;
        test.db.drop(models![Weird]).await?;
        assert_eq!(tables(test).await?, 0);
    }

    async fn a_table_that_cannot_be_created_leaves_nothing(test: &Fixture) {
        let created = test.db.create(models![Person, Wrong]).await;
        let Err(error) = created else { panic!("its check is no SQL") };
        assert_eq!(error.kind(), ErrorKind::Database, "{error:?}");
        // MariaDB commits each table by itself.
        assert_eq!(tables(test).await?, i64::from(test.is(Backend::MariaDb)));
    }
}

#[derive(Model, Clone, Debug, PartialEq)]
#[model(strict)]
struct StrictShort {
    id: i64,
    #[model(max_length = 3)]
    text: String,
}

#[derive(Model, Clone, Debug, PartialEq)]
struct Wrong {
    id: i64,
    #[model(check = "number > > 0")]
    number: i64,
    person: Option<ForeignKey<Person>>,
}
