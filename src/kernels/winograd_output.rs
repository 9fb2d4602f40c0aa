use super::layer::ConvLayer;
use super::winograd::Winograd;
use super::{Dispatch, Kernel, activation_code, blocks, flat};

pub const KERNEL: Kernel = Kernel {
    name: "winograd_output",
    source: shader!("winograd_output.wgsl", "shared/finish.wgsl", "shared/activate.wgsl"),
    params: Params::FIELDS,
    inputs: 3,
    workgroup: 32,
    team: 1,
    sampled: false,
};

params! { width, height, blocks, first_block, dilation, tiles_across, tiles_down, tiles, activation, has_bias }

pub(super) fn dispatch(layer: &ConvLayer, winograd: &Winograd) -> Dispatch {
    let params = Params {
        width: layer.output.width as u32,
        height: layer.output.height as u32,
        blocks: blocks(layer.output.channels),
        first_block: layer.out_first_block,
        dilation: layer.conv.dilation as u32,
        tiles_across: winograd.product.input.width as u32,
        tiles_down: winograd.tiles_down as u32,
        tiles: winograd.product.input.pixels() as u32,
        activation: activation_code(layer.activation),
        has_bias: layer.bias.into(),
    };
    let dispatch = flat(&KERNEL, params, params.tiles * params.blocks);
    Dispatch { overrides: layer.finish().with([]), ..dispatch }
}
