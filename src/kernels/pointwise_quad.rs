use super::layer::{ConvLayer, QUAD};
use super::{Dispatch, Kernel, pointwise};

pub const KERNEL: Kernel = Kernel {
    name: "pointwise_quad",
    source: shader!(
        "pointwise_quad.wgsl",
        "shared/quad.wgsl",
        "shared/pointwise_sums.wgsl",
        "shared/pointwise.wgsl",
        "shared/finish.wgsl",
        "shared/activate.wgsl"
    ),
    params: pointwise::Params::FIELDS,
    inputs: 4,
    workgroup: 8,
    quads: true,
};

pub(super) fn dispatch(layer: &ConvLayer) -> Dispatch {
    let params = pointwise::params(layer, pointwise::TILE_PIXELS);
    let tile_blocks = layer.tile_blocks() as u32;
    let bands = params.out_blocks.div_ceil(tile_blocks).next_multiple_of(QUAD as u32);
    Dispatch {
        kernel: &KERNEL,
        overrides: pointwise::overrides(tile_blocks, layer.finish()),
        params: bytemuck::bytes_of(&params).to_vec(),
        workgroups: KERNEL.workgroups(params.tiles * bands),
    }
}
