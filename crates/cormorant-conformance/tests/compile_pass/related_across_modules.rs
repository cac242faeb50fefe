//! Models in different modules that point at each other, and foreign keys that go round.
#![deny(warnings, dead_code)]

mod people {
    use cormorant::prelude::*;

    #[derive(Model)]
    pub struct User {
        pub id: i64,
        pub home: Option<ForeignKey<crate::places::Town>>,
        pub profile: HasOne<Profile>,
        #[model(via = author)]
        pub posts: HasMany<super::texts::Post>,
        #[model(via = editor)]
        pub edited: HasMany<super::texts::Post>,
    }

    #[derive(Model)]
    pub struct Profile {
        pub id: i64,
        pub user: OneToOne<User>,
    }
}

mod places {
    use super::people::User;
    use cormorant::prelude::*;

    #[derive(Model)]
    pub struct Town {
        pub id: i64,
        pub mayor: Option<ForeignKey<User>>,
        pub people: HasMany<User>,
    }
}

mod texts {
    pub mod tags {
        use super::super::texts;

        #[derive(cormorant::Model)]
        pub struct Tag {
            pub id: i64,
            pub name: String,
            pub posts: cormorant::ManyToMany<texts::Post>,
        }
    }

    use crate::people::User;
    use cormorant::prelude::*;

    #[derive(Model)]
    pub struct Post {
        pub id: i64,
        pub author: ForeignKey<User>,
        pub editor: Option<ForeignKey<User>>,
        pub tags: ManyToMany<tags::Tag>,
    }
}

use cormorant::prelude::*;
use people::{Profile, User};
use places::Town;
use texts::{Post, tags::Tag};

fn main() -> cormorant::Result<()> {
    let db = Database::connect("sqlite::memory:").wait()?;
    db.create(models![User, Profile, Town, Post, Tag]).wait()?;
    let town = Town::builder().insert(&db).wait()?;
    let user = User::builder().home(&town).insert(&db).wait()?;
    Profile::builder().user(&user).insert(&db).wait()?;
    let post = user.posts().create(&db, |post| post).wait()?;
    post.tags().create(&db, Tag::builder().name("birds")).wait()?;
    let towns = Town::filter(|t| t.people().any(|u| u.posts().any(|p| p.tags().any(|t| t.name().eq("birds")))))
        .include(|t| t.people().include(|u| u.profile()).include(|u| u.posts().include(|p| p.author().home().mayor())))
        .all(&db)
        .wait()?;
    let people = towns[0].people.get()?;
    assert_eq!(people[0].profile.get()?.map(|profile| profile.id), Some(1));
    let home = people[0].posts.get()?[0].author.get()?.home.as_ref();
    assert_eq!(home.map(|home| home.get().map(|town| town.id)).transpose()?, Some(town.id));
    assert_eq!(user.edited().count(&db).wait()?, 0);
    Ok(())
}
