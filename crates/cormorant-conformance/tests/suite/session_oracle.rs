//! A session beside a plain model of what it should be: random steps, and after each of them the session's objects are
//! those of the model, and the database's rows too.
//!
//! `CORMORANT_TEST_ROUNDS` says how many sequences there are, and `CORMORANT_TEST_SEED` with which one they begin: the
//! seed is what a sequence that failed tells, with the fewest of its steps that still fail.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt::Debug;
use std::time::Duration;

use cormorant::prelude::*;
use cormorant::{Error, ErrorKind, Executor, ObjectState, Savepoint};
use cormorant_conformance::{Backend, Fixture, conformance, poll_and_leave};

use crate::graphs::{Dice, number};

/// A text for a key, and a tree of its own kind.
#[derive(Model, Clone, Debug, PartialEq)]
#[model(table = "so_regions")]
struct Region {
    #[model(key, max_length = 12)]
    code: String,
    x: i64,
    #[model(on_delete = set_null)]
    parent: Option<ForeignKey<Region>>,
    children: HasMany<Region>,
    people: HasMany<Person>,
}

#[derive(Model, Clone, Debug, PartialEq)]
#[model(table = "so_people")]
struct Person {
    id: i64,
    #[model(check = "x >= 0")]
    x: i64,
    #[model(unique, max_length = 12)]
    email: String,
    #[model(on_delete = cascade)]
    home: ForeignKey<Region>,
    pets: HasMany<Pet>,
    visits: HasMany<Visit>,
    clubs: ManyToMany<Club>,
}

#[derive(Model, Clone, Debug, PartialEq)]
#[model(table = "so_pets")]
struct Pet {
    id: i64,
    x: i64,
    #[model(on_delete = set_null)]
    owner: Option<ForeignKey<Person>>,
}

#[derive(Model, Clone, Debug, PartialEq)]
#[model(table = "so_visits")]
struct Visit {
    id: i64,
    x: i64,
    #[model(on_delete = cascade)]
    person: ForeignKey<Person>,
}

#[derive(Model, Clone, Debug, PartialEq)]
#[model(table = "so_clubs")]
struct Club {
    id: i64,
    x: i64,
    #[model(unique, max_length = 12)]
    name: String,
    members: ManyToMany<Person>,
}

/// A tree whose branches go with what they grow from.
#[derive(Model, Clone, Debug, PartialEq)]
#[model(table = "so_twigs")]
struct Twig {
    id: i64,
    x: i64,
    #[model(unique, max_length = 12)]
    name: String,
    #[model(on_delete = cascade)]
    parent: Option<ForeignKey<Twig>>,
    twigs: HasMany<Twig>,
}

const REGION: usize = 0;
const PERSON: usize = 1;
const PET: usize = 2;
const VISIT: usize = 3;
const CLUB: usize = 4;
const TWIG: usize = 5;
const TABLES: usize = 6;
const NAMES: [&str; TABLES] = ["so_regions", "so_people", "so_pets", "so_visits", "so_clubs", "so_twigs"];

/// Texts that are too long are refused before anything is sent.
const LONGEST: usize = 12;

/// The table that the foreign key of a table points at.
fn parent(table: usize) -> Option<usize> {
    match table {
        REGION | PERSON => Some(REGION),
        PET | VISIT => Some(PERSON),
        TWIG => Some(TWIG),
        _ => None,
    }
}

/// Whether the foreign key of a table is never NULL.
fn must_point(table: usize) -> bool {
    matches!(table, PERSON | VISIT)
}

/// Whether rows of a table go with the row they point at; the foreign key of others becomes NULL.
fn goes_with(table: usize) -> bool {
    matches!(table, PERSON | VISIT | TWIG)
}

/// Whether rows of a table are pointed at.
fn one_below(table: usize) -> bool {
    matches!(table, REGION | PERSON | TWIG)
}

/// Whether the text of a table is unique, and not its key.
fn is_unique(table: usize) -> bool {
    matches!(table, PERSON | CLUB | TWIG)
}

#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
enum Key {
    Text(String),
    Int(i64),
}

/// A row, whatever its table is.
#[derive(Clone, Debug, PartialEq)]
struct Row {
    x: i64,
    text: String,
    to: Option<Key>,
}

/// What the database holds.
#[derive(Clone, Debug, PartialEq, Default)]
struct Rows {
    of: BTreeMap<(usize, Key), Row>,
    /// People and their clubs.
    links: BTreeSet<(Key, Key)>,
}

impl Rows {
    fn children<'a>(&'a self, table: usize, key: &'a Key) -> impl Iterator<Item = (usize, Key)> + 'a {
        let points = move |((child, _), row): &(&(usize, Key), &Row)| {
            parent(*child) == Some(table) && row.to.as_ref() == Some(key)
        };
        self.of.iter().filter(points).map(|(place, _)| place.clone())
    }

    /// A row goes, and what the foreign keys say happens.
    fn delete(&mut self, table: usize, key: &Key) {
        self.of.remove(&(table, key.clone()));
        self.links.retain(|(person, club)| !(table == PERSON && person == key || table == CLUB && club == key));
        for (child, place) in self.children(table, key).collect::<Vec<_>>() {
            if goes_with(child) {
                self.delete(child, &place);
            } else if let Some(row) = self.of.get_mut(&(child, place)) {
                row.to = None;
            }
        }
    }

    fn with_keys(self, key: impl Fn(usize, Key) -> Key) -> Self {
        let of = self.of.into_iter().map(|((table, own), row)| {
            let to = row.to.map(|to| key(parent(table).unwrap_or(table), to));
            ((table, key(table, own)), Row { to, ..row })
        });
        let links = self.links.into_iter().map(|(person, club)| (key(PERSON, person), key(CLUB, club)));
        Self { of: of.collect(), links: links.collect() }
    }
}

/// An object's handle.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Any {
    Region(Handle<Region>),
    Person(Handle<Person>),
    Pet(Handle<Pet>),
    Visit(Handle<Visit>),
    Club(Handle<Club>),
    Twig(Handle<Twig>),
}

macro_rules! on {
    ($any:expr, $handle:ident => $then:expr) => {
        match $any {
            Any::Region($handle) => $then,
            Any::Person($handle) => $then,
            Any::Pet($handle) => $then,
            Any::Visit($handle) => $then,
            Any::Club($handle) => $then,
            Any::Twig($handle) => $then,
        }
    };
}

/// The same for a table's number: its model, and what makes a handle an `Any`.
macro_rules! of {
    ($table:expr, $model:ident, $any:ident => $then:expr) => {
        match $table {
            REGION => {
                type $model = Region;
                let $any = Any::Region;
                $then
            }
            PERSON => {
                type $model = Person;
                let $any = Any::Person;
                $then
            }
            PET => {
                type $model = Pet;
                let $any = Any::Pet;
                $then
            }
            VISIT => {
                type $model = Visit;
                let $any = Any::Visit;
                $then
            }
            CLUB => {
                type $model = Club;
                let $any = Any::Club;
                $then
            }
            _ => {
                type $model = Twig;
                let $any = Any::Twig;
                $then
            }
        }
    };
}

/// Where a foreign key is to point.
#[derive(Clone, Debug)]
enum Aim {
    Nothing,
    Handle(Any),
    Key(Key),
}

/// What a session's object says.
struct Seen {
    key: Key,
    x: i64,
    text: String,
    points: bool,
    to: Option<Key>,
}

trait Thing: Model {
    fn key_of(key: &Key) -> Self::Key;
    fn seen(&self) -> Seen;
    fn set_x(&mut self, x: i64);
    fn set_text(&mut self, text: &str);
    fn point(&mut self, aim: Aim);
}

fn text_of(key: &Key) -> String {
    match key {
        Key::Text(text) => text.clone(),
        Key::Int(number) => panic!("{number} is no text"),
    }
}

fn number_of(key: &Key) -> i64 {
    match key {
        Key::Int(number) => *number,
        Key::Text(text) => panic!("{text} is no number"),
    }
}

fn to_region(aim: Aim) -> Option<ForeignKey<Region>> {
    match aim {
        Aim::Handle(Any::Region(handle)) => Some(handle.into()),
        Aim::Key(key) => Some(ForeignKey::to(text_of(&key))),
        _ => None,
    }
}

fn to_person(aim: Aim) -> Option<ForeignKey<Person>> {
    match aim {
        Aim::Handle(Any::Person(handle)) => Some(handle.into()),
        Aim::Key(key) => Some(ForeignKey::to(number_of(&key))),
        _ => None,
    }
}

fn to_twig(aim: Aim) -> Option<ForeignKey<Twig>> {
    match aim {
        Aim::Handle(Any::Twig(handle)) => Some(handle.into()),
        Aim::Key(key) => Some(ForeignKey::to(number_of(&key))),
        _ => None,
    }
}

fn seen(key: Key, x: i64, text: &str) -> Seen {
    Seen { key, x, text: text.to_owned(), points: false, to: None }
}

impl Thing for Region {
    fn key_of(key: &Key) -> String {
        text_of(key)
    }
    fn seen(&self) -> Seen {
        let to = self.parent.as_ref().and_then(ForeignKey::key).cloned().map(Key::Text);
        Seen { points: self.parent.is_some(), to, ..seen(Key::Text(self.code.clone()), self.x, &self.code) }
    }
    fn set_x(&mut self, x: i64) {
        self.x = x;
    }
    fn set_text(&mut self, _: &str) {}
    fn point(&mut self, aim: Aim) {
        self.parent = to_region(aim);
    }
}

impl Thing for Person {
    fn key_of(key: &Key) -> i64 {
        number_of(key)
    }
    fn seen(&self) -> Seen {
        let to = self.home.key().cloned().map(Key::Text);
        Seen { points: true, to, ..seen(Key::Int(self.id), self.x, &self.email) }
    }
    fn set_x(&mut self, x: i64) {
        self.x = x;
    }
    fn set_text(&mut self, text: &str) {
        self.email = text.to_owned();
    }
    fn point(&mut self, aim: Aim) {
        self.home = to_region(aim).unwrap();
    }
}

impl Thing for Pet {
    fn key_of(key: &Key) -> i64 {
        number_of(key)
    }
    fn seen(&self) -> Seen {
        let to = self.owner.as_ref().and_then(ForeignKey::key).copied().map(Key::Int);
        Seen { points: self.owner.is_some(), to, ..seen(Key::Int(self.id), self.x, "") }
    }
    fn set_x(&mut self, x: i64) {
        self.x = x;
    }
    fn set_text(&mut self, _: &str) {}
    fn point(&mut self, aim: Aim) {
        self.owner = to_person(aim);
    }
}

impl Thing for Visit {
    fn key_of(key: &Key) -> i64 {
        number_of(key)
    }
    fn seen(&self) -> Seen {
        let to = self.person.key().copied().map(Key::Int);
        Seen { points: true, to, ..seen(Key::Int(self.id), self.x, "") }
    }
    fn set_x(&mut self, x: i64) {
        self.x = x;
    }
    fn set_text(&mut self, _: &str) {}
    fn point(&mut self, aim: Aim) {
        self.person = to_person(aim).unwrap();
    }
}

impl Thing for Club {
    fn key_of(key: &Key) -> i64 {
        number_of(key)
    }
    fn seen(&self) -> Seen {
        seen(Key::Int(self.id), self.x, &self.name)
    }
    fn set_x(&mut self, x: i64) {
        self.x = x;
    }
    fn set_text(&mut self, text: &str) {
        self.name = text.to_owned();
    }
    fn point(&mut self, _: Aim) {}
}

impl Thing for Twig {
    fn key_of(key: &Key) -> i64 {
        number_of(key)
    }
    fn seen(&self) -> Seen {
        let to = self.parent.as_ref().and_then(ForeignKey::key).copied().map(Key::Int);
        Seen { points: self.parent.is_some(), to, ..seen(Key::Int(self.id), self.x, &self.name) }
    }
    fn set_x(&mut self, x: i64) {
        self.x = x;
    }
    fn set_text(&mut self, text: &str) {
        self.name = text.to_owned();
    }
    fn point(&mut self, aim: Aim) {
        self.parent = to_twig(aim);
    }
}

