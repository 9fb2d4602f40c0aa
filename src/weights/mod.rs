//! Knows checkpoints: bytes in, named tensors out, checked against what a graph needs; batch norm is
//! folded here. Knows the catalogue of published checkpoints too, but not how they are fetched; nothing of devices.

mod catalogue;
mod checkpoint;
mod error;
mod fold;
pub mod hashed;
mod header;
mod rename;

pub use catalogue::{Catalogue, CatalogueError, DEFAULT_HUB, Entry, card_of};
pub use checkpoint::Checkpoint;
pub use error::WeightsError;
pub use fold::{FoldedConv, fold};
pub use header::Header;
