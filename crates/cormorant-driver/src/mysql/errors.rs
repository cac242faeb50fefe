//! Kinds of the server's errors. Its messages quote values: where they can, the text is our own.

use cormorant_sql::Dialect;
use mysql_async::{DriverError, Error as Raw, ServerError};

use crate::{Conflict, Error, ErrorKind};

/// Errors whose messages quote names of the schema and the statement's own text, and no value.
const QUOTES_NO_VALUE: &[u16] = &[
    1044, 1045, 1046, 1050, 1051, 1060, 1061, 1064, 1068, 1072, 1091, 1109, 1136, 1142, 1143, 1171, 1176, 1215, 1222,
    1227, 1235, 1241, 1242, 1248, 1267, 1271, 1295, 1304, 1305, 1318, 1327, 1442, 1553, 1701, 1822, 1824, 1826, 1828,
    1829, 3730, 3780,
];

/// The number of an error that the server sent.
pub(super) fn code(error: &Raw) -> Option<u16> {
    match error {
        Raw::Server(server) => Some(server.code),
        _ => None,
    }
}

/// Gives an error its kind.
pub(super) fn classify(error: &Raw, dialect: Dialect) -> Error {
    let (kind, message) = match error {
        Raw::Server(server) => return of_server(server, dialect).with_code(server.code.to_string()),
        Raw::Io(error) => (ErrorKind::ConnectionLost, format!("the connection to the server was lost: {error}")),
        Raw::Driver(DriverError::LocalInfile(_)) => (
            ErrorKind::Unsupported,
            "the server asked for a file of this machine, which is never sent: load the data with INSERT".to_owned(),
        ),
        Raw::Driver(DriverError::MixedParams | DriverError::Params(_)) => {
            (ErrorKind::Misuse, "the statement has named placeholders: write ? for every value".to_owned())
        }
        Raw::Driver(DriverError::StmtParamsMismatch { required, supplied }) => {
            (ErrorKind::Misuse, format!("the statement has {required} placeholders, and {supplied} values are given"))
        }
        Raw::Driver(DriverError::PacketTooLarge) => {
            (ErrorKind::LimitExceeded, "a packet is larger than the protocol takes".to_owned())
        }
        _ => {
            (ErrorKind::ConnectionLost, "the server's answer was not understood; the connection was closed".to_owned())
        }
    };
    Error::new(kind, message)
}

