use super::layer::ConvLayer;
use super::winograd::Winograd;
use super::{Dispatch, Kernel, Overrides, activation_code, blocks, flat};

pub const KERNEL: Kernel = Kernel {
    name: "winograd_output",
    source: concat!(
        include_str!("../../shaders/winograd_output.wgsl"),
        include_str!("../../shaders/shared/finish.wgsl"),
        include_str!("../../shaders/shared/activate.wgsl")
    ),
    params: Params::FIELDS,
    inputs: 3,
    workgroup: 32,
};

params! { width, height, blocks, first_block, tiles_across, tiles, activation, has_bias, has_shortcut }

pub(super) fn dispatch(layer: &ConvLayer, winograd: &Winograd) -> Dispatch {
    let params = Params {
        width: layer.output.width as u32,
        height: layer.output.height as u32,
        blocks: blocks(layer.output.channels),
        first_block: layer.out_first_block,
        tiles_across: winograd.product.input.width as u32,
        tiles: winograd.product.input.pixels() as u32,
        activation: activation_code(layer.activation),
        has_bias: layer.bias.into(),
        has_shortcut: layer.shortcut.into(),
    };
    let dispatch = flat(&KERNEL, params, params.tiles * params.blocks);
    Dispatch { overrides: overrides(layer.curves()), ..dispatch }
}

/// The overrides of every pipeline.
pub(super) fn every_override() -> Vec<Overrides> {
    [false, true].map(overrides).to_vec()
}

fn overrides(curves: bool) -> Overrides {
    vec![("curves", curves.into())]
}