fn add(session: &mut Session, table: usize, x: i64, text: &str, aim: Aim) -> Any {
    let text = text.to_owned();
    match table {
        REGION => Any::Region(session.add(Region {
            code: text,
            x,
            parent: to_region(aim),
            children: HasMany::default(),
            people: HasMany::default(),
        })),
        PERSON => Any::Person(session.add(Person::builder().x(x).email(text).home(to_region(aim).unwrap()))),
        PET => Any::Pet(session.add(Pet { id: 0, x, owner: to_person(aim) })),
        VISIT => Any::Visit(session.add(Visit::builder().x(x).person(to_person(aim).unwrap()))),
        CLUB => Any::Club(session.add(Club { id: 0, x, name: text, members: ManyToMany::default() })),
        _ => {
            let twigs = HasMany::default();
            Any::Twig(session.add(Twig { id: 0, x, name: text, parent: to_twig(aim), twigs }))
        }
    }
}

/// What a foreign key says in the model.
#[derive(Clone, Debug, PartialEq)]
enum To {
    Nothing,
    Object(usize),
    Key(Key),
}

#[derive(Clone, Copy, Debug, PartialEq)]
enum State {
    New,
    Clean,
    Changed,
    Doomed,
    Deleted,
    Detached,
    Forgotten,
}

/// An object of the session, as the model has it.
#[derive(Clone, Debug)]
struct Object {
    table: usize,
    handle: Any,
    state: State,
    added: bool,
    /// It was deleted since the last flush, before it had a row.
    dropped: bool,
    x: i64,
    text: String,
    to: To,
    /// The row, as far as the session can know.
    base: Row,
    key: Option<Key>,
    /// The next read takes its row over.
    expired: bool,
    /// It was read in what was rolled back: what it says is not told before the next read.
    unsure: bool,
    /// When it was last read, counted in transactions and savepoints.
    read: u64,
}

impl Object {
    fn is_alive(&self) -> bool {
        matches!(self.state, State::New | State::Clean | State::Changed)
    }

    /// It has a row that the session knows by its key.
    fn is_known(&self) -> bool {
        matches!(self.state, State::Clean | State::Changed | State::Doomed)
    }

    /// Its row may say something else.
    fn is_open(&self) -> bool {
        self.state == State::Clean && (self.expired || self.unsure)
    }

    fn reset(&mut self) {
        let Row { x, text, to } = self.base.clone();
        (self.x, self.text) = (x, text);
        self.to = to.map_or(To::Nothing, To::Key);
    }

    fn take(&mut self, row: &Row, read: u64) {
        self.base = row.clone();
        self.reset();
        (self.expired, self.unsure, self.read) = (false, false, read);
    }
}

/// What a rollback goes back to: the rows, and the objects that were there.
#[derive(Clone, Debug)]
struct Past {
    rows: Rows,
    objects: Vec<Option<Object>>,
    stamp: u64,
}

/// What the session and its database should be.
#[derive(Clone, Debug, Default)]
struct World {
    rows: Rows,
    objects: Vec<Object>,
    /// Links that were added or taken away and are not written: person, club.
    pending: BTreeMap<(usize, usize), bool>,
    begun: Option<Past>,
    saves: Vec<(u64, Past)>,
    stamp: u64,
    broken: bool,
}

/// What a flush should do.
#[derive(Debug)]
struct Verdict {
    /// Before anything is sent.
    refused: Vec<ErrorKind>,
    /// Whether it may be refused: a foreign key says what it said before, and it was said again.
    may_be_refused: bool,
    /// By the database.
    fails: Vec<ErrorKind>,
    /// Whether it depends on the order of statements.
    maybe: bool,
    after: Rows,
    /// Deleted objects, and the new ones that take over their rows.
    switches: Vec<(usize, usize)>,
    writes: bool,
}

impl World {
    fn key_of(&self, at: usize) -> Key {
        // Of a new one, until it has one.
        self.objects[at].key.clone().unwrap_or(Key::Int(-1 - at as i64))
    }

    fn aimed(&self, to: &To) -> Option<Key> {
        match to {
            To::Nothing => None,
            To::Object(at) => Some(self.key_of(*at)),
            To::Key(key) => Some(key.clone()),
        }
    }

    fn wanted(&self, at: usize) -> Row {
        let object = &self.objects[at];
        Row { x: object.x, text: object.text.clone(), to: self.aimed(&object.to) }
    }

    fn differs(&self, at: usize) -> bool {
        self.objects[at].state == State::Changed && self.wanted(at) != self.objects[at].base
    }

    /// The object that has a row.
    fn holder(&self, table: usize, key: &Key) -> Option<usize> {
        let mut known = self.objects.iter().enumerate();
        known
            .find(|(_, object)| object.table == table && object.is_known() && object.key.as_ref() == Some(key))
            .map(|(at, _)| at)
    }

    fn in_state(&self, state: State) -> Vec<usize> {
        (0..self.objects.len()).filter(|at| self.objects[*at].state == state).collect()
    }

    fn has_pending(&self) -> bool {
        !self.pending.is_empty()
            || self.objects.iter().any(|o| matches!(o.state, State::New | State::Changed | State::Doomed))
    }

    /// New objects that point at deleted ones go with them, or point at nothing.
    fn drop_orphans(&mut self) {
        let mut again = true;
        while std::mem::take(&mut again) {
            for at in self.in_state(State::New) {
                let To::Object(to) = self.objects[at].to else { continue };
                if self.objects[to].state == State::Doomed || self.objects[to].dropped {
                    again = true;
                    match goes_with(self.objects[at].table) {
                        true => (self.objects[at].state, self.objects[at].dropped) = (State::Detached, true),
                        false => self.objects[at].to = To::Nothing,
                    }
                }
            }
        }
        self.objects.iter_mut().for_each(|object| object.dropped = false);
    }

    /// Whether an object goes with one that is deleted, and the session can see so.
    fn goes(&self, at: usize) -> bool {
        let (mut at, mut seen) = (at, BTreeSet::new());
        while seen.insert(at) {
            let object = &self.objects[at];
            let Some(there) = parent(object.table).filter(|_| goes_with(object.table)) else { return false };
            let above = self.aimed(&object.to).and_then(|key| self.holder(there, &key));
            match above.map(|above| (above, self.objects[above].state)) {
                Some((_, State::Doomed)) => return true,
                Some((above, State::Clean)) => at = above,
                _ => return false,
            }
        }
        false
    }

    /// Whether a new row points at nothing that may go with a deleted one.
    fn is_apart(&self, at: usize) -> bool {
        let (mut at, mut seen) = (at, BTreeSet::new());
        while seen.insert(at) {
            let object = &self.objects[at];
            let above = match &object.to {
                To::Nothing => return true,
                To::Object(to) => *to,
                To::Key(key) => match self.holder(parent(object.table).unwrap_or(TWIG), key) {
                    Some(above) => above,
                    None => return false,
                },
            };
            if self.objects[above].state == State::Doomed || self.objects[above].is_open() {
                return false;
            }
            if !goes_with(self.objects[above].table) {
                return true;
            }
            at = above;
        }
        false
    }

    fn plan(&mut self) -> Verdict {
        self.drop_orphans();
        let (new, doomed) = (self.in_state(State::New), self.in_state(State::Doomed));
        let changed: Vec<usize> = self.in_state(State::Changed).into_iter().filter(|at| self.differs(*at)).collect();
        let (mut refused, mut fails, mut maybe) = (Vec::new(), Vec::new(), false);
        let gone = |object: &Object| matches!(object.to, To::Object(to) if !self.objects[to].is_alive());
        let may_be_refused = self.objects.iter().any(|object| object.state == State::Changed && gone(object));
        for at in new.iter().chain(&changed) {
            let object = &self.objects[*at];
            if object.text.chars().count() > LONGEST {
                refused.push(ErrorKind::Validation);
            }
            if let To::Object(to) = object.to
                && !self.objects[to].is_alive()
                && (object.state == State::New || self.wanted(*at).to != object.base.to)
            {
                refused.push(ErrorKind::Misuse);
            }
        }
        let before = &self.rows;
        let mut rows = before.clone();
        // Rows that are taken over, and new ones.
        let mut switches: Vec<(usize, usize)> = Vec::new();
        for at in &new {
            let (table, key) = (self.objects[*at].table, self.key_of(*at));
            let old = doomed
                .iter()
                .copied()
                .find(|old| self.objects[*old].table == table && self.objects[*old].key.as_ref() == Some(&key));
            match old.filter(|old| switches.iter().all(|(other, _)| other != old)) {
                Some(old) => switches.push((old, *at)),
                None if rows.of.contains_key(&(table, key.clone())) => fails.push(ErrorKind::Unique),
                None => {}
            }
            rows.of.insert((table, key), self.wanted(*at));
        }
        for at in &changed {
            let (object, wanted) = (&self.objects[*at], self.wanted(*at));
            match rows.of.get_mut(&(object.table, self.key_of(*at))) {
                None => fails.push(ErrorKind::Stale),
                Some(row) => {
                    if wanted.x != object.base.x {
                        row.x = wanted.x;
                    }
                    if wanted.text != object.base.text {
                        row.text.clone_from(&wanted.text);
                    }
                    if wanted.to != object.base.to {
                        row.to.clone_from(&wanted.to);
                    }
                }
            }
        }
        for at in new.iter().chain(&changed) {
            let (object, wanted) = (&self.objects[*at], self.wanted(*at));
            let is_new = object.state == State::New;
            if object.table == PERSON && wanted.x < 0 && (is_new || wanted.x != object.base.x) {
                fails.push(ErrorKind::Check);
            }
            if let (Some(to), Some(table)) = (&wanted.to, parent(object.table))
                && (is_new || wanted.to != object.base.to)
            {
                if !rows.of.contains_key(&(table, to.clone())) {
                    fails.push(ErrorKind::ForeignKey);
                }
                if matches!(object.to, To::Key(_)) {
                    // A row that is written or deleted in this flush as well, said by its key: nobody knows the order.
                    maybe |= new
                        .iter()
                        .chain(&doomed)
                        .any(|other| self.objects[*other].table == table && self.key_of(*other) == *to);
                }
            }
            if is_unique(object.table) && (is_new || wanted.text != object.base.text) {
                let others = new.iter().chain(&changed).filter(|other| {
                    let (one, text) = (&self.objects[**other], &self.objects[**other].text);
                    let takes = one.state == State::New || *text != one.base.text;
                    *other != at && one.table == object.table && *text == wanted.text && takes
                });
                let held = before.of.iter().find(|((table, key), row)| {
                    *table == object.table && row.text == wanted.text && *key != self.key_of(*at)
                });
                // What goes along goes first, where nothing that is written could go with it.
                let first = changed.is_empty() && new.iter().all(|new| self.is_apart(*new));
                let moves = held.is_none_or(|((table, key), _)| {
                    self.holder(*table, key).is_some_and(|holder| {
                        doomed.contains(&holder)
                            || changed.contains(&holder) && self.objects[holder].text != wanted.text
                            || first && !self.objects[holder].is_open() && self.goes(holder)
                    })
                });
                maybe |= others.count() > 0 || !moves;
            }
        }
        for ((person, club), together) in &self.pending {
            if !(self.objects[*person].is_alive() && self.objects[*club].is_alive()) {
                continue;
            }
            let link = (self.key_of(*person), self.key_of(*club));
            if !*together {
                rows.links.remove(&link);
                continue;
            }
            let there = |table: usize, key: &Key| rows.of.contains_key(&(table, key.clone()));
            if !(there(PERSON, &link.0) && there(CLUB, &link.1)) {
                fails.push(ErrorKind::ForeignKey);
            }
            rows.links.insert(link);
        }
        for at in doomed.iter().filter(|at| switches.iter().all(|(old, _)| old != *at)) {
            let place = (self.objects[*at].table, self.key_of(*at));
            if !before.of.contains_key(&place) {
                fails.push(ErrorKind::Stale);
            }
            rows.delete(place.0, &place.1);
        }
        let mut texts = BTreeSet::new();
        if !rows.of.iter().all(|((table, _), row)| !is_unique(*table) || texts.insert((*table, &row.text))) {
            fails.push(ErrorKind::Unique);
        }
        let writes = !(new.is_empty() && changed.is_empty() && doomed.is_empty() && self.pending.is_empty());
        Verdict { refused, may_be_refused, fails, maybe, after: rows, switches, writes }
    }

