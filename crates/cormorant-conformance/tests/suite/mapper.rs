//! Types that know nothing of databases, stored by mappers: derived ones, and one written by hand.

#![allow(unreachable_pub, reason = "the domain's types are written as a program has them")]

use std::cell::Cell;
use std::marker::PhantomData;

use cormorant::prelude::*;
use cormorant::{
    ColumnDef, Columns, Error, ErrorKind, Field, Join, ObjectState, Route, Row, TableDef, Unstorable, Value,
};
use cormorant_conformance::{Fixture, conformance};

/// The golden program's.
mod domain {
    #[derive(Debug, PartialEq)]
    pub struct Account {
        number: String,
        balance_cents: i64,
    }

    #[derive(Debug)]
    pub struct Overdrawn;

    impl std::fmt::Display for Overdrawn {
        fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
            f.write_str("an account cannot be overdrawn")
        }
    }

    impl Account {
        pub fn open(number: &str) -> Self {
            Self { number: number.into(), balance_cents: 0 }
        }
        pub fn restore(number: String, balance_cents: i64) -> Result<Self, Overdrawn> {
            if balance_cents < 0 { Err(Overdrawn) } else { Ok(Self { number, balance_cents }) }
        }
        pub fn number(&self) -> &str {
            &self.number
        }
        pub fn balance_cents(&self) -> i64 {
            self.balance_cents
        }
        pub fn deposit(&mut self, cents: i64) {
            self.balance_cents += cents;
        }
    }
}

#[derive(Mapper)]
#[mapper(entity = domain::Account, table = "accounts", try_build = domain::Account::restore)]
struct AccountMapper {
    #[mapper(key, max_length = 34, get = |a| a.number().to_owned())]
    number: String,
    #[mapper(get = |a| a.balance_cents())]
    balance_cents: i64,
}

/// The verbs of the statements sent since the last call.
fn verbs(test: &Fixture) -> Vec<String> {
    let verb = |sql: String| sql.split(' ').next().unwrap_or_default().to_owned();
    test.statements().into_iter().map(verb).collect()
}

conformance! {
    /// Golden program 04, and the statements it promises.
    async fn a_domain_type_is_stored(test: &Fixture) {
        let db = &test.db;
        db.create(models![AccountMapper]).await?;
        let mut session = db.session();
        let account = session.add_to::<AccountMapper>(domain::Account::open("BR-1"));
        test.statements();
        session.commit().await?;
        assert_eq!(verbs(test), ["INSERT"]);
        session[account].deposit(5_000);
        session.commit().await?;
        let statements = test.statements();
        assert_eq!(statements.len(), 1, "{statements:?}");
        let (set, condition) = statements[0].split_once("WHERE").unwrap();
        assert!(set.contains("balance_cents") && !set.contains("number"), "only what changed: {set}");
        assert!(condition.contains("number") && !condition.contains("balance_cents"), "by its key: {condition}");
        session.commit().await?;
        assert!(test.statements().is_empty(), "nothing changed");

        let mut other = db.session();
        let found = other.get::<AccountMapper>("BR-1").await?;
        assert_eq!(verbs(test), ["SELECT"]);
        assert_eq!(other[found].balance_cents(), 5_000);
        assert_eq!(other.get::<AccountMapper>("BR-1").await?, found);
        assert!(test.statements().is_empty(), "it is here");
        let rich = other.all(AccountMapper::filter(|a| a.balance_cents().gt(1_000))).await?;
        assert_eq!(rich, [found]);
        assert_eq!(verbs(test), ["SELECT"]);
        other.delete(found);
        other.commit().await?;
        assert_eq!(verbs(test), ["DELETE"]);
        assert_eq!(test.rows_in("accounts").await?, 0);
    }

    /// Queries that give no objects need no session.
    async fn a_mapper_starts_queries(test: &Fixture) {
        let db = &test.db;
        db.create(models![AccountMapper]).await?;
        let mut session = db.session();
        for (number, cents) in [("a", 1), ("b", 20), ("c", 300)] {
            session.add_to::<AccountMapper>(domain::Account::restore(number.into(), cents).unwrap());
        }
        session.commit().await?;
        let rich = || AccountMapper::filter(|a| a.balance_cents().gt(10));
        assert_eq!(rich().count(db).await?, 2);
        assert!(rich().exists(db).await?);
        let numbers = rich().order_by(|a| a.number().desc()).select(|a| a.number()).all(db).await?;
        assert_eq!(numbers, ["c", "b"]);
        assert_eq!(rich().update(db, |a| a.balance_cents().set(a.balance_cents() + 1)).await?, 2);
        assert_eq!(rich().delete(db).await?, 2);
        assert_eq!(AccountMapper::query().select(|a| a.balance_cents()).all(db).await?, [1]);
    }
}

