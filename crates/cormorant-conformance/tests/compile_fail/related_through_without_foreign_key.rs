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

#[derive(Model)]
struct Enrollment {
    id: i64,
    student: ForeignKey<Student>,
    course: i64,
}

fn main() {}
