//! `get` and `build` take functions, `entity` a type.
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
#[mapper(entity = &Account, build = |number, cents| Account { number, cents })]
struct AccountMapper {
    #[mapper(key)]
    number: String,
    #[mapper(get = "cents")]
    cents: i64,
}

fn main() {}
