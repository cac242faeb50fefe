//! What goes with deleted rows: in which order it is deleted, and what it gives up.

use cormorant::prelude::*;
use cormorant::{ObjectState, Result};
use cormorant_conformance::{Fixture, conformance};

/// A tree whose branches go with what they grow from.
#[derive(Model, Clone, Debug, PartialEq)]
#[model(table = "sca_twigs")]
struct Twig {
    id: i64,
    x: i64,
    #[model(on_delete = cascade)]
    parent: Option<ForeignKey<Twig>>,
    #[model(unique, max_length = 20)]
    slug: String,
    leaves: HasMany<Leaf>,
}

#[derive(Model, Clone, Debug, PartialEq)]
#[model(table = "sca_leaves")]
struct Leaf {
    id: i64,
    #[model(on_delete = cascade)]
    twig: ForeignKey<Twig>,
    #[model(unique, max_length = 20)]
    slug: String,
    bugs: ManyToMany<Bug>,
}

#[derive(Model, Clone, Debug, PartialEq)]
#[model(table = "sca_bugs")]
struct Bug {
    id: i64,
    leaves: ManyToMany<Leaf>,
}

/// The same, with versions.
#[derive(Model, Clone, Debug, PartialEq)]
#[model(table = "sca_pages")]
struct Page {
    id: i64,
    #[model(on_delete = cascade)]
    parent: Option<ForeignKey<Page>>,
    #[model(version)]
    version: i64,
}

async fn begun(test: &Fixture) -> Result<Session> {
    test.db.create(models![Twig, Leaf, Bug, Page]).await?;
    Ok(test.db.session())
}

fn twig(slug: &str, parent: Option<Handle<Twig>>) -> Twig {
    Twig { id: 0, x: 0, parent: parent.map(Into::into), slug: slug.into(), leaves: HasMany::default() }
}

fn page(parent: Option<Handle<Page>>) -> Page {
    Page { id: 0, parent: parent.map(Into::into), version: 0 }
}

/// Each grows from the one before.
async fn chain(session: &mut Session, slugs: &[&str]) -> Result<Vec<Handle<Twig>>> {
    let mut twigs: Vec<Handle<Twig>> = Vec::new();
    for slug in slugs {
        twigs.push(session.add(twig(slug, twigs.last().copied())));
    }
    session.commit().await?;
    Ok(twigs)
}

