use super::{Dispatch, Kernel, blocks, flat};
use crate::graph::Shape;

pub const KERNEL: Kernel = Kernel {
    name: "weighted_sum",
    source: shader!("weighted_sum.wgsl"),
    params: Params::FIELDS,
    inputs: 2,
    workgroup: 64,
    team: 1,
    sampled: false,
};

/// Pixels that one invocation computes.
const TILE_PIXELS: usize = 4;

params! { blocks, pixels, tiles, radix }

/// Bindings: splits `[radix * C, H, W]`, gates `[radix * C]`, output `[C, H, W]`.
pub fn dispatch(output: Shape, radix: usize) -> Dispatch {
    let (blocks, tiles) = (blocks(output.channels), output.pixels().div_ceil(TILE_PIXELS) as u32);
    let params = Params { blocks, pixels: output.pixels() as u32, tiles, radix: radix as u32 };
    flat(&KERNEL, params, blocks * tiles)
}
