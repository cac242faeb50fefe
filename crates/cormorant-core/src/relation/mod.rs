//! Relations: what a field holds of them, how a query asks for them, and how they are loaded.

mod children;
mod fields;
mod include;
mod links;
mod load;
mod path;
mod related;

use cormorant_sql::schema::ManyDef;
use cormorant_sql::{Buffer, Route, Token, Unary};

pub use children::{BuilderWith, Children};
pub use fields::{HasMany, HasOne, Many, ManyToMany, OneToOne, Unloaded};
pub(crate) use include::Plan;
pub use include::{Include, Relation, Step};
pub use links::{Links, LinksThrough};
pub use load::{load_all, load_foreign_key, load_many, load_one, nothing};
pub use path::{Included, Plain, ToMany};
pub use related::{Related, RowOf};

pub(crate) use fields::{not_loaded, words};
pub(crate) use load::{MOST_KEYS, fill, many_query};
pub(crate) use related::push_equal;

/// Of a table of links, the condition that a link leads to a row: a model that links may have some that do not.
fn push_linked(buffer: &mut Buffer, def: &ManyDef) {
    let Some(there) = def.link() else { return };
    for column in there.columns.iter().filter(|column| (def.source)().any_null(&[**column])) {
        buffer.push(Token::Column { via: Route::ROOT, column: *column, outer: 0 });
        buffer.push(Token::Unary(Unary::IsNotNull));
        buffer.push(Token::Filter);
    }
}
