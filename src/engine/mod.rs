//! Knows how to run a plan on a device: weights uploaded once, buffers and bindings made once, one submission per
//! image; logits, the last feature map, gates and maps are read back at once, single channels when they are looked at.

mod counts;
mod error;
mod limits;
mod network;
mod parts;
mod replacer;
mod shelf;
mod steps;
mod taps;
mod timings;
mod tuner;

pub use counts::{Counts, counts};
pub use error::EngineError;
pub use limits::largest_side;
pub use network::{Account, Network, Progress, Stage, compile};
pub use parts::Part;
pub use shelf::Shelf;
pub use timings::{Timings, gigaflops, median};
pub use tuner::{Tried, tune};
