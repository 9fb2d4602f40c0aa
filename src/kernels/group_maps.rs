use super::{Dispatch, Kernel, flat};
use crate::graph::Shape;

pub const KERNEL: Kernel = Kernel {
    name: "group_maps",
    source: shader!("group_maps.wgsl"),
    params: Params::FIELDS,
    inputs: 1,
    workgroup: 64,
    quads: false,
};

params! { pixels, groups, group_channels }

/// Bindings: input `[C, H, W]`, maps `[groups, H, W]` (plain rows). `groups` divides `C`.
pub fn dispatch(input: Shape, groups: usize) -> Dispatch {
    let (pixels, group_channels) = (input.pixels() as u32, (input.channels / groups) as u32);
    let groups = groups as u32;
    flat(&KERNEL, Params { pixels, groups, group_channels }, groups * pixels)
}
