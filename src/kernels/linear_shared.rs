use super::layer::ConvLayer;
use super::linear::{Params, params};
use super::{Dispatch, Kernel, grouped};

pub const KERNEL: Kernel = Kernel {
    name: "linear_shared",
    source: shader!("linear_shared.wgsl", "shared/linear.wgsl", "shared/workgroup_sum.wgsl", "shared/activate.wgsl"),
    params: Params::FIELDS,
    inputs: 4,
    workgroup: 64,
    team: 1,
    sampled: false,
};

pub(super) fn dispatch(layer: &ConvLayer) -> Dispatch {
    let params = params(layer);
    grouped(&KERNEL, params, params.out_blocks)
}
