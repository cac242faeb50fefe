//! The cases, written once for `.await` and `.wait()`.

use cormorant::prelude::*;
use cormorant::{Handle, Session, Sql, UncheckedSql};
use futures_util::future::try_join_all;
use harness::data::{Colors, Keys, OwnColors, WANTED_COLOR, new_posts, new_users};
use harness::{Meter, Outcome, Place, System, measure};

use crate::models::{Post, User, url};

/// A session with users and their posts.
struct Graph {
    session: Session,
    users: Vec<Handle<User>>,
    posts: Vec<Handle<Post>>,
}

impl Graph {
    fn of(db: &Database, users: usize) -> Self {
        let mut session = db.session();
        let new = new_users(users).map(|new| User::builder().name(new.name).hair_color(new.hair_color));
        let users: Vec<Handle<User>> = new.map(|user| session.add(user)).collect();
        let post = |user, title, body| Post::builder().user(user).title(title).body(body);
        let new = new_posts(users.len()).map(|new| post(users[new.user], new.title, new.body));
        let posts = new.map(|post| session.add(post)).collect();
        Self { session, users, posts }
    }

    fn delete(&mut self) {
        self.users.iter().for_each(|user| self.session.delete(*user));
        self.posts.iter().for_each(|post| self.session.delete(*post));
    }
}

macro_rules! system {
    ($name:ident, $($done:tt)*) => {
        pub struct $name {
            db: Database,
            clear: &'static [&'static str],
        }

        impl System for $name {
            async fn open(place: &Place) -> Self {
                Self { db: Database::connect(url(place)).$($done)*.unwrap(), clear: place.clear }
            }

            async fn execute(&mut self, text: &str) {
                Sql::unchecked(UncheckedSql::vouch_for(text)).execute(&self.db).$($done)*.unwrap();
            }

            async fn trivial_query(&mut self, meter: &mut Meter) -> Outcome {
                measure!(meter, User::query().all(&self.db).$($done)*.unwrap());
                Ok(())
            }

            async fn medium_complex_query(&mut self, meter: &mut Meter) -> Outcome {
                measure!(meter, {
                    // SQL by hand: a query joins along foreign keys in their own direction only.
                    let rows: Vec<(Record<User>, Option<Record<Post>>)> = sql!(
                        "SELECT users.id, users.name, users.hair_color, \
                         posts.id, posts.user_id, posts.title, posts.body \
                         FROM users LEFT JOIN posts ON posts.user_id = users.id WHERE users.hair_color = {WANTED_COLOR}"
                    )
                    .all(&self.db)
                    .$($done)*
                    .unwrap();
                    rows
                });
                Ok(())
            }

            async fn insert(&mut self, rows: usize, meter: &mut Meter) -> Outcome {
                measure!(meter, {
                    let users = new_users(rows).map(|new| User::builder().name(new.name).hair_color(new.hair_color));
                    User::insert_many(&self.db, users).$($done)*.unwrap()
                }, after: self.execute_all(self.clear).await);
                Ok(())
            }

            async fn point_lookup(&mut self, meter: &mut Meter) -> Outcome {
                let mut keys = Keys::new();
                measure!(meter, User::get(&self.db, keys.next_key()).$($done)*.unwrap());
                Ok(())
            }

            async fn update(&mut self, meter: &mut Meter) -> Outcome {
                let mut user = User::get(&self.db, 1).$($done)*.unwrap();
                let mut colors = Colors::new();
                measure!(meter, {
                    user.hair_color = colors.next_color();
                    user.save(&self.db).$($done)*.unwrap()
                });
                Ok(())
            }

            async fn save_unchanged(&mut self, meter: &mut Meter) -> Outcome {
                let mut user = User::get(&self.db, 1).$($done)*.unwrap();
                let color = user.hair_color.clone();
                measure!(meter, {
                    user.hair_color = color.clone();
                    user.save(&self.db).$($done)*.unwrap()
                });
                Ok(())
            }

            async fn lookups(&mut self, meter: &mut Meter) -> Outcome {
                let db = &self.db;
                measure!(meter, try_join_all(Keys::at_once().map(|key| User::get(db, key))).$($done)*.unwrap());
                Ok(())
            }

            async fn has_many(&mut self, meter: &mut Meter) -> Outcome {
                measure!(meter, User::query().include(|u| u.posts()).all(&self.db).$($done)*.unwrap());
                Ok(())
            }

            async fn three_levels(&mut self, meter: &mut Meter) -> Outcome {
                measure!(meter, {
                    let query = User::query().include(|u| u.posts().include(|p| p.comments()));
                    query.all(&self.db).$($done)*.unwrap()
                });
                Ok(())
            }

            async fn commit_graph(&mut self, users: usize, meter: &mut Meter) -> Outcome {
                measure!(meter, {
                    let mut graph = Graph::of(&self.db, users);
                    graph.session.commit().$($done)*.unwrap();
                    graph
                }, after: self.execute_all(self.clear).await);
                Ok(())
            }

            async fn commit_changes(&mut self, meter: &mut Meter) -> Outcome {
                let mut session = self.db.session();
                let users = session.all(User::query()).$($done)*.unwrap();
                let mut colors = OwnColors::new();
                measure!(meter, {
                    for (user, color) in users.iter().zip(colors.next_colors()) {
                        session[*user].hair_color = color;
                    }
                    session.commit().$($done)*.unwrap();
                }, after: self.execute_all(self.clear).await);
                Ok(())
            }

            async fn delete_graph(&mut self, users: usize, meter: &mut Meter) -> Outcome {
                measure!(meter, given: mut graph = {
                    let mut graph = Graph::of(&self.db, users);
                    graph.session.commit().$($done)*.unwrap();
                    graph
                }, {
                    graph.delete();
                    graph.session.commit().$($done)*.unwrap();
                }, after: self.execute_all(self.clear).await);
                Ok(())
            }
        }
    };
}

system!(Awaited, await);
system!(Waited, wait());
