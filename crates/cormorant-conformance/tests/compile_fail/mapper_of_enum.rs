//! A mapper is a struct with named fields.
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
enum First {
    A,
}

#[derive(Mapper)]
#[mapper(entity = Account, build = Account::new)]
struct Second(String, i64);

#[derive(Mapper)]
#[mapper(entity = Account, build = Account::new)]
struct Third<T> {
    id: T,
}

fn main() {}
