use super::Kernel;
use super::global_avg_pool::Params;

pub const KERNEL: Kernel = Kernel {
    name: "global_avg_pool_shared",
    source: shader!("global_avg_pool_shared.wgsl", "shared/global_avg_pool.wgsl", "shared/workgroup_sum.wgsl"),
    params: Params::FIELDS,
    inputs: 1,
    workgroup: 64,
    team: 1,
    sampled: false,
};