    /// The objects as they are without what is not written.
    fn past(&self, stamp: u64) -> Past {
        let clean = |object: &Object| match object.state {
            State::New => None,
            State::Changed | State::Doomed => {
                let mut clean = Object { state: State::Clean, ..object.clone() };
                clean.reset();
                Some(clean)
            }
            _ => Some(object.clone()),
        };
        Past { rows: self.rows.clone(), objects: self.objects.iter().map(clean).collect(), stamp }
    }

    fn begin(&mut self) {
        if self.begun.is_none() {
            self.stamp += 1;
            self.begun = Some(self.past(self.stamp));
        }
    }

    fn undo(&mut self, past: &Past) {
        self.broken = false;
        self.pending.clear();
        self.rows = past.rows.clone();
        // Rows that were inserted since, and whose objects were forgotten.
        let is_new = |at: usize| past.objects.get(at).is_none_or(Option::is_none);
        let lost: BTreeSet<(usize, Option<Key>)> = (0..)
            .zip(&self.objects)
            .filter(|(at, object)| object.state == State::Forgotten && object.added && is_new(*at))
            .map(|(_, object)| (object.table, object.key.clone()))
            .collect();
        for (at, object) in self.objects.iter_mut().enumerate() {
            object.dropped = false;
            if object.state == State::Forgotten {
                continue;
            }
            let again = object.read >= past.stamp;
            match past.objects.get(at).and_then(Option::as_ref) {
                Some(before) => {
                    let (expired, read) = (object.expired || again, object.read);
                    *object = Object { expired, read, unsure: before.unsure || again, ..before.clone() };
                }
                None if object.added => (object.state, object.key) = (State::Detached, None),
                None if lost.contains(&(object.table, object.key.clone())) => object.state = State::Detached,
                None => (object.state, object.expired, object.unsure) = (State::Clean, true, true),
            }
        }
    }

    fn rollback(&mut self) {
        let past = self.begun.take().unwrap_or_else(|| self.past(self.stamp + 1));
        self.saves.clear();
        self.undo(&past);
    }

    fn commit(&mut self) {
        self.begun = None;
        self.saves.clear();
    }

    fn expire(&mut self) {
        self.objects.iter_mut().filter(|o| o.state != State::New).for_each(|object| object.expired = true);
    }

    /// A read came by a row.
    fn absorb(&mut self, table: usize, key: &Key) -> Option<usize> {
        let (at, row) = (self.holder(table, key)?, self.rows.of.get(&(table, key.clone()))?.clone());
        let read = if self.begun.is_some() { self.stamp } else { 0 };
        let object = &mut self.objects[at];
        if object.is_open() {
            object.take(&row, read);
        }
        Some(at)
    }

    /// The flush was done; `keys` are those of new objects.
    fn flushed(&mut self, verdict: Verdict, keys: &BTreeMap<usize, Key>) {
        if verdict.writes {
            self.begin();
        }
        let given: BTreeMap<(usize, Key), Key> =
            keys.iter().map(|(at, key)| ((self.objects[*at].table, self.key_of(*at)), key.clone())).collect();
        self.rows = verdict.after.with_keys(|table, key| given.get(&(table, key.clone())).cloned().unwrap_or(key));
        for (at, key) in keys {
            self.objects[*at].key = Some(key.clone());
        }
        let mut gone = Vec::new();
        for at in 0..self.objects.len() {
            match self.objects[at].state {
                State::New | State::Changed => {
                    let base = self.wanted(at);
                    let object = &mut self.objects[at];
                    (object.state, object.base) = (State::Clean, base);
                }
                State::Doomed => {
                    let object = &mut self.objects[at];
                    object.state = State::Deleted;
                    object.reset();
                    if verdict.switches.iter().all(|(old, _)| *old != at) {
                        gone.push(at);
                    }
                }
                _ => {}
            }
        }
        // What the database did to rows that pointed at deleted ones.
        while let Some(at) = gone.pop() {
            let (table, key) = (self.objects[at].table, self.objects[at].key.clone());
            let alive: Vec<bool> = self.objects.iter().map(Object::is_alive).collect();
            for (child, object) in self.objects.iter_mut().enumerate() {
                // A new row may have the key of the old one.
                let elsewhere = matches!(object.to, To::Object(to) if to != at && alive[to]);
                if object.state == State::Clean
                    && parent(object.table) == Some(table)
                    && object.base.to == key
                    && !elsewhere
                {
                    if goes_with(object.table) {
                        object.state = State::Deleted;
                        gone.push(child);
                    } else {
                        (object.to, object.base.to) = (To::Nothing, None);
                    }
                }
            }
        }
        self.pending.clear();
    }
}

/// What ends with a flush, or begins with one.
#[derive(Clone, Copy, Debug, PartialEq)]
enum By {
    Flush,
    Commit,
    Savepoint,
    Release(usize),
    All(usize),
}

#[derive(Clone, Copy, Debug, PartialEq)]
enum Relation {
    To,
    Children,
    People,
    Pets,
    Visits,
    Clubs,
    Members,
    Twigs,
}

impl Relation {
    fn of(table: usize) -> &'static [Self] {
        match table {
            REGION => &[Self::To, Self::Children, Self::People],
            PERSON => &[Self::To, Self::Pets, Self::Visits, Self::Clubs],
            PET | VISIT => &[Self::To],
            CLUB => &[Self::Members],
            _ => &[Self::To, Self::Twigs],
        }
    }

    /// The table of those that belong to an object by it.
    fn children(self) -> Option<usize> {
        match self {
            Self::Children => Some(REGION),
            Self::People => Some(PERSON),
            Self::Pets => Some(PET),
            Self::Visits => Some(VISIT),
            Self::Twigs => Some(TWIG),
            _ => None,
        }
    }
}

/// Why a sequence failed: the session is not what the model is.
type Checked<T = ()> = Result<T, String>;

fn told(error: Error) -> String {
    format!("{:?}: {error}", error.kind())
}

fn same<T: PartialEq + Debug>(what: &str, is: &T, should: &T) -> Checked {
    if is == should { Ok(()) } else { Err(format!("{what}: it is {is:?}, and should be {should:?}")) }
}

/// Every row, asked without the library's queries.
async fn rows_of(db: &impl Executor) -> Checked<Rows> {
    let mut rows = Rows::default();
    let sql = sql!("SELECT code, x, parent_id FROM so_regions");
    for (code, x, to) in sql.all::<(String, i64, Option<String>)>(db).await.map_err(told)? {
        let row = Row { x, text: code.clone(), to: to.map(Key::Text) };
        rows.of.insert((REGION, Key::Text(code)), row);
    }
    let sql = sql!("SELECT id, x, email, home_id FROM so_people");
    for (id, x, text, to) in sql.all::<(i64, i64, String, String)>(db).await.map_err(told)? {
        rows.of.insert((PERSON, Key::Int(id)), Row { x, text, to: Some(Key::Text(to)) });
    }
    let pets = sql!("SELECT id, x, owner_id FROM so_pets").all(db).await.map_err(told)?;
    let visits = sql!("SELECT id, x, person_id FROM so_visits").all(db).await.map_err(told)?;
    for (table, found) in [(PET, pets), (VISIT, visits)] {
        for (id, x, to) in found {
            let (id, to): (i64, Option<i64>) = (id, to);
            rows.of.insert((table, Key::Int(id)), Row { x, text: String::new(), to: to.map(Key::Int) });
        }
    }
    for (id, x, text) in sql!("SELECT id, x, name FROM so_clubs").all(db).await.map_err(told)? {
        rows.of.insert((CLUB, Key::Int(id)), Row { x, text, to: None });
    }
    let sql = sql!("SELECT id, x, name, parent_id FROM so_twigs");
    for (id, x, text, to) in sql.all::<(i64, i64, String, Option<i64>)>(db).await.map_err(told)? {
        rows.of.insert((TWIG, Key::Int(id)), Row { x, text, to: to.map(Key::Int) });
    }
    for (person, club) in sql!("SELECT person_id, club_id FROM so_clubs_so_people").all(db).await.map_err(told)? {
        rows.links.insert((Key::Int(person), Key::Int(club)));
    }
    Ok(rows)
}

/// One sequence.
struct Run<'a> {
    test: &'a Fixture,
    /// Another connection, which nothing of the session's reaches.
    outside: &'a Fixture,
    session: Session,
    savepoints: Vec<Savepoint>,
    world: World,
    dice: Dice,
    /// Whether every relation is looked at after every step.
    thorough: bool,
    said: Vec<String>,
}

