//! Knows what a run may be asked to replace and what it leaves behind: plain data between the engine and
//! those who ask and show.

mod replacement;

pub use replacement::{NewGates, Replacement, ReplacementError, Replacements};

use crate::graph::{Tensor, UnitKind};

/// Everything that one run of a network on one image leaves to look at.
#[derive(Clone, Debug, PartialEq)]
pub struct Reading {
    /// One per class, before the softmax.
    pub logits: Vec<f32>,
    /// In the order of the network's depth.
    pub units: Vec<UnitReading>,
    /// Of a network without units, in the order of its depth.
    pub layers: Vec<LayerReading>,
    /// The last feature map `[C, H, W]`, before global pooling.
    pub features: Tensor,
}

impl Reading {
    /// The places along the depth that can be looked at, by module path: its units, or its layers where it has none.
    pub fn stops(&self) -> Vec<&str> {
        let units = self.units.iter().map(|unit| unit.name.as_str());
        units.chain(self.layers.iter().map(|layer| layer.name.as_str())).collect()
    }
}

/// What one unit of attention did.
///
/// Maps are sums over the channels of a branch, so they have the unit's resolution and no channels;
/// gates have channels and no resolution.
#[derive(Clone, Debug, PartialEq)]
pub struct UnitReading {
    /// timm's module path, for example `layer1.0.conv2`.
    pub name: String,
    pub kind: UnitKind,
    pub gates: Gates,
    /// Gate times activation, summed over channels: one map per branch, `[branches, H, W]`.
    pub contribution: Tensor,
    /// Activation summed over channels, without the gates: `[branches, H, W]`.
    pub activation: Tensor,
    /// The unit's output summed over channels, `[1, H, W]`: what the contributions add up to.
    pub output: Tensor,
}

impl UnitReading {
    pub fn branches(&self) -> usize {
        self.gates.branches
    }

    /// How far the branches' contributions are from adding up to the output: the largest difference
    /// at any pixel, and that relative to the output's largest magnitude. Rounding, unless a kernel
    /// is wrong; not a number where one of them is none.
    pub fn residual(&self) -> Residual {
        let pixels = self.output.shape.pixels();
        let sum = |pixel: usize| (0..self.branches()).map(|b| self.contribution.channel(b)[pixel]).sum::<f32>();
        let differences = (0..pixels).map(|pixel| (sum(pixel) - self.output.values[pixel]).abs());
        let absolute = differences.fold(0.0, larger);
        let scale = self.output.values.iter().map(|value| value.abs()).fold(0.0, larger);
        Residual { absolute, relative: if absolute == 0.0 { 0.0 } else { absolute / scale } }
    }
}

/// The larger of two; unlike `f32::max` it does not pass over what is not a number.
pub fn larger(max: f32, value: f32) -> f32 {
    if value > max || value.is_nan() { value } else { max }
}

/// What one layer of a network without units found; its groups' maps are read from the device when they are
/// looked at.
#[derive(Clone, Debug, PartialEq)]
pub struct LayerReading {
    /// timm's module path of the convolution, for example `layer1.0.conv2`.
    pub name: String,
    /// Groups of consecutive channels that the convolution computes apart.
    pub groups: usize,
    pub channels: usize,
    /// Mean over all channels, `[1, H, W]`.
    pub mean: Tensor,
}

/// See [`UnitReading::residual`].
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Residual {
    pub absolute: f32,
    pub relative: f32,
}

/// The gates of one unit: one weight per branch and output channel, no height or width.
#[derive(Clone, Debug, PartialEq)]
pub struct Gates {
    pub branches: usize,
    /// Output channels.
    pub channels: usize,
    /// Groups of consecutive channels whose gates are computed apart.
    pub groups: usize,
    /// Branch-major: `values[branch * channels + channel]`, between 0 and 1.
    pub values: Vec<f32>,
}

impl Gates {
    pub fn at(&self, branch: usize, channel: usize) -> f32 {
        self.values[branch * self.channels + channel]
    }

    /// All channels of one branch.
    pub fn branch(&self, branch: usize) -> &[f32] {
        &self.values[branch * self.channels..][..self.channels]
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::graph::Shape;

    #[test]
    fn residual_is_the_largest_gap_between_parts_and_whole() {
        let map = |values: &[f32], maps| Tensor::new(Shape::new(maps, 1, 2), values.to_vec());
        let unit = UnitReading {
            name: "layer1.0.conv2".into(),
            kind: UnitKind::SplitAttention { radix: 2, cardinality: 1 },
            gates: Gates { branches: 2, channels: 1, groups: 1, values: vec![0.25, 0.75] },
            contribution: map(&[1.0, 2.0, 3.0, 4.0], 2),
            activation: map(&[4.0, 8.0, 4.0, 5.5], 2),
            output: map(&[4.0, 5.0], 1),
        };
        assert_eq!(unit.residual(), Residual { absolute: 1.0, relative: 0.2 });
        assert_eq!(unit.gates.branch(1), [0.75]);
        let broken = UnitReading { contribution: map(&[1.0, f32::NAN, 3.0, 4.0], 2), ..unit };
        assert!(broken.residual().absolute.is_nan() && broken.residual().relative.is_nan());
    }
}
