use super::{Dispatch, Kernel, flat};

pub const KERNEL: Kernel = Kernel {
    name: "replace_gates",
    source: shader!("replace_gates.wgsl"),
    params: Params::FIELDS,
    inputs: 1,
    workgroup: 64,
    team: 1,
    sampled: false,
};

params! { channels, branches, reversed }

/// Bindings: replacement, and the gates that it replaces in place, both `[branches * C]`. Where the branches
/// are reversed the replacement is not read.
pub fn dispatch(channels: usize, branches: usize, reversed: bool) -> Dispatch {
    let channels = channels as u32;
    flat(&KERNEL, Params { channels, branches: branches as u32, reversed: reversed.into() }, channels)
}
