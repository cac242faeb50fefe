//! Enums by names that the expansion uses itself, under another name of the library, and in a function.
#![deny(warnings)]
extern crate cormorant as orm;
extern crate std as cormorant;

use orm::prelude::*;

#[derive(DbEnum, Clone, PartialEq)]
#[db_enum(crate = "orm", rename_all = "kebab-case")]
#[allow(non_camel_case_types)]
enum Scalar {
    Some,
    None,
    Ok,
    Value,
    support,
    VALUES,
    r#type,
    #[db_enum(rename = "TYPE")]
    TYPE,
    ALLOWED,
}

#[derive(DbEnum, Clone, PartialEq)]
#[db_enum(crate = "orm", integer = true)]
#[repr(u8)]
pub(crate) enum VALUES {
    A = b'a',
    Z = b'z',
}

#[derive(Model)]
#[model(crate = "orm", check(other = "scalar <> 'ok'"))]
struct Row {
    id: i64,
    #[model(default = Scalar::TYPE, check = "scalar <> 'type'")]
    scalar: Scalar,
    #[model(default = VALUES::Z, secret)]
    values: Option<VALUES>,
}

fn main() {
    #[derive(DbEnum, Clone, Copy, PartialEq)]
    #[db_enum(crate = "orm")]
    enum Inner {
        Only,
    }
    let _ = Row::filter(|r| r.scalar().eq(Scalar::Some) & r.values().ne(VALUES::A));
    let only = Inner::Only;
    let _ = sql!("SELECT {only}");
    let _ = [Scalar::None, Scalar::Ok, Scalar::Value, Scalar::support, Scalar::VALUES, Scalar::r#type, Scalar::ALLOWED];
}
