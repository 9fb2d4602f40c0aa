//! Knows wgpu, and is alone in that: the device and its loss, pipelines, buffers, textures, reading back,
//! and the device's clock.
//! Knows nothing of networks.

mod buffer;
mod clock;
mod device;
mod error;
mod pipeline;
mod run;
#[cfg(target_arch = "wasm32")]
mod subgroups;
mod texture;

pub use buffer::{Buffer, Slice, Uniforms};
pub use clock::{Clock, Laps};
pub use device::{AdapterInfo, Gpu};
pub use error::GpuError;
pub use pipeline::Task;
pub use run::Staging;
pub use texture::{Bound, Stored};
