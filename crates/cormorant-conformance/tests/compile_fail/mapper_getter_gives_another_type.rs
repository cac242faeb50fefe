//! A getter gives what does not convert into the column.
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
#[mapper(entity = Account, build = Account::new)]
struct AccountMapper {
    #[mapper(key, get = |a| a.cents())]
    number: String,
    #[mapper(get = Account::number)]
    cents: i64,
}

#[derive(Mapper)]
#[mapper(entity = Account, build = maybe)]
struct Second {
    #[mapper(key)]
    number: String,
    #[mapper(get = |a| Some(a.number()))]
    cents: Option<i64>,
}

fn maybe(number: String, cents: Option<i64>) -> Account {
    Account { number, cents: cents.unwrap_or(0) }
}

fn main() {}
