//! Knows what every operation means: one plain CPU function each, obvious before fast; the name of a shader that does
//! it begins with its name. The truth that kernels are tested against, itself tested against PyTorch.

mod activate;
mod add;
mod avg_pool;
mod branch_maps;
mod conv;
mod global_avg_pool;
mod group_maps;
mod linear;
mod max_pool;
mod network;
mod pointwise;
mod radix_softmax;
mod replace_gates;
mod sum_splits;
mod weighted_sum;
mod winograd_input;
mod winograd_output;

pub use activate::activate;
pub use add::add;
pub use avg_pool::avg_pool;
pub use branch_maps::branch_maps;
pub use conv::conv;
pub use global_avg_pool::global_avg_pool;
pub use group_maps::group_maps;
pub use linear::linear;
pub use max_pool::max_pool;
pub use network::{network, network_with};
pub use pointwise::pointwise;
pub use radix_softmax::radix_softmax;
pub use replace_gates::replace_gates;
pub use sum_splits::sum_splits;
pub use weighted_sum::weighted_sum;
pub use winograd_input::winograd_input;
pub use winograd_output::winograd_output;
