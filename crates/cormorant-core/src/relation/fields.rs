//! The fields of a model that hold related rows.

use std::any::Any;
use std::fmt;
use std::marker::PhantomData;
use std::sync::atomic::{AtomicBool, Ordering};

use cormorant_driver::{Error, ErrorKind, Result};
use cormorant_sql::schema::ManyDef;

use crate::{ForeignKey, Model, Record};

/// The rows of another model that point here. Their foreign key is found while compiling; where there are two to this
/// model, `#[model(via = field)]` says which.
///
/// A query loads them with [`include`](crate::Query::include); nothing is ever loaded behind the program's back.
///
/// # Both sides
/// ```
/// use cormorant::prelude::*;
///
/// #[derive(Model)]
/// struct Author { id: i64, name: String, books: HasMany<Book> }
///
/// #[derive(Model)]
/// struct Book { id: i64, author: ForeignKey<Author>, title: String }
///
/// # fn main() -> cormorant::Result<()> {
/// # let db = Database::connect("sqlite::memory:").wait()?;
/// # db.create(models![Author, Book]).wait()?;
/// let ann = Author::builder().name("Ann").insert(&db).wait()?;
/// Book::builder().author(&ann).title("Birds").insert(&db).wait()?;
///
/// let authors = Author::query().include(|a| a.books()).all(&db).wait()?; // two statements
/// assert_eq!(authors[0].books.get()?[0].title, "Birds");
/// let bare = Author::query().one(&db).wait()?;
/// assert!(bare.books.get().is_err()); // it says what to write
/// # Ok(())
/// # }
/// ```
pub type HasMany<M> = Many<M>;

/// The rows of another model that are linked with this one through a table of links.
///
/// The table is named by rule, or by `#[model(through = "name")]` on both sides; where the links have data of their own
/// they are a model: `#[model(through = Enrollment)]`.
///
/// # Both sides
/// ```
/// use cormorant::prelude::*;
///
/// #[derive(Model)]
/// struct Post { id: i64, title: String, tags: ManyToMany<Tag> }
///
/// #[derive(Model)]
/// struct Tag { id: i64, name: String, posts: ManyToMany<Post> }
///
/// # fn main() -> cormorant::Result<()> {
/// # let db = Database::connect("sqlite::memory:").wait()?;
/// # db.create(models![Post, Tag]).wait()?; // and posts_tags(post_id, tag_id)
/// let posts = Post::filter(|p| p.tags().any(|t| t.name().eq("birds"))).include(|p| p.tags()).all(&db).wait()?;
/// assert!(posts.is_empty());
/// # Ok(())
/// # }
/// ```
pub type ManyToMany<M> = Many<M>;

/// A foreign key that no two rows share: at most one row points at another. The other side is a [`HasOne`].
pub type OneToOne<M> = ForeignKey<M>;

/// Related rows, once they were loaded. [`HasMany`] and [`ManyToMany`] are its two uses.
pub struct Many<M: Model> {
    state: State,
    mark: PhantomData<fn() -> M>,
}

/// The one row of another model that points here, if there is one: the other side of a [`OneToOne`].
///
/// # Both sides
/// ```
/// use cormorant::prelude::*;
///
/// #[derive(Model)]
/// struct User { id: i64, name: String, profile: HasOne<Profile> }
///
/// #[derive(Model)]
/// struct Profile { id: i64, user: OneToOne<User>, bio: String }
///
/// # fn main() -> cormorant::Result<()> {
/// # let db = Database::connect("sqlite::memory:").wait()?;
/// # db.create(models![User, Profile]).wait()?;
/// let bob = User::builder().name("Bob").insert(&db).wait()?;
/// let bob = User::filter(|u| u.profile().is_null()).include(|u| u.profile()).one(&db).wait()?;
/// assert!(bob.profile.get()?.is_none());
/// # Ok(())
/// # }
/// ```
pub struct HasOne<M: Model> {
    state: State,
    mark: PhantomData<fn() -> M>,
}

