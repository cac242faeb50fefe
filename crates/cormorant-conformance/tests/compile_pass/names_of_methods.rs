//! Fields named like what the expansion, the builder, the path and the traits of the prelude define.
#![deny(warnings)]
use cormorant::prelude::*;

#[derive(Model)]
struct Item {
    id: i64,
    build: String,
    insert: Option<i64>,
    builder: i64,
    values: i64,
    value: Vec<u8>,
    mark: i64,
    self_: i64,
    table: i64,
    route: i64,
    row: i64,
    entity: i64,
    snapshot: i64,
    changed: i64,
    column: i64,
    missing: String,
    support: i64,
    key: i64,
    path: String,
    load: i64,
    push: i64,
    clone: i64,
    into: i64,
    filter: i64,
    query: i64,
    save: i64,
    delete: i64,
    all: i64,
    set: i64,
    default: i64,
    other: i64,
    into_model: i64,
    from_row: i64,
    db: i64,
}

#[derive(FromRow)]
struct Line {
    row: i64,
    selection: i64,
    columns: i64,
}

fn main() -> cormorant::Result<()> {
    let query = Item::filter(|i| i.build().eq("a") & i.clone().eq(1) & i.values().gt(0) & i.missing().ne("b"))
        .select(|i| Line::columns(i.row(), i.column(), i.push()));
    assert!(query.to_sql(cormorant::Dialect::Sqlite)?.contains("row"));
    let _ = Item::builder().build_("a").insert_(None::<i64>).insert_(1);
    let _: fn(&Line) -> i64 = |line| line.row + line.selection + line.columns;
    Ok(())
}
