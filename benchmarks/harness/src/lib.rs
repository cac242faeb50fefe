//! What the benchmark of every peer shares: the [cases](Case), the [data], the [clock](Meter), and the
//! [protocol](serve) by which `cargo xtask bench` drives one process per system.
//!
//! A peer implements [`System`] once: one method per case, whose operation stands inside [`measure!`]. What is
//! around it (preparing statements, loading what is to be changed, clearing tables) is not timed.

mod block_on;
mod case;
pub mod data;
mod grouped;
mod meter;
mod place;
mod serve;
mod system;

pub use block_on::block_on;
pub use case::Case;
pub use grouped::grouped;
pub use meter::Meter;
pub use place::{Backend, Place, Server};
pub use serve::{Arguments, serve};
pub use system::{Outcome, System};