/// What a field knows: two words.
enum State {
    /// Which relation it is; a field that the program made does not know.
    Unloaded(Option<&'static ManyDef>),
    /// Records, as the field has them. Their type is hidden: whether a model is `Send` would otherwise be asked of every
    /// model that it leads to, and the compiler gives up where they are many.
    Loaded(Box<Loaded<dyn Any + Send + Sync>>),
}

/// What was loaded, and whether it was changed in the database since.
struct Loaded<T: ?Sized> {
    of: &'static ManyDef,
    stale: AtomicBool,
    records: T,
}

impl State {
    fn loaded<T: Send + Sync + 'static>(of: &'static ManyDef, records: T, stale: bool) -> Self {
        Self::Loaded(Box::new(Loaded { of, stale: AtomicBool::new(stale), records }))
    }

    /// Which relation it is.
    fn of(&self) -> Option<&'static ManyDef> {
        match self {
            Self::Unloaded(of) => *of,
            Self::Loaded(loaded) => Some(loaded.of),
        }
    }

    fn is_stale(&self) -> bool {
        matches!(self, Self::Loaded(loaded) if loaded.stale.load(Ordering::Relaxed))
    }

    fn get<T: 'static>(&self) -> Option<&T> {
        match self {
            Self::Loaded(loaded) if !self.is_stale() => loaded.records.downcast_ref(),
            _ => None,
        }
    }

    fn get_mut<T: 'static>(&mut self) -> Option<&mut T> {
        match self {
            Self::Loaded(loaded) if !loaded.stale.load(Ordering::Relaxed) => loaded.records.downcast_mut(),
            _ => None,
        }
    }

    fn copy<T: Clone + Send + Sync + 'static>(&self) -> Self {
        match self {
            Self::Loaded(loaded) => match loaded.records.downcast_ref::<T>() {
                Some(records) => Self::loaded(loaded.of, records.clone(), self.is_stale()),
                None => Self::Unloaded(Some(loaded.of)),
            },
            Self::Unloaded(of) => Self::Unloaded(*of),
        }
    }
}

/// A field that was not loaded. Derived code makes it.
#[doc(hidden)]
pub trait Unloaded {
    fn unloaded(of: &'static ManyDef) -> Self;
}

/// What both kinds of field do in the same way.
macro_rules! field {
    ($field:ident, $rows:ty, $otherwise:ident) => {
        impl<M: Model> Unloaded for $field<M> {
            #[inline]
            fn unloaded(of: &'static ManyDef) -> Self {
                Self { state: State::Unloaded(Some(of)), mark: PhantomData }
            }
        }

        impl<M: Model> $field<M> {
            pub(crate) fn put(&mut self, of: &'static ManyDef, rows: $rows) {
                self.state = State::loaded(of, rows, false);
            }

            /// Whether it was loaded, and not changed through its verbs since.
            pub fn is_loaded(&self) -> bool {
                matches!(&self.state, State::Loaded(_)) && !self.state.is_stale()
            }

            /// What was loaded is no longer what the database holds. Derived code calls it.
            #[doc(hidden)]
            pub fn mark_stale(&self) {
                if let State::Loaded(loaded) = &self.state {
                    loaded.stale.store(true, Ordering::Relaxed);
                }
            }

            fn loaded(&self) -> Result<&$rows> {
                let rows = self.state.get();
                rows.ok_or_else(|| unreadable(self.state.of(), self.state.is_stale(), $otherwise))
            }

            fn loaded_mut(&mut self) -> Result<&mut $rows> {
                let (of, stale) = (self.state.of(), self.state.is_stale());
                let rows = self.state.get_mut();
                rows.ok_or_else(|| unreadable(of, stale, $otherwise))
            }
        }

        impl<M: Model> Default for $field<M> {
            /// Not loaded.
            fn default() -> Self {
                Self { state: State::Unloaded(None), mark: PhantomData }
            }
        }

        impl<M: Model + Clone> Clone for $field<M> {
            fn clone(&self) -> Self {
                Self { state: self.state.copy::<$rows>(), mark: PhantomData }
            }
        }

        impl<M: Model + fmt::Debug> fmt::Debug for $field<M> {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                match self.loaded() {
                    Ok(rows) => rows.fmt(f),
                    Err(_) => f.write_str("(not loaded)"),
                }
            }
        }

        impl<M: Model + PartialEq> PartialEq for $field<M> {
            /// Equal rows, or neither loaded.
            fn eq(&self, other: &Self) -> bool {
                self.loaded().ok() == other.loaded().ok()
            }
        }
    };
}

