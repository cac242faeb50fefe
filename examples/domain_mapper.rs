//! Data Mapper in full: the domain type knows nothing of databases; a mapper says how it is stored.
//! Seed: "the mapper contains the code to insert, update, delete and retrieve; the domain model holds the business logic".
use cormorant::prelude::*;

mod domain {
    #[derive(Debug, PartialEq)]
    pub struct Account {
        number: String,
        balance_cents: i64,
    }
    #[derive(Debug)]
    pub struct Overdrawn;
    impl std::fmt::Display for Overdrawn {
        fn fmt(&self, f: &mut std::fmt::Formatter) -> std::fmt::Result {
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
            self.balance_cents += cents
        }
    }
}

// `try_build` may refuse a row: the error names the table and the key. `build` is for constructors that cannot fail.
#[derive(Mapper)]
#[mapper(entity = domain::Account, table = "accounts", try_build = domain::Account::restore)]
struct AccountMapper {
    #[mapper(key, max_length = 34, get = |a| a.number().to_owned())]
    number: String,
    #[mapper(get = |a| a.balance_cents())]
    balance_cents: i64,
}

#[tokio::main]
async fn main() -> cormorant::Result<()> {
    let url = std::env::var("DATABASE_URL").unwrap_or("sqlite::memory:".into()); // an empty database
    let db = Database::connect(&url).await?;
    db.create_all().await?;

    let mut session = db.session();
    let account = session.add_to::<AccountMapper>(domain::Account::open("BR-1"));
    session.commit().await?; // INSERT
    session[account].deposit(5_000); // `session[account]` is a `domain::Account`
    session.commit().await?; // UPDATE accounts SET balance_cents = ? WHERE number = ?

    let mut other = db.session();
    let found = other.get::<AccountMapper>("BR-1").await?; // SELECT
    assert_eq!(other[found].balance_cents(), 5_000);
    let rich = other.all(AccountMapper::filter(|a| a.balance_cents().gt(1_000))).await?;
    assert_eq!(rich, [found]);
    other.delete(found);
    other.commit().await?; // DELETE
    Ok(())
}
