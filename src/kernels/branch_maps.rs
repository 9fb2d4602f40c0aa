use super::{Dispatch, Kernel, blocks, flat};
use crate::graph::Shape;

pub const KERNEL: Kernel = Kernel {
    name: "branch_maps",
    source: shader!("branch_maps.wgsl"),
    params: Params::FIELDS,
    inputs: 3,
    workgroup: 64,
    team: 1,
    sampled: false,
};

params! { blocks, pixels, branches }

/// Bindings: branches `[branches * C, H, W]`, gates `[branches * C]`, the unit's output `[C, H, W]`, maps
/// `[2 * branches + 1, H, W]` (plain rows).
pub fn dispatch(output: Shape, branches: usize) -> Dispatch {
    let (pixels, branches) = (output.pixels() as u32, branches as u32);
    flat(&KERNEL, Params { blocks: blocks(output.channels), pixels, branches }, (branches + 1) * pixels)
}
