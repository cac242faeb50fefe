//! Models of any visibility, used across modules, under the lints that a strict program denies.
//! The private model that a public one points at stays private.
#![deny(warnings, dead_code, missing_docs, unreachable_pub, private_interfaces, private_bounds, unused_qualifications)]
#![deny(elided_lifetimes_in_paths, single_use_lifetimes, unused_results, trivial_casts, let_underscore_drop)]
#![forbid(unsafe_code)]
use cormorant::prelude::*;

mod shop {
    use cormorant::prelude::*;

    /// For everyone.
    #[derive(Model)]
    pub(super) struct Public {
        pub(super) id: i64,
        hidden: ForeignKey<Private>,
        inside: Option<ForeignKey<Inside>>,
    }

    #[derive(Model)]
    pub(crate) struct Inside {
        pub(crate) id: i64,
        public: Option<ForeignKey<Public>>,
    }

    #[derive(Model)]
    struct Private {
        id: i64,
        inside: ForeignKey<Inside>,
    }

    pub(super) fn hidden() -> cormorant::Result<String> {
        Public::filter(|p| p.hidden().inside().id().eq(1)).to_sql(cormorant::Dialect::Sqlite)
    }
}

/// An exported item.
pub mod exported {
    use cormorant::prelude::*;

    /// Its model, with a private field of a private model.
    #[derive(Model)]
    pub struct Item {
        /// The key.
        pub id: i64,
        part: ForeignKey<Part>,
        #[model(key)]
        code: String,
    }

    #[derive(Model)]
    struct Part {
        id: i64,
    }

    /// A line.
    #[derive(FromRow)]
    pub struct Line {
        /// The key.
        pub id: i64,
        code: String,
    }

    /// Its code.
    pub fn code(line: &Line) -> &str {
        &line.code
    }
}

fn main() -> cormorant::Result<()> {
    assert!(shop::hidden()?.contains("JOIN"));
    let public = shop::Public::builder().hidden(1).build();
    assert_eq!(public.id, 0);
    assert!(shop::Inside::query().select(|i| i.id()).to_sql(cormorant::Dialect::Sqlite)?.contains("insides"));
    let lines = exported::Item::query().select(|i| exported::Line::columns(i.id(), i.code()));
    assert!(lines.to_sql(cormorant::Dialect::Sqlite)?.contains("code"));
    let _code: fn(&exported::Line) -> &str = exported::code;
    Ok(())
}
