use super::{Dispatch, Kernel, Tuning, blocks, flat, global_avg_pool_shared, grouped};
use crate::graph::Shape;

pub const KERNEL: Kernel = Kernel {
    name: "global_avg_pool",
    source: shader!("global_avg_pool.wgsl", "shared/global_avg_pool.wgsl"),
    params: Params::FIELDS,
    inputs: 1,
    workgroup: 8,
    team: 1,
    sampled: false,
};

params! { blocks, pixels, radix }

/// Bindings: input `[radix * C, H, W]`, output `[C]`.
pub fn dispatch(input: Shape, radix: usize, tuning: Tuning) -> Dispatch {
    let params = Params { blocks: blocks(input.channels / radix), pixels: input.pixels() as u32, radix: radix as u32 };
    match tuning.shared_sums {
        true => grouped(&global_avg_pool_shared::KERNEL, params, params.blocks),
        false => flat(&KERNEL, params, params.blocks),
    }
}
