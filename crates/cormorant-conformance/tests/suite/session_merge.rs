//! Objects that a session takes over from elsewhere, and what it has of their rows by then.

use cormorant::prelude::*;
use cormorant::{ObjectState, Result};
use cormorant_conformance::{Fixture, conformance};

#[derive(Model, Clone, Debug, PartialEq)]
#[model(table = "sm_items")]
struct Item {
    id: i64,
    name: String,
}

#[derive(Model, Clone, Debug, PartialEq)]
#[model(table = "sm_pages")]
struct Page {
    id: i64,
    text: String,
    #[model(version)]
    version: i64,
}

fn item(id: i64, name: &str) -> Item {
    Item { id, name: name.into() }
}

/// A session with one object, and its key.
async fn begun(test: &Fixture) -> Result<(Session, Handle<Item>, i64)> {
    test.db.create(models![Item]).await?;
    let mut session = test.db.session();
    let cup = session.add(item(0, "cup"));
    session.commit().await?;
    let key = session[cup].id;
    test.statements();
    Ok((session, cup, key))
}

async fn names(test: &Fixture) -> Result<Vec<String>> {
    Item::query().select(|i| i.name()).order_by(|i| i.id().asc()).all(&test.db).await
}

conformance! {
    async fn an_object_that_was_deleted_is_merged_as_a_new_one(test: &Fixture) {
        let (mut session, cup, key) = begun(test).await?;
        session.delete(cup);
        let merged = session.merge(item(key, "mug")).await?;
        session.commit().await?;
        assert_eq!((session.state(cup), session.state(merged)), (ObjectState::Deleted, ObjectState::Clean));
        assert_eq!(names(test).await?, ["mug"]);
    }

    async fn a_row_that_a_query_deleted_is_inserted_again(test: &Fixture) {
        let (mut session, cup, key) = begun(test).await?;
        session.delete_all(Item::query()).await?;
        let merged = session.merge(item(key, "mug")).await?;
        session.commit().await?;
        assert_eq!((session.state(cup), session.state(merged)), (ObjectState::Deleted, ObjectState::Clean));
        assert_eq!(names(test).await?, ["mug"]);
    }

    async fn a_row_that_a_query_changed_is_read_before_it_is_merged(test: &Fixture) {
        let (mut session, cup, key) = begun(test).await?;
        session.update_all(Item::query(), |i| i.name().set("mug")).await?;
        assert_eq!(session.merge(item(key, "cup")).await?, cup);
        session.commit().await?;
        assert_eq!(names(test).await?, ["cup"], "what was read before is not what it is compared with");
    }

    async fn of_several_with_one_key_the_last_counts(test: &Fixture) {
        let (mut session, cup, key) = begun(test).await?;
        let all = [item(key, "a"), item(key, "b"), item(999, "c"), item(999, "d"), item(0, "e"), item(0, "f")];
        let merged = session.merge_all(all).await?;
        assert_eq!((merged[0], merged[1], merged[2]), (cup, cup, merged[3]));
        assert_ne!(merged[4], merged[5], "those have no key yet");
        session.commit().await?;
        assert_eq!(names(test).await?.len(), 4);
        assert_eq!((session[merged[1]].name.as_str(), session[merged[3]].name.as_str()), ("b", "d"));
    }

    async fn an_object_of_an_older_version_is_refused(test: &Fixture) {
        test.db.create(models![Page]).await?;
        let mut page = Page::builder().text("draft").insert(&test.db).await?;
        let request = Page { text: "mine".into(), ..(*page).clone() };
        page.text = "theirs".into();
        page.save(&test.db).await?;
        let mut session = test.db.session();
        let other = Page { id: 999, text: "new".into(), version: 1 };
        let error = session.merge_all([other, request.clone()]).await.unwrap_err();
        assert!(error.is_stale() && error.to_string().contains("merged"), "{error}");
        assert_eq!(session.objects::<Page>(ObjectState::New), [], "none of them");
        session.merge(Page { version: 2, ..request.clone() }).await?;
        session.commit().await?;
        assert_eq!(*Page::query().one(&test.db).await?, Page { version: 3, ..request.clone() });
        // One that does not say.
        session.merge(Page { version: 0, text: "last".into(), ..request }).await?;
        session.commit().await?;
        let page = Page::query().one(&test.db).await?;
        assert_eq!((page.text.as_str(), page.version), ("last", 4));
    }
}
