use super::layer::{ConvLayer, QUAD};
use super::{Dispatch, Kernel, conv};

pub const KERNEL: Kernel = Kernel {
    name: "conv_quad",
    source: shader!(
        "conv_quad.wgsl",
        "shared/quad.wgsl",
        "shared/conv.wgsl",
        "shared/finish.wgsl",
        "shared/activate.wgsl"
    ),
    params: conv::Params::FIELDS,
    inputs: 4,
    workgroup: 8,
    quads: true,
};

pub(super) fn dispatch(layer: &ConvLayer) -> Dispatch {
    let params = conv::params(layer);
    let tile_blocks = layer.tile_blocks() as u32;
    let bands = params.out_blocks.div_ceil(tile_blocks).next_multiple_of(QUAD as u32);
    Dispatch {
        kernel: &KERNEL,
        overrides: conv::overrides(tile_blocks, conv::taps(&layer.conv), layer.finish()),
        params: bytemuck::bytes_of(&params).to_vec(),
        workgroups: KERNEL.workgroups(params.tiles * bands),
    }
}