/// A type with a key of numbers, and one whose key nobody may see.
mod strict {
    pub struct Shelf(pub i32, pub i64, pub i64);

    pub fn shelf(aisle: i32, place: i64, books: i64) -> Result<Shelf, &'static str> {
        if books > 100 { Err("no shelf holds so many books") } else { Ok(Shelf(aisle, place, books)) }
    }

    pub struct Token(pub String, pub i64);

    pub fn token(secret: String, uses: i64) -> Result<Token, String> {
        if uses < 0 { Err("used up".to_owned()) } else { Ok(Token(secret, uses)) }
    }
}

#[derive(Mapper)]
#[mapper(entity = strict::Shelf, table = "shelves", try_build = strict::shelf)]
struct ShelfMapper {
    #[mapper(key, get = |s| s.0)]
    aisle: i32,
    #[mapper(key, column = "number_in_aisle", get = |s| s.1)]
    place: i64,
    #[mapper(get = |s| s.2)]
    books: i64,
}

#[derive(Mapper)]
#[mapper(entity = strict::Token, try_build = strict::token)]
struct TokenMapper {
    #[mapper(key, secret, max_length = 40, get = |t| t.0.as_str())]
    secret: String,
    #[mapper(get = |t| t.1)]
    uses: i64,
}

/// The error of what must be one.
fn error<T>(result: cormorant::Result<T>) -> Error {
    result.err().expect("the constructor refuses it")
}

conformance! {
    /// A row that the constructor refuses is an error with the table, the key and the constructor's words, and no text
    /// that a user stored.
    async fn a_constructor_refuses_a_row(test: &Fixture) {
        let db = &test.db;
        db.create(models![AccountMapper, ShelfMapper, TokenMapper]).await?;
        test.execute("INSERT INTO accounts (number, balance_cents) VALUES ('4711', -1), ('BR-2', 2)").await?;
        test.execute("INSERT INTO shelves (aisle, number_in_aisle, books) VALUES (7, 12, 101)").await?;
        test.execute("INSERT INTO tokens (secret, uses) VALUES ('hunter2', -1)").await?;
        let mut session = db.session();
        let refused = error(session.get::<AccountMapper>("4711").await);
        assert_eq!(refused.kind(), ErrorKind::Decode);
        assert_eq!(
            refused.to_string(),
            "Account: the row of accounts with number (4 characters) was refused: an account cannot be overdrawn"
        );
        assert_eq!(error(session.all(AccountMapper::query()).await).to_string(), refused.to_string());
        let refused = error(session.get::<ShelfMapper>((7, 12)).await);
        assert_eq!(
            refused.to_string(),
            "Shelf: the row of shelves with aisle 7, number_in_aisle 12 was refused: no shelf holds so many books"
        );
        let refused = error(session.all(TokenMapper::query()).await);
        assert_eq!(refused.to_string(), "Token: the row of tokens with secret was refused: used up");
        // The session goes on.
        let fine = session.get::<AccountMapper>("BR-2").await?;
        assert_eq!(session[fine].balance_cents(), 2);
    }
}

/// Every type and every attribute of a column.
mod library {
    use cormorant::prelude::*;

    #[derive(Clone, Debug, PartialEq)]
    pub struct Book {
        id: u32,
        isbn: String,
        title: Option<String>,
        price: Decimal,
        added: Timestamp,
        shelf: Option<i64>,
        genre: super::Genre,
        pages: u16,
        code: Uuid,
        kind: bool,
    }

