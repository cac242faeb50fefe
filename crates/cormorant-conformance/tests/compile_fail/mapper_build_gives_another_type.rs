//! `build` names a constructor that can refuse, `try_build` one that cannot, and one with an error without words.
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
#[mapper(entity = Account, build = Account::checked)]
struct AccountMapper {
    #[mapper(key)]
    number: String,
    cents: i64,
}

#[derive(Mapper)]
#[mapper(entity = Account, try_build = Account::new)]
struct Second {
    #[mapper(key)]
    number: String,
    cents: i64,
}

#[derive(Mapper)]
#[mapper(entity = Account, try_build = wordless)]
struct Third {
    #[mapper(key)]
    number: String,
    cents: i64,
}

struct Wordless;

fn wordless(number: String, cents: i64) -> Result<Account, Wordless> {
    if cents < 0 { Err(Wordless) } else { Ok(Account { number, cents }) }
}

fn main() {}
