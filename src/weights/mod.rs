//! Knows checkpoints: bytes in, named tensors out, checked against what a graph needs; batch norm is
//! folded here. Knows nothing of devices.

mod checkpoint;
mod fold;

pub use checkpoint::{Checkpoint, WeightsError};
pub use fold::{FoldedConv, fold};
