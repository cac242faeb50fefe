//! A future that is dropped in the middle leaves nothing behind: no open transaction, no half of a write, no answer
//! for the next to read, no place in the pool that stays taken.

use std::collections::BTreeSet;
use std::future::pending;
use std::path::{Path, PathBuf};
use std::pin::Pin;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, Instant};

use cormorant::IntoModel;
use cormorant::prelude::*;
use cormorant::{Begin, Error, ErrorKind, Isolation, Result, Sql, UncheckedSql};
use cormorant_conformance::{Backend, Fixture, PATIENCE, conformance, poll_and_leave, poll_times};

#[derive(Model, Clone, Debug, PartialEq)]
#[model(table = "cancel_marks")]
struct Mark {
    id: i64,
    n: i64,
}

#[derive(Model, Clone, Debug, PartialEq)]
#[model(table = "cancel_plans")]
struct Plan {
    id: i64,
    title: String,
}

#[derive(Model, Clone, Debug, PartialEq)]
#[model(table = "cancel_steps")]
struct Step {
    id: i64,
    plan: ForeignKey<Plan>,
}

/// Its relations are written and read.
#[derive(Model, Clone, Debug, PartialEq)]
#[model(table = "cancel_labels")]
struct Label {
    id: i64,
    marks: ManyToMany<Mark>,
    notes: HasMany<Note>,
    #[model(through = Grade)]
    graded: ManyToMany<Mark>,
}

#[derive(Model, Clone, Debug, PartialEq)]
#[model(table = "cancel_grades")]
struct Grade {
    id: i64,
    label: ForeignKey<Label>,
    mark: ForeignKey<Mark>,
    grade: i64,
}

#[derive(Model, Clone, Debug, PartialEq)]
#[model(table = "cancel_notes")]
struct Note {
    id: i64,
    label: Option<ForeignKey<Label>>,
}

/// A second model of one table: the registry refuses the whole program, so `create_all` and `drop_all` send nothing
/// here. What they send otherwise is what `create` and `drop` send.
#[derive(Model)]
#[model(table = "cancel_plans")]
struct Another {
    id: i64,
}

/// The rows that every case begins with.
const FIRST: i64 = 1_000_001;
const LAST: i64 = 1_000_003;

/// How many marks there are, and the sum of their `n`.
type Marks = (i64, i64);

const UNTOUCHED: Marks = (3, 0);

/// A public method and a way of calling it.
struct Case {
    method: &'static str,
    /// The marks once it has run to its end. Cancelled, there may be these or those from before, and nothing between.
    after: Marks,
    run: for<'a> fn(&'a Setting) -> Running<'a>,
}

type Running<'a> = Pin<Box<dyn Future<Output = Result<()>> + Send + 'a>>;

