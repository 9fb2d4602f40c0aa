use super::{Kernel, conv};

pub const KERNEL: Kernel = Kernel {
    name: "conv_quad",
    source: shader!(
        "conv_quad.wgsl",
        "shared/quad.wgsl",
        "shared/weight_texture.wgsl",
        "shared/conv.wgsl",
        "shared/finish.wgsl",
        "shared/activate.wgsl"
    ),
    params: conv::Params::FIELDS,
    inputs: 4,
    workgroup: 8,
    team: 4,
    sampled: true,
};
