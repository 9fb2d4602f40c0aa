use super::layer::ConvLayer;
use super::{Dispatch, Finish, Kernel, Loads, Overrides, Tile, activation_code, blocks};

pub const KERNEL: Kernel = Kernel {
    name: "pointwise",
    source: shader!(
        "pointwise.wgsl",
        "shared/weight_buffer.wgsl",
        "shared/pointwise_sums.wgsl",
        "shared/pointwise.wgsl",
        "shared/finish.wgsl",
        "shared/activate.wgsl"
    ),
    params: Params::FIELDS,
    inputs: 4,
    workgroup: 32,
    team: 1,
    sampled: false,
};

/// The same with its weight as a texture.
pub const SAMPLING: Kernel = Kernel {
    source: shader!(
        "pointwise.wgsl",
        "shared/weight_texture.wgsl",
        "shared/pointwise_sums.wgsl",
        "shared/pointwise.wgsl",
        "shared/finish.wgsl",
        "shared/activate.wgsl"
    ),
    sampled: true,
    ..KERNEL
};

/// Output blocks that one invocation may compute.
pub(super) const fn tiles(tile: Tile, loads: Loads) -> &'static [usize] {
    match (tile, loads) {
        (Tile::Wide, _) => &[4, 2],
        // The others of a quad have blocks of their own. So has who is alone, in groups that no network has.
        (Tile::Narrow, Loads::Quads) => &[1],
        (Tile::Narrow, _) => &[2],
    }
}

/// Pixels that one invocation computes.
pub(super) const TILE_PIXELS: usize = 16;

params! {
    in_blocks, in_pixels, in_width, out_blocks, out_blocks_per_group, out_pixels, out_width, in_first_block,
    out_first_block, stride, tiles, activation, has_bias,
}

/// `kernel` is one of these or `pointwise_quad`.
pub(super) fn dispatch(kernel: &'static Kernel, layer: &ConvLayer) -> Dispatch {
    let params = params(layer, TILE_PIXELS);
    let tile_blocks = layer.tile_blocks();
    Dispatch {
        kernel,
        overrides: overrides(tile_blocks as u32, layer.finish()),
        params: bytemuck::bytes_of(&params).to_vec(),
        workgroups: kernel.workgroups(params.tiles * layer.bands(tile_blocks, kernel.team as usize) as u32),
    }
}

/// The uniform where a tile has `tile_pixels` pixels.
pub(super) fn params(layer: &ConvLayer, tile_pixels: usize) -> Params {
    let ConvLayer { conv, input, output, .. } = layer;
    Params {
        in_blocks: blocks(input.channels / conv.groups),
        in_pixels: input.pixels() as u32,
        in_width: input.width as u32,
        out_blocks: blocks(conv.out_channels),
        out_blocks_per_group: blocks(conv.out_channels / conv.groups),
        out_pixels: output.pixels() as u32,
        out_width: output.width as u32,
        in_first_block: layer.in_first_block,
        out_first_block: layer.out_first_block,
        stride: conv.stride as u32,
        tiles: output.pixels().div_ceil(tile_pixels) as u32,
        activation: activation_code(layer.activation),
        has_bias: layer.bias.into(),
    }
}

/// The overrides of every pipeline.
pub(super) fn every_override() -> Vec<Overrides> {
    let tiles = [Tile::Wide, Tile::Narrow].into_iter().flat_map(|tile| tiles(tile, Loads::Quads));
    tiles.flat_map(|&blocks| Finish::ALL.map(|finish| overrides(blocks as u32, finish))).collect()
}

fn overrides(tile_blocks: u32, finish: Finish) -> Overrides {
    finish.with([("tile_blocks", tile_blocks)])
}
