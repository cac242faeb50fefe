//! Relations of a model with itself, and a model that links.
#![deny(warnings, dead_code)]
use cormorant::prelude::*;

#[derive(Model)]
struct User {
    id: i64,
    name: String,
    boss: Option<ForeignKey<User>>,
    team: HasMany<User>,
    #[model(inverse = followers)]
    following: ManyToMany<User>,
    #[model(inverse = following)]
    followers: ManyToMany<User>,
    #[model(through = "friendships")]
    friends: ManyToMany<User>,
}

#[derive(Model)]
struct Student {
    id: i64,
    #[model(through = Enrollment, via = student)]
    courses: ManyToMany<Course>,
    #[model(through = Enrollment, via = tutor)]
    tutored: ManyToMany<Course>,
    #[model(via = student)]
    enrollments: HasMany<Enrollment>,
}

#[derive(Model)]
struct Course {
    id: i64,
}

#[derive(Model)]
struct Enrollment {
    id: i64,
    student: ForeignKey<Student>,
    tutor: Option<ForeignKey<Student>>,
    course: ForeignKey<Course>,
}

fn main() -> cormorant::Result<()> {
    let db = Database::connect("sqlite::memory:").wait()?;
    db.create(models![User, Student, Course, Enrollment]).wait()?;
    let ann = User::builder().name("Ann").insert(&db).wait()?;
    let bob = ann.team().create(&db, |user| user.name("Bob")).wait()?;
    ann.following().add(&db, [&bob]).wait()?;
    ann.friends().add(&db, [&bob]).wait()?;
    assert_eq!(bob.followers().query().select(|u| u.name()).all(&db).wait()?, ["Ann"]);
    assert_eq!(bob.following().count(&db).wait()?, 0);
    let followed = User::filter(|u| u.followers().any(|f| f.name().eq("Ann")));
    let followed = followed.include(|u| u.followers()).include(|u| u.boss()).one(&db).wait()?;
    assert_eq!((followed.name.as_str(), followed.followers.get()?.len()), ("Bob", 1));

    let student = Student::builder().insert(&db).wait()?;
    let tutor = Student::builder().insert(&db).wait()?;
    let course = Course::builder().insert(&db).wait()?;
    let enrollment = student.enrollments().create(&db, |e| e.course(&course).tutor(&tutor)).wait()?;
    assert_eq!((enrollment.id, student.courses().count(&db).wait()?), (1, 1));
    assert_eq!(tutor.courses().count(&db).wait()?, 0);
    assert_eq!(tutor.tutored().count(&db).wait()?, 1);
    Ok(())
}
