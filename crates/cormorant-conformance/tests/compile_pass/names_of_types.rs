//! Models named like what the library, the prelude of Rust and the expansion name, each pointing at the next.
#![deny(warnings)]
#![allow(clippy::upper_case_acronyms)]

#[derive(cormorant::Model)]
struct Row {
    id: i64,
    next: cormorant::ForeignKey<Value>,
    back: Option<cormorant::ForeignKey<Selection>>,
    text: String,
}

#[derive(cormorant::Model)]
struct Value {
    id: i64,
    next: cormorant::ForeignKey<Path>,
    back: Option<cormorant::ForeignKey<Row>>,
    text: String,
}

#[derive(cormorant::Model)]
struct Path {
    id: i64,
    next: cormorant::ForeignKey<Values>,
    back: Option<cormorant::ForeignKey<Value>>,
    text: String,
}

#[derive(cormorant::Model)]
struct Values {
    id: i64,
    next: cormorant::ForeignKey<Result>,
    back: Option<cormorant::ForeignKey<Path>>,
    text: String,
}

#[derive(cormorant::Model)]
struct Result {
    id: i64,
    next: cormorant::ForeignKey<Record>,
    back: Option<cormorant::ForeignKey<Values>>,
    text: String,
}

#[derive(cormorant::Model)]
struct Record {
    id: i64,
    next: cormorant::ForeignKey<Mapper>,
    back: Option<cormorant::ForeignKey<Result>>,
    text: String,
}

#[derive(cormorant::Model)]
struct Mapper {
    id: i64,
    next: cormorant::ForeignKey<Field>,
    back: Option<cormorant::ForeignKey<Record>>,
    text: String,
}

#[derive(cormorant::Model)]
struct Field {
    id: i64,
    next: cormorant::ForeignKey<Expr>,
    back: Option<cormorant::ForeignKey<Mapper>>,
    text: String,
}

#[derive(cormorant::Model)]
struct Expr {
    id: i64,
    next: cormorant::ForeignKey<Join>,
    back: Option<cormorant::ForeignKey<Field>>,
    text: String,
}

#[derive(cormorant::Model)]
struct Join {
    id: i64,
    next: cormorant::ForeignKey<R>,
    back: Option<cormorant::ForeignKey<Expr>>,
    text: String,
}

#[derive(cormorant::Model)]
struct R {
    id: i64,
    next: cormorant::ForeignKey<J>,
    back: Option<cormorant::ForeignKey<Join>>,
    text: String,
}

#[derive(cormorant::Model)]
struct J {
    id: i64,
    next: cormorant::ForeignKey<K>,
    back: Option<cormorant::ForeignKey<R>>,
    text: String,
}

#[derive(cormorant::Model)]
struct K {
    id: i64,
    next: cormorant::ForeignKey<F0>,
    back: Option<cormorant::ForeignKey<J>>,
    text: String,
}

#[derive(cormorant::Model)]
struct F0 {
    id: i64,
    next: cormorant::ForeignKey<F1>,
    back: Option<cormorant::ForeignKey<K>>,
    text: String,
}

#[derive(cormorant::Model)]
struct F1 {
    id: i64,
    next: cormorant::ForeignKey<Mark>,
    back: Option<cormorant::ForeignKey<F0>>,
    text: String,
}

#[derive(cormorant::Model)]
struct Mark {
    id: i64,
    next: cormorant::ForeignKey<TABLE>,
    back: Option<cormorant::ForeignKey<F1>>,
    text: String,
}

#[derive(cormorant::Model)]
struct TABLE {
    id: i64,
    next: cormorant::ForeignKey<Given>,
    back: Option<cormorant::ForeignKey<Mark>>,
    text: String,
}

#[derive(cormorant::Model)]
struct Given {
    id: i64,
    next: cormorant::ForeignKey<Entity>,
    back: Option<cormorant::ForeignKey<TABLE>>,
    text: String,
}

#[derive(cormorant::Model)]
struct Entity {
    id: i64,
    next: cormorant::ForeignKey<Key>,
    back: Option<cormorant::ForeignKey<Given>>,
    text: String,
}

#[derive(cormorant::Model)]
struct Key {
    id: i64,
    next: cormorant::ForeignKey<Snapshot>,
    back: Option<cormorant::ForeignKey<Entity>>,
    text: String,
}

#[derive(cormorant::Model)]
struct Snapshot {
    id: i64,
    next: cormorant::ForeignKey<Into>,
    back: Option<cormorant::ForeignKey<Key>>,
    text: String,
}

#[derive(cormorant::Model)]
struct Into {
    id: i64,
    next: cormorant::ForeignKey<Default>,
    back: Option<cormorant::ForeignKey<Snapshot>>,
    text: String,
}

#[derive(cormorant::Model)]
struct Default {
    id: i64,
    next: cormorant::ForeignKey<Clone>,
    back: Option<cormorant::ForeignKey<Into>>,
    text: String,
}

#[derive(cormorant::Model)]
struct Clone {
    id: i64,
    next: cormorant::ForeignKey<Copy>,
    back: Option<cormorant::ForeignKey<Default>>,
    text: String,
}

#[derive(cormorant::Model)]
struct Copy {
    id: i64,
    next: cormorant::ForeignKey<Executor>,
    back: Option<cormorant::ForeignKey<Clone>>,
    text: String,
}

#[derive(cormorant::Model)]
struct Executor {
    id: i64,
    next: cormorant::ForeignKey<Buffer>,
    back: Option<cormorant::ForeignKey<Copy>>,
    text: String,
}

#[derive(cormorant::Model)]
struct Buffer {
    id: i64,
    next: cormorant::ForeignKey<Route>,
    back: Option<cormorant::ForeignKey<Executor>>,
    text: String,
}

#[derive(cormorant::Model)]
struct Route {
    id: i64,
    next: cormorant::ForeignKey<Columns>,
    back: Option<cormorant::ForeignKey<Buffer>>,
    text: String,
}

#[derive(cormorant::Model)]
struct Columns {
    id: i64,
    next: cormorant::ForeignKey<TableDef>,
    back: Option<cormorant::ForeignKey<Route>>,
    text: String,
}

#[derive(cormorant::Model)]
struct TableDef {
    id: i64,
    next: cormorant::ForeignKey<Selection>,
    back: Option<cormorant::ForeignKey<Columns>>,
    text: String,
}

#[derive(cormorant::Model)]
struct Selection {
    id: i64,
    next: cormorant::ForeignKey<Row>,
    back: Option<cormorant::ForeignKey<TableDef>>,
    text: String,
}

#[allow(non_camel_case_types)]
#[derive(cormorant::Model)]
struct support {
    id: i64,
    row: cormorant::ForeignKey<Row>,
}

#[allow(non_camel_case_types)]
#[derive(cormorant::Model)]
struct missing {
    id: i64,
    row: cormorant::ForeignKey<RowPath>,
    #[model(default = RowBuilder::DEFAULT)]
    number: i64,
}

#[derive(cormorant::Model)]
struct RowPath {
    id: i64,
}

struct RowBuilder;

impl RowBuilder {
    const DEFAULT: i64 = 7;
}

fn main() {
    use cormorant::Mapper as _;
    let sql = Path::filter(|p| p.next().next().text().eq("a")).to_sql(cormorant::Dialect::Sqlite);
    assert!(sql.is_ok_and(|sql| sql.contains("results")));
    assert_eq!(missing::builder().row(1).build().number, 7);
}