    impl Book {
        #[allow(clippy::too_many_arguments, reason = "a column each")]
        pub fn with(
            id: u32,
            isbn: String,
            title: Option<String>,
            price: Decimal,
            added: Timestamp,
            shelf: Option<ForeignKey<super::Room>>,
            genre: super::Genre,
            pages: u16,
            code: Uuid,
            kind: bool,
        ) -> Self {
            let shelf = shelf.and_then(|shelf| shelf.key().copied());
            Self { id, isbn, title, price, added, shelf, genre, pages, code, kind }
        }

        pub fn new(isbn: &str) -> Self {
            Self::with(
                0,
                isbn.into(),
                None,
                dec!(9.90),
                "2024-02-29T12:00:00.123456789Z".parse().unwrap(),
                None,
                super::Genre::Crime,
                200,
                Uuid::from_u128(7),
                true,
            )
        }

        pub fn id(&self) -> u32 {
            self.id
        }
        pub fn isbn(&self) -> &str {
            &self.isbn
        }
        pub fn title(&self) -> Option<&str> {
            self.title.as_deref()
        }
        pub fn price(&self) -> Decimal {
            self.price
        }
        pub fn added(&self) -> Timestamp {
            self.added
        }
        pub fn shelf(&self) -> Option<i64> {
            self.shelf
        }
        pub fn genre(&self) -> super::Genre {
            self.genre
        }
        pub fn code(&self) -> Uuid {
            self.code
        }
        pub fn r#type(&self) -> bool {
            self.kind
        }
        /// A getter may take more than there is.
        pub fn pages(&self) -> u8 {
            self.pages as u8
        }
        pub fn rename(&mut self, title: &str) {
            self.title = Some(title.to_owned());
        }
        pub fn put(&mut self, shelf: Option<i64>) {
            self.shelf = shelf;
        }
    }
}

#[derive(DbEnum, Clone, Copy, Debug, PartialEq)]
enum Genre {
    Crime,
    Poetry,
}

#[derive(Model, Clone, Debug)]
struct Room {
    id: i64,
    #[model(max_length = 20)]
    name: String,
}

/// A book in a library.
#[derive(Mapper)]
#[mapper(entity = library::Book, build = library::Book::with)]
#[mapper(index(title, price), unique(isbn, code, name = "one_book"), check(cheap = "price < 1000"))]
#[mapper(crate = "cormorant")]
struct BookMapper {
    id: u32,
    /// Its number.
    #[mapper(max_length = 13, unique, path = "number", check = "isbn <> ''")]
    isbn: String,
    #[mapper(max_length = 40, secret)]
    title: Option<String>,
    #[mapper(precision = 6, scale = 2, index)]
    price: Decimal,
    #[mapper(column = "added_at")]
    added: Timestamp,
    #[mapper(on_delete = set_null)]
    shelf: Option<ForeignKey<Room>>,
    genre: Genre,
    #[mapper(db_default = "100")]
    pages: u16,
    #[mapper(get = library::Book::code)]
    code: Uuid,
    r#type: bool,
}