impl Run<'_> {
    fn say(&mut self, what: String) {
        self.said.push(what);
    }

    fn alive(&self, table: usize) -> Vec<usize> {
        (0..self.world.objects.len())
            .filter(|at| self.world.objects[*at].table == table && self.world.objects[*at].is_alive())
            .collect()
    }

    fn any_alive(&mut self, table: usize) -> Option<usize> {
        let alive = self.alive(table);
        self.dice.any(&alive).copied()
    }

    fn any_text(&mut self, table: usize) -> String {
        let number = self.dice.below(6);
        match table {
            REGION => format!("r{number}"),
            _ if self.dice.one_in(40) => "longer than it may be".to_owned(),
            _ => format!("t{number}"),
        }
    }

    /// Where a foreign key may point: by handle, by key, at no row, or nowhere.
    fn any_to(&mut self, table: usize) -> Option<To> {
        let there = parent(table)?;
        if !must_point(table) && self.dice.one_in(4) {
            return Some(To::Nothing);
        }
        if self.dice.one_in(60) {
            // One that was rolled back, or deleted before it had a row.
            let mut gone = self.world.in_state(State::Detached);
            gone.retain(|at| self.world.objects[*at].table == there);
            if let Some(at) = self.dice.any(&gone) {
                return Some(To::Object(*at));
            }
        }
        if self.dice.one_in(60) {
            let nobody = if there == REGION { Key::Text("nowhere".into()) } else { Key::Int(999_999) };
            return Some(To::Key(nobody));
        }
        if self.dice.one_in(3) {
            let mut keys: Vec<Key> =
                self.world.rows.of.keys().filter(|(t, _)| *t == there).map(|(_, key)| key.clone()).collect();
            // Nobody knows what is meant by the key of a row that is about to go: SQLite may give it to the next one.
            let world = &self.world;
            keys.retain(|key| world.holder(there, key).is_none_or(|at| world.objects[at].state != State::Doomed));
            if let Some(key) = self.dice.any(&keys) {
                return Some(To::Key(key.clone()));
            }
        }
        self.any_alive(there).map(To::Object)
    }

    fn aim(&self, to: &To) -> Aim {
        match to {
            To::Nothing => Aim::Nothing,
            To::Object(at) => Aim::Handle(self.world.objects[*at].handle),
            To::Key(key) => Aim::Key(key.clone()),
        }
    }

    fn touch(&mut self, at: usize) {
        let object = &mut self.world.objects[at];
        if object.state == State::Clean {
            object.state = State::Changed;
        }
    }

    /// An object that came by a read.
    fn arrived(&mut self, handle: Any) -> Checked<usize> {
        if let Some(at) = self.world.objects.iter().position(|o| o.handle == handle) {
            return Ok(at);
        }
        let seen = on!(handle, h => self.session[h].seen());
        let table = match handle {
            Any::Region(_) => REGION,
            Any::Person(_) => PERSON,
            Any::Pet(_) => PET,
            Any::Visit(_) => VISIT,
            Any::Club(_) => CLUB,
            Any::Twig(_) => TWIG,
        };
        if let Some(at) = self.world.holder(table, &seen.key) {
            return Err(format!("{handle:?} was read, whose row {:?} has", self.world.objects[at].handle));
        }
        let Some(base) = self.world.rows.of.get(&(table, seen.key.clone())).cloned() else {
            return Err(format!("{handle:?} was read, and there is no row {:?}", seen.key));
        };
        let read = if self.world.begun.is_some() { self.world.stamp } else { 0 };
        let mut object = Object {
            table,
            handle,
            state: State::Clean,
            added: false,
            dropped: false,
            x: 0,
            text: String::new(),
            to: To::Nothing,
            base,
            key: Some(seen.key),
            expired: false,
            unsure: false,
            read,
        };
        object.reset();
        self.world.objects.push(object);
        Ok(self.world.objects.len() - 1)
    }

    /// The session's objects are the model's.
    fn compare_objects(&self) -> Checked {
        for (at, object) in self.world.objects.iter().enumerate() {
            let what = format!("{:?} (the model's {at})", object.handle);
            if object.state == State::Forgotten {
                let there = on!(object.handle, h => self.session.try_get(h).is_ok());
                same(&format!("{what} is there"), &there, &false)?;
                continue;
            }
            let state = on!(object.handle, h => self.session.state(h));
            let should = match object.state {
                State::New => ObjectState::New,
                State::Clean => ObjectState::Clean,
                // It was borrowed only: a flush that was refused may have found that out.
                State::Changed if state == ObjectState::Clean && !self.world.differs(at) => ObjectState::Clean,
                State::Changed => ObjectState::Changed,
                State::Doomed | State::Deleted => ObjectState::Deleted,
                State::Detached | State::Forgotten => ObjectState::Detached,
            };
            if self.world.broken {
                continue;
            }
            same(&format!("the state of {what}"), &state, &should)?;
            if object.unsure && object.state != State::Changed || object.state == State::Doomed {
                continue;
            }
            let seen = on!(object.handle, h => self.session[h].seen());
            match (&object.key, object.table) {
                (Some(key), _) => same(&format!("the key of {what}"), &seen.key, key)?,
                (None, REGION) => {}
                (None, _) => same(&format!("the key of {what}"), &seen.key, &Key::Int(0))?,
            }
            if object.state == State::Detached {
                continue;
            }
            same(&format!("x of {what}"), &seen.x, &object.x)?;
            same(&format!("the text of {what}"), &seen.text, &object.text)?;
            if object.state == State::Deleted {
                continue;
            }
            same(&format!("whether {what} points"), &seen.points, &(object.to != To::Nothing))?;
            let key = match object.to {
                To::Object(to) => self.world.objects[to].key.clone(),
                _ => self.world.aimed(&object.to),
            };
            // By handle, it has the key when it is written.
            if seen.to.is_some() || object.state == State::Clean {
                same(&format!("where {what} points"), &seen.to, &key)?;
            }
        }
        Ok(())
    }

    async fn compare_rows(&mut self) -> Checked {
        let rows = match self.world.begun.is_some() && !self.world.broken && !self.world.has_pending() {
            true => rows_of(self.session.begin().await.map_err(told)?).await?,
            false => return Ok(()),
        };
        same("the rows in the transaction", &rows, &self.world.rows)
    }

    async fn compare_committed(&mut self) -> Checked {
        let should = self.world.begun.as_ref().map_or(&self.world.rows, |past| &past.rows).clone();
        same("the rows that were committed", &rows_of(&self.outside.db).await?, &should)
    }

    /// Every relation of every object, from both sides.
    async fn compare_relations(&mut self) -> Checked {
        let mut at = 0;
        while at < self.world.objects.len() {
            for relation in Relation::of(self.world.objects[at].table) {
                self.compare_related(at, *relation).await?;
            }
            at += 1;
        }
        Ok(())
    }

    async fn related(&mut self, at: usize, relation: Relation) -> cormorant::Result<Vec<Any>> {
        let session = &mut self.session;
        macro_rules! all {
            ($handle:expr, $relation:ident, $any:path) => {
                session.related($handle, |o| o.$relation()).await?.into_iter().map($any).collect()
            };
        }
        Ok(match (self.world.objects[at].handle, relation) {
            (Any::Region(h), Relation::To) => all!(h, parent, Any::Region),
            (Any::Region(h), Relation::Children) => all!(h, children, Any::Region),
            (Any::Region(h), _) => all!(h, people, Any::Person),
            (Any::Person(h), Relation::To) => all!(h, home, Any::Region),
            (Any::Person(h), Relation::Pets) => all!(h, pets, Any::Pet),
            (Any::Person(h), Relation::Visits) => all!(h, visits, Any::Visit),
            (Any::Person(h), _) => all!(h, clubs, Any::Club),
            (Any::Pet(h), _) => all!(h, owner, Any::Person),
            (Any::Visit(h), _) => all!(h, person, Any::Person),
            (Any::Club(h), _) => all!(h, members, Any::Person),
            (Any::Twig(h), Relation::To) => all!(h, parent, Any::Twig),
            (Any::Twig(h), _) => all!(h, twigs, Any::Twig),
        })
    }

    /// A relation of an object, read without a flush.
    async fn compare_related(&mut self, at: usize, relation: Relation) -> Checked {
        let object = self.world.objects[at].clone();
        if !object.is_alive() || object.is_open() || self.world.broken {
            return Ok(());
        }
        // Rows that a read comes by: their objects are the model's as well afterwards.
        let key = object.key.clone().filter(|_| object.state != State::New);
        let rows: Vec<(usize, Key)> = match (relation, relation.children(), &key) {
            (Relation::To, ..) => match &object.to {
                To::Nothing => Vec::new(),
                To::Object(to) if self.world.objects[*to].is_alive() => {
                    // One that has expired is read again.
                    let target = &self.world.objects[*to];
                    let there = target.key.clone().filter(|_| target.is_open()).map(|key| (target.table, key));
                    there.filter(|there| self.world.rows.of.contains_key(there)).into_iter().collect()
                }
                To::Object(to) if self.world.objects[*to].state == State::Detached => return Ok(()),
                to => {
                    let there = (parent(object.table).unwrap(), self.world.aimed(to).unwrap());
                    if self.world.holder(there.0, &there.1).is_some_and(|h| !self.world.objects[h].is_alive()) {
                        return Ok(());
                    }
                    self.world.rows.of.contains_key(&there).then_some(there).into_iter().collect()
                }
            },
            (_, _, None) => Vec::new(),
            (_, Some(children), Some(key)) => {
                self.world.rows.children(object.table, key).filter(|(table, _)| *table == children).collect()
            }
            (Relation::Clubs, _, Some(key)) => {
                self.world.rows.links.iter().filter(|(p, _)| p == key).map(|(_, c)| (CLUB, c.clone())).collect()
            }
            (_, _, Some(key)) => {
                self.world.rows.links.iter().filter(|(_, c)| c == key).map(|(p, _)| (PERSON, p.clone())).collect()
            }
        };
        let what = format!("{relation:?} of {:?} (the model's {at})", object.handle);
        let found = self.related(at, relation).await.map_err(|e| format!("{what}: {}", told(e)))?;
        for (table, key) in &rows {
            self.world.absorb(*table, key);
        }
        let mut is = Vec::new();
        for handle in &found {
            is.push(self.arrived(*handle)?);
        }
        let objects = &self.world.objects;
        let holder = |(table, key): &(usize, Key)| self.world.holder(*table, key);
        let mut should: Vec<usize> = match relation {
            Relation::To => match &object.to {
                To::Object(to) if objects[*to].is_alive() => vec![*to],
                _ => rows.iter().filter_map(holder).collect(),
            },
            Relation::Clubs | Relation::Members => {
                let mut linked: BTreeSet<usize> = rows.iter().filter_map(holder).collect();
                for ((person, club), together) in &self.world.pending {
                    let (one, other) = if relation == Relation::Clubs { (person, club) } else { (club, person) };
                    if *one == at {
                        if *together {
                            linked.insert(*other)
                        } else {
                            linked.remove(other)
                        };
                    }
                }
                linked.into_iter().filter(|other| objects[*other].is_alive()).collect()
            }
            _ => (0..objects.len())
                .filter(|child| {
                    let one = &objects[*child];
                    let of = Some(one.table) == relation.children();
                    of && one.is_alive() && !one.is_open() && self.points_at(*child, at)
                })
                .collect(),
        };
        // Every row that was read has an object, also where the session did not say so.
        if let Some(missed) = rows.iter().find(|row| holder(row).is_none()) {
            return Err(format!("{what}: the row {missed:?} was not read; found {found:?}"));
        }
        is.sort_unstable();
        should.sort_unstable();
        same(&what, &is, &should)
    }

    /// A flush, alone or with what else it ends with.
    async fn flush(&mut self, by: By) -> Checked {
        let verdict = self.world.plan();
        let mut found = Vec::new();
        let result = match by {
            By::Flush => self.session.flush().await,
            By::Commit => self.session.commit().await,
            By::Savepoint => self.session.savepoint().await.map(|savepoint| self.savepoints.push(savepoint)),
            By::Release(at) => self.session.release(self.savepoints[at]).await,
            By::All(table) => {
                self.session.autoflush(true);
                let all = of!(table, Target, any => {
                    self.session.all(Target::query()).await.map(|all| all.into_iter().map(any).collect::<Vec<Any>>())
                });
                self.session.autoflush(false);
                all.map(|all| found = all)
            }
        };
        self.judge(verdict, result)?;
        if self.world.broken || self.said.last().is_some_and(|said| said.ends_with("refused")) {
            return Ok(());
        }
        match by {
            By::Flush => {}
            By::Commit => {
                self.world.commit();
                self.savepoints.clear();
                self.compare_committed().await?;
            }
            By::Savepoint => {
                self.world.begin();
                self.world.stamp += 1;
                let past = self.world.past(self.world.stamp);
                self.world.saves.push((self.world.stamp, past));
            }
            By::Release(at) => {
                self.savepoints.truncate(at);
                self.world.saves.truncate(at);
            }
            By::All(table) => self.found(table, found)?,
        }
        self.compare_objects()?;
        self.compare_rows().await
    }

    /// Whether a flush ended as it should.
    fn judge(&mut self, verdict: Verdict, result: cormorant::Result<()>) -> Checked {
        match result {
            Ok(()) => {
                if !verdict.refused.is_empty() || !verdict.fails.is_empty() {
                    return Err(format!("a flush was done: {verdict:?}"));
                }
                let mut keys = BTreeMap::new();
                for at in self.world.in_state(State::New) {
                    let object = &self.world.objects[at];
                    let key = on!(object.handle, h => self.session[h].seen().key);
                    // SQLite gives the key of a row that was deleted again.
                    let taken = verdict.after.of.contains_key(&(object.table, key.clone()));
                    if key == Key::Int(0) || taken && object.table != REGION {
                        return Err(format!("{:?} was inserted with the key {key:?}", object.handle));
                    }
                    keys.insert(at, key);
                }
                self.world.flushed(verdict, &keys);
                Ok(())
            }
            Err(error) if !verdict.refused.is_empty() => {
                self.say("  refused".into());
                match verdict.refused.contains(&error.kind()) {
                    true => Ok(()),
                    false => Err(format!("{} instead of {:?}", told(error), verdict.refused)),
                }
            }
            Err(error) if verdict.may_be_refused && error.kind() == ErrorKind::Misuse => {
                self.say("  refused".into());
                Ok(())
            }
            Err(error) => {
                self.say(format!("  failed: {:?}", error.kind()));
                let may = [ErrorKind::Unique, ErrorKind::ForeignKey];
                if !(verdict.fails.contains(&error.kind()) || verdict.maybe && may.contains(&error.kind())) {
                    return Err(format!("a flush failed, {}, which {:?}", told(error), verdict));
                }
                self.world.broken = true;
                Ok(())
            }
        }
    }

    /// A query for all rows of a table came back.
    fn found(&mut self, table: usize, found: Vec<Any>) -> Checked {
        let keys: Vec<Key> = self.world.rows.of.keys().filter(|(t, _)| *t == table).map(|(_, k)| k.clone()).collect();
        for key in &keys {
            self.world.absorb(table, key);
        }
        let mut is = Vec::new();
        for handle in found {
            is.push(self.arrived(handle)?);
        }
        let mut should: Vec<usize> = keys.iter().filter_map(|key| self.world.holder(table, key)).collect();
        same("rows and objects", &should.len(), &keys.len())?;
        is.sort_unstable();
        should.sort_unstable();
        same("all", &is, &should)
    }

    async fn all(&mut self, table: usize) -> Checked {
        let found = of!(table, Target, any => {
            let all = self.session.all(Target::query()).await.map_err(told)?;
            all.into_iter().map(any).collect::<Vec<Any>>()
        });
        self.found(table, found)
    }

    /// By key: what is here, or what is read.
    async fn find(&mut self, table: usize, key: &Key) -> Checked {
        let found = of!(table, Target, any => {
            self.session.find::<Target>(<Target as Thing>::key_of(key)).await.map_err(told)?.map(any)
        });
        let known = self.world.holder(table, key);
        let read = known.is_none_or(|at| self.world.objects[at].expired || self.world.objects[at].unsure);
        let should = match known {
            Some(at) if self.world.objects[at].state == State::Doomed => None,
            Some(at) if !read => Some(at),
            Some(at) if !self.world.rows.of.contains_key(&(table, key.clone())) => {
                self.world.objects[at].state = State::Deleted;
                None
            }
            Some(_) => self.world.absorb(table, key),
            None => match found {
                Some(handle) => Some(self.arrived(handle)?),
                None if self.world.rows.of.contains_key(&(table, key.clone())) => {
                    return Err(format!("the row {key:?} was not found"));
                }
                None => None,
            },
        };
        same(&format!("who has the key {key:?}"), &found, &should.map(|at| self.world.objects[at].handle))
    }

    async fn refresh(&mut self, at: usize) -> Checked {
        let object = self.world.objects[at].clone();
        let (table, key) = (object.table, object.key.unwrap());
        let result = on!(object.handle, h => self.session.refresh(h).await);
        let there = self.world.rows.of.contains_key(&(table, key.clone()));
        let object = &mut self.world.objects[at];
        (object.state, object.expired) = (State::Clean, true);
        object.reset();
        match (result, there) {
            (Ok(()), true) => {
                self.world.absorb(table, &key);
                Ok(())
            }
            (Err(error), false) => same("a refresh", &error.kind(), &ErrorKind::Stale),
            (result, _) => Err(format!("a refresh where the row is there: {there}: {result:?}")),
        }
    }

    async fn rollback(&mut self) -> Checked {
        self.session.rollback().await.map_err(told)?;
        self.savepoints.clear();
        self.world.rollback();
        self.compare_objects()?;
        self.compare_committed().await
    }

    /// Everything is read again, where somebody else wrote.
    async fn read_again(&mut self) -> Checked {
        self.session.expire_all();
        self.world.expire();
        let known: Vec<(usize, Key)> =
            self.world.objects.iter().filter(|o| o.is_known()).map(|o| (o.table, o.key.clone().unwrap())).collect();
        for (table, key) in known {
            self.find(table, &key).await?;
        }
        self.compare_objects()?;
        self.compare_relations().await
    }

    /// A new session in place of this one.
    async fn start_again(&mut self) -> Checked {
        let fresh = self.test.db.session();
        std::mem::replace(&mut self.session, fresh).close().await.map_err(told)?;
        self.session.autoflush(false);
        self.world.rollback();
        self.savepoints.clear();
        self.world.objects.clear();
        self.compare_committed().await
    }

    async fn step(&mut self) -> Checked {
        if self.world.broken {
            let error = self.session.flush().await.err().map(|error| error.kind());
            same("a flush after one that failed", &error, &Some(ErrorKind::TransactionPoisoned))?;
            if self.savepoints.is_empty() || self.dice.one_in(2) {
                self.say("rollback".into());
                return self.rollback().await;
            }
            return self.rollback_to().await;
        }
        match self.dice.below(100) {
            0..20 => self.add(),
            20..36 => self.change(),
            36..43 => self.link().await,
            43..51 => self.link_clubs().await,
            51..56 => self.set().await,
            56..62 => self.delete(),
            62..64 => self.hand_on(),
            64 => self.hand_on_from_below().await,
            65 => self.delete_around().await,
            66..71 => {
                self.say("flush".into());
                self.flush(By::Flush).await
            }
            71..75 => {
                self.say("savepoint".into());
                self.flush(By::Savepoint).await
            }
            75..78 if !self.savepoints.is_empty() => self.rollback_to().await,
            78..80 if !self.savepoints.is_empty() => {
                let at = self.dice.below(self.savepoints.len());
                self.say(format!("release {at}"));
                self.flush(By::Release(at)).await
            }
            80..82 => {
                // What is read here was perhaps never written.
                while self.world.begun.is_some() && !self.dice.one_in(3) {
                    let table = self.dice.below(TABLES);
                    self.say(format!("all of {table}"));
                    self.all(table).await?;
                }
                self.say("rollback".into());
                self.rollback().await
            }
            82..86 => {
                self.say("commit".into());
                self.flush(By::Commit).await
            }
            86..88 => self.broken_off().await,
            88..90 => {
                let table = self.dice.below(TABLES);
                if let Some(at) = self.any_alive(table) {
                    let relation = *self.dice.any(Relation::of(table)).unwrap();
                    self.say(format!("{relation:?} of {at}"));
                    self.compare_related(at, relation).await?;
                }
                Ok(())
            }
            90..92 => {
                let table = self.dice.below(TABLES);
                if self.dice.one_in(2) {
                    self.say(format!("all of {table}, flushing"));
                    return self.flush(By::All(table)).await;
                }
                self.say(format!("all of {table}"));
                self.all(table).await
            }
            92 => {
                let places: Vec<(usize, Key)> = self.world.rows.of.keys().cloned().collect();
                let Some((table, key)) = self.dice.any(&places).cloned() else { return Ok(()) };
                self.say(format!("find {table} {key:?}"));
                self.find(table, &key).await
            }
            93 => {
                self.say("expire_all".into());
                self.session.expire_all();
                self.world.expire();
                Ok(())
            }
            94 => {
                let table = self.dice.below(TABLES);
                let Some(at) = self.any_alive(table).filter(|at| self.world.objects[*at].state != State::New) else {
                    return Ok(());
                };
                self.say(format!("refresh {at}"));
                self.refresh(at).await
            }
            95 => self.forget_any(),
            96 => {
                self.say("another session".into());
                self.start_again().await
            }
            97..99 => self.somebody_else().await,
            _ => self.broken_off().await,
        }
    }

    fn add(&mut self) -> Checked {
        let table = self.dice.below(TABLES);
        let to = match parent(table) {
            None => To::Nothing,
            Some(_) => match self.any_to(table) {
                Some(to) => to,
                None if must_point(table) => return Ok(()),
                None => To::Nothing,
            },
        };
        let x = if self.dice.one_in(40) { -1 } else { self.dice.below(4) as i64 };
        let text = if table == PET || table == VISIT { String::new() } else { self.any_text(table) };
        self.put(table, x, text, to);
        Ok(())
    }

    /// A new object.
    fn put(&mut self, table: usize, x: i64, text: String, to: To) {
        let aim = self.aim(&to);
        let handle = add(&mut self.session, table, x, &text, aim);
        self.say(format!("{} = add {handle:?} x {x} {text:?} {to:?}", self.world.objects.len()));
        let base = Row { x, text: text.clone(), to: None };
        let key = (table == REGION).then(|| Key::Text(text.clone()));
        self.world.objects.push(Object {
            table,
            handle,
            state: State::New,
            added: true,
            dropped: false,
            x,
            text,
            to,
            base,
            key,
            expired: false,
            unsure: false,
            read: 0,
        });
    }

    fn change(&mut self) -> Checked {
        let table = self.dice.below(TABLES);
        let Some(at) = self.any_alive(table).filter(|at| !self.world.objects[*at].unsure) else { return Ok(()) };
        let handle = self.world.objects[at].handle;
        self.touch(at);
        match self.dice.below(3) {
            0 if is_unique(table) => {
                let text = self.any_text(table);
                self.say(format!("{at}.text = {text:?}"));
                on!(handle, h => self.session[h].set_text(&text));
                self.world.objects[at].text = text;
            }
            1 if parent(table).is_some() => {
                let Some(to) = self.any_to(table) else {
                    on!(handle, h => drop(self.session.try_get_mut(h)));
                    return Ok(());
                };
                self.say(format!("{at}.to = {to:?}"));
                let aim = self.aim(&to);
                on!(handle, h => self.session[h].point(aim));
                self.world.objects[at].to = to;
            }
            _ => {
                let x = if self.dice.one_in(40) { -1 } else { self.dice.below(4) as i64 };
                self.say(format!("{at}.x = {x}"));
                on!(handle, h => self.session[h].set_x(x));
                self.world.objects[at].x = x;
            }
        }
        Ok(())
    }

    /// Has-many relations, from the side of those that are pointed at.
    async fn link(&mut self) -> Checked {
        let relations =
            [Relation::Children, Relation::People, Relation::Pets, Relation::Visits, Relation::Twigs, Relation::Twigs];
        let relation = *self.dice.any(&relations).unwrap();
        let child_table = relation.children().unwrap();
        let Some(owner) = self.any_alive(parent(child_table).unwrap()) else { return Ok(()) };
        let Some(child) = self.any_alive(child_table).filter(|at| !self.world.objects[*at].is_open()) else {
            return Ok(());
        };
        let together = !self.dice.one_in(3);
        let (one, other) = (self.world.objects[owner].handle, self.world.objects[child].handle);
        self.say(format!("{} {relation:?} of {owner}: {child}", if together { "link" } else { "unlink" }));
        let session = &mut self.session;
        macro_rules! change {
            ($relation:ident, $one:expr, $other:expr) => {
                match together {
                    true => session.link($one, |o| o.$relation(), $other).await,
                    false => session.unlink($one, |o| o.$relation(), $other).await,
                }
            };
        }
        let result = match (one, other) {
            (Any::Region(one), Any::Region(other)) => change!(children, one, other),
            (Any::Region(one), Any::Person(other)) => change!(people, one, other),
            (Any::Person(one), Any::Pet(other)) => change!(pets, one, other),
            (Any::Person(one), Any::Visit(other)) => change!(visits, one, other),
            (Any::Twig(one), Any::Twig(other)) => change!(twigs, one, other),
            _ => return Ok(()),
        };
        let points = self.points_at(child, owner);
        match (together, must_point(child_table)) {
            (true, _) => {
                result.map_err(told)?;
                self.touch(child);
                self.world.objects[child].to = To::Object(owner);
            }
            (false, false) => {
                result.map_err(told)?;
                if points {
                    self.touch(child);
                    self.world.objects[child].to = To::Nothing;
                }
            }
            (false, true) if points => {
                let kind = result.err().map(|error| error.kind());
                same("an unlink of what is never NULL", &kind, &Some(ErrorKind::Misuse))?;
            }
            (false, true) => drop(result),
        }
        Ok(())
    }

    fn points_at(&self, child: usize, owner: usize) -> bool {
        // By its key nobody finds one that has no row yet.
        let object = &self.world.objects[owner];
        let key = &object.key.clone().filter(|_| object.state != State::New);
        match &self.world.objects[child].to {
            To::Nothing => false,
            To::Object(to) => match self.world.objects[*to].state {
                // Its row may be another object's.
                State::Deleted | State::Forgotten => key.is_some() && self.world.objects[*to].key == *key,
                State::Detached => false,
                _ => *to == owner,
            },
            To::Key(to) => key.as_ref() == Some(to),
        }
    }

    async fn link_clubs(&mut self) -> Checked {
        let (Some(person), Some(club)) = (self.any_alive(PERSON), self.any_alive(CLUB)) else { return Ok(()) };
        let (together, turned) = (!self.dice.one_in(3), self.dice.one_in(2));
        let (Any::Person(p), Any::Club(c)) = (self.world.objects[person].handle, self.world.objects[club].handle)
        else {
            return Ok(());
        };
        self.say(format!("{} {person} and {club}, turned: {turned}", if together { "link" } else { "unlink" }));
        let session = &mut self.session;
        match (together, turned) {
            (true, false) => session.link(p, |p| p.clubs(), c).await,
            (true, true) => session.link(c, |c| c.members(), p).await,
            (false, false) => session.unlink(p, |p| p.clubs(), c).await,
            (false, true) => session.unlink(c, |c| c.members(), p).await,
        }
        .map_err(told)?;
        self.world.pending.insert((person, club), together);
        Ok(())
    }

    /// Exactly these, from either side.
    async fn set(&mut self) -> Checked {
        let all =
            [Relation::Children, Relation::People, Relation::Pets, Relation::Clubs, Relation::Members, Relation::Twigs];
        let relation = *self.dice.any(&all).unwrap();
        let (owners, others) = match relation {
            Relation::Clubs => (PERSON, CLUB),
            Relation::Members => (CLUB, PERSON),
            _ => (parent(relation.children().unwrap()).unwrap(), relation.children().unwrap()),
        };
        let Some(owner) = self.any_alive(owners).filter(|at| !self.world.objects[*at].is_open()) else { return Ok(()) };
        let mut wanted = Vec::new();
        for at in self.alive(others) {
            if !self.world.objects[at].is_open() && self.dice.one_in(2) {
                wanted.push(at);
            }
        }
        // Who belongs to it is known to both before.
        self.compare_related(owner, relation).await?;
        self.say(format!("set {relation:?} of {owner}: {wanted:?}"));
        let handles: Vec<Any> = wanted.iter().map(|at| self.world.objects[*at].handle).collect();
        let session = &mut self.session;
        macro_rules! set {
            ($owner:expr, $relation:ident, $any:path) => {{
                let these: Vec<_> = handles
                    .iter()
                    .filter_map(|any| if let $any(handle) = any { Some(*handle) } else { None })
                    .collect();
                session.set($owner, |o| o.$relation(), these).await
            }};
        }
        let result = match (self.world.objects[owner].handle, relation) {
            (Any::Region(h), Relation::Children) => set!(h, children, Any::Region),
            (Any::Region(h), _) => set!(h, people, Any::Person),
            (Any::Person(h), Relation::Pets) => set!(h, pets, Any::Pet),
            (Any::Person(h), _) => set!(h, clubs, Any::Club),
            (Any::Club(h), _) => set!(h, members, Any::Person),
            (Any::Twig(h), _) => set!(h, twigs, Any::Twig),
            _ => return Ok(()),
        };
        if let Relation::Clubs | Relation::Members = relation {
            result.map_err(told)?;
            let pair = |other: usize| if owners == PERSON { (owner, other) } else { (other, owner) };
            let key = self.world.objects[owner].key.clone();
            for at in self.alive(others) {
                let (person, club) = pair(at);
                let keys = (self.world.key_of(person), self.world.key_of(club));
                let now = self.world.pending.get(&pair(at)).copied();
                let had = now.unwrap_or(key.is_some() && self.world.rows.links.contains(&keys));
                if had != wanted.contains(&at) {
                    self.world.pending.insert(pair(at), !had);
                }
            }
            return Ok(());
        }
        let had: Vec<usize> = self
            .alive(others)
            .into_iter()
            .filter(|at| !self.world.objects[*at].is_open() && self.points_at(*at, owner))
            .collect();
        if must_point(others) && had.iter().any(|at| !wanted.contains(at)) {
            let kind = result.err().map(|error| error.kind());
            return same("a set that leaves out what is never NULL", &kind, &Some(ErrorKind::Misuse));
        }
        result.map_err(told)?;
        for at in &had {
            if !wanted.contains(at) {
                self.touch(*at);
                self.world.objects[*at].to = To::Nothing;
            }
        }
        for at in wanted.into_iter().filter(|at| !had.contains(at)) {
            self.touch(at);
            self.world.objects[at].to = To::Object(owner);
        }
        Ok(())
    }

    fn delete(&mut self) -> Checked {
        let table = self.dice.below(TABLES);
        // One that new or changed objects point at or are linked with, as often as any.
        let waiting: Vec<usize> = self
            .world
            .pending
            .keys()
            .map(|(person, club)| if table == CLUB { *club } else { *person })
            .chain(self.world.objects.iter().filter(|o| o.state == State::New).filter_map(|o| match o.to {
                To::Object(to) => Some(to),
                _ => None,
            }))
            .filter(|at| self.world.objects[*at].table == table && self.world.objects[*at].is_alive())
            .collect();
        let any = if self.dice.one_in(2) { self.dice.any(&waiting).copied() } else { None };
        let Some(at) = any.or_else(|| self.any_alive(table)) else { return Ok(()) };
        self.doom(at);
        // And some of those that point at it, or at those, without what is between them.
        if self.dice.one_in(2) {
            let mut owners = vec![at];
            // Regions may go round in a circle.
            for _ in 0..10 {
                let Some(owner) = owners.pop() else { break };
                for child in 0..self.world.objects.len() {
                    let one = &self.world.objects[child];
                    let of = one.is_alive() && parent(one.table) == Some(self.world.objects[owner].table);
                    let to = self.world.aimed(&one.to);
                    if of && child != owner && (one.to == To::Object(owner) || to == self.world.objects[owner].key) {
                        if self.dice.one_in(2) {
                            self.doom(child);
                        }
                        if one_below(self.world.objects[child].table) {
                            owners.push(child);
                        }
                        if self.dice.one_in(4) {
                            self.forget(child)?;
                        }
                    }
                }
            }
        }
        Ok(())
    }

    fn doom(&mut self, at: usize) {
        let (table, key) = (self.world.objects[at].table, self.world.objects[at].key.clone().map(To::Key));
        let meant = |o: &Object| {
            matches!(o.state, State::New | State::Changed)
                && parent(o.table) == Some(table)
                && Some(&o.to) == key.as_ref()
        };
        if self.world.objects.iter().any(meant) {
            return;
        }
        self.say(format!("delete {at}"));
        on!(self.world.objects[at].handle, h => self.session.delete(h));
        let object = &mut self.world.objects[at];
        object.dropped = object.state == State::New;
        object.state = if object.dropped { State::Detached } else { State::Doomed };
    }

    /// A unique value goes from one that is deleted to a new one, and what belonged to it is changed or goes along.
    fn hand_on(&mut self) -> Checked {
        let Some(old) = self.any_alive(PERSON).filter(|at| self.world.objects[*at].state == State::Clean) else {
            return Ok(());
        };
        let object = self.world.objects[old].clone();
        if object.is_open() || object.base.to.is_none() {
            return Ok(());
        }
        let to = object.base.to.clone().map_or(To::Nothing, To::Key);
        let home = to.clone();
        let Aim::Key(key) = self.aim(&home) else { return Ok(()) };
        if self.world.holder(REGION, &key).is_some_and(|at| self.world.objects[at].state == State::Doomed) {
            return Ok(());
        }
        let new = self.world.objects.len();
        self.put(PERSON, 1, object.text.clone(), to);
        for child in self.alive(VISIT).into_iter().chain(self.alive(PET)) {
            let one = &self.world.objects[child];
            let of = one.to == To::Object(old) || self.world.aimed(&one.to) == object.key;
            if !of || one.state == State::New || one.is_open() {
                continue;
            }
            let handle = one.handle;
            match self.dice.below(3) {
                0 => {
                    self.say(format!("{child}.x = 7"));
                    self.touch(child);
                    on!(handle, h => self.session[h].set_x(7));
                    self.world.objects[child].x = 7;
                }
                1 => {
                    self.say(format!("{child}.to = Object({new})"));
                    self.touch(child);
                    let aim = self.aim(&To::Object(new));
                    on!(handle, h => self.session[h].point(aim));
                    self.world.objects[child].to = To::Object(new);
                }
                _ => {}
            }
        }
        self.doom(old);
        Ok(())
    }

    /// A unique value goes to a new one from one that goes with another, which is deleted.
    async fn hand_on_from_below(&mut self) -> Checked {
        let table = if self.dice.one_in(3) { PERSON } else { TWIG };
        let Some(holder) = self.any_alive(table) else { return Ok(()) };
        self.say("flush".into());
        self.flush(By::Flush).await?;
        if self.world.broken || self.world.objects[holder].state != State::Clean {
            return Ok(());
        }
        let mut top = holder;
        while let Some(above) = self.above(top) {
            top = above;
            if self.dice.one_in(2) {
                break;
            }
        }
        let elsewhere = self.alive(REGION).into_iter().find(|at| *at != top && !self.world.objects[*at].is_open());
        let to = match (table, elsewhere) {
            (TWIG, _) => To::Nothing,
            (_, Some(home)) => To::Object(home),
            _ => return Ok(()),
        };
        if top == holder {
            return Ok(());
        }
        self.doom(top);
        let text = self.world.objects[holder].text.clone();
        self.put(table, 1, text, to);
        if self.dice.one_in(2) {
            return Ok(());
        }
        self.say("flush".into());
        self.flush(By::Flush).await
    }

    /// The row that an object's foreign key points at, where it is another object that nothing was changed of.
    fn above(&self, at: usize) -> Option<usize> {
        let object = &self.world.objects[at];
        let above = self.world.holder(parent(object.table)?, &self.world.aimed(&object.to)?)?;
        (above != at && self.world.objects[above].state == State::Clean).then_some(above)
    }

    /// A row is deleted, and one that goes with it over another, which the session does not have.
    async fn delete_around(&mut self) -> Checked {
        self.say("flush".into());
        self.flush(By::Flush).await?;
        let chain = |leaf: usize| {
            let middle = self.above(leaf)?;
            Some((leaf, middle, self.above(middle).filter(|top| *top != leaf)?))
        };
        let chains: Vec<_> = self.alive(TWIG).into_iter().filter_map(chain).collect();
        let Some((leaf, middle, top)) = self.dice.any(&chains).copied() else { return Ok(()) };
        if self.world.broken {
            return Ok(());
        }
        self.forget(middle)?;
        self.doom(top);
        self.doom(leaf);
        self.say("flush".into());
        self.flush(By::Flush).await
    }

    /// Any object that nothing waits for.
    fn forget_any(&mut self) -> Checked {
        let table = self.dice.below(TABLES);
        self.any_alive(table).map_or(Ok(()), |at| self.forget(at))
    }

    /// An object, where nothing waits for it.
    fn forget(&mut self, at: usize) -> Checked {
        if self.world.objects[at].state != State::Clean {
            return Ok(());
        }
        let waits = |o: &Object| matches!(o.state, State::New | State::Changed) && o.to == To::Object(at);
        if self.world.objects.iter().any(waits) || self.world.pending.keys().any(|(p, c)| *p == at || *c == at) {
            return Ok(());
        }
        self.say(format!("forget {at}"));
        on!(self.world.objects[at].handle, h => self.session.forget(h).map(drop)).map_err(told)?;
        self.world.objects[at].state = State::Forgotten;
        Ok(())
    }

    async fn rollback_to(&mut self) -> Checked {
        let at = self.dice.below(self.savepoints.len());
        self.say(format!("rollback_to {at}"));
        self.session.rollback_to(self.savepoints[at]).await.map_err(told)?;
        let (_, past) = self.world.saves[at].clone();
        self.savepoints.truncate(at);
        self.world.saves.truncate(at);
        self.world.undo(&past);
        self.compare_objects()?;
        self.compare_rows().await
    }

    /// Another connection changes or deletes a row, while the session has no transaction and nothing to write.
    async fn somebody_else(&mut self) -> Checked {
        if self.world.begun.is_some() || self.world.has_pending() {
            return Ok(());
        }
        let clean: Vec<usize> = (0..self.world.objects.len())
            .filter(|at| self.world.objects[*at].state == State::Clean && !self.world.objects[*at].is_open())
            .collect();
        let Some(at) = self.dice.any(&clean).copied() else { return Ok(()) };
        let object = self.world.objects[at].clone();
        let (table, key) = (object.table, object.key.clone().unwrap());
        let name = NAMES[table];
        let own = match &key {
            Key::Text(code) => format!("code = '{code}'"),
            Key::Int(id) => format!("id = {id}"),
        };
        if self.dice.one_in(3) {
            let x = object.base.x + 10;
            self.outside.execute(&format!("UPDATE {name} SET x = {x} WHERE {own}")).await.map_err(told)?;
            self.world.rows.of.get_mut(&(table, key.clone())).unwrap().x = x;
            self.say(format!("somebody else sets x of {at} to {x}"));
            return match self.dice.below(3) {
                0 => self.refresh(at).await,
                1 => self.read_again().await,
                _ => Ok(()),
            };
        }
        self.outside.execute(&format!("DELETE FROM {name} WHERE {own}")).await.map_err(told)?;
        self.world.rows.delete(table, &key);
        self.say(format!("somebody else deletes {at}"));
        let child = (0..TABLES).filter(|child| parent(*child) == Some(table)).max();
        match (self.dice.below(4), child) {
            (0, _) => {
                self.say(format!("{at}.x += 1"));
                self.touch(at);
                self.world.objects[at].x += 1;
                on!(object.handle, h => self.session[h].set_x(object.x + 1));
            }
            (1, _) => {
                self.say(format!("delete {at}"));
                self.world.objects[at].state = State::Doomed;
                on!(object.handle, h => self.session.delete(h));
            }
            // SQLite could give the key to the row that points at it.
            (2, Some(child)) if child != table => {
                let to = if self.dice.one_in(2) { To::Object(at) } else { To::Key(key) };
                self.put(child, 0, if is_unique(child) { "t9".to_owned() } else { String::new() }, to);
            }
            _ => return self.read_again().await,
        }
        self.say("flush".into());
        self.flush(By::Flush).await?;
        same("whether the flush failed", &self.world.broken, &true)?;
        self.say("rollback".into());
        self.rollback().await?;
        self.read_again().await
    }

    /// No connection of the pool is one that was cut.
    async fn mend(&self) -> Checked {
        loop {
            let mut open = Vec::new();
            for _ in 0..CONNECTIONS {
                let begun = async {
                    let transaction = self.test.db.begin().await?;
                    sql!("SELECT 1").one::<i64>(&transaction).await?;
                    Ok::<_, Error>(transaction)
                };
                match begun.await {
                    Ok(transaction) => open.push(transaction),
                    Err(error) if error.kind() == ErrorKind::ConnectionLost => {}
                    Err(error) => return Err(told(error)),
                }
            }
            let whole = open.len() == CONNECTIONS;
            for transaction in open {
                transaction.rollback().await.map_err(told)?;
            }
            if whole {
                return Ok(());
            }
        }
    }

    /// A flush or a commit that nobody waits for, or whose connection is cut.
    async fn broken_off(&mut self) -> Checked {
        if self.test.is(Backend::Sqlite) {
            // Its statements run to their end inside one poll, and it has no connection to cut.
            return Ok(());
        }
        let commits = self.dice.one_in(2);
        let verdict = self.world.plan();
        let should = (verdict.refused.is_empty() && verdict.fails.is_empty()).then(|| verdict.after.clone());
        let cut = self.dice.one_in(2);
        let polls = 1 + self.dice.below(10);
        self.say(format!(
            "a {} that is {}",
            if commits { "commit" } else { "flush" },
            if cut { "cut".to_owned() } else { format!("left after {polls} polls") }
        ));
        if cut {
            self.outside.kill_others().await.map_err(told)?;
        }
        let done = match (commits, cut) {
            (true, true) => Some(self.session.commit().await),
            (false, true) => Some(self.session.flush().await),
            (true, false) => poll_and_leave(self.session.commit(), polls, Duration::ZERO).await,
            (false, false) => poll_and_leave(self.session.flush(), polls, Duration::ZERO).await,
        };
        let lost = [ErrorKind::ConnectionLost, ErrorKind::CommitUnknown];
        let unknown = match done {
            // It was not sent, or was done before.
            Some(Ok(())) if !cut => {
                self.judge(verdict, Ok(()))?;
                if commits {
                    self.world.commit();
                    self.savepoints.clear();
                }
                return Ok(());
            }
            Some(Err(error)) if !lost.contains(&error.kind()) => {
                self.judge(verdict, Err(error))?;
                if !self.world.broken && !cut {
                    return Ok(());
                }
                false
            }
            Some(Err(error)) => error.kind() == ErrorKind::CommitUnknown,
            Some(Ok(())) => commits,
            None => commits,
        };
        let before = self.world.begun.as_ref().map_or(&self.world.rows, |past| &past.rows).clone();
        self.session.rollback().await.map_err(told)?;
        self.world.rollback();
        self.savepoints.clear();
        // What was on its way has arrived, or never will.
        self.outside.kill_others().await.map_err(told)?;
        self.mend().await?;
        let rows = rows_of(&self.outside.db).await?;
        if !unknown {
            same("the rows after what was broken off", &rows, &before)?;
            return self.compare_objects();
        }
        if rows != before {
            // New rows have keys now.
            let texts = |rows: &Rows| {
                let mut texts: Vec<_> = rows.of.iter().map(|((t, _), row)| (*t, row.x, row.text.clone())).collect();
                texts.sort();
                texts
            };
            same("the rows after a commit that was broken off", &Some(texts(&rows)), &should.as_ref().map(texts))?;
        }
        // Every object that has a row says what the row does, once it is read.
        self.world.rows = rows;
        for at in 0..self.world.objects.len() {
            let handle = self.world.objects[at].handle;
            if self.world.objects[at].state == State::Forgotten
                || on!(handle, h => self.session.state(h)) != ObjectState::Clean
            {
                continue;
            }
            let key = on!(handle, h => self.session[h].seen().key);
            let place = (self.world.objects[at].table, key);
            // What somebody else wrote before, the session was not told.
            if before.of.get(&place) != Some(&self.world.objects[at].base) {
                continue;
            }
            let found = of!(place.0, Target, any => {
                self.session.find::<Target>(<Target as Thing>::key_of(&place.1)).await.map_err(told)?.map(any)
            });
            let row = self.world.rows.of.get(&place);
            same(&format!("{handle:?} after a commit that was broken off"), &found, &row.map(|_| handle))?;
            if let Some(row) = row {
                let seen = on!(handle, h => self.session[h].seen());
                let is = Row { x: seen.x, text: seen.text, to: seen.to };
                same(&format!("{handle:?} after a commit that was broken off"), &is, row)?;
            }
        }
        let rows = self.world.rows.clone();
        self.world = World { rows, ..World::default() };
        self.start_again().await
    }
}

