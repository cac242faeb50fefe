//! Misspelt keys, and keys that only a model has.
use cormorant::prelude::*;

pub struct Account {
    number: String,
    cents: i64,
}

impl Account {
    pub fn new(number: String, cents: i64) -> Self {
        Self { number, cents }
    }
    pub fn checked(number: String, cents: i64) -> Result<Self, String> {
        if cents < 0 { Err("overdrawn".to_owned()) } else { Ok(Self { number, cents }) }
    }
    pub fn number(&self) -> &str {
        &self.number
    }
    pub fn cents(&self) -> i64 {
        self.cents
    }
}

#[derive(Mapper)]
#[mapper(entity = Account, tabel = "accounts", build = Account::new, cents)]
struct AccountMapper {
    #[mapper(key, max_lenght = 34, entity = Account)]
    number: String,
    #[mapper(gett = Account::cents, default = 0)]
    cents: i64,
}

#[derive(Mapper)]
#[mapper(entity = Account, build = Account::new)]
struct Second {
    #[mapper(key)]
    number: String,
    #[mapper(skip)]
    cents: i64,
}

fn main() {}
