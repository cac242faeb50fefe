//! Every way of loading gives the same graph: random rows, and each relation of them read by `include`, `load`,
//! `load_all`, the verbs and SQL of the test's own.
//!
//! `CORMORANT_TEST_ROUNDS` says how many rounds there are, and `CORMORANT_TEST_SEED` with which one they begin: the
//! seed is what a round that failed tells.

use std::fmt::Debug;

use cormorant::prelude::*;
use cormorant::{Relation, Result, Sql};
use cormorant_conformance::{Backend, Fixture, conformance};

/// A text for a key, and a tree of its own kind, which here may have cycles.
#[derive(Model, Clone, Debug, PartialEq)]
#[model(table = "gr_regions")]
struct Region {
    #[model(key, max_length = 12)]
    code: String,
    x: i64,
    #[model(on_delete = set_null)]
    parent: Option<ForeignKey<Region>>,
    children: HasMany<Region>,
    #[model(via = home)]
    people: HasMany<Person>,
    #[model(via = away)]
    guests: HasMany<Person>,
    rooms: HasMany<Room>,
}

#[derive(Model, Clone, Debug, PartialEq)]
#[model(table = "gr_people")]
struct Person {
    id: i64,
    x: i64,
    #[model(on_delete = cascade)]
    home: ForeignKey<Region>,
    #[model(on_delete = set_null)]
    away: Option<ForeignKey<Region>>,
    passport: HasOne<Passport>,
    #[model(via = owner)]
    pets: HasMany<Pet>,
    #[model(via = sitter)]
    minded: HasMany<Pet>,
    clubs: ManyToMany<Club>,
}

#[derive(Model, Clone, Debug, PartialEq)]
#[model(table = "gr_passports")]
struct Passport {
    id: i64,
    #[model(on_delete = cascade)]
    person: OneToOne<Person>,
}

#[derive(Model, Clone, Debug, PartialEq)]
#[model(table = "gr_pets")]
struct Pet {
    id: i64,
    x: i64,
    #[model(on_delete = set_null)]
    owner: Option<ForeignKey<Person>>,
    #[model(on_delete = set_null)]
    sitter: Option<ForeignKey<Person>>,
}

#[derive(Model, Clone, Debug, PartialEq)]
#[model(table = "gr_clubs")]
struct Club {
    #[model(key, max_length = 12)]
    name: String,
    x: i64,
    members: ManyToMany<Person>,
    meets: ManyToMany<Room>,
}

/// A key of two columns, the first of which is a foreign key. `label` tells rooms apart in the test's own SQL: as their
/// keys are ordered, so are these.
#[derive(Model, Clone, Debug, PartialEq)]
#[model(table = "gr_rooms")]
struct Room {
    #[model(key, on_delete = cascade)]
    region: ForeignKey<Region>,
    #[model(key)]
    number: i32,
    label: i64,
    x: i64,
    #[model(references(region_id, number), on_delete = set_null)]
    next: Option<ForeignKey<Room>>,
    before: HasMany<Room>,
    beds: HasMany<Bed>,
    users: ManyToMany<Club>,
}

#[derive(Model, Clone, Debug, PartialEq)]
#[model(table = "gr_beds")]
struct Bed {
    id: i64,
    x: i64,
    #[model(references(region_id, number), on_delete = cascade)]
    room: ForeignKey<Room>,
}

/// Keys that a careless comparison takes for each other, or text for syntax.
const TEXTS: [&str; 10] = ["a", "A", "ä", "a ", "", "b c", "'q'", "%_", "z\\z", "é\u{301}"];

/// xorshift64*
pub(crate) struct Dice(u64);

impl Dice {
    pub(crate) fn of(seed: u64) -> Self {
        // Seeds that follow each other begin far apart.
        Self(seed.wrapping_mul(0x9E37_79B9_7F4A_7C15) | 1)
    }

    pub(crate) fn below(&mut self, end: usize) -> usize {
        self.0 ^= self.0 >> 12;
        self.0 ^= self.0 << 25;
        self.0 ^= self.0 >> 27;
        ((self.0.wrapping_mul(0x2545_F491_4F6C_DD1D) >> 33) % end as u64) as usize
    }

    pub(crate) fn one_in(&mut self, n: usize) -> bool {
        self.below(n) == 0
    }

