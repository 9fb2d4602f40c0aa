use super::{Dispatch, Kernel, flat};
use crate::graph::Shape;

pub const KERNEL: Kernel = Kernel {
    name: "group_maps",
    source: shader!("group_maps.wgsl"),
    params: Params::FIELDS,
    inputs: 1,
    // Wide, so that a dispatch reaches every pixel of every channel, which depthwise layers have maps of.
    workgroup: 256,
    team: 1,
    sampled: false,
};

params! { pixels, groups, group_channels }

/// Bindings: input `[C, H, W]`, maps `[groups, H, W]` (plain rows). `groups` divides `C`.
pub fn dispatch(input: Shape, groups: usize) -> Dispatch {
    let (pixels, group_channels) = (input.pixels() as u32, (input.channels / groups) as u32);
    let groups = groups as u32;
    flat(&KERNEL, Params { pixels, groups, group_channels }, groups * pixels)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_channel_of_a_large_layer_fits_a_dispatch() {
        // EfficientNet-Lite0's second depthwise block at 1182 pixels, more than which a device need not hold.
        assert!(dispatch(Shape::new(144, 296, 296), 144).workgroups <= 65535);
    }
}