conformance! {
    async fn a_mapper_has_every_attribute(test: &Fixture) {
        let db = &test.db;
        assert_eq!((BookMapper::NAME, BookMapper::TABLE.name), ("Book", "books"));
        assert!(BookMapper::PATH.ends_with("mapper::BookMapper"));
        db.create(models![Room, BookMapper]).await?;
        let mut room = Room::builder().name("Attic").insert(db).await?;

        let mut session = db.session();
        let book = session.add_to::<BookMapper>(library::Book::new("978"));
        session[book].put(Some(room.id));
        test.statements();
        session.commit().await?;
        assert_eq!(verbs(test), ["INSERT"]);
        assert_eq!(session[book].id(), 1, "the database's key");
        session.commit().await?;
        assert!(test.statements().is_empty(), "what is below a microsecond is no change");
        session[book].rename("Birds");
        session.commit().await?;
        let update = test.statements().join(";");
        assert!(update.starts_with("UPDATE") && update.contains("title") && !update.contains("price"), "{update}");

        let mut other = db.session();
        let found = other.get::<BookMapper>(1_u32).await?;
        let read = &other[found];
        assert_eq!((read.title(), read.price(), read.r#type()), (Some("Birds"), dec!(9.90), true));
        assert_eq!(read.added(), "2024-02-29T12:00:00.123456Z".parse::<Timestamp>().unwrap());
        assert_eq!((read.genre(), read.pages(), read.code()), (Genre::Crime, 200, Uuid::from_u128(7)));
        // Along a foreign key, in a query and in the session.
        let in_attic = other.all(BookMapper::filter(|b| b.shelf().name().eq("Attic") & b.number().eq("978"))).await?;
        assert_eq!(in_attic, [found]);
        let rooms = other.related(found, |b| b.shelf()).await?;
        assert_eq!(rooms.iter().map(|room| other[*room].name.as_str()).collect::<Vec<_>>(), ["Attic"]);

        // What the table was told.
        let twice = {
            let mut session = db.session();
            session.add_to::<BookMapper>(library::Book::new("978"));
            error(session.commit().await)
        };
        assert!(twice.is_unique(), "{twice}");
        let empty = {
            let mut session = db.session();
            session.add_to::<BookMapper>(library::Book::new(""));
            error(session.commit().await)
        };
        assert!(empty.is_check(), "{empty}");
        assert_eq!((empty.model(), empty.field()), (Some("Book"), Some("isbn")));
        room.delete(db).await?;
        let mut last = db.session();
        let found = last.get::<BookMapper>(1_u32).await?;
        assert_eq!(last[found].shelf(), None, "set to NULL by the database");
    }

    /// Of several columns, the key is a tuple.
    async fn a_mapper_has_a_key_of_several_columns(test: &Fixture) {
        let db = &test.db;
        db.create(models![ShelfMapper]).await?;
        let mut session = db.session();
        let shelf = session.add_to::<ShelfMapper>(strict::Shelf(1, 2, 30));
        let beside = session.add_to::<ShelfMapper>(strict::Shelf(1, 3, 40));
        session.commit().await?;
        assert_eq!(session.get::<ShelfMapper>((1, 2)).await?, shelf);
        session[shelf].2 = 31;
        // Its key is changed like any column.
        session[beside].1 = 4;
        session.commit().await?;
        let mut other = db.session();
        let moved = other.get::<ShelfMapper>((1, 4)).await?;
        assert_eq!(other[moved].2, 40);
        assert!(other.find::<ShelfMapper>((1, 3)).await?.is_none());
        let all = other.all(ShelfMapper::query().order_by(|s| s.place().asc())).await?;
        assert_eq!(all.iter().map(|shelf| other[*shelf].2).collect::<Vec<_>>(), [31, 40]);
    }
}

/// A type that counts how often it is built, with a key that the database gives and state that no column holds.
mod counted {
    use super::BUILT;

    pub struct Ticket {
        pub id: i64,
        pub seat: String,
        /// No column.
        pub note: String,
    }

    pub fn ticket(id: i64, seat: String) -> Ticket {
        BUILT.set(BUILT.get() + 1);
        Ticket { id, seat, note: String::new() }
    }
}

thread_local! {
    static BUILT: Cell<u32> = const { Cell::new(0) };
}

#[derive(Mapper)]
#[mapper(entity = counted::Ticket, build = counted::ticket, rename_all = "PascalCase")]
struct TicketMapper {
    #[mapper(get = |t| t.id)]
    id: i64,
    #[mapper(unique, get = |t| &t.seat)]
    seat: String,
}

conformance! {
    /// What a rollback takes back, it takes back in the domain's objects.
    async fn a_rollback_restores_a_domain_object(test: &Fixture) {
        let db = &test.db;
        db.create(models![AccountMapper, TicketMapper]).await?;
        let mut session = db.session();
        let account = session.add_to::<AccountMapper>(domain::Account::open("BR-1"));
        session.commit().await?;

        session[account].deposit(10);
        session.rollback().await?;
        assert_eq!(session[account].balance_cents(), 0, "not written");
        session[account].deposit(20);
        session.flush().await?;
        session.rollback().await?;
        assert_eq!(session[account].balance_cents(), 0, "written, and taken back");
        session[account].deposit(30);
        let savepoint = session.savepoint().await?;
        session[account].deposit(40);
        session.flush().await?;
        session.rollback_to(savepoint).await?;
        assert_eq!(session[account].balance_cents(), 30, "as the savepoint found it");
        session.commit().await?;
        session.delete(account);
        session.flush().await?;
        session.rollback().await?;
        assert_eq!(session.state(account), ObjectState::Clean);
        assert_eq!(session[account].balance_cents(), 30);

        // A generated key is given back.
        let ticket = session.add_to::<TicketMapper>(counted::ticket(0, "A1".into()));
        session.flush().await?;
        assert_ne!(session[ticket].id, 0);
        session.rollback().await?;
        assert_eq!((session[ticket].id, session.state(ticket)), (0, ObjectState::Detached));

        // What the constructor refuses of a change is refused by the constructor's users, not by the session.
        session[account].deposit(-100);
        session.flush().await?;
        session.rollback().await?;
        assert_eq!(session[account].balance_cents(), 30);
    }

    /// An object is built anew only where its columns become others.
    async fn an_object_stays_the_one_it_is(test: &Fixture) {
        let db = &test.db;
        db.create(models![TicketMapper]).await?;
        let mut session = db.session();
        let ticket = session.add_to::<TicketMapper>(counted::ticket(0, "A1".into()));
        session.commit().await?;
        session[ticket].note = "window".into();
        let built = BUILT.get();
        session.commit().await?;
        assert_eq!(BUILT.get(), built);
        assert_eq!(session[ticket].note, "window", "no column changed");
        session[ticket].seat = "A2".into();
        session.commit().await?;
        assert_eq!(session[ticket].note, "window", "it was written, not read");
        let other = session.add_to::<TicketMapper>(counted::ticket(0, "A2".into()));
        let refused = error(session.commit().await);
        assert!(refused.is_unique(), "{refused}");
        assert_eq!((refused.model(), refused.field()), (Some("Ticket"), Some("seat")));
        session.rollback().await?;
        assert_eq!(session.state(other), ObjectState::Detached);
        assert_eq!(session[ticket].note, "window");
    }
}

/// The same as the derived one, from the public traits alone.
struct ByHand;

/// Its columns, as a query sees them.
struct ByHandPath<R>(Route, PhantomData<fn() -> R>);

impl<R> Clone for ByHandPath<R> {
    fn clone(&self) -> Self {
        *self
    }
}

impl<R> Copy for ByHandPath<R> {}

impl<R> ByHandPath<R> {
    fn number(self) -> Expr<R, String> {
        Expr::column(self.0, 0)
    }
    fn balance_cents(self) -> Expr<R, i64> {
        Expr::column(self.0, 1)
    }
}

static BY_HAND: TableDef = TableDef::new(
    "Account",
    "mapper::ByHand",
    "accounts",
    &[
        ColumnDef::new("number", "number", String::TYPE, false).max_length(34).key(false),
        ColumnDef::new("balance_cents", "balance_cents", i64::TYPE, false),
    ],
    &[0],
);

impl ByHand {
    fn build(number: String, balance_cents: i64) -> cormorant::Result<domain::Account> {
        domain::Account::restore(number, balance_cents)
            .map_err(|why| Error::new(ErrorKind::Decode, why.to_string()).with_model(Self::NAME))
    }
}

impl Mapper for ByHand {
    type Entity = domain::Account;
    type Key = String;
    type Path<R: 'static, J: Join> = ByHandPath<R>;
    type Snapshot = (String, i64);

    const NAME: &'static str = "Account";
    const PATH: &'static str = "mapper::ByHand";
    const TABLE: &'static TableDef = &BY_HAND;

    fn path<R: 'static, J: Join>(route: Route) -> ByHandPath<R> {
        ByHandPath(route, PhantomData)
    }

    fn load(row: &mut Row<'_>) -> cormorant::Result<domain::Account> {
        Self::build(Field::load(row)?, Field::load(row)?)
    }

    fn assign(account: &mut domain::Account, column: u16, row: &mut Row<'_>) -> cormorant::Result<()> {
        let (mut number, mut balance_cents) = Self::snapshot(account);
        match column {
            0 => number = Field::load(row)?,
            _ => balance_cents = Field::load(row)?,
        }
        Self::restore(account, (number, balance_cents))
    }

    fn value(account: &domain::Account, column: u16) -> Result<Value<'_>, Unstorable> {
        match column {
            0 => Ok(Value::Text(account.number().into())),
            _ => Ok(Value::Int(account.balance_cents())),
        }
    }

    fn key(account: &domain::Account) -> cormorant::Result<String> {
        Ok(account.number().to_owned())
    }

    fn snapshot(account: &domain::Account) -> (String, i64) {
        (account.number().to_owned(), account.balance_cents())
    }

    fn copy(snapshot: &(String, i64)) -> (String, i64) {
        snapshot.clone()
    }

    fn snapshot_key(snapshot: &(String, i64)) -> cormorant::Result<String> {
        Ok(snapshot.0.clone())
    }

    fn restore(account: &mut domain::Account, (number, cents): (String, i64)) -> cormorant::Result<()> {
        *account = Self::build(number, cents)?;
        Ok(())
    }

    fn changed(snapshot: &(String, i64), account: &domain::Account) -> Columns {
        let mut changed = Columns::none();
        if snapshot.0 != account.number() {
            changed.add(0);
        }
        if snapshot.1 != account.balance_cents() {
            changed.add(1);
        }
        changed
    }
}

