use super::{Dispatch, Kernel, blocks};
use crate::graph::Shape;

pub const KERNEL: Kernel = Kernel {
    name: "global_avg_pool",
    source: shader!("global_avg_pool.wgsl"),
    params: Params::FIELDS,
    inputs: 1,
    workgroup: 8,
    quads: false,
};

params! { blocks, pixels, radix }

/// Bindings: input `[radix * C, H, W]`, output `[C]`.
pub fn dispatch(input: Shape, radix: usize) -> Dispatch {
    let blocks = blocks(input.channels / radix);
    let params = Params { blocks, pixels: input.pixels() as u32, radix: radix as u32 };
    Dispatch {
        kernel: &KERNEL,
        overrides: Vec::new(),
        params: bytemuck::bytes_of(&params).to_vec(),
        workgroups: KERNEL.workgroups(blocks),
    }
}
