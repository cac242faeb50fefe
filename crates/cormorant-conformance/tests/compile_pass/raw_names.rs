//! `r#type` is the column `type`.
#![deny(warnings)]
use cormorant::prelude::*;

#[derive(Model)]
struct r#Match {
    #[model(key)]
    r#type: String,
    r#async: Option<bool>,
    #[model(default = 3)]
    r#loop: i64,
}

fn main() -> cormorant::Result<()> {
    let row = Match::builder().r#type("a").r#async(true).r#loop(1).build();
    assert_eq!((row.r#type.as_str(), row.r#async, row.r#loop), ("a", Some(true), 1));
    let sql = Match::filter(|m| m.r#type().eq("a") & m.r#async().eq(true)).to_sql(cormorant::Dialect::Sqlite)?;
    assert!(sql.contains(r#""type" ="#), "{sql}");
    Ok(())
}
