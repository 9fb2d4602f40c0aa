use super::layer::{ConvLayer, TILE_PIXELS, TILE_WORKGROUP};
use super::{Dispatch, Kernel, activation_code, blocks};

pub const KERNEL: Kernel = Kernel {
    name: "conv",
    source: concat!(include_str!("../../shaders/conv.wgsl"), include_str!("../../shaders/shared/activate.wgsl")),
    params: Params::FIELDS,
    inputs: 4,
};

params! {
    in_width, in_height, in_blocks, in_per_group, out_width, out_pixels, out_blocks, out_per_group,
    in_first_block, out_first_block, span, kernel, stride, pad_top, pad_left, dilation, tiles, activation, has_shortcut,
}

pub(super) fn dispatch(layer: &ConvLayer) -> Dispatch {
    let conv = layer.conv;
    let tiles = layer.output.pixels().div_ceil(TILE_PIXELS) as u32;
    let tile_blocks = layer.tile_blocks();
    let out_blocks = blocks(conv.out_channels);
    let params = Params {
        in_width: layer.input.width as u32,
        in_height: layer.input.height as u32,
        in_blocks: blocks(layer.input.channels),
        in_per_group: (layer.input.channels / conv.groups) as u32,
        out_width: layer.output.width as u32,
        out_pixels: layer.output.pixels() as u32,
        out_blocks,
        out_per_group: (conv.out_channels / conv.groups) as u32,
        in_first_block: layer.in_first_block,
        out_first_block: layer.out_first_block,
        span: layer.span(tile_blocks) as u32,
        kernel: conv.kernel as u32,
        stride: conv.stride as u32,
        pad_top: conv.pad_before(layer.input.height) as u32,
        pad_left: conv.pad_before(layer.input.width) as u32,
        dilation: conv.dilation as u32,
        tiles,
        activation: activation_code(layer.activation),
        has_shortcut: layer.shortcut.into(),
    };
    Dispatch {
        kernel: &KERNEL,
        overrides: vec![("tile_blocks", tile_blocks as u32)],
        params: bytemuck::bytes_of(&params).to_vec(),
        workgroups: (tiles * out_blocks.div_ceil(tile_blocks as u32)).div_ceil(TILE_WORKGROUP),
    }
}
