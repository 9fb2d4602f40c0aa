//! Knows wgpu, and is alone in that: the device and its loss, pipelines, buffers, reading back.
//! Knows nothing of networks.

mod buffer;
mod device;
mod error;
mod pipeline;
mod run;

pub use buffer::{Buffer, Uniforms};
pub use device::{AdapterInfo, Gpu};
pub use error::GpuError;
pub use pipeline::Task;
pub use run::{Copy, Staging};