conformance! {
    async fn what_went_early_is_linked_with_nothing(test: &Fixture) {
        let mut session = begun(test).await?;
        let leaf = |twig: Handle<Twig>, slug: &str| {
            Leaf { id: 0, twig: twig.into(), slug: slug.into(), bugs: ManyToMany::default() }
        };
        let (old, new) = (session.add(twig("old", None)), session.add(twig("new", None)));
        session.add(leaf(old, "a"));
        let other = session.add(leaf(old, "b"));
        session.commit().await?;
        // The old twig goes before the new leaf takes what one of its leaves held; the other leaf goes as well.
        session.delete(old);
        session.add(leaf(new, "a"));
        let bug = session.add(Bug { id: 0, leaves: ManyToMany::default() });
        session.link(bug, |b| b.leaves(), other).await?;
        session.commit().await?;
        assert_eq!(test.rows_in("sca_leaves").await?, 1);
        assert_eq!((session.state(other), session.related(bug, |b| b.leaves()).await?), (ObjectState::Deleted, vec![]));
        assert_eq!(Bug::query().count(&test.db).await?, 1);
    }

    async fn what_goes_with_a_row_above_is_deleted_before_it(test: &Fixture) {
        let mut session = begun(test).await?;
        let twigs = chain(&mut session, &["a", "b", "c", "d"]).await?;
        session.delete(twigs[0]);
        session.delete(twigs[3]);
        session.commit().await?;
        assert_eq!((session.state(twigs[1]), test.rows_in("sca_twigs").await?), (ObjectState::Deleted, 0));

        // The order is known, so somebody else's deletion is told apart.
        let twigs = chain(&mut session, &["a", "b", "c"]).await?;
        let key = session[twigs[2]].id;
        Twig::filter(|t| t.id().eq(key)).delete(&test.db).await?;
        session.delete(twigs[0]);
        session.delete(twigs[2]);
        assert!(session.commit().await.unwrap_err().is_stale());
    }

    async fn what_goes_with_a_row_above_by_rows_that_nobody_has_read(test: &Fixture) {
        let mut session = begun(test).await?;
        for deleted in [&[0, 2, 4][..], &[0, 1, 3, 4]] {
            let twigs = chain(&mut session, &["a", "b", "c", "d", "e"]).await?;
            let keys: Vec<i64> = deleted.iter().map(|at| session[twigs[*at]].id).collect();
            let mut other = test.db.session();
            for twig in other.all(Twig::filter(|t| t.id().is_in(keys))).await? {
                other.delete(twig);
            }
            other.commit().await?;
            assert_eq!(test.rows_in("sca_twigs").await?, 0);
        }
    }

    async fn what_expired_may_grow_elsewhere_by_now(test: &Fixture) {
        let mut session = begun(test).await?;
        for moved in [1, 2] {
            let other = chain(&mut session, &["d", "e"]).await?;
            let twigs = chain(&mut session, &["a", "b", "c"]).await?;
            let (to, key) = (session[other[1]].id, session[twigs[moved]].id);
            Twig::filter(|t| t.id().eq(key)).update(&test.db, |t| t.parent().set(to)).await?;
            session.expire_all();
            let (moved, last) = (twigs[moved], twigs[2]);
            session.refresh_all(twigs.into_iter().chain([other[0]]).filter(|twig| *twig != moved)).await?;
            session.delete(other[0]);
            session.delete(last);
            session.commit().await?;
            session.delete_all(Twig::query()).await?;
        }
    }

    async fn what_was_changed_since_and_does_not_go_along_is_stale(test: &Fixture) {
        let mut session = begun(test).await?;
        let root = session.add(page(None));
        let middle = session.add(page(Some(root)));
        let below = session.add(page(Some(middle)));
        let apart = session.add(page(None));
        let middle = session.add(page(Some(apart)));
        let elsewhere = session.add(page(Some(middle)));
        session.commit().await?;
        let keys = [root, below, elsewhere].map(|page| session[page].id);
        for changed in [None, Some(keys[2])] {
            let mut other = test.db.session();
            for page in other.all(Page::filter(|p| p.id().is_in(keys))).await? {
                other.delete(page);
            }
            match changed {
                None => {
                    other.flush().await?;
                    other.rollback().await?;
                }
                Some(changed) => {
                    Page::filter(|p| p.id().eq(changed)).update(&test.db, |p| p.version().set(9)).await?;
                    assert!(other.commit().await.unwrap_err().is_stale());
                }
            }
        }
    }

    async fn a_unique_value_of_a_row_that_goes_along_is_taken(test: &Fixture) {
        let mut session = begun(test).await?;
        let twigs = chain(&mut session, &["a", "b", "c"]).await?;
        let leaf = session.add(Leaf { id: 0, twig: twigs[2].into(), slug: "l".into(), bugs: ManyToMany::default() });
        let free = session.add(twig("free", None));
        session.commit().await?;
        session.delete(twigs[0]);
        let new = session.add(twig("c", None));
        let second = session.add(Leaf { id: 0, twig: new.into(), slug: "l".into(), bugs: ManyToMany::default() });
        session[free].slug = "b".into();
        session.commit().await?;
        let states = [twigs[1], twigs[2], new, free].map(|twig| session.state(twig));
        let [gone, here] = [ObjectState::Deleted, ObjectState::Clean];
        assert_eq!(states, [gone, gone, here, here]);
        assert_eq!([session.state(leaf), session.state(second)], [gone, here]);
        assert_eq!((test.rows_in("sca_twigs").await?, test.rows_in("sca_leaves").await?), (2, 1));
        session.rollback().await?;
        assert_eq!(session.state(new), here);
    }

    async fn what_is_deleted_early_takes_nothing_along_that_is_written_later(test: &Fixture) {
        let mut session = begun(test).await?;
        let twigs = chain(&mut session, &["a", "b", "c"]).await?;
        // The slug of the first is taken, and its grandchild is changed; both go in the end.
        session.delete(twigs[0]);
        session[twigs[2]].x = 5;
        let new = session.add(twig("a", None));
        session.commit().await?;
        assert_eq!((session.state(twigs[2]), test.rows_in("sca_twigs").await?), (ObjectState::Deleted, 1));

        // One below it is deleted as well.
        session[new].slug = "z".into();
        let twigs = chain(&mut session, &["a", "b"]).await?;
        let leaf = session.add(Leaf { id: 0, twig: twigs[1].into(), slug: "l".into(), bugs: ManyToMany::default() });
        session.commit().await?;
        session.delete(twigs[0]);
        session.delete(leaf);
        let new = session.add(twig("a", None));
        session.commit().await?;
        assert_eq!((session.state(leaf), test.rows_in("sca_twigs").await?), (ObjectState::Deleted, 2));

        // A new one grows from one that goes along.
        session[new].slug = "y".into();
        let twigs = chain(&mut session, &["a", "b", "c"]).await?;
        session.delete(twigs[0]);
        let below = session.add(twig("d", Some(twigs[1])));
        session.add(twig("a", None));
        session.commit().await?;
        assert_eq!((session.state(below), test.rows_in("sca_twigs").await?), (ObjectState::Deleted, 3));
    }
    // SQLite gives the key again.
    async fn what_points_at_itself_hands_its_unique_value_on(test: &Fixture) {
        let mut session = begun(test).await?;
        let old = session.add(twig("a", None));
        session[old].parent = Some(old.into());
        session.commit().await?;
        session.delete(old);
        let new = session.add(twig("a", None));
        session[new].parent = Some(new.into());
        session.commit().await?;
        assert_eq!(Twig::filter(|t| t.parent().id().eq(t.id())).count(&test.db).await?, 1);
    }
}
