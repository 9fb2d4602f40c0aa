//! SplitLens runs convolutional networks with attention on an image in WebGPU compute shaders, and shows
//! where the attention goes.
//!
//! The house has rooms, and each knows one thing:
//!
//! | room | knows | may import |
//! | --- | --- | --- |
//! | `order` | sorting | std |
//! | [`graph`] | shapes, operations, the builder, the plan, the cost | order |
//! | [`arch`] | the papers: skeletons, attentions, the table of variants | graph, order |
//! | [`reference`](mod@reference) | what every operation means, in plain loops | graph |
//! | [`weights`] | checkpoints, the catalogue of published ones, batch norm folded | graph, vision, order |
//! | [`reading`] | what a run may replace and what it leaves behind, as plain data | graph |
//! | [`kernels`] | the shaders: sources, parameters, dispatches; no device | graph |
//! | [`gpu`] | wgpu, and is alone in that | kernels |
//! | [`engine`] | how a plan runs on a device | graph, kernels, gpu, weights, reading |
//! | [`vision`] | pixels to tensors, readings to maps, maps to colours | graph, reading, order |
//! | `app` | the page; alone knows the document | all |
//! | `cli` | the command | all |
//!
//! `tests/rooms.rs` holds the walls up. The page and the command are two thin shells over the engine.

#[cfg(target_arch = "wasm32")]
pub mod app;
pub mod arch;
#[cfg(not(target_arch = "wasm32"))]
pub mod cli;
pub mod engine;
pub mod gpu;
pub mod graph;
pub mod kernels;
mod order;
pub mod reading;
pub mod reference;
pub mod vision;
pub mod weights;
