//! Rendered statements, by the tokens they were rendered from.

use std::collections::HashMap;
use std::hash::{BuildHasherDefault, Hash, Hasher};
use std::ops::Deref;
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
type Found = Vec<Arc<Shape>>;

#[derive(Debug, Default)]
struct Known {
    shapes: HashMap<u64, Found, BuildHasherDefault<AsItIs>>,
    bytes: usize,
}

/// A rendered statement, and what it was rendered from.
#[derive(Debug)]
pub struct Shape {
    hash: u64,
    kind: Kind,
    table: &'static crate::schema::TableDef,
    tokens: Box<[Token]>,
    compiled: Compiled,
}

impl Deref for Shape {
    type Target = Compiled;

    fn deref(&self) -> &Compiled {
        &self.compiled
    }
}

impl Shape {
    #[inline]
    fn is(&self, hash: u64, statement: &Statement<'_>) -> bool {
        self.hash == hash
            && self.kind == statement.kind
            && std::ptr::eq(self.table, statement.table)
            && *self.tokens == *statement.tokens
    }

    /// About how much it weighs.
    fn bytes(&self) -> usize {
        self.sql.len() + size_of_val(&*self.tokens) + size_of_val(self.outputs.as_slice())
    }
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
    pub fn get(&self, statement: &Statement<'_>) -> Result<Arc<Shape>, Fault> {
        self.hashed(hash(statement), statement)
    }

    fn hashed(&self, hash: u64, statement: &Statement<'_>) -> Result<Arc<Shape>, Fault> {
        {
            let known = self.known.read().unwrap_or_else(PoisonError::into_inner);
            let same = known.shapes.get(&hash).and_then(|found| found.iter().find(|shape| shape.is(hash, statement)));
            if let Some(shape) = same {
                return Ok(Arc::clone(shape));
            }
        }
        let Statement { kind, table, tokens } = *statement;
        let shape =
            Arc::new(Shape { hash, kind, table, tokens: tokens.into(), compiled: render(statement, self.dialect)? });
        if shape.bytes() <= MOST_BYTES / 8 {
            self.known.write().unwrap_or_else(PoisonError::into_inner).keep(&shape, statement);
        }
        Ok(shape)
    }
}

impl Known {
    fn keep(&mut self, shape: &Arc<Shape>, statement: &Statement<'_>) {
        let bytes = shape.bytes();
        if self.shapes.len() >= MOST || self.bytes + bytes > MOST_BYTES {
            *self = Self::default();
        }
        let found = self.shapes.entry(shape.hash).or_default();
        // Another thread may have rendered the same shape meanwhile.
        if !found.iter().any(|other| other.is(shape.hash, statement)) {
            found.push(Arc::clone(shape));
            self.bytes += bytes;
        }
    }
}

/// The shapes that one connection ran last, found without a lock.
#[derive(Debug, Default)]
pub struct Recent {
    slots: Vec<Option<Arc<Shape>>>,
}

/// How many, as a power of two.
const RECENT: usize = 64;

/// A heavier one is not kept here.
const LIGHT: usize = 16 << 10;

impl Recent {
    /// The statement's text.
    ///
    /// # Errors
    /// [`Fault`] when it cannot be rendered.
    #[inline]
    pub fn get(&mut self, shapes: &Shapes, statement: &Statement<'_>) -> Result<&Compiled, Fault> {
        let hash = hash(statement);
        let at = hash as usize % RECENT;
        let known = self.slots.get(at).is_some_and(|slot| slot.as_ref().is_some_and(|shape| shape.is(hash, statement)));
        let at = if known { at } else { self.take_over(shapes.hashed(hash, statement)?) };
        match self.slots.get(at) {
            Some(Some(shape)) => Ok(shape),
            _ => Err(Fault::Malformed("a shape that was just kept is gone")),
        }
    }

    /// Keeps a shape; gives its place. The heavy ones share one behind the others.
    #[cold]
    fn take_over(&mut self, shape: Arc<Shape>) -> usize {
        let at = if shape.bytes() > LIGHT { RECENT } else { shape.hash as usize % RECENT };
        self.slots.resize(RECENT + 1, None);
        if let Some(slot) = self.slots.get_mut(at) {
            *slot = Some(shape);
        }
        at
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
