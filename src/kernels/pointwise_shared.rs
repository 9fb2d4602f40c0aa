use super::layer::ConvLayer;
use super::pointwise::{Params, params};
use super::{Dispatch, Kernel};

pub const KERNEL: Kernel = Kernel {
    name: "pointwise_shared",
    source: shader!("pointwise_shared.wgsl", "shared/pointwise.wgsl", "shared/finish.wgsl", "shared/activate.wgsl"),
    params: Params::FIELDS,
    inputs: 4,
    workgroup: 64,
    team: 1,
    sampled: false,
};

/// Output blocks that one workgroup computes.
pub(super) const TILE_BLOCKS: usize = 16;
/// Pixels that one workgroup computes.
const TILE_PIXELS: usize = 64;

pub(super) fn dispatch(layer: &ConvLayer) -> Dispatch {
    let params = params(layer, TILE_PIXELS);
    Dispatch {
        kernel: &KERNEL,
        overrides: layer.finish().with([]),
        params: bytemuck::bytes_of(&params).to_vec(),
        workgroups: params.tiles * params.out_blocks.div_ceil(TILE_BLOCKS as u32),
    }
}
