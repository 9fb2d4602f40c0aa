//! Knows the papers: skeletons, attentions, and the table of variants. Writes graphs, runs nothing.
//!
//! A variant is a row of [`zoo`]; an attention is a plug into a skeleton.

mod resnet;
mod split_attention;
pub mod zoo;

pub use resnet::{Attention, ResNet, Shortcut, Stem};
pub use zoo::{Architecture, Variant};