field!(Many, Vec<Record<M>>, by_verb);
field!(HasOne, Option<Record<M>>, by_load);

impl<M: Model> Many<M> {
    /// The related rows.
    ///
    /// # Errors
    /// [`ErrorKind::NotLoaded`], which says what to write.
    pub fn get(&self) -> Result<&[Record<M>]> {
        self.loaded().map(Vec::as_slice)
    }

    /// The related rows, to be changed and saved one by one. Adding or taking away is the work of the verbs.
    ///
    /// # Errors
    /// [`ErrorKind::NotLoaded`].
    pub fn get_mut(&mut self) -> Result<&mut [Record<M>]> {
        self.loaded_mut().map(Vec::as_mut_slice)
    }
}

impl<M: Model> HasOne<M> {
    /// The related row, if there is one.
    ///
    /// # Errors
    /// [`ErrorKind::NotLoaded`], which says what to write.
    pub fn get(&self) -> Result<Option<&Record<M>>> {
        self.loaded().map(Option::as_ref)
    }

    /// The related row, to be changed and saved.
    ///
    /// # Errors
    /// [`ErrorKind::NotLoaded`].
    pub fn get_mut(&mut self) -> Result<Option<&mut Record<M>>> {
        self.loaded_mut().map(Option::as_mut)
    }
}

/// What to call on a row, where its relation was not included.
type Otherwise = fn(letter: char, word: &str, field: &str) -> String;

fn by_verb(_letter: char, word: &str, field: &str) -> String {
    format!("{word}.{field}().all(&db)")
}

fn by_load(letter: char, word: &str, field: &str) -> String {
    format!("{word}.load(&db, |{letter}| {letter}.{field}())")
}

fn unreadable(of: Option<&'static ManyDef>, stale: bool, otherwise: Otherwise) -> Error {
    let Some(ManyDef { model, field, .. }) = of else {
        return not_loaded("", "", "the rows of a value that the program made: read it from the database");
    };
    if stale {
        return not_loaded(model, field, "it was loaded, and changed in the database since: load it again");
    }
    let (letter, word) = words(model);
    let call = otherwise(letter, &word, field);
    not_loaded(model, field, &format!("add `.include(|{letter}| {letter}.{field}())` to the query, or call `{call}`"))
}

/// The error of reading a relation that is not there. `rule` says what to write.
pub(crate) fn not_loaded(model: &str, field: &str, rule: &str) -> Error {
    let relation = if model.is_empty() { "a relation".to_owned() } else { format!("{model}.{field}") };
    Error::new(ErrorKind::NotLoaded, format!("{relation} is not loaded: {rule}"))
}

/// How a program may call a row of a model: by its first letter, and by its name.
pub(crate) fn words(model: &str) -> (char, String) {
    let letter = model.chars().next().map_or('r', |letter| letter.to_ascii_lowercase());
    let mut word = String::new();
    for letter in model.chars() {
        if letter.is_uppercase() && !word.is_empty() {
            word.push('_');
        }
        word.extend(letter.to_lowercase());
    }
    (letter, word)
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Every row of a model has one for each of its relations, loaded or not.
    #[test]
    fn a_field_is_two_words() {
        assert_eq!(size_of::<State>(), 2 * size_of::<usize>());
    }
}
