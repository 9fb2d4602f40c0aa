//! Knows the papers: skeletons, attentions, and the table of variants. Writes graphs, runs nothing.
//!
//! A variant is a row of [`zoo`]; an attention is a plug into a skeleton.

mod efficientnet;
mod recognise;
mod regnet;
mod resnet;
mod rounding;
mod selective_kernel;
mod split_attention;
mod squeeze_excite;
pub mod zoo;

pub use efficientnet::EfficientNet;
pub use recognise::{Recognition, recognise};
pub use regnet::RegNet;
pub use resnet::{Attention, Block, ResNet, Shortcut, Stem};
pub use selective_kernel::SelectiveKernel;
pub use zoo::{Architecture, Variant};
