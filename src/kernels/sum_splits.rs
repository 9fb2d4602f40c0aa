use super::{Dispatch, Kernel, blocks, flat};
use crate::graph::Shape;

pub const KERNEL: Kernel = Kernel {
    name: "sum_splits",
    source: shader!("sum_splits.wgsl"),
    params: Params::FIELDS,
    inputs: 1,
    workgroup: 64,
    team: 1,
    sampled: false,
};

params! { invocations, radix }

/// Bindings: input `[radix * C, H, W]`, output `[C, H, W]`.
pub fn dispatch(output: Shape, radix: usize) -> Dispatch {
    let invocations = blocks(output.channels) * output.pixels() as u32;
    flat(&KERNEL, Params { invocations, radix: radix as u32 }, invocations)
}
