//! Names of constraints and indexes by rule: `pk_`, `fk_`, `uq_`, `ix_`, `ck_`, the table, the columns.
//!
//! A name longer than 63 bytes is cut and gets a hash of the whole name, so that it stays unique and the same
//! model gives the same name in every build.

use crate::ident::MAX_BYTES;

/// The name of a primary key.
pub fn primary_key(table: &str) -> String {
    join("pk", table, &[])
}

/// The name of a foreign key.
pub fn foreign_key(table: &str, columns: &[&str]) -> String {
    join("fk", table, columns)
}

/// The name of a unique constraint.
pub fn unique(table: &str, columns: &[&str]) -> String {
    join("uq", table, columns)
}

/// The name of an index.
pub fn index(table: &str, columns: &[&str]) -> String {
    join("ix", table, columns)
}

/// The name of a check: `check` is the word the model gives it.
pub fn check(table: &str, check: &str) -> String {
    join("ck", table, &[check])
}

fn join(prefix: &str, table: &str, parts: &[&str]) -> String {
    let mut name = format!("{prefix}_{table}");
    for part in parts {
        name.push('_');
        name.push_str(part);
    }
    fit(name)
}

/// The name of a table of links: those of the two tables it links.
pub fn link_table(first: &str, second: &str) -> String {
    fit(format!("{first}_{second}"))
}

/// Cuts a name to 63 bytes: 54 of its own, an underscore, and eight hexadecimal digits of its hash.
fn fit(name: String) -> String {
    if name.len() <= MAX_BYTES {
        return name;
    }
    let hash = fnv1a(name.as_bytes());
    let mut end = MAX_BYTES - 9;
    while !name.is_char_boundary(end) {
        end -= 1;
    }
    let mut cut = name;
    cut.truncate(end);
    format!("{cut}_{:08x}", hash & 0xffff_ffff)
}

/// FNV-1a, 64 bits: small, and fixed for ever, which a hasher of the standard library is not.
fn fnv1a(bytes: &[u8]) -> u64 {
    bytes.iter().fold(0xcbf2_9ce4_8422_2325, |hash, byte| (hash ^ u64::from(*byte)).wrapping_mul(0x100_0000_01b3))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_follow_the_rule() {
        assert_eq!(primary_key("items"), "pk_items");
        assert_eq!(foreign_key("posts", &["author_id"]), "fk_posts_author_id");
        assert_eq!(unique("t", &["a", "b"]), "uq_t_a_b");
        assert_eq!(index("t", &["a"]), "ix_t_a");
        assert_eq!(check("t", "positive"), "ck_t_positive");
    }

    #[test]
    fn long_names_are_cut_with_a_stable_hash() {
        let name = index(&"t".repeat(40), &["c".repeat(40).as_str()]);
        assert_eq!(name, format!("ix_{}_{}_fb50dd82", "t".repeat(40), "c".repeat(10)));
        assert_eq!(name.len(), 63);
        assert_ne!(name, index(&"t".repeat(40), &["c".repeat(41).as_str()]));
    }

    #[test]
    fn a_cut_never_splits_a_character() {
        let name = index(&"é".repeat(40), &[]);
        assert!(name.len() <= 63);
    }
}
