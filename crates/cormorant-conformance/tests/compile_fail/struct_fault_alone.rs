use cormorant::prelude::*;

#[derive(Model)]
struct Author {
    id: i64,
    #[model(max_length = "24", uniqe)]
    name: String,
}

#[derive(Model)]
struct Book {
    id: i64,
    author: ForeignKey<Author>,
}

fn main() {
    let author = Author::builder().name("Ann").build();
    let _query = Book::filter(|b| b.author().name().eq(author.name));
}