macro_rules! cases {
    ($($method:literal, $after:expr => |$s:ident| $body:expr;)*) => {
        fn cases() -> Vec<Case> {
            vec![$(Case { method: $method, after: $after, run: |$s: &Setting| -> Running<'_> { Box::pin($body) } },)*]
        }
    };
}

// Every public async method of the library: `every_public_async_method_is_cancelled` compares this list with the
// sources.
cases! {
    "Database::connect", UNTOUCHED => |s| async { Database::connect(&s.pooled.url).await.map(drop) };
    "Database::connect_with", UNTOUCHED => |s| async { s.pooled.beside(2).await.map(drop) };
    "Database::create", UNTOUCHED => |s| async { s.db().create(models![Plan, Step]).await };
    "Database::create_all", UNTOUCHED => |s| async { expected(s.db().create_all().await, ErrorKind::Misuse) };
    "Database::drop", UNTOUCHED => |s| async { s.db().drop(models![Plan, Step]).await };
    "Database::drop_all", UNTOUCHED => |s| async { expected(s.db().drop_all().await, ErrorKind::Misuse) };
    "Database::begin", UNTOUCHED => |s| async {
        let tx = s.db().begin().await?;
        Record::insert(mark(1), &tx).await.map(drop)
    };
    "Database::begin_with", UNTOUCHED => |s| async {
        let tx = s.db().begin_with(Begin { isolation: Some(Isolation::Serializable), read_only: true }).await?;
        Mark::query().count(&tx).await?;
        tx.commit().await
    };
    "Database::transaction", (5, 9) => |s| s.db().transaction(async |tx| {
        Record::insert(mark(4), tx).await?;
        Record::insert(mark(5), tx).await.map(drop)
    });
    "Database::transaction", UNTOUCHED => |s| async {
        let failed = s.db().transaction(async |tx| {
            Record::insert(mark(4), tx).await?;
            Err::<(), _>(Error::other("no"))
        }).await;
        expected(failed, ErrorKind::Other)
    };
    "Database::try_transaction", (2, 1) => |s| s.db().try_transaction(async |tx| {
        let mut first = Mark::get(tx, FIRST).await?;
        Mark::filter(|m| m.id().eq(LAST)).delete(tx).await?;
        first.n += 1;
        first.save(tx).await
    });
    "Session::flush", UNTOUCHED => |s| async {
        let mut session = s.db().session();
        session.add(mark(1));
        session.flush().await
    };
    "Session::commit", (5, 3) => |s| async {
        let mut session = s.db().session();
        session.add(mark(1));
        session.add(mark(2));
        session.commit().await
    };
    "Session::rollback", UNTOUCHED => |s| async {
        let mut session = s.db().session();
        session.add(mark(1));
        session.flush().await?;
        session.rollback().await
    };
    "Session::close", UNTOUCHED => |s| async {
        let mut session = s.db().session();
        session.add(mark(1));
        session.flush().await?;
        session.close().await
    };
    "Session::begin", UNTOUCHED => |s| async {
        let mut session = s.db().session();
        Record::insert(mark(1), session.begin().await?).await.map(drop)
    };
    "Session::savepoint", UNTOUCHED => |s| async {
        let mut session = s.db().session();
        session.add(mark(1));
        session.savepoint().await.map(drop)
    };
    "Session::release", (4, 1) => |s| async {
        let mut session = s.db().session();
        let savepoint = session.savepoint().await?;
        session.add(mark(1));
        session.release(savepoint).await?;
        session.commit().await
    };
    "Session::rollback_to", (4, 1) => |s| async {
        let mut session = s.db().session();
        session.add(mark(1));
        let savepoint = session.savepoint().await?;
        session.add(mark(2));
        session.rollback_to(savepoint).await?;
        session.commit().await
    };
    "Session::transaction", (4, 1) => |s| async {
        let mut session = s.db().session();
        session.transaction(async |session| Ok(session.add(mark(1)))).await?;
        session.commit().await
    };
    "Session::try_transaction", (4, 1) => |s| async {
        let mut session = s.db().session();
        session.add(mark(1));
        let failed = session.try_transaction(async |session| {
            session.add(mark(2));
            session.flush().await?;
            Err::<(), _>(Error::other("no"))
        }).await;
        expected(failed, ErrorKind::Other)?;
        session.commit().await
    };
    "Session::get", UNTOUCHED => |s| async { s.db().session().get::<Mark>(FIRST).await.map(drop) };
    "Session::find", UNTOUCHED => |s| async { s.db().session().find::<Mark>(1).await.map(drop) };
    "Session::all", UNTOUCHED => |s| async {
        let mut session = s.db().session();
        session.add(mark(1));
        session.all(Mark::query()).await.map(drop)
    };
    "Session::first", UNTOUCHED => |s| async { s.db().session().first(Mark::query()).await.map(drop) };
    "Session::one", UNTOUCHED => |s| async {
        s.db().session().one(Mark::filter(|m| m.id().eq(FIRST))).await.map(drop)
    };
    "Session::refresh", UNTOUCHED => |s| async {
        let mut session = s.db().session();
        let first = session.get::<Mark>(FIRST).await?;
        session.refresh(first).await
    };
    "Session::refresh_all", UNTOUCHED => |s| async {
        let mut session = s.db().session();
        let all = session.all(Mark::query()).await?;
        session.refresh_all(all).await
    };
    "Session::merge", (3, 5) => |s| async {
        let mut session = s.db().session();
        session.merge(Mark { id: FIRST, n: 5 }).await?;
        session.commit().await
    };
    "Session::merge_all", (4, 9) => |s| async {
        let mut session = s.db().session();
        session.merge_all([Mark { id: FIRST, n: 5 }, mark(4)]).await?;
        session.commit().await
    };
    "Session::update_all", (3, 6) => |s| async {
        let mut session = s.db().session();
        session.update_all(Mark::query(), |m| m.n().set(2)).await?;
        session.commit().await
    };
    "Session::delete_all", (2, 0) => |s| async {
        let mut session = s.db().session();
        session.delete_all(Mark::filter(|m| m.id().eq(LAST))).await?;
        session.commit().await
    };
    "Session::related", UNTOUCHED => |s| async {
        let mut session = s.db().session();
        let label = session.add(Label::builder());
        session.flush().await?;
        session.expire_all();
        session.related(label, |l| l.marks()).await.map(drop)
    };
    "Session::related_all", UNTOUCHED => |s| async {
        let mut session = s.db().session();
        let labels = [session.add(Label::builder()), session.add(Label::builder())];
        session.flush().await?;
        session.expire_all();
        session.related_all(labels, |l| l.marks()).await.map(drop)
    };
    "Session::link", (4, 1) => |s| async {
        let mut session = s.db().session();
        let (label, mark) = (session.add(Label::builder()), session.add(mark(1)));
        session.link(label, |l| l.marks(), mark).await?;
        session.commit().await
    };
    "Session::unlink", UNTOUCHED => |s| async {
        let mut session = s.db().session();
        let label = session.add(Label::builder());
        let first = session.get::<Mark>(FIRST).await?;
        session.unlink(label, |l| l.marks(), first).await?;
        session.commit().await
    };
    "Session::set", UNTOUCHED => |s| async {
        let mut session = s.db().session();
        let label = session.add(Label::builder());
        let all = session.all(Mark::query()).await?;
        session.set(label, |l| l.marks(), all).await?;
        session.commit().await
    };
    "Session::stream", UNTOUCHED => |s| async { s.db().session().stream(Mark::query()).await.map(drop) };
    "ObjectStream::next", UNTOUCHED => |s| async {
        let mut session = s.db().session();
        let mut marks = session.stream(Mark::query()).await?;
        while marks.next(&mut session).await?.is_some() {}
        Ok(())
    };
    "RowStream::next", UNTOUCHED => |s| async {
        let mut marks = Mark::query().stream(s.db());
        while marks.next().await?.is_some() {}
        Ok(())
    };
    "Transaction::transaction", (5, 3) => |s| s.db().transaction(async |tx| {
        Record::insert(mark(1), tx).await?;
        tx.transaction(async |inner| { Record::insert(mark(2), inner).await.map(drop) }).await
    });
    "Transaction::try_transaction", (4, 1) => |s| s.db().transaction(async |tx| {
        Record::insert(mark(1), tx).await?;
        let inner: Result<()> = tx.try_transaction(async |inner| {
            Record::insert(mark(2), inner).await?;
            Err(Error::other("no"))
        }).await;
        expected(inner, ErrorKind::Other)
    });
    "Transaction::savepoint", (5, 5) => |s| async {
        let tx = s.db().begin().await?;
        let scope = tx.savepoint().await?;
        Record::insert(mark(1), &scope).await?;
        scope.commit().await?;
        let dropped = tx.savepoint().await?;
        Record::insert(mark(2), &dropped).await?;
        drop(dropped);
        Record::insert(mark(4), &tx).await?;
        tx.commit().await
    };
    "Transaction::commit", (4, 7) => |s| async {
        let tx = s.db().begin().await?;
        Record::insert(mark(7), &tx).await?;
        tx.commit().await
    };
    "Transaction::rollback", UNTOUCHED => |s| async {
        let tx = s.db().begin().await?;
        let scope = tx.savepoint().await?;
        Record::insert(mark(7), &scope).await?;
        scope.rollback().await?;
        Record::insert(mark(8), &tx).await?;
        tx.rollback().await
    };
    "Query::all", UNTOUCHED => |s| async { Mark::query().all(s.db()).await.map(drop) };
    "Query::all", UNTOUCHED => |s| s.db().transaction(async |tx| { Mark::query().all(tx).await.map(drop) });
    "Query::first", UNTOUCHED => |s| async { Mark::query().first(s.db()).await.map(drop) };
    "Query::last", UNTOUCHED => |s| async { Mark::query().last(s.db()).await.map(drop) };
    "Query::one", UNTOUCHED => |s| async { Mark::filter(|m| m.id().eq(FIRST)).one(s.db()).await.map(drop) };
    "Query::optional", UNTOUCHED => |s| async { Mark::filter(|m| m.id().eq(0)).optional(s.db()).await.map(drop) };
    "Query::count", UNTOUCHED => |s| async { Mark::query().count(s.db()).await.map(drop) };
    "Query::all", UNTOUCHED => |s| s.db().transaction(async |tx| {
        Mark::query().lock(Lock::Update.nowait()).all(tx).await.map(drop)
    });
    "Query::exists", UNTOUCHED => |s| async { Mark::query().exists(s.db()).await.map(drop) };
    "Query::explain", UNTOUCHED => |s| async { Mark::query().explain(s.db()).await.map(drop) };
    "Query::update", (3, 30) => |s| async { Mark::query().update(s.db(), |m| m.n().set(10)).await.map(drop) };
    "Query::delete", (0, 0) => |s| async { Mark::query().delete(s.db()).await.map(drop) };
    "Sql::all", UNTOUCHED => |s| async { sql!("SELECT id FROM cancel_marks").all::<i64>(s.db()).await.map(drop) };
    "Sql::one", UNTOUCHED => |s| async {
        sql!("SELECT id FROM cancel_marks WHERE id = {FIRST}").one::<i64>(s.db()).await.map(drop)
    };
    "Sql::optional", UNTOUCHED => |s| async {
        sql!("SELECT id FROM cancel_marks WHERE id = 0").optional::<i64>(s.db()).await.map(drop)
    };
    "Sql::execute", (3, 15) => |s| async { sql!("UPDATE cancel_marks SET n = 5").execute(s.db()).await.map(drop) };
    "Record::insert", (4, 6) => |s| async { Record::insert(mark(6), s.db()).await.map(drop) };
    "Record::save", (3, 8) => |s| async {
        let mut first = Mark::get(s.db(), FIRST).await?;
        first.n = 8;
        first.save(s.db()).await
    };
    "Record::delete", (2, 0) => |s| async { Mark::get(s.db(), FIRST).await?.delete(s.db()).await };
    "Record::refresh", UNTOUCHED => |s| async { Mark::get(s.db(), FIRST).await?.refresh(s.db()).await };
    "Model::get", UNTOUCHED => |s| async { Mark::get(s.db(), FIRST).await.map(drop) };
    "Model::find", UNTOUCHED => |s| async { Mark::find(s.db(), FIRST).await.map(drop) };
    "Model::get_many", UNTOUCHED => |s| async { Mark::get_many(s.db(), [FIRST, LAST]).await.map(drop) };
    "Model::insert_many", (6, 6) => |s| async {
        // Keys of their own and generated ones: three statements, one transaction.
        Mark::insert_many(s.db(), [mark(1), Mark { id: FIRST - 1, n: 2 }, mark(3)]).await.map(drop)
    };
    "Model::insert_many", (5, 3) => |s| s.db().transaction(async |tx| {
        Mark::insert_many(tx, [mark(1), Mark { id: FIRST - 1, n: 2 }]).await.map(drop)
    });
    "Model::upsert_many", (4, 9) => |s| async {
        let marks = [FIRST - 1, FIRST, LAST].map(|id| Mark { id, n: 3 });
        Mark::upsert_many(s.db(), marks, |m| m.id()).await.map(drop)
    };
    "Model::upsert_many", (4, 3) => |s| s.db().transaction(async |tx| {
        let marks = [Mark { id: FIRST - 1, n: 2 }.into(), Mark::builder().id(LAST).n(1).into_unsaved()];
        Mark::upsert_many(tx, marks, |m| m.id()).await.map(drop)
    });
    "Model::update_many", (3, 17) => |s| async {
        // One column or two, the key: two statements, one transaction.
        let mut marks = Mark::query().order_by(|m| m.id().asc()).all(s.db()).await?;
        for (mark, n) in marks.iter_mut().zip([4, 6, 7]) {
            mark.n = n;
        }
        marks[2].id += 1;
        Mark::update_many(s.db(), &mut marks).await
    };
    "Model::update_many", (3, 9) => |s| s.db().transaction(async |tx| {
        let mut marks = Mark::query().all(tx).await?;
        marks.iter_mut().for_each(|mark| mark.n = 3);
        Mark::update_many(tx, &mut marks).await
    });
    "Record::load", UNTOUCHED => |s| async {
        let mut label = Label::get(s.db(), 1).await?;
        label.load(s.db(), |l| l.marks().limit(1)).await
    };
    "load_all", UNTOUCHED => |s| async {
        let mut labels = Label::query().include(|l| l.notes().include(|n| n.label())).all(s.db()).await?;
        load_all(&mut labels, s.db(), |l| l.marks()).await
    };
    "Related::all", UNTOUCHED => |s| async { Label::get(s.db(), 1).await?.marks().all(s.db()).await.map(drop) };
    "Related::count", UNTOUCHED => |s| async { Label::get(s.db(), 1).await?.notes().count(s.db()).await.map(drop) };
    "Links::add", UNTOUCHED => |s| async { Label::get(s.db(), 1).await?.marks().add(s.db(), [FIRST, LAST]).await };
    "Links::remove", UNTOUCHED => |s| async { Label::get(s.db(), 1).await?.marks().remove(s.db(), [FIRST]).await };
    "Links::clear", UNTOUCHED => |s| async { Label::get(s.db(), 1).await?.marks().clear(s.db()).await };
    "Links::set", UNTOUCHED => |s| async { Label::get(s.db(), 1).await?.marks().set(s.db(), [LAST]).await };
    "Links::create", (4, 3) => |s| async {
        Label::get(s.db(), 1).await?.marks().create(s.db(), mark(3)).await.map(drop)
    };
    "LinksThrough::link", UNTOUCHED => |s| async {
        let label = Label::get(s.db(), 1).await?;
        label.graded().link(s.db(), |link| link.mark(FIRST).grade(1)).await?;
        Grade::query().delete(s.db()).await.map(drop)
    };
    "Children::add", UNTOUCHED => |s| async { Label::get(s.db(), 1).await?.notes().add(s.db(), [1, 2]).await };
    "Children::remove", UNTOUCHED => |s| async { Label::get(s.db(), 1).await?.notes().remove(s.db(), [1]).await };
    "Children::clear", UNTOUCHED => |s| async { Label::get(s.db(), 1).await?.notes().clear(s.db()).await };
    "Children::set", UNTOUCHED => |s| async { Label::get(s.db(), 1).await?.notes().set(s.db(), [2]).await };
    "Children::create", UNTOUCHED => |s| async {
        Label::get(s.db(), 1).await?.notes().create(s.db(), |note| note).await.map(drop)
    };
    "Builder::insert", (4, 2) => |s| async { Mark::builder().n(2).insert(s.db()).await.map(drop) };
    "Builder::get_or_insert", (4, 2) => |s| async {
        let (_, inserted) = Mark::builder().id(FIRST).n(7).get_or_insert(s.db(), |m| m.id()).await?;
        assert!(!inserted);
        Mark::builder().id(FIRST - 1).n(2).get_or_insert(s.db(), |m| m.id()).await.map(drop)
    };
    "Builder::upsert", (3, 7) => |s| async {
        Mark::builder().id(FIRST).n(7).upsert(s.db(), |m| m.id()).await.map(drop)
    };
}

fn mark(n: i64) -> Mark {
    Mark { id: 0, n }
}

fn expected<T>(result: Result<T>, kind: ErrorKind) -> Result<()> {
    match result {
        Err(error) if error.kind() == kind => Ok(()),
        Err(error) => Err(error),
        Ok(_) => Err(Error::other("it should have failed")),
    }
}

/// A database with a pool of few connections, and another pool that looks at it from outside.
struct Setting {
    pooled: Fixture,
    outside: Fixture,
    connections: usize,
}

impl Setting {
    async fn new(test: &Fixture, connections: usize) -> Result<Self> {
        let pooled = test.with_connections(connections).await?;
        let outside = pooled.beside(1).await?;
        outside.db.create(models![Mark, Label, Note, Grade]).await?;
        Record::insert(Label::builder(), &outside.db).await?;
        Note::insert_many(&outside.db, [Note::builder().label(1), Note::builder().label(1)]).await?;
        Ok(Self { pooled, outside, connections })
    }

    fn db(&self) -> &Database {
        &self.pooled.db
    }

    /// Puts the tables back as they were; on SQLite this also shows that nobody still holds the write lock.
    async fn reset(&self) -> Result<()> {
        Grade::query().delete(&self.outside.db).await?;
        Mark::query().delete(&self.outside.db).await?;
        let marks = (FIRST..=LAST).map(|id| Mark { id, n: 0 });
        Mark::insert_many(&self.outside.db, marks).await.map(drop)
    }

    async fn marks(&self) -> Result<Marks> {
        let all = Mark::query().select(|m| m.n()).all(&self.outside.db).await?;
        Ok((all.len() as i64, all.iter().sum()))
    }

    /// How many of the two tables are there that some cases create and drop.
    async fn tables(&self) -> Result<u32> {
        let (plans, steps) =
            (Plan::query().exists(&self.outside.db).await, Step::query().exists(&self.outside.db).await);
        Ok(u32::from(plans.is_ok()) + u32::from(steps.is_ok()))
    }

    /// MariaDB shows a transaction that has only read to nobody else: each connection is asked, the one that came
    /// back last first, and then the other while that one is away.
    async fn asks_each_connection(&self) -> Result<()> {
        if !self.outside.is(Backend::MariaDb) {
            return Ok(());
        }
        assert_eq!(sql!("SELECT @@in_transaction").one::<i64>(self.db()).await?, 0, "a transaction is open");
        if self.connections > 1 {
            let away = self.db().begin().await?;
            Mark::query().exists(&away).await?;
            assert_eq!(sql!("SELECT @@in_transaction").one::<i64>(self.db()).await?, 0, "a transaction is open");
            away.rollback().await?;
        }
        Ok(())
    }

    /// The pool is as good as new: every connection it may have can be had at once, and each is clean.
    async fn is_clean(&self) -> Result<()> {
        // Before anyone borrows a connection: PostgreSQL shows those that are idle in a transaction to all.
        self.outside.settle().await?;
        self.asks_each_connection().await?;
        let mut all = Vec::new();
        for n in 0..self.connections as i64 {
            let tx = self.db().begin_with(Begin { read_only: true, ..Begin::default() }).await?;
            let own: Vec<i64> = sql!("SELECT {n} + 0").all(&tx).await?;
            assert_eq!(own, [n], "a connection gives the answer to its own question");
            all.push(tx);
        }
        if !self.outside.is(Backend::Sqlite) {
            // Those that were given up have ended on the server too, with whatever they still did.
            // The test's own fixture has one more.
            let wanted = 1 + self.connections as i64;
            let others = async || Ok(self.outside.other_connections().await? == wanted);
            self.outside.until("the server still has connections that were given up", others).await?;
        }
        for tx in all {
            tx.commit().await?;
        }
        self.outside.settle().await?;
        self.asks_each_connection().await
    }
}

/// Cancels every case after its first poll, after its second, and so on until it is ready.
async fn cancel_all(test: &Fixture, connections: usize, lies: Duration, group: fn(&str) -> bool) -> Result<()> {
    let setting = Setting::new(test, connections).await?;
    for case in cases().iter().filter(|case| group(case.method)) {
        for polls in 1.. {
            setting.reset().await?;
            match case.method {
                "Database::create" => setting.outside.db.drop(models![Plan, Step]).await?,
                "Database::drop" => setting.outside.db.create(models![Plan, Step]).await?,
                _ => {}
            }
            let ready = poll_and_leave((case.run)(&setting), polls, lies).await;
            setting.is_clean().await?;
            if defines(case.method) && setting.db().dialect().transactional_ddl() {
                assert_ne!(setting.tables().await?, 1, "{} after {polls} polls: one table of two", case.method);
            }
            let (found, at) = (setting.marks().await?, format!("{} after {polls} polls", case.method));
            assert!(found == UNTOUCHED || found == case.after, "{at}: {found:?} is neither before nor after");
            if let Some(result) = ready {
                assert!(result.is_ok(), "{at}: {:?}", result);
                assert_eq!(found, case.after, "{at}");
                break;
            }
            assert!(polls < 500, "{at} it is still not ready");
        }
    }
    Ok(())
}

fn reads(method: &str) -> bool {
    !transacts(method) && !writes(method) && !defines(method)
}

fn transacts(method: &str) -> bool {
    (method.starts_with("Transaction::") || method.starts_with("Database::")) && !defines(method)
}

fn defines(method: &str) -> bool {
    method.starts_with("Database::create") || method.starts_with("Database::drop")
}

fn writes(method: &str) -> bool {
    ["update", "delete", "execute", "insert", "save", "insert_many", "get_or_insert", "upsert"]
        .iter()
        .any(|verb| method.ends_with(&format!("::{verb}")))
}

/// Long enough for an answer to arrive.
const A_WHILE: Duration = Duration::from_millis(2);
const AT_ONCE: Duration = Duration::ZERO;

conformance! {
    async fn a_cancelled_read_leaves_nothing(test: &Fixture) {
        cancel_all(test, 1, AT_ONCE, reads).await?;
    }

    async fn a_cancelled_read_whose_answer_has_come_leaves_nothing(test: &Fixture) {
        cancel_all(test, 2, A_WHILE, reads).await?;
    }

    async fn a_cancelled_write_leaves_nothing(test: &Fixture) {
        cancel_all(test, 1, AT_ONCE, writes).await?;
    }

    async fn a_cancelled_write_whose_answer_has_come_leaves_nothing(test: &Fixture) {
        cancel_all(test, 2, A_WHILE, writes).await?;
    }

    async fn a_cancelled_transaction_leaves_nothing(test: &Fixture) {
        cancel_all(test, 1, AT_ONCE, transacts).await?;
    }

    async fn a_cancelled_transaction_whose_answer_has_come_leaves_nothing(test: &Fixture) {
        cancel_all(test, 2, A_WHILE, transacts).await?;
    }

    async fn a_cancelled_definition_of_tables_leaves_nothing(test: &Fixture) {
        cancel_all(test, 1, AT_ONCE, defines).await?;
    }

    async fn a_cancelled_definition_of_tables_whose_answer_has_come_leaves_nothing(test: &Fixture) {
        cancel_all(test, 2, A_WHILE, defines).await?;
    }

    async fn guards_that_are_dropped_leave_nothing(test: &Fixture) {
        for connections in [1, 2] {
            let setting = Setting::new(test, connections).await?;
            for depth in 0..4 {
                setting.reset().await?;
                let mut scopes = vec![setting.db().begin().await?];
                for n in 0..depth {
                    Record::insert(mark(n), &scopes[n as usize]).await?;
                    let scope = scopes[n as usize].savepoint().await?;
                    scopes.push(scope);
                }
                // From the outside in, which is not the order in which they were opened.
                scopes.into_iter().for_each(drop);
                setting.is_clean().await?;
                assert_eq!(setting.marks().await?, UNTOUCHED);
            }
        }
    }

    async fn a_statement_cancelled_in_a_scope_ends_the_transaction(test: &Fixture) {
        let setting = Setting::new(test, 1).await?;
        setting.reset().await?;
        let tx = setting.db().begin().await?;
        Record::insert(mark(1), &tx).await?;
        let scope = tx.savepoint().await?;
        if is_cancelled(async || Record::insert(mark(2), &scope).await).await {
            assert_eq!(Record::insert(mark(3), &scope).await.unwrap_err().kind(), ErrorKind::ConnectionLost);
            drop(scope);
            let committed = tx.commit().await.unwrap_err();
            assert_eq!(committed.kind(), ErrorKind::ConnectionLost, "and nobody takes it for done");
        } else {
            assert!(test.is(Backend::Sqlite), "only SQLite is ready at once");
            drop((scope, tx));
        }
        setting.is_clean().await?;
        assert_eq!(setting.marks().await?, UNTOUCHED);
    }

    async fn a_transaction_whose_begin_was_cancelled_is_lost(test: &Fixture) {
        let setting = Setting::new(test, 1).await?;
        setting.reset().await?;
        let tx = setting.db().begin().await?;
        if poll_times(Record::insert(mark(1), &tx), 1).await.is_none() {
            assert_eq!(Record::insert(mark(2), &tx).await.unwrap_err().kind(), ErrorKind::ConnectionLost);
            let committed = tx.commit().await.unwrap_err();
            assert_eq!(committed.kind(), ErrorKind::ConnectionLost, "and nobody takes it for done");
        } else {
            drop(tx);
        }
        setting.is_clean().await?;
        assert_eq!(setting.marks().await?, UNTOUCHED);
    }

    async fn a_panic_in_a_closure_leaves_nothing(test: &Fixture) {
        for connections in [1, 2] {
            let setting = Setting::new(test, connections).await?;
            setting.reset().await?;
            for deep in [false, true] {
                let db = setting.db().clone();
                let task = tokio::spawn(async move {
                    db.transaction(async |tx| {
                        Record::insert(mark(1), tx).await?;
                        if deep {
                            tx.transaction(async |inner| {
                                Record::insert(mark(2), inner).await?;
                                Err::<(), _>(panics())
                            }).await?;
                        }
                        Err::<(), _>(panics())
                    }).await
                });
                assert!(task.await.unwrap_err().is_panic());
                setting.is_clean().await?;
                assert_eq!(setting.marks().await?, UNTOUCHED);
            }
        }
    }

    async fn a_panic_while_rows_are_read_leaves_nothing(test: &Fixture) {
        let setting = Setting::new(test, 1).await?;
        setting.reset().await?;
        let db = setting.db().clone();
        let task = tokio::spawn(async move { sql!("SELECT id FROM cancel_marks").all::<Bomb>(&db).await.map(drop) });
        assert!(task.await.unwrap_err().is_panic());
        setting.is_clean().await?;
    }

    async fn a_task_that_is_aborted_leaves_nothing(test: &Fixture) {
        let setting = Setting::new(test, 2).await?;
        setting.reset().await?;
        let (db, written) = (setting.db().clone(), Arc::new(AtomicBool::new(false)));
        let task = tokio::spawn({
            let written = Arc::clone(&written);
            async move {
                db.transaction(async |tx| {
                    Record::insert(mark(1), tx).await?;
                    written.store(true, Ordering::Release);
                    pending::<Result<()>>().await
                }).await
            }
        });
        setting.outside.until("the row is not written", async || Ok(written.load(Ordering::Acquire))).await?;
        task.abort();
        assert!(task.await.unwrap_err().is_cancelled());
        setting.is_clean().await?;
        assert_eq!(setting.marks().await?, UNTOUCHED);
    }

    async fn a_timeout_gives_the_connection_up_at_once(test: &Fixture) {
        let setting = Setting::new(test, 1).await?;
        setting.reset().await?;
        let slow = match test.backend {
            // Nothing is slow on SQLite but waiting for another process that writes.
            Backend::Sqlite => "UPDATE cancel_marks SET n = 1",
            Backend::Postgres => "SELECT pg_sleep(30)::text",
            Backend::MariaDb => "SELECT SLEEP(30)",
        };
        let blocker = setting.outside.db.begin().await?;
        Record::insert(mark(1), &blocker).await?;
        let started = Instant::now();
        let statement = Sql::unchecked(UncheckedSql::vouch_for(slow)).execute(setting.db());
        assert!(tokio::time::timeout(Duration::from_millis(50), statement).await.is_err(), "it takes longer");
        let one: i64 = sql!("SELECT 1").one(setting.db()).await?;
        assert_eq!(one, 1);
        assert!(started.elapsed() < PATIENCE / 2, "{:?}", started.elapsed());
        blocker.rollback().await?;
        if !test.is(Backend::MariaDb) {
            // MariaDB sleeps on without a client.
            setting.is_clean().await?;
        }
        assert_eq!(setting.marks().await?, UNTOUCHED);
    }

    async fn a_place_in_the_queue_that_is_given_up_is_nobodys(test: &Fixture) {
        let setting = Setting::new(test, 1).await?;
        setting.reset().await?;
        for polls in 1..4 {
            let held = setting.db().begin().await?;
            assert!(poll_times(Mark::query().count(setting.db()), polls).await.is_none());
            assert!(poll_and_leave(setting.db().begin(), polls, A_WHILE).await.is_none());
            drop(held);
            setting.is_clean().await?;
        }
    }
}

/// Drops a statement after its first poll; false when it is always ready then.
async fn is_cancelled<T>(mut statement: impl AsyncFnMut() -> T) -> bool {
    for _ in 0..50 {
        if poll_times(statement(), 1).await.is_none() {
            return true;
        }
    }
    false
}

fn panics() -> Error {
    panic!("on purpose")
}

struct Bomb;

impl cormorant::FromRow for Bomb {
    fn from_row(_row: &mut cormorant::Row<'_>) -> Result<Self> {
        Err(panics())
    }
}

/// The list above is whole, and names nothing that is gone.
#[test]
fn every_public_async_method_is_cancelled() {
    let crates = Path::new(env!("CARGO_MANIFEST_DIR")).join("..");
    let mut found = BTreeSet::new();
    for file in sources(&crates.join("cormorant-core/src")) {
        found.extend(async_methods(&std::fs::read_to_string(file).unwrap()));
    }
    assert!(found.len() > 30, "the sources were read: {found:?}");
    let builder = std::fs::read_to_string(crates.join("cormorant-macros/src/model/expand/builder.rs")).unwrap();
    for method in ["insert", "get_or_insert", "upsert"] {
        assert!(
            builder.contains(&format!("async fn {method}")),
            "the derived builder's methods are in the list as well"
        );
        // What such a method calls is no other.
        found.remove(method);
        found.insert(format!("Builder::{method}"));
    }
    assert_eq!(builder.matches("async fn").count(), 3, "and there are no others");
    let listed: BTreeSet<String> = cases().iter().map(|case| case.method.to_owned()).collect();
    let (missing, gone): (Vec<_>, Vec<_>) = (found.difference(&listed).collect(), listed.difference(&found).collect());
    assert!(missing.is_empty(), "public async methods without a case in `cases!`: {missing:?}");
    assert!(gone.is_empty(), "cases of methods that do not exist: {gone:?}");
}

fn sources(directory: &Path) -> Vec<PathBuf> {
    let entries = std::fs::read_dir(directory).unwrap().map(|entry| entry.unwrap().path());
    entries
        .flat_map(|path| match path.is_dir() {
            true => sources(&path),
            false if path.extension().is_some_and(|extension| extension == "rs") => vec![path],
            false => Vec::new(),
        })
        .collect()
}

/// Every `pub async fn` and every public `fn … -> impl Future` of a file: `Type::name`, or `name` outside of any type.
fn async_methods(source: &str) -> Vec<String> {
    let code: Vec<&str> = source.lines().filter(|line| !line.trim_start().starts_with("//")).collect();
    let mut methods = Vec::new();
    let (mut owner, mut public_trait) = (String::new(), false);
    for (n, line) in code.iter().enumerate() {
        if line.starts_with("impl") || line.contains("trait ") && !line.starts_with(' ') {
            public_trait = line.starts_with("pub trait");
            owner = owner_of(line);
        } else if line.starts_with('}') {
            owner.clear();
            public_trait = false;
        }
        let Some((before, after)) = line.split_once("fn ") else { continue };
        let before = before.trim();
        if !(before.starts_with("pub") && !before.starts_with("pub(") || public_trait && line.starts_with("    ")) {
            continue;
        }
        let signature = code[n..].join(" ");
        let signature = &signature[..signature.find(['{', ';']).unwrap_or(signature.len())];
        if before.contains("async") || signature.contains("-> impl Future") {
            let name: String = after.chars().take_while(|c| c.is_alphanumeric() || *c == '_').collect();
            methods.push(if owner.is_empty() { name } else { format!("{owner}::{name}") });
        }
    }
    methods
}

/// The type or trait of `impl<M: Mapper, O: Fetch> Query<M, O> {` or `pub trait Model: Mapper {`.
fn owner_of(line: &str) -> String {
    let mut depth = 0;
    let flat: String = line
        .replace("->", "")
        .chars()
        .filter(|c| {
            depth += i32::from(*c == '<') - i32::from(*c == '>');
            depth == 0 && *c != '>'
        })
        .collect();
    let words = flat.rsplit_once(" for ").map_or(flat.as_str(), |(_, after)| after);
    let words = words.trim_start_matches("pub ").trim_start_matches("impl").trim_start_matches("trait");
    words.trim().chars().take_while(|c| c.is_alphanumeric() || *c == '_').collect()
}

#[test]
fn the_reader_of_sources_sees_what_is_public() {
    let source = "
impl<M: Mapper, O: Fetch> Query<M, O> {
    pub async fn all(self) {}
    pub(crate) async fn inner(self) {}
    async fn each() {}
    pub fn plain(self) -> Vec<u8> {}
}
pub trait Model: Mapper {
    fn find(
        x: u8,
    ) -> impl Future<Output = ()>;
    fn no() {}
}
pub async fn free() {}
";
    assert_eq!(async_methods(source), ["Query::all", "Model::find", "free"]);
}
