use cormorant::prelude::*;

#[derive(DbEnum, Clone, PartialEq)]
enum Payment {
    Cash,
    Card(String),
    Transfer { iban: String },
}

fn main() {}
