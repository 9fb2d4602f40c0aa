use super::layer::ConvLayer;
use super::winograd::Winograd;
use super::{Dispatch, Kernel, blocks, flat};

pub const KERNEL: Kernel = Kernel {
    name: "winograd_input",
    source: shader!("winograd_input.wgsl"),
    params: Params::FIELDS,
    inputs: 1,
    workgroup: 32,
    team: 1,
    sampled: false,
};

params! { width, height, blocks, first_block, pad_top, pad_left, dilation, tiles_across, tiles_down, tiles }

pub(super) fn dispatch(layer: &ConvLayer, winograd: &Winograd) -> Dispatch {
    let input = layer.input;
    let params = Params {
        width: input.width as u32,
        height: input.height as u32,
        blocks: blocks(input.channels),
        first_block: layer.in_first_block,
        pad_top: layer.conv.pad_before(input.height) as u32,
        pad_left: layer.conv.pad_before(input.width) as u32,
        dilation: layer.conv.dilation as u32,
        tiles_across: winograd.product.input.width as u32,
        tiles_down: winograd.tiles_down as u32,
        tiles: winograd.product.input.pixels() as u32,
    };
    flat(&KERNEL, params, params.tiles * params.blocks)
}