conformance! {
    async fn a_mapper_is_written_by_hand(test: &Fixture) {
        let db = &test.db;
        db.create(models![ByHand]).await?;
        let mut session = db.session();
        let account = session.add_to::<ByHand>(domain::Account::open("BR-1"));
        session.commit().await?;
        session[account].deposit(5_000);
        session.flush().await?;
        session.rollback().await?;
        assert_eq!(session[account].balance_cents(), 0);
        session[account].deposit(50);
        session.commit().await?;

        let mut other = db.session();
        let found = other.get::<ByHand>("BR-1").await?;
        assert_eq!(other[found].balance_cents(), 50);
        let query = ByHand::filter(|a| a.balance_cents().gt(10) & a.number().starts_with("BR"));
        assert_eq!(other.all(query).await?, [found]);
        other.delete(found);
        other.commit().await?;
        assert_eq!(test.rows_in("accounts").await?, 0);
    }

    /// The derived mapper and the one by hand make one table.
    async fn both_make_the_same_table(test: &Fixture) {
        test.db.create(models![ByHand]).await?;
        test.statements();
        test.db.create(models![AccountMapper]).await?;
        assert!(!test.statements().iter().any(|sql| sql.starts_with("CREATE")), "it is there, and no difference");
    }
}

/// The same table as an Active Record.
#[derive(Model, Clone, Debug, PartialEq)]
#[model(table = "accounts")]
struct AccountRow {
    #[model(key, max_length = 34)]
    number: String,
    balance_cents: i64,
}

conformance! {
    /// A table may have a model and a mapper in one program; one of them says how it is created.
    async fn a_table_has_a_model_and_a_mapper(test: &Fixture) {
        let db = &test.db;
        let both = db.create(models![AccountRow, AccountMapper]).await.expect_err("which of them would it be?");
        assert_eq!(both.kind(), ErrorKind::Misuse);
        let message = both.to_string();
        assert!(message.contains("mapper::AccountRow") && message.contains("mapper::AccountMapper"), "{message}");
        db.create(models![AccountRow]).await?;
        let mut record = AccountRow::builder().number("BR-1").balance_cents(7).insert(db).await?;
        let mut session = db.session();
        let account = session.get::<AccountMapper>("BR-1").await?;
        session[account].deposit(1);
        session.commit().await?;
        record.refresh(db).await?;
        assert_eq!(record.balance_cents, 8);
    }
}