const STEPS: usize = 50;

/// Those of the session's database.
const CONNECTIONS: usize = 2;

/// How a sequence failed: at which step, why, and what was done until then.
struct Failed {
    step: usize,
    why: String,
    said: Vec<String>,
}

async fn sequence(test: &Fixture, outside: &Fixture, seed: u64, skipped: &BTreeSet<usize>) -> Result<(), Failed> {
    for table in ["so_clubs_so_people", "so_visits", "so_pets", "so_people", "so_regions", "so_clubs", "so_twigs"] {
        if let Err(error) = outside.execute(&format!("DELETE FROM {table}")).await {
            return Err(Failed { step: 0, why: told(error), said: Vec::new() });
        }
    }
    let mut session = test.db.session();
    session.autoflush(false);
    let mut run = Run {
        test,
        outside,
        session,
        savepoints: Vec::new(),
        world: World::default(),
        dice: Dice::of(seed),
        thorough: seed % 2 == 1,
        said: Vec::new(),
    };
    // Every second one begins with rows that the session has not read.
    let rows = if seed % 4 < 2 { 0 } else { 15 };
    for step in 0..=STEPS {
        if skipped.contains(&step) {
            continue;
        }
        // Each has its own: without one of them the others are much the same.
        run.dice = Dice::of(seed.wrapping_mul(1_000).wrapping_add(step as u64));
        let checked = match step {
            STEPS => end(&mut run).await,
            _ if step < rows => run.add(),
            _ if step == rows && rows > 0 => begin(&mut run).await,
            _ => one_step(&mut run).await,
        };
        if let Err(why) = checked {
            return Err(Failed { step, why, said: run.said });
        }
    }
    Ok(())
}

