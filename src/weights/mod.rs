//! Knows checkpoints: bytes in, named tensors out, checked against what a graph needs; batch norm is
//! folded here. Knows the catalogue of published checkpoints too, but not how they are fetched; nothing of devices.

mod catalogue;
mod checkpoint;
mod fold;

pub use catalogue::{Catalogue, CatalogueError, DEFAULT_HUB, Entry};
pub use checkpoint::{Checkpoint, WeightsError};
pub use fold::{FoldedConv, fold};
