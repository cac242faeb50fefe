//! The constructor takes another type than the column has.
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
    #[mapper(get = |a| a.cents() as i32)]
    cents: i32,
}

#[derive(Mapper)]
#[mapper(entity = Account, try_build = Account::checked)]
struct Second {
    #[mapper(get = |a| a.cents())]
    cents: i64,
    #[mapper(key)]
    number: String,
}

fn main() {}
