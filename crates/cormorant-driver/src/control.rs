//! What a statement does to a transaction, told from its text.

/// What a statement does to a transaction.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Control {
    /// Nothing: it reads or writes.
    None,
    Begin,
    Commit,
    Rollback,
    RollbackTo,
    /// It keeps the transaction open, as SAVEPOINT does.
    Inner,
}

impl Control {
    /// Reads the first words of a statement. Nothing may follow it: the text is the library's own, or the server has
    /// been asked whether it is one statement.
    pub(crate) fn of(sql: &str) -> Self {
        let mut rest = sql;
        let first = word(&mut rest);
        let is = |words: &[&str]| words.iter().any(|word| first.eq_ignore_ascii_case(word));
        if is(&["BEGIN", "START"]) {
            return Self::Begin;
        }
        if is(&["SAVEPOINT", "RELEASE"]) {
            return Self::Inner;
        }
        let ends = match () {
            () if is(&["COMMIT", "END"]) => Self::Commit,
            () if is(&["ROLLBACK", "ABORT"]) => Self::Rollback,
            // PREPARE TRANSACTION takes it out of this session; any other PREPARE names a statement.
            () if is(&["PREPARE"]) => {
                return if word(&mut rest).eq_ignore_ascii_case("TRANSACTION") { Self::Commit } else { Self::None };
            }
            () => return Self::None,
        };
        let words: Vec<_> = std::iter::from_fn(|| Some(word(&mut rest)).filter(|word| !word.is_empty())).collect();
        let has = |wanted: &str| words.iter().any(|word| word.eq_ignore_ascii_case(wanted));
        match () {
            () if has("PREPARED") => Self::None,
            () if has("TO") => Self::RollbackTo,
            () if has("CHAIN") && !has("NO") => Self::Inner,
            () => ends,
        }
    }
}

/// Takes the next word; empty at the end, and at anything that is no word.
fn word<'a>(rest: &mut &'a str) -> &'a str {
    let start = skip_blanks(rest);
    let end = start.find(|c: char| !c.is_ascii_alphanumeric() && c != '_').unwrap_or(start.len());
    let (word, after) = start.split_at_checked(end).unwrap_or((start, ""));
    *rest = after;
    word
}

/// Passes over spaces, comments and empty statements.
fn skip_blanks(sql: &str) -> &str {
    let mut rest = sql;
    loop {
        rest = rest.trim_start_matches(|c: char| c.is_whitespace() || c == ';');
        rest = match (rest.strip_prefix("--"), rest.strip_prefix("/*")) {
            (Some(comment), _) => comment.split_once('\n').map_or("", |(_, after)| after),
            (_, Some(comment)) => after_comment(comment),
            _ => return rest,
        };
    }
}

/// What follows a comment whose opening mark has been read. Comments may be nested.
fn after_comment(comment: &str) -> &str {
    let (mut rest, mut depth) = (comment, 1_usize);
    while depth > 0 {
        let Some(at) = rest.find(['*', '/']) else { return "" };
        let mark = rest.get(at..).unwrap_or_default();
        (rest, depth) = match (mark.strip_prefix("*/"), mark.strip_prefix("/*")) {
            (Some(after), _) => (after, depth - 1),
            (_, Some(after)) => (after, depth + 1),
            _ => (mark.get(1..).unwrap_or_default(), depth),
        };
    }
    rest
}

#[cfg(test)]
mod tests {
    use super::Control;

    #[test]
    fn statements_are_told_apart() {
        for (sql, control) in [
            ("SELECT 1", Control::None),
            ("", Control::None),
            ("WITH begin AS (SELECT 1) SELECT * FROM begin", Control::None),
            ("beginning", Control::None),
            ("begin", Control::Begin),
            (" ; /* a /* b */ c */ -- d\n BEGIN ISOLATION LEVEL SERIALIZABLE", Control::Begin),
            ("/* BEGIN", Control::None),
            ("START TRANSACTION", Control::Begin),
            ("COMMIT", Control::Commit),
            ("end work;", Control::Commit),
            ("COMMIT AND CHAIN", Control::Inner),
            ("COMMIT AND NO CHAIN", Control::Commit),
            ("COMMIT PREPARED 'x'", Control::None),
            ("PREPARE TRANSACTION 'x'", Control::Commit),
            ("PREPARE x AS SELECT 1", Control::None),
            ("ROLLBACK", Control::Rollback),
            ("abort transaction", Control::Rollback),
            ("ROLLBACK TO SAVEPOINT sp_1", Control::RollbackTo),
            ("rollback work to sp_1", Control::RollbackTo),
            ("SAVEPOINT sp_1", Control::Inner),
            ("RELEASE SAVEPOINT sp_1", Control::Inner),
        ] {
            assert_eq!(Control::of(sql), control, "{sql:?}");
        }
    }
}
