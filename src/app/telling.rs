//! What a visitor sees first: where the picture is likely to say most.

use super::words;
use crate::graph::Tensor;
use crate::reading::{Gates, Reading};

/// Cells across below which a map says little about places.
const FINE_ENOUGH: usize = 8;

/// The deepest unit, or layer where there are no units, that still says where: deep ones answer to things, shallow
/// ones to edges.
pub fn unit(reading: &Reading) -> usize {
    let units = reading.units.iter().map(|unit| unit.output.shape.width);
    let layers = reading.layers.iter().map(|layer| layer.mean.shape.width);
    let widths: Vec<usize> = units.chain(layers).collect();
    widths.into_iter().rposition(|width| width >= FINE_ENOUGH).unwrap_or(0)
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

/// Where in the depth of a network a unit lies, or a layer where there are no units.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Place {
    /// Both from 1, see [`words::place`].
    stage: usize,
    block: usize,
    /// The last one's stage.
    stages: usize,
    /// From 0, the first, to 1, the last.
    depth: f32,
}

/// The place of a stop of a reading, if there is such a stop.
pub fn place(reading: &Reading, stop: usize) -> Option<Place> {
    let stops = reading.stops();
    let (stage, block) = words::place(stops.get(stop)?);
    let (stages, _) = words::place(stops.last()?);
    let depth = stop as f32 / (stops.len() - 1).max(1) as f32;
    Some(Place { stage, block, stages, depth })
}

/// The stop of another network that is most like the one at `place`: of two networks with as many stages the
/// nearest block of the same stage, else the nearest in depth.
pub fn comparable(place: Place, reading: &Reading) -> usize {
    let distance = |stop: usize| {
        let other = self::place(reading, stop)?;
        let same_stages = other.stages == place.stages;
        let stages = if same_stages { other.stage.abs_diff(place.stage) } else { 0 };
        let blocks = if same_stages { other.block.abs_diff(place.block) } else { 0 };
        Some((stages, blocks, (other.depth - place.depth).abs()))
    };
    let stops = (0..reading.stops().len()).filter_map(|stop| Some((stop, distance(stop)?)));
    let nearest = stops.min_by(|(_, a), (_, b)| (a.0, a.1).cmp(&(b.0, b.1)).then(a.2.total_cmp(&b.2)));
    nearest.map_or(0, |(stop, _)| stop)
}
