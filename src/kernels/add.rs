use super::{Dispatch, Kernel, activation_code, blocks, flat};
use crate::graph::{Activation, Shape};

pub const KERNEL: Kernel = Kernel {
    name: "add",
    source: shader!("add.wgsl", "shared/activate.wgsl"),
    params: Params::FIELDS,
    inputs: 2,
    workgroup: 64,
    team: 1,
    sampled: false,
};

params! { invocations, activation }

/// Bindings: a, b, output.
pub fn dispatch(output: Shape, activation: Activation) -> Dispatch {
    let invocations = blocks(output.channels) * output.pixels() as u32;
    flat(&KERNEL, Params { invocations, activation: activation_code(activation) }, invocations)
}