async fn one_step(run: &mut Run<'_>) -> Checked {
    run.step().await?;
    run.compare_objects()?;
    if run.thorough { run.compare_relations().await } else { Ok(()) }
}

/// Everything is written, and another session begins with nothing read.
async fn begin(run: &mut Run<'_>) -> Checked {
    run.say("commit".into());
    run.flush(By::Commit).await?;
    run.say("another session".into());
    run.start_again().await
}

/// Everything is written, and another session sees the same.
async fn end(run: &mut Run<'_>) -> Checked {
    if run.world.broken {
        run.rollback().await?;
    }
    run.say("commit".into());
    run.flush(By::Commit).await?;
    if run.world.broken {
        run.rollback().await?;
    }
    run.compare_relations().await?;
    run.start_again().await?;
    for table in 0..TABLES {
        run.all(table).await?;
    }
    run.compare_objects()?;
    run.compare_relations().await
}

/// The fewest steps that still fail, as far as they are found by leaving them out one after the other.
async fn shrunk(test: &Fixture, outside: &Fixture, seed: u64, mut failed: Failed) -> Failed {
    let mut skipped: BTreeSet<usize> = (failed.step + 1..STEPS + 1).collect();
    for step in (0..failed.step).rev() {
        skipped.insert(step);
        match sequence(test, outside, seed, &skipped).await {
            Err(fewer) => failed = fewer,
            Ok(()) => {
                skipped.remove(&step);
            }
        }
    }
    failed
}

