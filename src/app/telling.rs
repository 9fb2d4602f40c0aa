//! What a visitor sees first: where the picture is likely to say most.

use crate::graph::Tensor;
use crate::reading::{Gates, Reading};

/// Cells across below which a map says little about places.
const FINE_ENOUGH: usize = 8;

/// The deepest unit that still says where: deep ones answer to things, shallow ones to edges.
pub fn unit(reading: &Reading) -> usize {
    reading.units.iter().rposition(|unit| unit.output.shape.width >= FINE_ENOUGH).unwrap_or(0)
}

/// The channel in which the branches' contributions are furthest apart (that contributes most, where there is
/// one branch). `activations` are the unit's `[branches * C, H, W]`.
pub fn channel(gates: &Gates, activations: &Tensor) -> usize {
    let apart = |channel: usize| {
        let contribution = |branch: usize| {
            let sum: f32 = activations.channel(branch * gates.channels + channel).iter().sum();
            gates.at(branch, channel) * sum
        };
        let all = (0..gates.branches).map(contribution);
        let least = if gates.branches > 1 { all.clone().fold(f32::INFINITY, f32::min) } else { 0.0 };
        all.fold(f32::NEG_INFINITY, f32::max) - least
    };
    (0..gates.channels).max_by(|a, b| apart(*a).total_cmp(&apart(*b))).unwrap_or(0)
}
