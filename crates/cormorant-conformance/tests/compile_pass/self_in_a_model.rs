//! `Self` is the model.
#![deny(warnings)]
use cormorant::prelude::*;

#[derive(Model)]
struct Node {
    id: i64,
    parent: Option<ForeignKey<Self>>,
    root: ForeignKey<Self>,
    #[model(default = Self::WIDTH * 2)]
    width: i64,
}

impl Node {
    const WIDTH: i64 = 4;
}

fn main() {
    let node = Node::builder().root(1).build();
    assert_eq!((node.width, node.parent.is_none()), (8, true));
    let sql = Node::filter(|n| n.parent().root().id().eq(1)).to_sql(cormorant::Dialect::Sqlite);
    assert!(sql.is_ok());
}
