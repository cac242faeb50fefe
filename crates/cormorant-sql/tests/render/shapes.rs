//! Rendered statements are found by their tokens.

use std::sync::Arc;

use cormorant_sql::{Kind, Shapes, Statement, Token};

use crate::build::*;
use crate::tables::*;

fn statement(query: &Query) -> Statement<'_> {
    Statement { kind: query.kind, table: query.table, tokens: &query.buffer.tokens }
}

#[test]
fn the_same_shape_is_rendered_once() {
    let shapes = Shapes::new(Sqlite);
    let get = |query: &Query| shapes.get(&statement(query)).unwrap();
    let one = select(&USERS, col(0)).filter(col(AGE).eq(int(1)));
    let two = select(&USERS, col(0)).filter(col(AGE).eq(int(2)));
    assert!(Arc::ptr_eq(&get(&one), &get(&two)), "values are no part of a shape");
    assert_eq!(get(&one).sql, one.sql(Sqlite));
}

#[test]
fn different_shapes_stay_apart() {
    let shapes = Shapes::new(Postgres);
    let queries = [
        from(&USERS),
        from(&POSTS),
        from(&USERS).kind(Kind::Count),
        from(&USERS).kind(Kind::Exists),
        from(&USERS).distinct(),
        from(&USERS).filter(col(AGE).eq(int(1))),
        from(&USERS).filter(col(AGE).eq(text("1"))),
        from(&POSTS).filter(via(&[AUTHOR], AGE).eq(int(1))),
        from(&POSTS).filter(via(&[EDITOR], AGE).eq(int(1))),
        from(&USERS).kind(Kind::Insert).token(Token::Into(NAME)).token(Token::Rows(1)),
        from(&USERS).kind(Kind::Insert).token(Token::Into(NAME)).token(Token::Rows(2)),
    ];
    for _ in 0..2 {
        for query in &queries {
            assert_eq!(shapes.get(&statement(query)).unwrap().sql, query.sql(Postgres));
        }
    }
}

#[test]
fn a_fault_is_kept_out() {
    let shapes = Shapes::new(Sqlite);
    let query = select(&USERS, col(99));
    assert!(shapes.get(&statement(&query)).is_err());
    assert!(shapes.get(&statement(&query)).is_err());
}

#[test]
fn more_shapes_than_are_kept_are_still_right() {
    let shapes = Shapes::new(Sqlite);
    let query = |n: u32| from(&USERS).kind(Kind::Insert).token(Token::Into(NAME)).token(Token::Rows(n));
    for n in (1..=5_000).chain([1, 2, 3]) {
        let compiled = shapes.get(&statement(&query(n % 64 + 1))).unwrap();
        assert_eq!(compiled.parameters.len(), (n % 64 + 1) as usize);
    }
    let limit = |n: usize| (0..n).fold(from(&USERS), |query, _| query.filter(col(ACTIVE)));
    for n in 0..300 {
        let compiled = shapes.get(&statement(&limit(n))).unwrap();
        assert_eq!(compiled.sql.matches("active").count(), n + 1);
    }
    // Heavier than everything that is kept may be: rendered each time.
    let heavy = limit(200_000);
    let (one, two) = (shapes.get(&statement(&heavy)).unwrap(), shapes.get(&statement(&heavy)).unwrap());
    assert!(!Arc::ptr_eq(&one, &two) && one.sql == two.sql);
}

#[test]
fn threads_share_them() {
    let shapes = Arc::new(Shapes::new(Sqlite));
    let threads: Vec<_> = (0..8)
        .map(|_| {
            let shapes = Arc::clone(&shapes);
            std::thread::spawn(move || {
                let query = select(&USERS, col(0)).filter(col(AGE).eq(int(1)));
                shapes.get(&statement(&query)).unwrap().sql.clone()
            })
        })
        .collect();
    let texts: Vec<String> = threads.into_iter().map(|thread| thread.join().unwrap()).collect();
    assert!(texts.windows(2).all(|pair| pair[0] == pair[1]));
}
