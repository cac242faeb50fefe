use cormorant::prelude::*;

#[derive(Model)]
struct Book {
    id: i64,
    #[model(on_update = "cascade")]
    next: ForeignKey<Book>,
}

fn main() {}
