use cormorant::prelude::*;

#[derive(Model)]
struct OrderLine {
    #[model(key)]
    order: ForeignKey<Order>,
    #[model(key)]
    number: i32,
    title: String,
}

#[derive(Model)]
struct Order {
    id: i64,
}

#[derive(Model)]
struct Shipment {
    id: i64,
    #[model(references(order, number))]
    line: ForeignKey<OrderLine>,
}

fn main() {}
