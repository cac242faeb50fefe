//! Relations: what a field holds of them, how a query asks for them, and how they are loaded.

mod fields;
mod include;
mod load;
mod path;
mod verbs;

pub use fields::{HasMany, HasOne, Many, ManyToMany, OneToOne, Unloaded};
pub(crate) use include::Plan;
pub use include::{Include, Relation, Step};
pub use load::{load_all, load_foreign_key, load_many, load_one, nothing};
pub use path::{Included, Plain, ToMany};
pub use verbs::{BuilderWith, Children, Links, LinksThrough, Related};

pub(crate) use fields::{not_loaded, words};
pub(crate) use load::fill;