fn of_server(server: &ServerError, dialect: Dialect) -> Error {
    let says = server.message.as_str();
    let plain = |kind| Error::new(kind, lower(says));
    let ours = |kind, text: &str| Error::new(kind, text);
    match server.code {
        1022 | 1062 | 1169 | 1586 | 1859 => {
            named(ours(ErrorKind::Unique, "the value is there already"), key(says, dialect))
        }
        1216 | 1217 | 1451 | 1452 | 1761 | 1762 => named(
            ours(ErrorKind::ForeignKey, "the row it points at is missing, or the row is still pointed at"),
            between(says, "CONSTRAINT `", "` FOREIGN KEY"),
        ),
        1048 | 1263 | 1364 => of_column(ours(ErrorKind::NotNull, "NULL is not allowed"), says),
        3819 | 4025 => named(
            ours(ErrorKind::Check, "the row does not meet the condition"),
            between(says, "CONSTRAINT `", "` failed").or_else(|| between(says, "constraint '", "' is violated")),
        ),
        1213 => ours(
            ErrorKind::Retryable(Conflict::Deadlock),
            "two transactions waited for each other, and the server rolled this one back: run all of it again",
        ),
        1020 => ours(
            ErrorKind::Retryable(Conflict::Serialization),
            "another transaction changed a row that this one read, and the server rolled this one back: \
             run all of it again",
        ),
        1205 | 3572 => ours(
            ErrorKind::LockTimeout,
            "another transaction holds a lock that was not given up in time: end that one first; a transaction that \
             met this has to be rolled back",
        ),
        1206 => {
            ours(ErrorKind::LimitExceeded, "the transaction takes more locks than the server keeps: write less at once")
        }
        1317 | 1969 | 3024 => {
            ours(ErrorKind::StatementTimeout, "the statement took longer than the server allows, or was cancelled")
        }
        1036 | 1792 | 1836 => plain(ErrorKind::ReadOnly),
        1290 if says.contains("read-only") || says.contains("read_only") => plain(ErrorKind::ReadOnly),
        1021 | 1114 => plain(ErrorKind::DiskFull),
        1030 if says.contains("error 28") => ours(ErrorKind::DiskFull, "the server's disk is full"),
        1034 | 1035 | 1194 | 1195 | 1712 => plain(ErrorKind::Corrupt),
        1049 | 1054 | 1146 | 1932 => plain(ErrorKind::SchemaMismatch),
        1264 => of_column(ours(ErrorKind::OutOfRange, "a number is out of the column's range"), says),
        1406 => of_column(ours(ErrorKind::OutOfRange, "the value is longer than the column"), says),
        1365 | 1441 | 1690 => {
            ours(ErrorKind::OutOfRange, "the result of a calculation is out of range, or a division is by zero")
        }
        1265 | 1292 | 1300 | 1366 | 1411 | 1525 | 3854 => {
            of_column(ours(ErrorKind::Encode, "the value is not of the kind that is stored or compared there"), says)
        }
        1118 | 1153 | 1301 | 1390 | 1436 | 1461 | 2020 => plain(ErrorKind::LimitExceeded),
        1243 | 1615 => {
            ours(ErrorKind::PreparedPlanChanged, "the prepared statement no longer fits the schema: run it again")
        }
        1053 | 1080 | 1152 | 1158..=1161 | 1184 | 1927 | 2006 | 2013 | 4031 => {
            Error::new(ErrorKind::ConnectionLost, format!("the server closed the connection: {}", lower(says)))
        }
        code if QUOTES_NO_VALUE.contains(&code) => plain(ErrorKind::Database),
        _ => Error::new(ErrorKind::Database, lower(&hide(says))),
    }
}

fn named(error: Error, name: Option<&str>) -> Error {
    match name {
        Some(name) => error.with_constraint(name),
        None => error,
    }
}

/// `Duplicate entry '…' for key 'name'`. The entry is a value, and may itself look like the rest: the last key counts.
fn key(says: &str, dialect: Dialect) -> Option<&str> {
    let (_, key) = says.rsplit_once("for key '")?;
    let key = key.strip_suffix('\'')?;
    match key.rsplit_once('.') {
        // MySQL puts the table before it.
        Some((_, key)) if dialect == Dialect::MySql => Some(key),
        _ => Some(key),
    }
}

/// The column of `… column 'name' at row 1`, `Column 'name' cannot be null` or `Field 'name' doesn't have …`. A value
/// may stand before it, so the last of the words counts.
fn of_column(error: Error, says: &str) -> Error {
    let column = match says.strip_prefix("Column '").or_else(|| says.strip_prefix("Field '")) {
        Some(rest) => rest.split('\'').next(),
        None => says.rsplit_once("column ").and_then(|(_, rest)| {
            let (name, row) = rest.rsplit_once(" at row ")?;
            // Else it is the end of a value, which stands in quotes.
            if row.is_empty() || !row.bytes().all(|byte| byte.is_ascii_digit()) {
                return None;
            }
            // MariaDB writes `database`.`table`.`column`.
            let name = name.trim_matches(['\'', '`']);
            Some(name.rsplit_once("`.`").map_or(name, |(_, column)| column))
        }),
    };
    match column {
        Some(column) => {
            let text = format!("{error} (column {column})");
            Error::new(error.kind(), text).with_columns(vec![column.to_owned()])
        }
        None => error,
    }
}

fn between<'a>(text: &'a str, before: &str, after: &str) -> Option<&'a str> {
    Some(text.split_once(before)?.1.split_once(after)?.0)
}

/// A message without what it quotes: from the first mark to the last, as a value may hold marks of its own.
fn hide(says: &str) -> String {
    match says.find('\'').zip(says.rfind('\'')) {
        Some((first, last)) if first < last => {
            let (before, after) = (says.get(..first).unwrap_or_default(), says.get(last..).unwrap_or_default());
            format!("{before}'…{after}")
        }
        _ => says.to_owned(),
    }
}

