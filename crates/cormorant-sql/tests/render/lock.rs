//! Locked reads.

use cormorant_sql::{Aggregate, Kind, Lock, Token, own_column};

use crate::build::*;
use crate::tables::*;

fn locked(query: Query) -> Query {
    query.token(Token::Lock(Lock::Update.into()))
}

#[test]
fn the_words_stand_at_the_end() {
    let query = |locking| from(&LINKS).token(Token::Lock(locking)).limit(1);
    let start = r#"SELECT "post_id", "user_id", "note" FROM "links" LIMIT "#;
    for (locking, postgres, mysql, maria) in [
        (Lock::Update.into(), "FOR UPDATE", "FOR UPDATE", "FOR UPDATE"),
        (Lock::Share.into(), "FOR SHARE", "FOR SHARE", "LOCK IN SHARE MODE"),
        (Lock::Update.nowait(), "FOR UPDATE NOWAIT", "FOR UPDATE NOWAIT", "FOR UPDATE NOWAIT"),
        (Lock::Share.skip_locked(), "FOR SHARE SKIP LOCKED", "FOR SHARE SKIP LOCKED", "LOCK IN SHARE MODE SKIP LOCKED"),
    ] {
        on(&query(locking), Sqlite, &format!("{start}?1"));
        on(&query(locking), Postgres, &format!("{start}$1 {postgres}"));
        on(&query(locking), MySql, &format!("{start}? {mysql}").replace('"', "`"));
        on(&query(locking), MariaDb, &format!("{start}? {maria}").replace('"', "`"));
    }
}

#[test]
fn only_the_querys_own_table_is_locked() {
    let query = locked(select(&POSTS, via(&[EDITOR], NAME)));
    let text = r#"SELECT t1."name" FROM "posts" AS t0 LEFT JOIN "users" AS t1 ON t1."id" = t0."editor_id" FOR UPDATE"#;
    on(&query, Postgres, &format!("{text} OF t0"));
    on(&query, MySql, &format!("{text} OF t0").replace('"', "`"));
    on(&query, MariaDb, &text.replace('"', "`"));
    on(&query, Sqlite, text.strip_suffix(" FOR UPDATE").unwrap());
}

#[test]
fn what_is_no_row_is_not_locked() {
    let instead = ": leave `lock` out, or lock the rows first with a query that selects them, in the same transaction";
    for dialect in [Sqlite, Postgres, MySql, MariaDb] {
        for (query, why) in [
            (select(&USERS, col(AGE)).group_by(col(AGE)), "a group is no row that could be locked"),
            (
                select(&USERS, col(AGE)).distinct(),
                "`distinct` makes one of several rows, none of which could be locked",
            ),
            (select(&USERS, col(AGE).sum()), "an aggregate is no row that could be locked"),
            (
                select(&USERS, col(AGE).aggregate(Aggregate::Max).over(&[], &[])),
                "an aggregate is no row that could be locked",
            ),
            (from(&USERS).kind(Kind::Count), "a number or a yes holds no rows, and locks none"),
            (from(&USERS).kind(Kind::Exists), "a number or a yes holds no rows, and locks none"),
            (from(&USERS).kind(Kind::Delete), "UPDATE and DELETE lock the rows they change by themselves"),
        ] {
            fault(locked(query), dialect, &format!("the query asks for `lock`, but {why}{instead}"));
        }
    }
    // What a nested query calculates is a value of the row.
    let counted = select(&POSTS, count_all()).value();
    assert!(locked(select(&USERS, counted)).sql(Postgres).ends_with(" FOR UPDATE"));
}

#[test]
fn a_column_of_the_row_itself_is_known() {
    let token = |hops: &[u8], column, outer| Token::Column { via: route(hops), column, outer };
    assert_eq!(own_column(&POSTS, token(&[], TITLE, 0)), Some(TITLE));
    assert_eq!(own_column(&POSTS, token(&[AUTHOR], 0, 0)), Some(AUTHOR_ID), "the key of a related row");
    for other in [
        token(&[AUTHOR], NAME, 0),
        token(&[AUTHOR, MANAGER], 0, 0),
        token(&[9], 0, 0),
        token(&[], 99, 0),
        token(&[], TITLE, 1),
        Token::Between,
    ] {
        assert_eq!(own_column(&POSTS, other), None, "{other:?}");
    }
}
