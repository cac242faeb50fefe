//! Relations that are kept elsewhere are a model's; a Uuid is not generated.
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
    owners: HasMany<Pet>,
}

#[derive(Model)]
struct Pet {
    id: i64,
}

#[derive(Mapper)]
#[mapper(entity = Owner, build = Owner::new)]
struct Second {
    #[mapper(generated)]
    id: Uuid,
    #[mapper(via = account)]
    name: String,
}

pub struct Owner(Uuid, String);

impl Owner {
    fn new(id: Uuid, name: String) -> Self {
        Self(id, name)
    }
    fn id(&self) -> Uuid {
        self.0
    }
    fn name(&self) -> &str {
        &self.1
    }
}

fn main() {}
