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
    #[model(references(order_id, number))]
    line: ForeignKey<OrderLine>,
}

fn main() {
    let _ = Shipment::filter(|s| s.line().eq((1, 2)));
    let _ = Shipment::filter(|s| s.line().eq(1));
    let _ = Shipment::builder().line((1, "two"));
}