/// Messages begin in lower case, and end without a full stop.
fn lower(says: &str) -> String {
    let says = says.trim_end_matches('.');
    let mut chars = says.chars();
    match (chars.next(), chars.clone().next()) {
        (Some(first), Some(second)) if !second.is_uppercase() => first.to_lowercase().chain(chars).collect(),
        _ => says.to_owned(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn server(code: u16, message: &str) -> Error {
        let raw = Raw::Server(ServerError { code, message: message.to_owned(), state: "HY000".to_owned() });
        let error = classify(&raw, Dialect::MariaDb);
        assert_eq!(error.code(), Some(code.to_string().as_str()));
        error
    }

    #[test]
    fn constraints_are_named_and_values_are_not() {
        for (code, says, kind, name) in [
            (1062, "Duplicate entry 's3cret' for key 'users_email_key'", ErrorKind::Unique, "users_email_key"),
            (1062, "Duplicate entry 's3cret' for key 'x' for key 'PRIMARY'", ErrorKind::Unique, "PRIMARY"),
            (
                1452,
                "Cannot add or update a child row: a foreign key constraint fails (`d`.`t`, CONSTRAINT `t_p_fk` FOREIGN \
                 KEY (`p`) REFERENCES `p` (`id`))",
                ErrorKind::ForeignKey,
                "t_p_fk",
            ),
            (4025, "CONSTRAINT `t_age_check` failed for `d`.`t`", ErrorKind::Check, "t_age_check"),
            (3819, "Check constraint 't_age_check' is violated.", ErrorKind::Check, "t_age_check"),
        ] {
            let error = server(code, says);
            assert_eq!((error.kind(), error.constraint()), (kind, Some(name)), "{says}");
            assert!(!format!("{error} {error:?}").contains("s3cret"), "{error}");
        }
        let mysql =
            ServerError { code: 1062, message: "Duplicate entry '1' for key 't.k'".into(), state: "23000".into() };
        assert_eq!(classify(&Raw::Server(mysql), Dialect::MySql).constraint(), Some("k"));
    }

    #[test]
    fn columns_are_named_and_values_are_not() {
        for (code, says, kind, columns) in [
            (1048, "Column 'a' cannot be null", ErrorKind::NotNull, &["a"] as &[&str]),
            (1364, "Field 'a' doesn't have a default value", ErrorKind::NotNull, &["a"]),
            (1264, "Out of range value for column 'a' at row 1", ErrorKind::OutOfRange, &["a"]),
            (1406, "Data too long for column 'a' at row 1", ErrorKind::OutOfRange, &["a"]),
            (1690, "BIGINT value is out of range in '(s3cret + 1)'", ErrorKind::OutOfRange, &[]),
            (1292, "Truncated incorrect DOUBLE value: 's3cret'", ErrorKind::Encode, &[]),
            (1292, "Truncated incorrect DOUBLE value: 'a column s3cret at row 1'", ErrorKind::Encode, &[]),
            (
                1366,
                "Incorrect integer value: 's3cret column 'x' at row 1' for column `d`.`t`.`a` at row 1",
                ErrorKind::Encode,
                &["a"],
            ),
        ] {
            let error = server(code, says);
            assert_eq!(
                (error.kind(), error.columns()),
                (kind, columns.iter().map(|c| c.to_string()).collect::<Vec<_>>().as_slice())
            );
            assert!(!format!("{error} {error:?}").contains("s3cret"), "{error}");
        }
    }

    #[test]
    fn messages_that_are_not_known_lose_what_they_quote() {
        let error = server(9999, "Some value 'it's s3cret' and 'more' is wrong.");
        assert_eq!(error.to_string(), "some value '…' is wrong");
        assert!(server(1064, "You have an error in your SQL syntax near 'SELEC 1'").to_string().contains("SELEC 1"));
        assert_eq!(server(1644, "JSON").to_string(), "JSON");
    }
}
