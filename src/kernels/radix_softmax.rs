use super::{Dispatch, Kernel, flat};

pub const KERNEL: Kernel = Kernel {
    name: "radix_softmax",
    source: shader!("radix_softmax.wgsl"),
    params: Params::FIELDS,
    inputs: 1,
    workgroup: 64,
    team: 1,
    sampled: false,
};

params! { channels, width, radix }

/// Bindings: logits, gates, both of `logits` channels.
pub fn dispatch(logits: usize, radix: usize, cardinality: usize) -> Dispatch {
    let channels = (logits / radix) as u32;
    let params = Params { channels, width: channels / cardinality as u32, radix: radix as u32 };
    flat(&KERNEL, params, channels)
}
