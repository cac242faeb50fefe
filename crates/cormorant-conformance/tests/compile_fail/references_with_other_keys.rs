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
    #[model(references(order_id, number), column = "line")]
    one: ForeignKey<OrderLine>,
    #[model(references(order_id, number), default = 1, on_delete = set_default)]
    two: ForeignKey<OrderLine>,
    #[model(references(order_id, number, number), check = "three > 0")]
    three: ForeignKey<OrderLine>,
    #[model(references)]
    four: ForeignKey<OrderLine>,
    #[model(references(order_id))]
    five: ForeignKey<OrderLine>,
    #[model(references(order_id = "id", number))]
    six: ForeignKey<OrderLine>,
    #[model(references(order_id, number))]
    seven: i64,
}

fn main() {}
