use super::{Kernel, pointwise};

pub const KERNEL: Kernel = Kernel {
    name: "pointwise_quad",
    source: shader!(
        "pointwise_quad.wgsl",
        "shared/quad.wgsl",
        "shared/weight_texture.wgsl",
        "shared/pointwise_sums.wgsl",
        "shared/pointwise.wgsl",
        "shared/finish.wgsl",
        "shared/activate.wgsl"
    ),
    params: pointwise::Params::FIELDS,
    inputs: 4,
    workgroup: 8,
    team: 4,
    sampled: true,
};
