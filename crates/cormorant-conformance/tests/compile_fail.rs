//! What the compiler says about a mistake, word for word, and what it must take without one.
//!
//! After a change of a message: `TRYBUILD=overwrite cargo test -p cormorant-conformance --test compile_fail`, and read
//! what changed. The first line is for a newcomer: it is in our words, and names the field or the argument.

#[test]
fn messages() {
    let cases = trybuild::TestCases::new();
    cases.compile_fail("tests/compile_fail/*.rs");
    cases.pass("tests/compile_pass/*.rs");
}
