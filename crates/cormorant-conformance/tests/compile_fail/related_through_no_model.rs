use cormorant::prelude::*;

#[derive(Model)]
struct Student {
    id: i64,
    #[model(through = Enrollment)]
    courses: ManyToMany<Course>,
}

#[derive(Model)]
struct Course {
    id: i64,
}

struct Enrollment;

fn main() {}
