use super::layer::ConvLayer;
use super::{Dispatch, Kernel, Overrides, activation_code, blocks};

pub const KERNEL: Kernel = Kernel {
    name: "pointwise",
    source: concat!(
        include_str!("../../shaders/pointwise.wgsl"),
        include_str!("../../shaders/shared/finish.wgsl"),
        include_str!("../../shaders/shared/activate.wgsl")
    ),
    params: Params::FIELDS,
    inputs: 4,
    workgroup: 32,
};

/// Output blocks that one invocation may compute.
pub(super) const TILES: [usize; 2] = [4, 2];
/// Pixels that one invocation computes.
pub(super) const TILE_PIXELS: usize = 16;

params! {
    in_blocks, in_pixels, in_width, out_blocks, out_blocks_per_group, out_pixels, out_width, in_first_block,
    out_first_block, stride, tiles, activation, has_bias, has_shortcut,
}

pub(super) fn dispatch(layer: &ConvLayer) -> Dispatch {
    let tiles = layer.output.pixels().div_ceil(TILE_PIXELS) as u32;
    let tile_blocks = layer.tile_blocks() as u32;
    let out_blocks = blocks(layer.conv.out_channels);
    let params = Params {
        in_blocks: blocks(layer.input.channels / layer.conv.groups),
        in_pixels: layer.input.pixels() as u32,
        in_width: layer.input.width as u32,
        out_blocks,
        out_blocks_per_group: blocks(layer.conv.out_channels / layer.conv.groups),
        out_pixels: layer.output.pixels() as u32,
        out_width: layer.output.width as u32,
        in_first_block: layer.in_first_block,
        out_first_block: layer.out_first_block,
        stride: layer.conv.stride as u32,
        tiles,
        activation: activation_code(layer.activation),
        has_bias: layer.bias.into(),
        has_shortcut: layer.shortcut.into(),
    };
    Dispatch {
        kernel: &KERNEL,
        overrides: overrides(tile_blocks, layer.curves()),
        params: bytemuck::bytes_of(&params).to_vec(),
        workgroups: KERNEL.workgroups(tiles * out_blocks.div_ceil(tile_blocks)),
    }
}

/// The overrides of every pipeline.
pub(super) fn every_override() -> Vec<Overrides> {
    TILES.iter().flat_map(|&blocks| [false, true].map(|curves| overrides(blocks as u32, curves))).collect()
}

fn overrides(tile_blocks: u32, curves: bool) -> Overrides {
    vec![("tile_blocks", tile_blocks), ("curves", curves.into())]
}
