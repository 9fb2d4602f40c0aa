use super::layer::ConvLayer;
use super::{Dispatch, Finish, Kernel, Overrides, Tile, activation_code, blocks};
use crate::graph::Conv;

pub const KERNEL: Kernel = Kernel {
    name: "conv",
    source: shader!(
        "conv.wgsl",
        "shared/weight_buffer.wgsl",
        "shared/conv.wgsl",
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
        "conv.wgsl",
        "shared/weight_texture.wgsl",
        "shared/conv.wgsl",
        "shared/finish.wgsl",
        "shared/activate.wgsl"
    ),
    sampled: true,
    ..KERNEL
};

/// Output blocks that one invocation may compute.
pub(super) const fn tiles(tile: Tile) -> &'static [usize] {
    match tile {
        Tile::Wide => &[2, 1],
        Tile::Narrow => &[1],
    }
}

/// Taps along a row of the kernel that one step may take.
const TAPS: [u32; 2] = [1, 3];
/// Rows and columns of pixels that one invocation computes.
const TILE_SIDE: usize = 4;

params! {
    in_width, in_height, in_blocks, in_per_group, out_width, out_height, out_blocks, out_per_group,
    in_first_block, out_first_block, span, kernel, stride, pad_top, pad_left, dilation, tiles_across, tiles,
    activation, has_bias,
}

/// `kernel` is one of these, `conv_pair` or `conv_quad`.
pub(super) fn dispatch(kernel: &'static Kernel, layer: &ConvLayer) -> Dispatch {
    let conv = layer.conv;
    let [tiles_across, tiles_down] =
        [layer.output.width, layer.output.height].map(|side| side.div_ceil(TILE_SIDE) as u32);
    let tiles = tiles_across * tiles_down;
    let tile_blocks = layer.tile_blocks();
    let params = Params {
        in_width: layer.input.width as u32,
        in_height: layer.input.height as u32,
        in_blocks: blocks(layer.input.channels),
        in_per_group: (layer.input.channels / layer.kernel_groups()) as u32,
        out_width: layer.output.width as u32,
        out_height: layer.output.height as u32,
        out_blocks: blocks(conv.out_channels),
        out_per_group: (conv.out_channels / layer.kernel_groups()) as u32,
        in_first_block: layer.in_first_block,
        out_first_block: layer.out_first_block,
        span: layer.span(tile_blocks) as u32,
        kernel: conv.kernel as u32,
        stride: conv.stride as u32,
        pad_top: conv.pad_before(layer.input.height) as u32,
        pad_left: conv.pad_before(layer.input.width) as u32,
        dilation: conv.dilation as u32,
        tiles_across,
        tiles,
        activation: activation_code(layer.activation),
        has_bias: layer.bias.into(),
    };
    Dispatch {
        kernel,
        overrides: overrides(tile_blocks as u32, taps(&conv), layer.finish()),
        params: bytemuck::bytes_of(&params).to_vec(),
        workgroups: kernel.workgroups(tiles * layer.bands(tile_blocks, kernel.team as usize) as u32),
    }
}

/// The overrides of every pipeline with tiles of at most this size.
pub(super) fn every_override(most: Tile) -> Vec<Overrides> {
    let tiles = tiles(most).iter().flat_map(|&blocks| TAPS.map(|taps| (blocks as u32, taps)));
    tiles.flat_map(|(blocks, taps)| Finish::ALL.map(|finish| overrides(blocks, taps, finish))).collect()
}

fn overrides(tile_blocks: u32, taps: u32, finish: Finish) -> Overrides {
    finish.with([("tile_blocks", tile_blocks), ("taps", taps)])
}

/// Taps that one step takes.
fn taps(conv: &Conv) -> u32 {
    let [single, run] = TAPS;
    match conv.stride == conv.dilation && conv.kernel.is_multiple_of(run as usize) {
        true => run,
        false => single,
    }
}