    pub(crate) fn any<'a, T>(&mut self, of: &'a [T]) -> Option<&'a T> {
        if of.is_empty() { None } else { of.get(self.below(of.len())) }
    }

    /// Few values: the key has to decide between rows that are equal by it.
    fn x(&mut self) -> i64 {
        self.below(4) as i64
    }

    /// Some of the texts, in any order.
    fn texts(&mut self, least: usize) -> Vec<&'static str> {
        let mut texts = TEXTS.to_vec();
        for at in (1..texts.len()).rev() {
            texts.swap(at, self.below(at + 1));
        }
        texts.truncate(least + self.below(7));
        texts
    }

    fn some<T>(&mut self, mut of: Vec<T>) -> Vec<T> {
        of.retain(|_| !self.one_in(5));
        of
    }

    fn wish_in_order(&mut self) -> Wish {
        Wish { order: Some((self.one_in(2), self.one_in(2))), ..self.wish() }
    }

    fn wish(&mut self) -> Wish {
        Wish {
            low: if self.one_in(3) { 1 + self.below(2) as i64 } else { 0 },
            order: if self.one_in(4) { None } else { Some((self.one_in(2), self.one_in(2))) },
            limit: match self.below(12) {
                0 => Some(0),
                1..7 => Some(1 + self.below(3) as u64),
                _ => None,
            },
        }
    }
}

/// Which of the related rows, in which order, and how many for each parent.
#[derive(Clone, Copy, Debug)]
struct Wish {
    low: i64,
    /// By `x` and by key, each downwards or upwards.
    order: Option<(bool, bool)>,
    limit: Option<u64>,
}

impl Wish {
    /// Whether the rows of a parent may come in any order.
    fn is_loose(&self) -> bool {
        self.order.is_none() && self.limit.is_none()
    }

    fn x_down(&self) -> bool {
        self.order.is_some_and(|(x, _)| x)
    }

    fn key_down(&self) -> bool {
        self.order.is_some_and(|(_, key)| key)
    }

    /// What `x` is multiplied with in an ORDER BY.
    fn x_by(&self) -> i64 {
        self.order.map_or(0, |(down, _)| if down { -1 } else { 1 })
    }

    /// What a number that is a key is multiplied with.
    fn key_by(&self) -> i64 {
        if self.key_down() { -1 } else { 1 }
    }

    fn most(&self) -> i64 {
        self.limit.map_or(i64::MAX, |limit| limit as i64)
    }
}

fn children_of(wish: &Wish, code: &str) -> Sql {
    if wish.key_down() {
        sql!(
            "SELECT code FROM gr_regions WHERE parent_id = {code} AND x >= {wish.low} \
             ORDER BY x * {wish.x_by()}, code DESC LIMIT {wish.most()}"
        )
    } else {
        sql!(
            "SELECT code FROM gr_regions WHERE parent_id = {code} AND x >= {wish.low} \
             ORDER BY x * {wish.x_by()}, code LIMIT {wish.most()}"
        )
    }
}

fn people_of(wish: &Wish, code: &str) -> Sql {
    sql!(
        "SELECT id FROM gr_people WHERE home_id = {code} AND x >= {wish.low} \
         ORDER BY x * {wish.x_by()}, id * {wish.key_by()} LIMIT {wish.most()}"
    )
}

fn guests_of(wish: &Wish, code: &str) -> Sql {
    sql!(
        "SELECT id FROM gr_people WHERE away_id = {code} AND x >= {wish.low} \
         ORDER BY x * {wish.x_by()}, id * {wish.key_by()} LIMIT {wish.most()}"
    )
}

fn pets_of(wish: &Wish, id: &i64) -> Sql {
    sql!(
        "SELECT id FROM gr_pets WHERE owner_id = {*id} AND x >= {wish.low} \
         ORDER BY x * {wish.x_by()}, id * {wish.key_by()} LIMIT {wish.most()}"
    )
}

fn minded_of(wish: &Wish, id: &i64) -> Sql {
    sql!(
        "SELECT id FROM gr_pets WHERE sitter_id = {*id} AND x >= {wish.low} \
         ORDER BY x * {wish.x_by()}, id * {wish.key_by()} LIMIT {wish.most()}"
    )
}

fn clubs_of(wish: &Wish, id: &i64) -> Sql {
    if wish.key_down() {
        sql!(
            "SELECT c.name FROM gr_clubs c JOIN gr_clubs_gr_people l ON l.club_id = c.name \
             WHERE l.person_id = {*id} AND c.x >= {wish.low} \
             ORDER BY c.x * {wish.x_by()}, c.name DESC LIMIT {wish.most()}"
        )
    } else {
        sql!(
            "SELECT c.name FROM gr_clubs c JOIN gr_clubs_gr_people l ON l.club_id = c.name \
             WHERE l.person_id = {*id} AND c.x >= {wish.low} ORDER BY c.x * {wish.x_by()}, c.name LIMIT {wish.most()}"
        )
    }
}

fn members_of(wish: &Wish, name: &str) -> Sql {
    sql!(
        "SELECT p.id FROM gr_people p JOIN gr_clubs_gr_people l ON l.person_id = p.id \
         WHERE l.club_id = {name} AND p.x >= {wish.low} \
         ORDER BY p.x * {wish.x_by()}, p.id * {wish.key_by()} LIMIT {wish.most()}"
    )
}

