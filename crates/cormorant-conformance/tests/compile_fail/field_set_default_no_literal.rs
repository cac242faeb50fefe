use cormorant::prelude::*;

#[derive(Model)]
struct Owner {
    id: i64,
}

#[derive(Model)]
struct Item {
    id: i64,
    #[model(on_delete = set_default, default = ForeignKey::to(1))]
    owner: ForeignKey<Owner>,
}

fn main() {}