conformance! {
    async fn a_session_is_what_a_plain_model_of_it_is(test: &Fixture) {
        let test = &test.with_connections(CONNECTIONS).await?;
        test.db.create(models![Region, Person, Pet, Visit, Club, Twig]).await?;
        let outside = &test.beside(1).await?;
        let first = number("CORMORANT_TEST_SEED", 1);
        for seed in first..first + number("CORMORANT_TEST_ROUNDS", 200) {
            if let Err(failed) = sequence(test, outside, seed, &BTreeSet::new()).await {
                let Failed { why, said, .. } = shrunk(test, outside, seed, failed).await;
                panic!("seed {seed}: {why}\n{}", said.join("\n"));
            }
            test.statements();
            outside.statements();
        }
    }
}

fn region(code: &str) -> Region {
    let (children, people) = Default::default();
    Region { code: code.into(), x: 0, parent: None, children, people }
}

fn person(email: &str, home: impl Into<ForeignKey<Region>>) -> Person {
    let (pets, visits, clubs) = Default::default();
    Person { id: 0, x: 0, email: email.into(), home: home.into(), pets, visits, clubs }
}

fn club(name: &str) -> Club {
    Club { id: 0, x: 0, name: name.into(), members: ManyToMany::default() }
}

async fn begun(test: &Fixture) -> cormorant::Result<Session> {
    test.db.create(models![Region, Person, Pet, Visit, Club, Twig]).await?;
    Ok(test.db.session())
}

