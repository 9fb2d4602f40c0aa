use super::{Kernel, conv};

pub const KERNEL: Kernel = Kernel {
    name: "conv_pair",
    source: shader!(
        "conv_pair.wgsl",
        "shared/weight_texture.wgsl",
        "shared/conv.wgsl",
        "shared/finish.wgsl",
        "shared/activate.wgsl"
    ),
    params: conv::Params::FIELDS,
    inputs: 4,
    workgroup: 8,
    team: 2,
    sampled: true,
};
