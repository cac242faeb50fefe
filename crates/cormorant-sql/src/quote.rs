//! The one function that writes a name into SQL.

use cormorant_schema::Ident;

use crate::Dialect;

/// Appends a name in quotes, the closing quote doubled where the name holds one.
///
/// ```
/// use cormorant_sql::{Dialect, quote, schema::Ident};
/// let mut sql = String::from("SELECT * FROM ");
/// quote(&mut sql, Dialect::Postgres, &Ident::new("a\"; DROP TABLE x;--")?);
/// assert_eq!(sql, r#"SELECT * FROM "a""; DROP TABLE x;--""#);
/// # Ok::<(), cormorant_sql::schema::InvalidIdent>(())
/// ```
pub fn quote(sql: &mut String, dialect: Dialect, name: &Ident) {
    let mark = dialect.quote_mark();
    sql.push(mark);
    for c in name.as_str().chars() {
        if c == mark {
            sql.push(mark);
        }
        sql.push(c);
    }
    sql.push(mark);
}