// What the model above has found.
conformance! {
    async fn unlinking_what_belongs_elsewhere_changes_nothing(test: &Fixture) {
        let mut session = begun(test).await?;
        let home = session.add(region("r"));
        let (ann, bob) = (session.add(person("a", home)), session.add(person("b", home)));
        let pet = session.add(Pet { id: 0, x: 0, owner: Some(ann.into()) });
        session.unlink(bob, |p| p.pets(), pet).await?;
        assert_eq!(session.related(pet, |p| p.owner()).await?, [ann]);
        session.commit().await?;
        assert_eq!(Pet::filter(|p| p.owner().is_null()).count(&test.db).await?, 0);
    }

    async fn an_unlink_that_is_refused_leaves_the_object_as_it_was(test: &Fixture) {
        let mut session = begun(test).await?;
        let home = session.add(region("r"));
        let ann = session.add(person("a", home));
        session.commit().await?;
        let error = session.unlink(home, |r| r.people(), ann).await.unwrap_err();
        assert_eq!(error.kind(), ErrorKind::Misuse);
        assert_eq!(session.state(ann), ObjectState::Clean);
    }

    async fn what_was_changed_is_written_after_another_was_refused(test: &Fixture) {
        let mut session = begun(test).await?;
        let clubs = [session.add(club("a")), session.add(club("b")), session.add(club("c"))];
        session.commit().await?;
        for club in clubs {
            session[club].x = 7;
        }
        session[clubs[1]].name = "longer than it may be".into();
        assert!(session.flush().await.unwrap_err().is_validation());
        session[clubs[1]].name = "b".into();
        session.commit().await?;
        assert_eq!(Club::filter(|c| c.x().eq(7)).count(&test.db).await?, 3);
    }

    async fn an_object_that_is_refreshed_is_changed_again(test: &Fixture) {
        let mut session = begun(test).await?;
        let club = session.add(club("a"));
        session.commit().await?;
        session[club].x = 1;
        session.refresh(club).await?;
        session[club].x = 2;
        session.commit().await?;
        assert_eq!(Club::query().one(&test.db).await?.x, 2);
    }

    async fn a_place_that_was_given_up_is_another_objects(test: &Fixture) {
        let mut session = begun(test).await?;
        let first = session.add(club("a"));
        session.delete(first);
        session.forget(first)?;
        session.add(club("b"));
        session.commit().await?;
        assert_eq!(test.rows_in("so_clubs").await?, 1, "inserted once");
        let mut other = test.db.session();
        let found = other.all(Club::query()).await?;
        other[found[0]].x = 1;
        other.detach(found[0])?;
        let found = other.all(Club::query()).await?;
        other[found[0]].x = 2;
        other.commit().await?;
        other.delete(found[0]);
        other.detach(found[0])?;
        let found = other.all(Club::query()).await?;
        other.delete(found[0]);
        other.commit().await?;
        assert_eq!(test.rows_in("so_clubs").await?, 0);
    }

    async fn forgetting_leaves_the_others_as_they_are(test: &Fixture) {
        let mut session = begun(test).await?;
        let home = session.add(region("r"));
        let ann = session.add(person("a", home));
        let chess = session.add(club("c"));
        session.link(ann, |p| p.clubs(), chess).await?;
        session.commit().await?;
        session.forget(chess)?;
        assert_eq!(session.related(ann, |p| p.clubs()).await?.len(), 1, "the row is there still");
        assert_eq!(session.related(home, |r| r.people()).await?, [ann]);
        session.forget(ann)?;
        let found = session.related(home, |r| r.people()).await?;
        assert_eq!(found.len(), 1);
        session.forget(home)?;
        session[found[0]].x = 5;
        session.commit().await?;
        let home = session.related(found[0], |p| p.home()).await?;
        assert_eq!(session[home[0]].code, "r");
        assert_eq!(session.related(home[0], |r| r.people()).await?, found);
    }

    async fn an_object_that_points_at_a_forgotten_one_is_written(test: &Fixture) {
        let mut session = begun(test).await?;
        let home = session.add(region("r"));
        let ann = session.add(person("a", home));
        session.commit().await?;
        session.forget(home)?;
        session[ann].x = 5;
        session.commit().await?;
        assert_eq!(Person::query().one(&test.db).await?.x, 5);
    }

    async fn forgetting_keeps_what_a_savepoint_takes_back(test: &Fixture) {
        let mut session = begun(test).await?;
        let chess = session.add(club("c"));
        let savepoint = session.savepoint().await?;
        let late = session.add(club("d"));
        session.flush().await?;
        session.forget(chess)?;
        session.rollback_to(savepoint).await?;
        assert_eq!(session.state(late), ObjectState::Detached);
        session.commit().await?;
        assert_eq!(test.rows_in("so_clubs").await?, 1);
    }

    async fn a_child_is_changed_and_its_parent_deleted_together(test: &Fixture) {
        let mut session = begun(test).await?;
        let home = session.add(region("r"));
        let ann = session.add(person("a", home));
        session.commit().await?;
        session[ann].x = 5;
        session.delete(home);
        session.commit().await?;
        assert_eq!((session.state(ann), test.rows_in("so_people").await?), (ObjectState::Deleted, 0));
    }

    async fn what_was_read_in_a_transaction_that_was_rolled_back_is_read_again(test: &Fixture) {
        let mut session = begun(test).await?;
        let home = session.add(region("r"));
        let ann = session.add(person("a", home));
        session.add(Pet { id: 0, x: 0, owner: Some(ann.into()) });
        session.commit().await?;
        let mut other = test.db.session();
        let ann = other.one(Person::query()).await?;
        other.delete(ann);
        let pet = other.one(Pet::query()).await?;
        assert_eq!(other[pet].owner, None);
        other.rollback().await?;
        assert_eq!(other.related(ann, |p| p.pets()).await?, [pet]);
        assert_eq!(other.one(Pet::query()).await?, pet);
        assert_eq!(other[pet].owner.as_ref().and_then(ForeignKey::key), Some(&other[ann].id));
        other.update_all(Pet::query(), |p| p.x().set(9)).await?;
        other.all(Pet::query()).await?;
        assert_eq!(other[pet].x, 9);
        other.rollback().await?;
        other.all(Pet::query()).await?;
        assert_eq!(other[pet].x, 0);
    }

    // SQLite's runs to its end inside one poll.
    async fn what_a_commit_wrote_that_nobody_waited_for_is_read_again(test: &Fixture) {
        let mut session = begun(test).await?;
        let chess = session.add(club("c"));
        session.commit().await?;
        let key = session[chess].id;
        let outside = test.beside(1).await?;
        for polls in 1..20 {
            session[chess].x = polls as i64;
            match poll_and_leave(session.commit(), polls, Duration::from_millis(2)).await {
                Some(done) => done?,
                None => session.rollback().await?,
            }
            if test.is(Backend::Sqlite) {
                continue;
            }
            outside.settle().await?;
            assert_eq!(session.get::<Club>(key).await?, chess);
            assert_eq!(session[chess].x, Club::query().one(&outside.db).await?.x, "after {polls} polls");
        }
    }

    async fn an_owner_that_comes_behind_its_objects_has_them(test: &Fixture) {
        let mut session = begun(test).await?;
        let home = session.add(region("r"));
        let (ann, bob) = (session.add(person("a", home)), session.add(person("b", home)));
        session.add(Pet { id: 0, x: 0, owner: Some(ann.into()) });
        session.commit().await?;
        let (first, second) = (session[ann].id, session[bob].id);
        let mut other = test.db.session();
        let bob = other.get::<Person>(second).await?;
        assert_eq!(other.related(bob, |p| p.pets()).await?, []);
        let pets = other.all(Pet::query()).await?;
        assert_eq!(other.related(bob, |p| p.pets()).await?, []);
        let ann = other.get::<Person>(first).await?;
        assert_eq!(other.related(ann, |p| p.pets()).await?, pets);
    }

    async fn a_row_that_is_taken_over_keeps_its_relations(test: &Fixture) {
        let mut session = begun(test).await?;
        let old = session.add(region("r"));
        session[old].parent = Some(ForeignKey::to("r".into()));
        let ann = session.add(person("a", old));
        session.commit().await?;
        assert_eq!(session.related(old, |r| r.people()).await?, [ann]);
        session.delete(old);
        let new = session.add(Region { x: 1, parent: Some(ForeignKey::to("r".into())), ..region("r") });
        session.commit().await?;
        assert_eq!(session.related(ann, |p| p.home()).await?, [new]);
        assert_eq!(session.related(new, |r| r.people()).await?, [ann]);
        session[ann].x = 3;
        session.commit().await?;
        assert_eq!(Region::filter(|r| r.parent().is_null()).count(&test.db).await?, 0);
    }

    // SQLite gives the key again.
    async fn a_new_row_with_the_key_of_a_deleted_one_is_not_taken_for_it(test: &Fixture) {
        let mut session = begun(test).await?;
        let home = session.add(region("r"));
        let old = session.add(person("a", home));
        session.commit().await?;
        session.delete(old);
        let new = session.add(person("a", home));
        let visit = session.add(Visit { id: 0, x: 0, person: new.into() });
        session.commit().await?;
        assert_eq!((session.state(visit), test.rows_in("so_visits").await?), (ObjectState::Clean, 1));
        assert_eq!(session.related(new, |p| p.visits()).await?, [visit]);
    }

    async fn what_is_deleted_with_its_grandparent_is_deleted_first(test: &Fixture) {
        let mut session = begun(test).await?;
        // Whatever order the session has met the tables in.
        session.all(Visit::query()).await?;
        let home = session.add(region("r"));
        let ann = session.add(person("a", home));
        let visit = session.add(Visit { id: 0, x: 0, person: ann.into() });
        session.commit().await?;
        session.delete(home);
        session.delete(visit);
        session.commit().await?;
        assert_eq!((test.rows_in("so_people").await?, session.state(ann)), (0, ObjectState::Deleted));
    }

    async fn a_child_is_changed_whose_parent_hands_a_unique_value_on(test: &Fixture) {
        let mut session = begun(test).await?;
        let home = session.add(region("r"));
        let old = session.add(person("a", home));
        let visit = session.add(Visit { id: 0, x: 0, person: old.into() });
        session.commit().await?;
        session.delete(old);
        session[visit].x = 1;
        session.add(person("a", home));
        session.commit().await?;
        assert_eq!((session.state(visit), test.rows_in("so_people").await?), (ObjectState::Deleted, 1));
    }

    async fn a_row_is_taken_over_once(test: &Fixture) {
        let mut session = begun(test).await?;
        let old = session.add(region("r"));
        session.commit().await?;
        session.delete(old);
        session.add(region("r"));
        session.add(region("r"));
        assert!(session.flush().await.unwrap_err().is_unique());
    }

    async fn a_link_that_was_taken_away_and_put_back_is_written(test: &Fixture) {
        let mut session = begun(test).await?;
        let home = session.add(region("r"));
        let (ann, chess) = (session.add(person("a", home)), session.add(club("c")));
        session.unlink(ann, |p| p.clubs(), chess).await?;
        session.link(chess, |c| c.members(), ann).await?;
        session.commit().await?;
        assert_eq!(test.rows_in("so_clubs_so_people").await?, 1);
    }

    async fn an_object_to_delete_that_has_expired_is_not_found(test: &Fixture) {
        let mut session = begun(test).await?;
        let home = session.add(region("r"));
        session.commit().await?;
        session.expire_all();
        session.autoflush(false);
        session.delete(home);
        assert_eq!(session.find::<Region>("r").await?, None);
    }

    async fn what_was_written_after_it_had_expired_is_listed(test: &Fixture) {
        let mut session = begun(test).await?;
        let home = session.add(region("r"));
        let ann = session.add(person("a", home));
        session.commit().await?;
        session.expire_all();
        let new = session.add(region("s"));
        session[ann].home = new.into();
        assert_eq!(session.related(new, |r| r.people()).await?, [ann]);
        session.commit().await?;
        assert_eq!(session.related(new, |r| r.people()).await?, [ann]);
    }

    async fn a_child_of_another_that_somebody_took_away_is_not_listed(test: &Fixture) {
        let mut session = begun(test).await?;
        let home = session.add(region("r"));
        let (ann, bob) = (session.add(person("a", home)), session.add(person("b", home)));
        let pet = session.add(Pet { id: 0, x: 0, owner: Some(ann.into()) });
        session.commit().await?;
        assert_eq!(session.related(ann, |p| p.pets()).await?, [pet]);
        let second = session[bob].id;
        Pet::query().update(&test.db, |p| p.owner().set(second)).await?;
        session.expire_all();
        assert_eq!(session.related(ann, |p| p.pets()).await?, []);
        assert_eq!(session.related(bob, |p| p.pets()).await?, [pet]);
    }
}
