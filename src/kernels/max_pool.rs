pub use super::window::Params;
use super::{Dispatch, Kernel, window};
use crate::graph::{Pool, Shape};

pub const KERNEL: Kernel = Kernel {
    name: "max_pool",
    source: shader!("max_pool.wgsl", "shared/window.wgsl"),
    params: Params::FIELDS,
    inputs: 1,
    workgroup: 64,
    team: 1,
    sampled: false,
};

/// Bindings: input, output.
pub fn dispatch(pool: &Pool, input: Shape, output: Shape) -> Dispatch {
    window::dispatch(&KERNEL, pool, input, output)
}
