//! What a visitor sees first: where the picture is likely to say most.

use super::words;
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

/// Where in the depth of a network a unit lies.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Place {
    /// Both from 1, see [`words::unit_place`].
    stage: usize,
    block: usize,
    /// The last unit's stage.
    stages: usize,
    /// From 0, the first unit, to 1, the last.
    depth: f32,
}

/// The place of a unit of a reading, if there is such a unit.
pub fn place(reading: &Reading, unit: usize) -> Option<Place> {
    let (stage, block) = words::unit_place(reading.units.get(unit)?);
    let (stages, _) = words::unit_place(reading.units.last()?);
    let depth = unit as f32 / (reading.units.len() - 1).max(1) as f32;
    Some(Place { stage, block, stages, depth })
}

/// The unit of another network that is most like the one at `place`: of two networks with as many stages the
/// nearest block of the same stage, else the nearest in depth.
pub fn comparable(place: Place, reading: &Reading) -> usize {
    let distance = |unit: usize| {
        let other = self::place(reading, unit)?;
        let same_stages = other.stages == place.stages;
        let stages = if same_stages { other.stage.abs_diff(place.stage) } else { 0 };
        let blocks = if same_stages { other.block.abs_diff(place.block) } else { 0 };
        Some((stages, blocks, (other.depth - place.depth).abs()))
    };
    let units = (0..reading.units.len()).filter_map(|unit| Some((unit, distance(unit)?)));
    let nearest = units.min_by(|(_, a), (_, b)| (a.0, a.1).cmp(&(b.0, b.1)).then(a.2.total_cmp(&b.2)));
    nearest.map_or(0, |(unit, _)| unit)
}
