//! The constructor takes fewer values than there are columns, or more.
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
    #[mapper(key)]
    number: String,
    cents: i64,
    #[mapper(get = |a| a.cents() > 0)]
    rich: bool,
}

#[derive(Mapper)]
#[mapper(entity = Account, try_build = Account::checked)]
struct Second {
    #[mapper(key)]
    number: String,
}

fn main() {}
