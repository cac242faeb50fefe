//! Keys: generated and given, of one column and of several, and rows that point at each other.

use cormorant::prelude::*;
use cormorant::{Cell, ColumnType, ErrorKind, Mismatch, Scalar, Unstorable, Value};
use cormorant_conformance::{Backend, conformance};

#[derive(Model, Clone, Debug, PartialEq)]
struct Small {
    id: i16,
    name: String,
}

#[derive(Model, Clone, Debug, PartialEq)]
struct Given {
    #[model(generated = false)]
    id: i64,
    name: String,
}

#[derive(Model, Clone, Debug, PartialEq)]
struct Word {
    #[model(key)]
    word: String,
    count: i64,
}

#[derive(Model, Clone, Debug, PartialEq)]
struct Ticket {
    id: Uuid,
    name: String,
}

#[derive(Model, Clone, Debug, PartialEq)]
struct Voucher {
    #[model(generated = false)]
    id: Uuid,
    name: Option<String>,
}

/// Points by Uuid and by text.
#[derive(Model, Clone, Debug, PartialEq)]
struct Claim {
    id: i64,
    ticket: ForeignKey<Ticket>,
    word: Option<ForeignKey<Word>>,
}

#[derive(Model, Clone, Debug, PartialEq)]
struct Seat {
    #[model(key)]
    hall: String,
    #[model(key)]
    row: i32,
    #[model(key)]
    date: Date,
    guest: Option<String>,
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
struct Enrolment {
    #[model(key)]
    student: ForeignKey<Student>,
    #[model(key)]
    course: ForeignKey<Course>,
    grade: Option<i32>,
}

#[derive(Model, Clone, Debug, PartialEq)]
struct Node {
    id: i64,
    name: String,
    parent: Option<ForeignKey<Node>>,
}

#[derive(Model, Clone, Debug, PartialEq)]
struct Owner {
    id: i64,
    name: String,
}

#[derive(Model, Clone, Debug, PartialEq)]
struct Kept {
    id: i64,
    owner: ForeignKey<Owner>,
}

#[derive(Model, Clone, Debug, PartialEq)]
struct Cascaded {
    id: i64,
    #[model(on_delete = cascade)]
    owner: ForeignKey<Owner>,
}

#[derive(Model, Clone, Debug, PartialEq)]
struct Freed {
    id: i64,
    #[model(on_delete = set_null)]
    owner: Option<ForeignKey<Owner>>,
}

#[derive(Model, Clone, Debug, PartialEq)]
struct Followed {
    id: i64,
    #[model(on_update = cascade)]
    owner: ForeignKey<Owner>,
    #[model(on_delete = cascade, on_update = set_null)]
    other: Option<ForeignKey<Owner>>,
}

#[derive(Model, Clone, Debug, PartialEq)]
struct Inherited {
    id: i64,
    #[model(on_delete = set_default, db_default = "1")]
    owner: Option<ForeignKey<Owner>>,
}

/// Neither is ever NULL.
#[derive(Model, Clone, Debug, PartialEq)]
struct Handed {
    id: i64,
    #[model(on_delete = set_default, db_default = "1")]
    owner: ForeignKey<Owner>,
    #[model(on_delete = set_default, default = 1)]
    other: ForeignKey<Owner>,
}

#[derive(Model, Clone, Debug, PartialEq)]
struct Term {
    #[model(key, max_length = 300)]
    term: String,
}

#[derive(Model, Clone, Debug, PartialEq)]
struct Rate {
    #[model(key, precision = 5, scale = 2)]
    rate: Decimal,
}

#[derive(Model, Clone, Debug, PartialEq)]
struct Points {
    id: i64,
    term: ForeignKey<Term>,
    rate: Option<ForeignKey<Rate>>,
}

type Id = i64;

/// A column is named as its field, and `id` is no key where it says so.
#[derive(Model, Clone, Debug, PartialEq)]
#[model(table = "parts", check(r#in = "id > 0"))]
#[allow(non_snake_case, reason = "the names of a database that is there")]
struct Part {
    #[model(key = false)]
    id: i64,
    #[model(key)]
    PartNo: i64,
    type_: String,
    #[model(default = 5.)]
    weight2kg: f64,
}

#[derive(Model, Clone, Debug, PartialEq)]
struct Named {
    #[model(generated)]
    id: Id,
    name: String,
}

/// A key of the program's own type.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
struct Code(String);

impl Scalar for Code {
    const TYPE: ColumnType = ColumnType::Text { max_length: Some(3) };