fn rooms_of(wish: &Wish, code: &str) -> Sql {
    sql!(
        "SELECT label FROM gr_rooms WHERE region_id = {code} AND x >= {wish.low} \
         ORDER BY x * {wish.x_by()}, label * {wish.key_by()} LIMIT {wish.most()}"
    )
}

fn before_of(wish: &Wish, label: &i64) -> Sql {
    sql!(
        "SELECT b.label FROM gr_rooms b JOIN gr_rooms r ON r.region_id = b.next_region_id AND r.number = b.next_number \
         WHERE r.label = {*label} AND b.x >= {wish.low} \
         ORDER BY b.x * {wish.x_by()}, b.label * {wish.key_by()} LIMIT {wish.most()}"
    )
}

fn beds_of(wish: &Wish, label: &i64) -> Sql {
    sql!(
        "SELECT b.id FROM gr_beds b JOIN gr_rooms r ON r.region_id = b.room_region_id AND r.number = b.room_number \
         WHERE r.label = {*label} AND b.x >= {wish.low} \
         ORDER BY b.x * {wish.x_by()}, b.id * {wish.key_by()} LIMIT {wish.most()}"
    )
}

fn users_of(wish: &Wish, label: &i64) -> Sql {
    if wish.key_down() {
        sql!(
            "SELECT c.name FROM gr_clubs c JOIN gr_clubs_gr_rooms l ON l.club_id = c.name \
             JOIN gr_rooms r ON r.region_id = l.room_region_id AND r.number = l.room_number \
             WHERE r.label = {*label} AND c.x >= {wish.low} \
             ORDER BY c.x * {wish.x_by()}, c.name DESC LIMIT {wish.most()}"
        )
    } else {
        sql!(
            "SELECT c.name FROM gr_clubs c JOIN gr_clubs_gr_rooms l ON l.club_id = c.name \
             JOIN gr_rooms r ON r.region_id = l.room_region_id AND r.number = l.room_number \
             WHERE r.label = {*label} AND c.x >= {wish.low} ORDER BY c.x * {wish.x_by()}, c.name LIMIT {wish.most()}"
        )
    }
}

fn meets_of(wish: &Wish, name: &str) -> Sql {
    sql!(
        "SELECT r.label FROM gr_rooms r \
         JOIN gr_clubs_gr_rooms l ON l.room_region_id = r.region_id AND l.room_number = r.number \
         WHERE l.club_id = {name} AND r.x >= {wish.low} \
         ORDER BY r.x * {wish.x_by()}, r.label * {wish.key_by()} LIMIT {wish.most()}"
    )
}

/// A list for each parent.
type Lists<K> = Vec<Vec<K>>;

/// What `include`, `load` and `load_all` give for the rows of a query.
async fn loaded<P: Model + Clone, I: Relation<P>, K: PartialEq + Debug>(
    db: &Database,
    parents: &Query<P, P>,
    relation: impl Fn(PathOf<P>) -> I,
    read: impl Fn(&P) -> Result<Vec<K>>,
) -> Result<Vec<(&'static str, Lists<K>)>> {
    let lists = |records: &[Record<P>]| records.iter().map(|record| read(record)).collect::<Result<Lists<K>>>();
    let included = parents.clone().include(&relation).all(db).await?;
    let mut one_by_one = parents.clone().all(db).await?;
    for record in &mut one_by_one {
        record.load(db, &relation).await?;
    }
    // The last row stands among them twice, and has to be given its own both times.
    let mut together = parents.clone().all(db).await?;
    together.extend(together.last().cloned());
    load_all(&mut together, db, &relation).await?;
    let mut together = lists(&together)?;
    let twin = together.pop();
    assert_eq!(together.last(), twin.as_ref(), "the same row twice");
    Ok(vec![("include", lists(&included)?), ("load", lists(&one_by_one)?), ("load_all", together)])
}

