//! Rendered statements, by the tokens they were rendered from.

use std::collections::HashMap;
use std::hash::{BuildHasherDefault, Hash, Hasher};
use std::sync::{Arc, PoisonError, RwLock};

use crate::{Compiled, Dialect, Fault, Kind, Statement, Token, render};

/// A statement is rendered the first time it is seen; afterwards it is found by its tokens, compared whole.
#[derive(Debug)]
pub struct Shapes {
    dialect: Dialect,
    known: RwLock<Known>,
}

/// How many shapes are kept: a program has hundreds, and one that makes them up as it runs must not fill the memory.
const MOST: usize = 4_096;

/// How much they may weigh, in bytes. An INSERT of ten thousand rows is a shape of its own, and a heavy one.
const MOST_BYTES: usize = 32 << 20;

/// The shapes of one hash.
type Found = Vec<(Key, Arc<Compiled>)>;

#[derive(Debug, Default)]
struct Known {
    shapes: HashMap<u64, Found, BuildHasherDefault<AsItIs>>,
    bytes: usize,
}

#[derive(Debug)]
struct Key {
    kind: Kind,
    table: &'static crate::schema::TableDef,
    tokens: Box<[Token]>,
}

impl Shapes {
    /// An empty collection for one dialect.
    pub fn new(dialect: Dialect) -> Self {
        Self { dialect, known: RwLock::default() }
    }

    /// The statement's text.
    ///
    /// # Errors
    /// [`Fault`] when it cannot be rendered.
    pub fn get(&self, statement: &Statement<'_>) -> Result<Arc<Compiled>, Fault> {
        let hash = hash(statement);
        {
            let known = self.known.read().unwrap_or_else(PoisonError::into_inner);
            let same = known.shapes.get(&hash).and_then(|found| found.iter().find(|(key, _)| key.is(statement)));
            if let Some((_, compiled)) = same {
                return Ok(Arc::clone(compiled));
            }
        }
        let compiled = Arc::new(render(statement, self.dialect)?);
        let bytes = compiled.sql.len() + size_of_val(statement.tokens) + size_of_val(compiled.outputs.as_slice());
        if bytes <= MOST_BYTES / 8 {
            let mut known = self.known.write().unwrap_or_else(PoisonError::into_inner);
            known.keep(hash, statement, &compiled, bytes);
        }
        Ok(compiled)
    }
}

impl Known {
    fn keep(&mut self, hash: u64, statement: &Statement<'_>, compiled: &Arc<Compiled>, bytes: usize) {
        if self.shapes.len() >= MOST || self.bytes + bytes > MOST_BYTES {
            *self = Self::default();
        }
        let found = self.shapes.entry(hash).or_default();
        // Another thread may have rendered the same shape meanwhile.
        if !found.iter().any(|(key, _)| key.is(statement)) {
            let key = Key { kind: statement.kind, table: statement.table, tokens: statement.tokens.into() };
            found.push((key, Arc::clone(compiled)));
            self.bytes += bytes;
        }
    }
}

impl Key {
    fn is(&self, statement: &Statement<'_>) -> bool {
        self.kind == statement.kind && std::ptr::eq(self.table, statement.table) && *self.tokens == *statement.tokens
    }
}

fn hash(statement: &Statement<'_>) -> u64 {
    let mut hasher = Mix(0);
    hasher.write_u64(statement.kind as u64);
    hasher.write_usize(std::ptr::from_ref(statement.table).addr());
    for token in statement.tokens {
        token.hash(&mut hasher);
    }
    hasher.finish()
}

/// A multiplication per word. Tokens come from the program's text, not from its users, so nobody can choose
/// colliding ones; and those that collide are compared whole.
struct Mix(u64);

impl Hasher for Mix {
    fn finish(&self) -> u64 {
        self.0 ^ self.0 >> 29
    }

    fn write(&mut self, bytes: &[u8]) {
        for byte in bytes {
            self.write_u64(u64::from(*byte));
        }
    }

    fn write_u64(&mut self, word: u64) {
        self.0 = (self.0.rotate_left(5) ^ word).wrapping_mul(0x517c_c1b7_2722_0a95);
    }

    fn write_usize(&mut self, word: usize) {
        self.write_u64(word as u64);
    }
}

/// The map's keys are hashes already.
#[derive(Default)]
struct AsItIs(u64);

impl Hasher for AsItIs {
    fn finish(&self) -> u64 {
        self.0
    }

    fn write(&mut self, bytes: &[u8]) {
        for byte in bytes {
            self.0 = self.0 << 8 | u64::from(*byte);
        }
    }

    fn write_u64(&mut self, word: u64) {
        self.0 = word;
    }
}
