//! What the server is told about a value's type, before it sees the value.

use cormorant_sql::{Class, Value};
use tokio_postgres::types::{Kind, Type};

use crate::Call;

/// The type of each value: as the statement says, or else as the value itself is; `UNKNOWN` leaves it to the server.
pub(super) fn declared(call: &Call<'_>) -> impl Iterator<Item = Type> {
    call.values.iter().enumerate().map(move |(n, value)| match call.parameters.get(n) {
        Some(parameter) if parameter.list => list(parameter.class),
        Some(parameter) => single(parameter.class),
        None => of(value),
    })
}

fn of(value: &Value<'_>) -> Type {
    match value {
        Value::List(values) => values.iter().find_map(Value::class).map_or(Type::UNKNOWN, list),
        value => value.class().map_or(Type::UNKNOWN, single),
    }
}

fn single(class: Class) -> Type {
    match class {
        Class::Bool => Type::BOOL,
        Class::Int => Type::INT8,
        Class::Float => Type::FLOAT8,
        Class::Decimal => Type::NUMERIC,
        Class::Text => Type::TEXT,
        Class::Bytes => Type::BYTEA,
        Class::Date => Type::DATE,
        Class::Time => Type::TIME,
        Class::DateTime => Type::TIMESTAMP,
        Class::Timestamp => Type::TIMESTAMPTZ,
        Class::Uuid => Type::UUID,
        _ => Type::UNKNOWN,
    }
}

fn list(class: Class) -> Type {
    match class {
        Class::Bool => Type::BOOL_ARRAY,
        Class::Int => Type::INT8_ARRAY,
        Class::Float => Type::FLOAT8_ARRAY,
        Class::Decimal => Type::NUMERIC_ARRAY,
        Class::Text => Type::TEXT_ARRAY,
        Class::Bytes => Type::BYTEA_ARRAY,
        Class::Date => Type::DATE_ARRAY,
        Class::Time => Type::TIME_ARRAY,
        Class::DateTime => Type::TIMESTAMP_ARRAY,
        Class::Timestamp => Type::TIMESTAMPTZ_ARRAY,
        Class::Uuid => Type::UUID_ARRAY,
        _ => Type::UNKNOWN,
    }
}

/// Types whose binary form is their text.
pub(super) fn is_text(ty: &Type) -> bool {
    match *ty {
        Type::TEXT | Type::VARCHAR | Type::BPCHAR | Type::NAME | Type::UNKNOWN => true,
        Type::JSON | Type::XML | Type::CHAR => true,
        _ => matches!(ty.kind(), Kind::Enum(_)) || ty.name() == "citext",
    }
}