fn assert_same<K: Ord + Clone + Debug>(
    told: &str,
    loose: bool,
    ways: Vec<(&'static str, Lists<K>)>,
    expected: Lists<K>,
) {
    let in_order = |mut lists: Lists<K>| {
        if loose {
            lists.iter_mut().for_each(|list| list.sort());
        }
        lists
    };
    let expected = in_order(expected);
    for (way, lists) in ways {
        assert_eq!(in_order(lists), expected, "{way} and SQL do not give the same: {told}");
    }
}

/// Related rows as a wish has them, of a path or of a query.
macro_rules! wished {
    ($wish:expr, $rows:expr, $key:ident) => {{
        let wish: Wish = $wish;
        let rows = $rows.filter(|c| c.x().ge(wish.low)).order_by(|c| {
            (
                if wish.x_down() { c.x().desc() } else { c.x().asc() },
                if wish.key_down() { c.$key().desc() } else { c.$key().asc() },
            )
        });
        match wish.limit {
            Some(limit) => rows.limit(limit),
            None => rows,
        }
    }};
}

/// One relation to many, by every way.
macro_rules! many {
    (
        $db:expr, $told:expr, $dice:expr, $parents:expr, $parent:ident.$own:ident,
        $relation:ident.$key:ident, $by_hand:path
    ) => {{
        let (db, parents, wish) = ($db, &$parents, $dice.wish());
        let told = format!("{}, {}.{} {wish:?}", $told, stringify!($parent), stringify!($relation));
        let read = |p: &$parent| Ok(p.$relation.get()?.iter().map(|c| c.$key.clone()).collect::<Vec<_>>());
        let mut ways = match (wish.order, wish.limit) {
            (None, None) => loaded(db, parents, |p| p.$relation().filter(|c| c.x().ge(wish.low)), read).await,
            (None, Some(limit)) => {
                loaded(db, parents, |p| p.$relation().filter(|c| c.x().ge(wish.low)).limit(limit), read).await
            }
            (Some(_), _) => loaded(db, parents, |p| wished!(wish, p.$relation(), $key), read).await,
        }?;
        let (mut verbs, mut by_hand) = (Vec::new(), Vec::new());
        for parent in parents.clone().all(db).await? {
            let query = match wish.order {
                // A query's limit takes any rows, and not those with the lowest keys.
                None => {
                    wished!(Wish { order: None, ..wish }, parent.$relation().query().order_by(|c| c.$key().asc()), $key)
                }
                Some(_) => wished!(wish, parent.$relation().query(), $key),
            };
            verbs.push(query.select(|c| c.$key()).all(db).await?);
            by_hand.push($by_hand(&wish, &parent.$own).all(db).await?);
        }
        ways.push(("the verbs", verbs));
        assert_same(&told, wish.is_loose(), ways, by_hand);
    }};
}

/// One row that each parent has or lacks, by every way: a foreign key, or the other side of one that is unique.
macro_rules! one {
    ($db:expr, $told:expr, $parents:expr, $parent:ident.$relation:ident, $read:expr, $by_hand:expr) => {{
        let (db, parents) = ($db, &$parents);
        let told = format!("{}, {}.{}", $told, stringify!($parent), stringify!($relation));
        let ways = loaded(db, parents, |p| p.$relation(), $read).await?;
        let mut by_hand = Vec::new();
        for parent in parents.clone().all(db).await? {
            let sql: Sql = $by_hand(&parent);
            by_hand.push(sql.all(db).await?);
        }
        assert_same(&told, false, ways, by_hand);
    }};
}

/// Two relations to many, one behind the other: children with the keys of their own children.
macro_rules! deep {
    (
        $db:expr, $told:expr, $dice:expr, $parents:expr, $parent:ident.$own:ident,
        $first:ident.$key:ident: $keys:ty, $by_hand:path, $child:ident, $second:ident.$inner:ident, $by_hand_too:path
    ) => {{
        let (db, parents) = ($db, &$parents);
        let (outer, inner) = ($dice.wish_in_order(), $dice.wish_in_order());
        let told = format!(
            "{}, {}.{}.{} {outer:?} {inner:?}",
            $told,
            stringify!($parent),
            stringify!($first),
            stringify!($second)
        );
        let pair = |c: &Record<$child>| {
            let keys = c.$second.get()?.iter().map(|g| g.$inner.clone()).collect::<Vec<_>>();
            Ok::<_, cormorant::Error>((c.$key.clone(), keys))
        };
        let read = |p: &$parent| p.$first.get()?.iter().map(pair).collect::<Result<Vec<_>>>();
        let relation =
            |p: PathOf<$parent>| wished!(outer, p.$first(), $key).include(|c| wished!(inner, c.$second(), $inner));
        let mut ways = loaded(db, parents, relation, read).await?;
        let (mut verbs, mut steps, mut by_hand) = (Vec::new(), Vec::new(), Vec::new());
        for mut parent in parents.clone().all(db).await? {
            let children = wished!(outer, parent.$first().query(), $key);
            let children = children.include(|c| wished!(inner, c.$second(), $inner)).all(db).await?;
            verbs.push(children.iter().map(pair).collect::<Result<Vec<_>>>()?);
            parent.load(db, |p| wished!(outer, p.$first(), $key)).await?;
            load_all(parent.$first.get_mut()?, db, |c| wished!(inner, c.$second(), $inner)).await?;
            steps.push(read(&parent)?);
            let mut children = Vec::new();
            for child in $by_hand(&outer, &parent.$own).all::<$keys>(db).await? {
                let grandchildren = $by_hand_too(&inner, &child).all(db).await?;
                children.push((child, grandchildren));
            }
            by_hand.push(children);
        }
        ways.push(("the verbs", verbs));
        ways.push(("load and load_all", steps));
        assert_same(&told, false, ways, by_hand);
    }};
}

/// Random rows in place of those that are there.
async fn sow(db: &Database, dice: &mut Dice) -> Result<()> {
    Pet::query().delete(db).await?;
    Room::query().delete(db).await?;
    Region::query().delete(db).await?;
    Club::query().delete(db).await?;
    let regions = dice.texts(1).into_iter().map(|code| Region::builder().code(code).x(dice.x())).collect::<Vec<_>>();
    let mut regions = Region::insert_many(db, regions).await?;
    let codes: Vec<String> = regions.iter().map(|region| region.code.clone()).collect();
    for region in &mut regions {
        if let Some(code) = dice.any(&codes).filter(|_| !dice.one_in(3)) {
            region.parent = Some(ForeignKey::to(code.clone()));
            region.save(db).await?;
        }
    }
    let mut people = Vec::new();
    let count = if dice.one_in(10) { 0 } else { 4 + dice.below(10) };
    for _ in 0..count {
        let home = dice.any(&regions);
        let away = dice.any(&regions).filter(|_| !dice.one_in(3)).map(ForeignKey::from);
        people.extend(home.map(|home| Person::builder().x(dice.x()).home(home).away(away)));
    }
    let people = Person::insert_many(db, people).await?;
    let travellers: Vec<_> = people.iter().filter(|_| dice.one_in(2)).collect();
    Passport::insert_many(db, travellers.into_iter().map(|person| Passport::builder().person(person))).await?;
    let mut pets = Vec::new();
    for _ in 0..dice.below(30) {
        let owner = dice.any(&people).filter(|_| !dice.one_in(5)).map(ForeignKey::from);
        let sitter = dice.any(&people).filter(|_| !dice.one_in(3)).map(ForeignKey::from);
        pets.push(Pet::builder().x(dice.x()).owner(owner).sitter(sitter));
    }
    Pet::insert_many(db, pets).await?;
    let clubs = dice.texts(0).into_iter().map(|name| Club::builder().name(name).x(dice.x())).collect::<Vec<_>>();
    let clubs = Club::insert_many(db, clubs).await?;
    for person in &people {
        person.clubs().add(db, clubs.iter().filter(|_| dice.one_in(2))).await?;
    }
    sow_rooms(db, dice, &regions, &clubs).await
}

async fn sow_rooms(db: &Database, dice: &mut Dice, regions: &[Record<Region>], clubs: &[Record<Club>]) -> Result<()> {
    let mut rooms = Vec::new();
    for region in regions {
        // The same numbers in every region.
        for number in 1..1 + dice.below(3) as i32 {
            rooms.push(Room::builder().region(region).number(number).label(0).x(dice.x()));
        }
    }
    Room::insert_many(db, rooms).await?;
    let mut rooms = Room::query().order_by(|r| (r.region().code().asc(), r.number().asc())).all(db).await?;
    let keys: Vec<ForeignKey<Room>> = rooms.iter().map(ForeignKey::from).collect();
    for (label, room) in (1..).zip(&mut rooms) {
        room.label = label;
        room.next = dice.any(&keys).filter(|_| !dice.one_in(3)).cloned();
        room.save(db).await?;
        room.users().add(db, clubs.iter().filter(|_| dice.one_in(2))).await?;
    }
    let mut beds = Vec::new();
    for _ in 0..dice.below(25) {
        beds.extend(dice.any(&keys).map(|room| Bed::builder().x(dice.x()).room(room)));
    }
    Bed::insert_many(db, beds).await.map(drop)
}

async fn round(db: &Database, seed: u64) -> Result<()> {
    let dice = &mut Dice::of(seed);
    let told = format!("seed {seed}");
    sow(db, dice).await?;
    let codes = dice.some(Region::query().order_by(|r| r.code().asc()).select(|r| r.code()).all(db).await?);
    let ids = dice.some(Person::query().order_by(|p| p.id().asc()).select(|p| p.id()).all(db).await?);
    let names = dice.some(Club::query().order_by(|c| c.name().asc()).select(|c| c.name()).all(db).await?);
    let regions = Region::filter(|r| r.code().is_in(codes)).order_by(|r| r.code().asc());
    let people = Person::filter(|p| p.id().is_in(ids)).order_by(|p| p.id().desc());
    let clubs = Club::filter(|c| c.name().is_in(names)).order_by(|c| (c.x().asc(), c.name().asc()));

    many!(db, told, dice, regions, Region.code, children.code, children_of);
    many!(db, told, dice, regions, Region.code, people.id, people_of);
    many!(db, told, dice, regions, Region.code, guests.id, guests_of);
    many!(db, told, dice, people, Person.id, pets.id, pets_of);
    many!(db, told, dice, people, Person.id, minded.id, minded_of);
    many!(db, told, dice, people, Person.id, clubs.name, clubs_of);
    many!(db, told, dice, clubs, Club.name, members.id, members_of);

    one!(db, told, people, Person.home, |p: &Person| Ok(vec![p.home.get()?.code.clone()]), |p: &Person| {
        sql!("SELECT r.code FROM gr_regions r JOIN gr_people p ON p.home_id = r.code WHERE p.id = {p.id}")
    });
    let away = |p: &Person| p.away.iter().map(|away| Ok(away.get()?.code.clone())).collect::<Result<Vec<_>>>();
    one!(db, told, people, Person.away, away, |p: &Person| {
        sql!("SELECT r.code FROM gr_regions r JOIN gr_people p ON p.away_id = r.code WHERE p.id = {p.id}")
    });
    let passport = |p: &Person| Ok(p.passport.get()?.iter().map(|passport| passport.id).collect());
    one!(db, told, people, Person.passport, passport, |p: &Person| {
        sql!("SELECT id FROM gr_passports WHERE person_id = {p.id}")
    });
    let parent = |r: &Region| r.parent.iter().map(|parent| Ok(parent.get()?.code.clone())).collect::<Result<Vec<_>>>();
    one!(db, told, regions, Region.parent, parent, |r: &Region| {
        sql!("SELECT p.code FROM gr_regions r JOIN gr_regions p ON r.parent_id = p.code WHERE r.code = {&r.code}")
    });

    match dice.below(4) {
        0 => deep!(db, told, dice, regions, Region.code, people.id: i64, people_of, Person, pets.id, pets_of),
        1 => {
            deep!(db, told, dice, regions, Region.code, children.code: String, children_of, Region, guests.id, guests_of)
        }
        2 => deep!(db, told, dice, clubs, Club.name, members.id: i64, members_of, Person, clubs.name, clubs_of),
        _ => deep!(db, told, dice, people, Person.id, clubs.name: String, clubs_of, Club, members.id, members_of),
    }
    behind_a_foreign_key(db, &told, &people, dice.wish_in_order()).await?;
    by_what_they_point_at(db, &told, &clubs, &people, dice.wish_in_order()).await?;
    by_keys_of_two_columns(db, dice, &told, regions, clubs).await
}

/// What points at rows by two columns, and what is linked with them.
async fn by_keys_of_two_columns(
    db: &Database,
    dice: &mut Dice,
    told: &str,
    regions: Query<Region, Region>,
    clubs: Query<Club, Club>,
) -> Result<()> {
    let keys: Vec<ForeignKey<Room>> = Room::query().all(db).await?.iter().map(ForeignKey::from).collect();
    let keys = dice.some(keys);
    let rooms = Room::filter(|r| r.is_in(keys)).order_by(|r| (r.x().asc(), r.label().desc()));
    let beds = Bed::query().order_by(|b| b.id().asc());
    many!(db, told, dice, regions, Region.code, rooms.label, rooms_of);
    many!(db, told, dice, rooms, Room.label, before.label, before_of);
    many!(db, told, dice, rooms, Room.label, beds.id, beds_of);
    many!(db, told, dice, rooms, Room.label, users.name, users_of);
    many!(db, told, dice, clubs, Club.name, meets.label, meets_of);
    one!(db, told, beds, Bed.room, |b: &Bed| Ok(vec![b.room.get()?.label]), |b: &Bed| {
        sql!(
            "SELECT r.label FROM gr_rooms r JOIN gr_beds b ON r.region_id = b.room_region_id AND r.number = b.room_number \
             WHERE b.id = {b.id}"
        )
    });
    let next = |r: &Room| r.next.iter().map(|next| Ok(next.get()?.label)).collect::<Result<Vec<_>>>();
    one!(db, told, rooms, Room.next, next, |r: &Room| {
        sql!(
            "SELECT n.label FROM gr_rooms n JOIN gr_rooms r ON n.region_id = r.next_region_id AND n.number = r.next_number \
             WHERE r.label = {r.label}"
        )
    });
    match dice.below(3) {
        0 => deep!(db, told, dice, regions, Region.code, rooms.label: i64, rooms_of, Room, beds.id, beds_of),
        1 => deep!(db, told, dice, clubs, Club.name, meets.label: i64, meets_of, Room, before.label, before_of),
        _ => deep!(db, told, dice, rooms, Room.label, users.name: String, users_of, Club, meets.label, meets_of),
    }
    Ok(())
}

/// Related rows chosen and sorted by a row that they point at themselves.
async fn by_what_they_point_at(
    db: &Database,
    told: &str,
    clubs: &Query<Club, Club>,
    people: &Query<Person, Person>,
    wish: Wish,
) -> Result<()> {
    let most = wish.limit.unwrap_or(1000);
    let members = |c: PathOf<Club>| {
        let members = c.members().filter(|m| m.home().x().ge(wish.low) & m.home().parent().is_not_null());
        members.order_by(|m| (m.home().x().desc(), m.id().asc())).limit(most)
    };
    let read = |c: &Club| Ok(c.members.get()?.iter().map(|member| member.id).collect());
    let mut ways = loaded(db, clubs, members, read).await?;
    let (mut verbs, mut by_hand) = (Vec::new(), Vec::new());
    for club in clubs.clone().all(db).await? {
        let query = club.members().filter(|m| m.home().x().ge(wish.low) & m.home().parent().is_not_null());
        let query = query.order_by(|m| (m.home().x().desc(), m.id().asc())).limit(most);
        verbs.push(query.select(|m| m.id()).all(db).await?);
        let sql = sql!(
            "SELECT p.id FROM gr_people p JOIN gr_clubs_gr_people l ON l.person_id = p.id \
             JOIN gr_regions r ON r.code = p.home_id WHERE l.club_id = {&club.name} AND r.x >= {wish.low} \
             AND r.parent_id IS NOT NULL ORDER BY r.x DESC, p.id LIMIT {wish.most()}"
        );
        by_hand.push(sql.all(db).await?);
    }
    ways.push(("the verbs", verbs));
    assert_same(&format!("{told}, Club.members by home {wish:?}"), false, ways, by_hand);

    let pets = |p: PathOf<Person>| {
        let pets = p.pets().filter(|p| p.sitter().away().x().ge(wish.low));
        pets.order_by(|p| (p.sitter().x().asc(), p.id().desc())).limit(most)
    };
    let read = |p: &Person| Ok(p.pets.get()?.iter().map(|pet| pet.id).collect());
    let mut ways = loaded(db, people, pets, read).await?;
    let (mut verbs, mut by_hand) = (Vec::new(), Vec::new());
    for person in people.clone().all(db).await? {
        let query = person.pets().filter(|p| p.sitter().away().x().ge(wish.low));
        let query = query.order_by(|p| (p.sitter().x().asc(), p.id().desc())).limit(most);
        verbs.push(query.select(|p| p.id()).all(db).await?);
        let sql = sql!(
            "SELECT t.id FROM gr_pets t JOIN gr_people s ON s.id = t.sitter_id JOIN gr_regions r ON r.code = s.away_id \
             WHERE t.owner_id = {person.id} AND r.x >= {wish.low} ORDER BY s.x, t.id DESC LIMIT {wish.most()}"
        );
        by_hand.push(sql.all(db).await?);
    }
    ways.push(("the verbs", verbs));
    assert_same(&format!("{told}, Person.pets by sitter {wish:?}"), false, ways, by_hand);
    Ok(())
}

/// The rows that many share by a foreign key, and what belongs to those.
async fn behind_a_foreign_key(db: &Database, told: &str, people: &Query<Person, Person>, wish: Wish) -> Result<()> {
    let guests = |p: PathOf<Person>| wished!(wish, p.home().guests(), id);
    let read = |p: &Person| Ok(p.home.get()?.guests.get()?.iter().map(|guest| guest.id).collect());
    let ways = loaded(db, people, guests, read).await?;
    let mut by_hand = Vec::new();
    for person in people.clone().all(db).await? {
        by_hand.push(match person.home.key() {
            Some(home) => guests_of(&wish, home).all(db).await?,
            None => Vec::new(),
        });
    }
    assert_same(&format!("{told}, Person.home.guests {wish:?}"), false, ways, by_hand);

    let parents = |p: &Person| match &p.home.get()?.parent {
        Some(parent) => Ok(vec![parent.get()?.code.clone()]),
        None => Ok(Vec::new()),
    };
    let ways = loaded(db, people, |p| p.home().parent(), parents).await?;
    let mut by_hand = Vec::new();
    for person in people.clone().all(db).await? {
        let home = person.home.key().cloned();
        let sql = sql!("SELECT parent_id FROM gr_regions WHERE code = {home} AND parent_id IS NOT NULL");
        by_hand.push(sql.all(db).await?);
    }
    assert_same(&format!("{told}, Person.home.parent"), false, ways, by_hand);
    Ok(())
}

pub(crate) fn number(variable: &str, otherwise: u64) -> u64 {
    std::env::var(variable).map_or(otherwise, |text| text.parse().expect(variable))
}

conformance! {
    async fn every_way_of_loading_gives_the_same_graph(test: &Fixture) {
        test.db.create(models![Region, Person, Passport, Pet, Club, Room, Bed]).await?;
        let first = number("CORMORANT_TEST_SEED", 1);
        for seed in first..first + number("CORMORANT_TEST_ROUNDS", 40) {
            if let Err(error) = round(&test.db, seed).await {
                panic!("seed {seed}: {error}");
            }
            test.statements();
        }
    }

    async fn rows_that_point_at_each_other_are_loaded(test: &Fixture) {
        let db = &test.db;
        db.create(models![Region, Person, Passport, Pet, Club, Room, Bed]).await?;
        let mut a = Region::builder().code("a").x(1).insert(db).await?;
        let b = Region::builder().code("b").x(2).parent(ForeignKey::from(&a)).insert(db).await?;
        a.parent = Some(ForeignKey::from(&b));
        a.save(db).await?;
        let mut own = Region::builder().code("own").x(3).insert(db).await?;
        own.parent = Some(ForeignKey::to("own".to_owned()));
        own.save(db).await?;
        test.statements();
        let regions = Region::query().order_by(|r| r.code().asc()).include(|r| r.parent().parent().parent());
        let regions = regions.all(db).await?;
        assert_eq!(test.statements().len(), 4);
        for (region, expected) in regions.iter().zip([["b", "a", "b"], ["a", "b", "a"], ["own", "own", "own"]]) {
            let mut at = region;
            for code in expected {
                at = at.parent.as_ref().unwrap().get()?;
                assert_eq!(at.code, code);
            }
            assert!(!at.parent.as_ref().unwrap().is_loaded(), "no further than asked for");
        }
        let regions = Region::query()
            .order_by(|r| r.code().asc())
            .include(|r| r.children().include(|r| r.children().include(|r| r.parent())))
            .all(db)
            .await?;
        assert_eq!(test.statements().len(), 4);
        for (region, code) in regions.iter().zip(["a", "b", "own"]) {
            let again = &region.children.get()?[0].children.get()?[0];
            assert_eq!(again.code, code);
            assert_eq!(again.parent.as_ref().unwrap().get()?.code, region.children.get()?[0].code);
        }
    }
}

/// What is large is looked at on SQLite alone: the statements are the same, and the rows are here at once.
mod sqlite {
    use super::*;

    #[derive(Model, Clone, Debug, PartialEq)]
    #[model(table = "gr_nodes")]
    struct Node {
        id: i64,
        next: Option<ForeignKey<Node>>,
        before: HasMany<Node>,
    }

    const CHAIN: i64 = 100_000;

    /// A stack overflow would come from rows that hold each other in turn.
    #[test]
    fn a_chain_of_a_hundred_thousand_rows_is_loaded_and_dropped() {
        Fixture::run(Backend::Sqlite, "chain", async |test| {
            let db = &test.db;
            db.create(models![Node]).await?;
            let node = |id| Node { id, next: (id > 1).then(|| ForeignKey::to(id - 1)), before: HasMany::default() };
            Node::insert_many(db, (1..=CHAIN).map(node)).await?;
            test.statements();
            let mut nodes = Node::query().order_by(|n| n.id().asc()).include(|n| n.next()).all(db).await?;
            assert_eq!(test.statements().len(), 3, "the rows, and those they point at by 50,000 keys");
            for (id, node) in (1..).zip(&nodes) {
                let next = node.next.as_ref().map(|next| next.get().map(|next| next.id)).transpose()?;
                assert_eq!((node.id, next), (id, (id > 1).then(|| id - 1)));
            }
            load_all(&mut nodes, db, |n| n.before()).await?;
            assert_eq!(test.statements().len(), 2);
            for (id, node) in (1..).zip(&nodes) {
                let before: Vec<i64> = node.before.get()?.iter().map(|node| node.id).collect();
                assert!(if id == CHAIN { before.is_empty() } else { before == [id + 1] }, "{id}: {before:?}");
            }
            drop(nodes.clone());
            drop(nodes);
            Ok(())
        });
    }

    #[derive(Model, Clone, Debug, PartialEq)]
    #[model(table = "gr_owners")]
    struct Owner {
        id: i64,
        things: HasMany<Thing>,
    }

    #[derive(Model, Clone, Debug, PartialEq)]
    #[model(table = "gr_things")]
    struct Thing {
        id: i64,
        owner: ForeignKey<Owner>,
    }

    const OWNERS: i64 = 120_000;

    #[test]
    fn more_parents_than_keys_in_a_statement_have_every_child() {
        Fixture::run(Backend::Sqlite, "parents", async |test| {
            let db = &test.db;
            db.create(models![Owner, Thing]).await?;
            Owner::insert_many(db, (1..=OWNERS).map(|id| Owner { id, things: HasMany::default() })).await?;
            // Against the order of the owners: what comes together does not belong together.
            let thing = |id| Thing { id, owner: ForeignKey::to(OWNERS + 1 - id) };
            Thing::insert_many(db, (1..=OWNERS).map(thing)).await?;
            test.statements();
            let owners = Owner::query().include(|o| o.things()).order_by(|o| o.id().asc()).all(db).await?;
            assert_eq!(test.statements().len(), 4, "the owners, and their things by 50,000 keys");
            assert_eq!(owners.len() as i64, OWNERS);
            for (id, owner) in (1..).zip(&owners) {
                let things: Vec<i64> = owner.things.get()?.iter().map(|thing| thing.id).collect();
                assert_eq!((owner.id, things), (id, vec![OWNERS + 1 - id]));
            }
            Ok(())
        });
    }
}
