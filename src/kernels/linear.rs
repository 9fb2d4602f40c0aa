use super::layer::ConvLayer;
use super::{Dispatch, Kernel, activation_code, blocks, flat};

pub const KERNEL: Kernel = Kernel {
    name: "linear",
    source: shader!("linear.wgsl", "shared/linear.wgsl", "shared/activate.wgsl"),
    params: Params::FIELDS,
    inputs: 4,
    workgroup: 16,
    team: 1,
    sampled: false,
};

params! { in_blocks, in_per_group, out_blocks, out_per_group, out_first_block, span, activation, has_shortcut }

pub(super) fn params(layer: &ConvLayer) -> Params {
    let conv = layer.conv;
    Params {
        in_blocks: blocks(layer.input.channels),
        in_per_group: (layer.input.channels / conv.groups) as u32,
        out_blocks: blocks(conv.out_channels),
        out_per_group: (conv.out_channels / conv.groups) as u32,
        out_first_block: layer.out_first_block,
        span: layer.span(1) as u32,
        activation: activation_code(layer.activation),
        has_shortcut: layer.shortcut.into(),
    }
}

pub(super) fn dispatch(layer: &ConvLayer) -> Dispatch {
    let params = params(layer);
    flat(&KERNEL, params, params.out_blocks)
}