    fn to_value(&self) -> Result<Value<'_>, Unstorable> {
        self.0.to_value()
    }

    fn from_cell(cell: Cell<'_>) -> Result<Self, Mismatch> {
        String::from_cell(cell).map(Self)
    }
}

#[derive(Model, Clone, Debug, PartialEq)]
struct Currency {
    #[model(key)]
    code: Code,
    name: String,
}

#[derive(Model, Clone, Debug, PartialEq)]
struct Price {
    id: i64,
    currency: ForeignKey<Currency>,
}

conformance! {
    async fn an_integer_key_is_generated_or_kept(test: &Fixture) {
        test.db.create(models![Small]).await?;
        let first = Small::builder().name("a").insert(&test.db).await?;
        let second = Small::builder().name("b").insert(&test.db).await?;
        assert!(first.id > 0 && second.id > first.id);
        let own = Small::builder().id(500).name("c").insert(&test.db).await?;
        assert_eq!(own.id, 500);
        let negative = Small::builder().id(-3).name("d").insert(&test.db).await?;
        assert_eq!((negative.id, Small::get(&test.db, -3_i16).await?.name.as_str()), (-3, "d"));
        let error = Small::builder().id(500).name("e").insert(&test.db).await.unwrap_err();
        assert!(error.is_unique());
        assert_eq!((error.model(), error.field()), (Some("Small"), Some("id")), "{error}");
        assert_eq!(test.rows_in("smalls").await?, 4);
    }

    async fn a_key_may_be_given_even_zero(test: &Fixture) {
        test.db.create(models![Given]).await?;
        for id in [0, -1, i64::MAX, i64::MIN] {
            let mut record = Record::insert(Given { id, name: "a".into() }, &test.db).await?;
            assert_eq!((record.id, Given::get(&test.db, id).await?.id), (id, id));
            record.name = "b".into();
            record.save(&test.db).await?;
            assert_eq!(Given::get(&test.db, id).await?.name, "b");
        }
        let error = Record::insert(Given { id: 0, name: "again".into() }, &test.db).await.unwrap_err();
        assert!(error.is_unique(), "{error:?}");
        assert_eq!(Given::get_many(&test.db, [0, -1]).await?.len(), 2);
    }

    async fn a_text_is_a_key_by_its_letters(test: &Fixture) {
        test.db.create(models![Word]).await?;
        for word in ["word", "Word", "word ", "wörd", "", "'", "%"] {
            Record::insert(Word { word: word.into(), count: word.len() as i64 }, &test.db).await?;
        }
        for word in ["word", "Word", "word ", "wörd", "", "'", "%"] {
            assert_eq!(Word::get(&test.db, word).await?.count, word.len() as i64, "{word:?}");
        }
        assert!(Word::find(&test.db, "WORD").await?.is_none());
        assert!(Word::find(&test.db, "word  ").await?.is_none());
        let error = Record::insert(Word { word: "word".into(), count: 0 }, &test.db).await.unwrap_err();
        assert_eq!((error.is_unique(), error.field()), (true, Some("word")), "{error:?}");
        assert!(!error.to_string().contains("word'"), "no value is shown: {error}");
        let error = Record::insert(Word { word: "w".repeat(256), count: 0 }, &test.db).await.unwrap_err();
        assert_eq!(error.to_string(), "Word is invalid:\n  word: 256 characters, at most 255 are allowed");
        assert_eq!(Word::get_many(&test.db, ["Word", "", "none"]).await?.len(), 2);
    }

    async fn a_uuid_key_is_made_by_the_program_where_none_is_given(test: &Fixture) {
        test.db.create(models![Ticket, Voucher]).await?;
        test.statements();
        let mut keys = Vec::new();
        for name in ["a", "b", "c"] {
            let ticket = Record::insert(Ticket { id: Uuid::nil(), name: name.into() }, &test.db).await?;
            assert_eq!(ticket.id.get_version_num(), 7, "sorted by time");
            assert_eq!(Ticket::get(&test.db, ticket.id).await?, ticket);
            keys.push(ticket.id);
        }
        assert!(keys.is_sorted());
        assert_eq!(test.statements().len(), 6);
        let own = Uuid::from_u128(0x0011_2233_4455_4677_8899_aabb_ccdd_eeff);
        assert_eq!(Ticket::builder().id(own).name("d").insert(&test.db).await?.id, own);
        assert_eq!(Ticket::builder().name("e").insert(&test.db).await?.id.get_version_num(), 7);
        let many =
            Ticket::insert_many(&test.db, (0..10).map(|n| Ticket { id: Uuid::nil(), name: n.to_string() })).await?;
        for (n, ticket) in many.iter().enumerate() {
            assert_eq!(Ticket::get(&test.db, ticket.id).await?.name, n.to_string());
        }
        let given = Record::insert(Voucher { id: Uuid::nil(), name: None }, &test.db).await?;
        assert!(given.id.is_nil(), "`generated = false` keeps even this one");
        assert_eq!(Voucher::get(&test.db, Uuid::nil()).await?, given);
    }

    async fn foreign_keys_have_the_type_of_the_key(test: &Fixture) {
        test.db.create(models![Ticket, Word, Claim]).await?;
        let ticket = Ticket::builder().name("t").insert(&test.db).await?;
        Record::insert(Word { word: "w ".into(), count: 1 }, &test.db).await?;
        let claim = Claim::builder().ticket(&ticket).word(ForeignKey::to("w ".to_owned())).insert(&test.db).await?;
        let read = Claim::get(&test.db, claim.id).await?;
        assert_eq!(
            (read.ticket.key(), read.word.as_ref().and_then(|word| word.key())),
            (Some(&ticket.id), Some(&"w ".to_owned()))
        );
        assert_eq!(Claim::filter(|c| c.ticket().name().eq("t") & c.word().count().eq(1)).count(&test.db).await?, 1);
        assert_eq!(Claim::filter(|c| c.word().eq("w ")).count(&test.db).await?, 1);
        assert_eq!(Claim::filter(|c| c.ticket().is_in([ticket.id])).count(&test.db).await?, 1);
        let error =
            Claim::builder().ticket(&ticket).word(ForeignKey::to("w".to_owned())).insert(&test.db).await.unwrap_err();
        assert!(error.is_foreign_key(), "{error:?}");
        let error = Claim::builder().ticket(Uuid::now_v7()).insert(&test.db).await.unwrap_err();
        assert_eq!((error.is_foreign_key(), error.model()), (true, Some("Claim")), "{error:?}");
        // SQLite does not say which of several: it is the one that is not NULL.
        assert_eq!((error.field(), error.constraint()), (Some("ticket"), Some("fk_claims_ticket_id")));
        assert!(error.to_string().contains("Ticket"), "{error}");
    }

    async fn several_fields_are_one_key(test: &Fixture) {
        test.db.create(models![Seat]).await?;
        let date = Date::constant(2024, 2, 29);
        let seat = |hall: &str, row| Seat { hall: hall.into(), row, date, guest: None };
        let mut record = Record::insert(seat("A", 1), &test.db).await?;
        Record::insert(seat("A", 2), &test.db).await?;
        Record::insert(seat("a", 1), &test.db).await?;
        let error = Record::insert(seat("A", 2), &test.db).await.unwrap_err();
        assert_eq!((error.is_unique(), error.field()), (true, Some("hall, row, date")), "{error:?}");
        record.guest = Some("Ann".into());
        record.save(&test.db).await?;
        assert_eq!(Seat::filter(|s| s.guest().is_not_null()).count(&test.db).await?, 1, "one row and no other");
        assert_eq!(Seat::get(&test.db, ("A".to_owned(), 1, date)).await?, record);
        assert!(Seat::find(&test.db, ("A".to_owned(), 3, date)).await?.is_none());
        record.refresh(&test.db).await?;
        record.delete(&test.db).await?;
        assert_eq!(test.rows_in("seats").await?, 2);
        let first: Option<Record<Seat>> = Seat::query().first(&test.db).await?;
        assert_eq!(first.map(|seat| (seat.hall.clone(), seat.row)), Some(("A".to_owned(), 2)));
    }

    async fn foreign_keys_are_a_key(test: &Fixture) {
        test.db.create(models![Student, Course, Enrolment]).await?;
        let ann = Student::builder().name("Ann").insert(&test.db).await?;
        let bob = Student::builder().name("Bob").insert(&test.db).await?;
        let art = Course::builder().title("Art").insert(&test.db).await?;
        let mut one = Enrolment::builder().student(&ann).course(&art).insert(&test.db).await?;
        Enrolment::builder().student(&bob).course(&art).grade(2).insert(&test.db).await?;
        one.grade = Some(1);
        one.save(&test.db).await?;
        assert_eq!(Enrolment::get(&test.db, (ann.id, art.id)).await?.grade, Some(1));
        let names: Vec<String> = Enrolment::filter(|e| e.course().title().eq("Art"))
            .order_by(|e| e.grade().desc())
            .select(|e| e.student().name())
            .all(&test.db)
            .await?;
        assert_eq!(names, ["Bob", "Ann"]);
        let error = Enrolment::builder().student(&ann).course(&art).insert(&test.db).await.unwrap_err();
        assert_eq!((error.is_unique(), error.field()), (true, Some("student, course")), "{error:?}");
        let nobody = Record::new(Student { id: 0, name: "none".into() });
        let error = Enrolment::builder().student(&nobody).course(&art).insert(&test.db).await.unwrap_err();
        assert_eq!((error.is_validation(), error.faults()[0].field.as_str()), (true, "student"));
        one.delete(&test.db).await?;
        assert_eq!(test.rows_in("enrolments").await?, 1);
    }

    async fn saving_a_changed_key_moves_the_row(test: &Fixture) {
        test.db.create(models![Word, Seat, Small]).await?;
        let mut word = Record::insert(Word { word: "old".into(), count: 1 }, &test.db).await?;
        test.statements();
        word.word = "new".into();
        word.count = 2;
        word.save(&test.db).await?;
        assert_eq!(test.statements().len(), 1);
        assert!(Word::find(&test.db, "old").await?.is_none());
        assert_eq!(Word::get(&test.db, "new").await?.count, 2);
        word.count = 3;
        word.save(&test.db).await?;
        assert_eq!(
            (Word::get(&test.db, "new").await?.count, test.rows_in("words").await?),
            (3, 1),
            "the record knows the new key"
        );
        let taken = Record::insert(Word { word: "taken".into(), count: 0 }, &test.db).await?;
        word.word = "taken".into();
        assert!(word.save(&test.db).await.unwrap_err().is_unique());
        word.refresh(&test.db).await?;
        assert_eq!((word.word.as_str(), taken.count), ("new", 0), "read again by the key it has in the database");
        word.word = "gone".into();
        word.delete(&test.db).await?;
        assert!(Word::find(&test.db, "new").await?.is_none(), "deleted by the key it has in the database");

        let date = Date::constant(2024, 1, 1);
        let mut seat = Record::insert(Seat { hall: "A".into(), row: 1, date, guest: None }, &test.db).await?;
        seat.row = 9;
        seat.save(&test.db).await?;
        assert!(Seat::find(&test.db, ("A".to_owned(), 9, date)).await?.is_some());
        assert_eq!(test.rows_in("seats").await?, 1);

        let mut small = Small::builder().name("s").insert(&test.db).await?;
        small.id = 77;
        small.save(&test.db).await?;
        assert_eq!(Small::get(&test.db, 77_i16).await?.name, "s");
    }

    async fn rows_point_at_rows_of_their_own_table(test: &Fixture) {
        test.db.create(models![Node]).await?;
        let root = Node::builder().name("root").insert(&test.db).await?;
        let leaf = Node::builder().name("leaf").parent(&root).insert(&test.db).await?;
        let mut own = Node::builder().id(50).name("own").parent(ForeignKey::to(50)).insert(&test.db).await?;
        assert_eq!(Node::get(&test.db, 50).await?.parent, Some(ForeignKey::to(50)), "even at itself");
        let names: Vec<(String, Option<String>)> =
            Node::query().order_by(|n| n.id().asc()).select(|n| (n.name(), n.parent().name())).all(&test.db).await?;
        assert_eq!(
            names,
            [("root".into(), None), ("leaf".into(), Some("root".into())), ("own".into(), Some("own".into()))]
        );
        let error = Node::filter(|n| n.eq(&root)).delete(&test.db).await.unwrap_err();
        assert!(error.is_foreign_key(), "{error:?}");
        assert_eq!(Node::filter(|n| n.parent().eq(&root)).one(&test.db).await?, leaf);
        own.parent = None;
        own.save(&test.db).await?;
        own.delete(&test.db).await?;
        let many = Node::insert_many(
            &test.db,
            [
                Node { id: 60, name: "a".into(), parent: None },
                Node { id: 61, name: "b".into(), parent: Some(ForeignKey::to(60)) },
            ],
        )
        .await?;
        assert_eq!(many.len(), 2, "in one statement");
    }

    async fn a_row_that_is_pointed_at_stays(test: &Fixture) {
        test.db.create(models![Owner, Kept]).await?;
        let mut owner = Owner::builder().name("Ann").insert(&test.db).await?;
        let other = Owner::builder().name("Bob").insert(&test.db).await?;
        let mut kept = Kept::builder().owner(&owner).insert(&test.db).await?;
        let error = owner.delete(&test.db).await.unwrap_err();
        assert_eq!((error.is_foreign_key(), error.model()), (true, Some("Owner")), "{error:?}");
        assert!(owner.is_saved());
        assert!(Owner::query().delete(&test.db).await.unwrap_err().is_foreign_key());
        assert_eq!((test.rows_in("owners").await?, test.rows_in("kepts").await?), (2, 1), "nothing was deleted");
        kept.owner = ForeignKey::to(999);
        let error = kept.save(&test.db).await.unwrap_err();
        assert_eq!(
            (error.is_foreign_key(), error.model(), error.field()),
            (true, Some("Kept"), Some("owner")),
            "{error:?}"
        );
        kept.owner = (&other).into();
        kept.save(&test.db).await?;
        owner.delete(&test.db).await?;
        assert_eq!(test.rows_in("owners").await?, 1);
    }

    async fn the_message_says_on_which_side_the_foreign_key_is(test: &Fixture) {
        test.db.create(models![Owner, Kept]).await?;
        let mut owner = Owner::builder().name("Ann").insert(&test.db).await?;
        Kept::builder().owner(&owner).insert(&test.db).await?;
        let error = owner.delete(&test.db).await.unwrap_err();
        assert!(!error.to_string().contains("insert that one first"), "the row is pointed at: {error}");
        let error = Kept::builder().owner(999).insert(&test.db).await.unwrap_err();
        assert_eq!(
            error.to_string(),
            "Kept.owner: the row of Owner it points at is missing: insert that one first (constraint fk_kepts_owner_id)"
        );
    }

    async fn on_delete_is_done_by_the_database(test: &Fixture) {
        test.db.create(models![Owner, Cascaded, Freed]).await?;
        let mut owner = Owner::builder().name("Ann").insert(&test.db).await?;
        let other = Owner::builder().name("Bob").insert(&test.db).await?;
        for owner in [&owner, &other] {
            Cascaded::builder().owner(owner).insert(&test.db).await?;
            Freed::builder().owner(owner).insert(&test.db).await?;
        }
        test.statements();
        owner.delete(&test.db).await?;
        assert_eq!(test.statements().len(), 1, "the database does the rest");
        let left: Vec<i64> = Cascaded::query().select(|c| c.owner().id()).all(&test.db).await?;
        assert_eq!(left, [other.id]);
        let freed: Vec<Option<i64>> =
            Freed::query().order_by(|f| f.id().asc()).select(|f| f.owner().id()).all(&test.db).await?;
        assert_eq!(freed, [None, Some(other.id)]);
        // The same with SQL of one's own: it is no work of the library.
        test.execute(&format!("DELETE FROM {}", test.quoted("owners"))).await?;
        assert_eq!((test.rows_in("cascadeds").await?, test.rows_in("freeds").await?), (0, 2));
    }

    async fn on_update_is_done_by_the_database(test: &Fixture) {
        test.db.create(models![Owner, Kept, Followed]).await?;
        test.db.create(models![Owner, Kept, Followed]).await?;
        let owner = Owner::builder().name("Ann").insert(&test.db).await?;
        let followed = Followed::builder().owner(&owner).other(&owner).insert(&test.db).await?;
        Owner::filter(|o| o.id().eq(owner.id)).update(&test.db, |o| o.id().set(77)).await?;
        let now = Followed::get(&test.db, followed.id).await?;
        assert_eq!((now.owner.key(), now.other.clone()), (Some(&77), None));
        // Without a word about it the key of a row that is pointed at stays.
        Kept::builder().owner(77).insert(&test.db).await?;
        let error = Owner::query().update(&test.db, |o| o.id().set(78)).await.unwrap_err();
        assert_eq!(error.kind(), ErrorKind::ForeignKey, "{error}");
    }

    async fn set_default_points_at_the_default_or_is_refused(test: &Fixture) {
        let created = test.db.create(models![Owner, Inherited]).await;
        if test.is(Backend::MariaDb) {
            let Err(error) = created else { panic!("InnoDB has no SET DEFAULT") };
            assert_eq!(error.kind(), ErrorKind::Unsupported);
            assert!(error.to_string().contains("fk_inheriteds_owner_id"), "{error}");
            assert!(test.rows_in("owners").await.is_err(), "nothing was created");
            return Ok(());
        }
        created?;
        assert_eq!(Owner::builder().name("heir").insert(&test.db).await?.id, 1);
        let mut owner = Owner::builder().name("Ann").insert(&test.db).await?;
        let inherited = Inherited::builder().owner(&owner).insert(&test.db).await?;
        owner.delete(&test.db).await?;
        assert_eq!(Inherited::get(&test.db, inherited.id).await?.owner, Some(ForeignKey::to(1)));
    }

    async fn a_required_foreign_key_may_have_a_default(test: &Fixture) {
        if test.is(Backend::MariaDb) {
            return Ok(()); // InnoDB has no SET DEFAULT
        }
        let db = &test.db;
        db.create(models![Owner, Handed]).await?;
        let heir = Owner::builder().name("heir").insert(db).await?;
        let mut owner = Owner::builder().name("Ann").insert(db).await?;
        assert_eq!(Handed::builder().insert(db).await?.owner.key(), Some(&heir.id), "left to the database");
        let handed = Handed::builder().owner(&owner).other(&owner).insert(db).await?;
        assert_eq!(Handed::builder().owner(&owner).build().other.key(), Some(&1), "the builder knows the literal");
        owner.delete(db).await?;
        let handed = Handed::get(db, handed.id).await?;
        assert_eq!((handed.owner.key(), handed.other.key()), (Some(&1), Some(&1)));
    }

    async fn a_foreign_key_is_as_long_and_as_exact_as_the_key(test: &Fixture) {
        let db = &test.db;
        db.create(models![Term, Rate, Points]).await?;
        db.create(models![Term, Rate, Points]).await?;
        let term = "t".repeat(300);
        Record::insert(Term { term: term.clone() }, db).await?;
        Record::insert(Rate { rate: dec!(1.25) }, db).await?;
        let points = Points { id: 0, term: ForeignKey::to(term.clone()), rate: Some(ForeignKey::to(dec!(1.25))) };
        let points = Record::insert(points, db).await?;
        assert_eq!(Points::get(db, points.id).await?, points);
        assert_eq!(Points::filter(|p| p.rate().rate().eq(dec!(1.25))).count(db).await?, 1);
        let rates: Vec<Option<Decimal>> = Points::query().select(|p| p.rate().rate()).all(db).await?;
        assert_eq!(rates, [Some(dec!(1.25))]);
        test.statements();
        for (term, rate) in [(ForeignKey::to("t".repeat(301)), dec!(1.25)), (ForeignKey::to(term), dec!(1.255))] {
            let points = Points { id: 0, term, rate: Some(ForeignKey::to(rate)) };
            let error = Record::insert(points, db).await.unwrap_err();
            assert_eq!(error.kind(), ErrorKind::Validation, "{error}");
        }
        assert_eq!(test.statements(), Vec::<String>::new());
    }

    async fn a_key_of_another_name_is_generated_where_it_is_said(test: &Fixture) {
        test.db.create(models![Named]).await?;
        assert_eq!(Named::builder().name("a").insert(&test.db).await?.id, 1);
        assert_eq!(Named::builder().name("b").insert(&test.db).await?.id, 2);
    }

    async fn columns_are_named_as_their_fields(test: &Fixture) {
        test.db.create(models![Part]).await?;
        let part = Part::builder().id(7).PartNo(0).type_("a").insert(&test.db).await?;
        assert_eq!(part.PartNo, 1, "generated");
        let (number, weight): (i64, f64) = match test.is(Backend::MariaDb) {
            true => sql!("SELECT `PartNo`, weight2kg FROM parts WHERE type_ = 'a'").one(&test.db).await?,
            false => sql!("SELECT \"PartNo\", weight2kg FROM parts WHERE type_ = 'a'").one(&test.db).await?,
        };
        assert_eq!((number, weight), (1, 5.0));
        let error = Part::builder().id(0).type_("b").insert(&test.db).await.unwrap_err();
        assert!(error.to_string().contains("ck_parts_in"), "{error}");
    }

    async fn a_row_that_is_not_saved_cannot_be_pointed_at(test: &Fixture) {
        test.db.create(models![Owner, Kept, Freed]).await?;
        let mut owner = Record::new(Owner { id: 0, name: "Ann".into() });
        test.statements();
        let error = Kept::builder().owner(&owner).insert(&test.db).await.unwrap_err();
        assert_eq!(
            error.to_string(),
            "Kept is invalid:\n  owner: points at a row that is not saved yet: insert that one first"
        );
        let error = Freed::builder().owner(&owner).insert(&test.db).await.unwrap_err();
        assert_eq!((error.is_validation(), error.faults()[0].field.as_str()), (true, "owner"), "not NULL in silence");
        let given = Record::new(Owner { id: 7, name: "not saved either".into() });
        assert!(Kept::builder().owner(&given).insert(&test.db).await.unwrap_err().is_validation());
        assert_eq!(test.statements(), Vec::<String>::new(), "nothing is sent");
        owner.save(&test.db).await?;
        Kept::builder().owner(&owner).insert(&test.db).await?;
    }

    async fn a_key_of_ones_own_type_is_found_and_pointed_at(test: &Fixture) {
        test.db.create(models![Currency, Price]).await?;
        let code = Code("EUR".into());
        let euro = Record::insert(Currency { code: code.clone(), name: "Euro".into() }, &test.db).await?;
        let price = Price::builder().currency(&euro).insert(&test.db).await?;
        assert_eq!(Currency::get(&test.db, code.clone()).await?, euro);
        assert_eq!(Price::get(&test.db, price.id).await?.currency.key(), Some(&code));
        assert_eq!(Price::filter(|p| p.currency().name().eq("Euro")).count(&test.db).await?, 1);
        let error =
            Record::insert(Currency { code: Code("EURO".into()), name: "x".into() }, &test.db).await.unwrap_err();
        assert_eq!(error.to_string(), "Currency is invalid:\n  code: 4 characters, at most 3 are allowed");
    }
}
