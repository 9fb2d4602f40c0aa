//! Weights and images that are functions of names and indices, for tests and timings: nothing has to be stored. The
//! filling is `tests/golden/networks.py`'s, operation by operation, and equal to the last bit.

use super::Checkpoint;
use crate::graph::{Activation, Graph, Op, Parameter, Shape, Tensor};

/// Values in [-1, 1): FNV-1a of the name, then a mixer for each index (Wellons' lowbias32).
fn hashed(name: &str) -> impl Fn(usize) -> f32 + use<> {
    let seed = name.bytes().fold(0x811c_9dc5_u32, |seed, byte| (seed ^ u32::from(byte)).wrapping_mul(0x0100_0193));
    move |index| {
        let mut x = seed.wrapping_add((index as u32).wrapping_mul(0x9e37_79b9));
        x = (x ^ (x >> 16)).wrapping_mul(0x7feb_352d);
        x = (x ^ (x >> 15)).wrapping_mul(0x846c_a68b);
        x ^= x >> 16;
        // 24 bits, which an f32 holds exactly.
        (x >> 8) as f32 / (1 << 23) as f32 - 1.0
    }
}

/// The last norm of a residual block in `layer1` to `layer4`.
const LAST_NORM: [&str; 3] = ["bn3.weight", "conv2.bn.weight", "conv3.bn.weight"];
/// The last layer of an attention.
const GATING: [(&str, f64); 5] = [
    ("fc2.weight", 2.0),
    ("conv_expand.weight", 2.0),
    ("fc2.bias", 1.0),
    ("conv_expand.bias", 1.0),
    ("fc_select.weight", 0.8),
];

/// Centre and spread of a tensor's values; the generator says why.
fn distribution(Parameter { name, shape, .. }: &Parameter, is_silu: bool) -> (f64, f64) {
    let gating = GATING.into_iter().find(|(suffix, _)| name.ends_with(suffix)).map(|(_, value)| value);
    if shape.len() > 1 {
        let fan_in: usize = shape[1..].iter().product();
        return (0.0, gating.unwrap_or(if is_silu { 1.56 } else { 1.2 }) * (3.0 / fan_in as f64).sqrt());
    }
    let is_last = name.starts_with("layer") && LAST_NORM.iter().any(|suffix| name.ends_with(suffix));
    let scale = if is_last { 0.15 } else { 0.5 };
    match name.rsplit('.').next() {
        Some("running_var") => (0.5, 0.45),
        Some("weight") => (scale, 0.3 * scale),
        _ => (0.0, gating.unwrap_or(0.1)),
    }
}

/// Every tensor of a network.
pub fn checkpoint(graph: &Graph) -> Checkpoint {
    let is_silu = graph.nodes.iter().any(|node| node.op == Op::Activation(Activation::Silu));
    Checkpoint::from_tensors(graph.parameters().into_iter().map(|parameter| {
        let (centre, spread) = distribution(&parameter, is_silu);
        let (centre, spread) = (centre as f32, spread as f32);
        let value = hashed(&parameter.name);
        let values = (0..parameter.shape.iter().product()).map(|index| centre + spread * value(index)).collect();
        (parameter.name, parameter.shape, values)
    }))
}

/// `[3, side, side]`: noise of single pixels on noise of 32 x 32 pixels, which repeats itself after 256.
pub fn image(side: usize) -> Tensor {
    let (coarse, fine) = (hashed("coarse"), hashed("fine"));
    Tensor::from_fn(Shape::new(3, side, side), |channel, y, x| {
        3.0 * coarse((channel * 8 + y / 32 % 8) * 8 + x / 32 % 8) + fine((channel * side + y) * side + x)
    })
}
