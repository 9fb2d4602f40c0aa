use std::ops::Range;

use super::ValueId;

/// What kind of gates a unit has.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum UnitKind {
    /// ResNeSt: a softmax over `radix` splits (a sigmoid at radix 1) in each cardinal group.
    SplitAttention { radix: usize, cardinality: usize },
    /// SKNet: a softmax over a 3x3 path and a dilated 3x3 one.
    SelectiveKernel { paths: usize },
    /// SENet: one branch, scaled by a sigmoid.
    SqueezeExcite,
}

impl UnitKind {
    /// Branches that compete for each output channel.
    pub fn branches(self) -> usize {
        match self {
            UnitKind::SplitAttention { radix, .. } => radix,
            UnitKind::SelectiveKernel { paths } => paths,
            UnitKind::SqueezeExcite => 1,
        }
    }

    /// Groups of output channels whose gates are computed apart.
    pub fn groups(self) -> usize {
        match self {
            UnitKind::SplitAttention { cardinality, .. } => cardinality,
            UnitKind::SelectiveKernel { .. } | UnitKind::SqueezeExcite => 1,
        }
    }
}

/// A place where branches are weighted by channel-wise gates: what the inspector shows.
#[derive(Clone, Debug, PartialEq)]
pub struct Unit {
    /// timm's module path of the attention, for example `layer1.0.conv2`.
    pub name: String,
    pub kind: UnitKind,
    /// `[branches * C, H, W]`, branch-major.
    pub branches: ValueId,
    /// `[branches * C, 1, 1]`, branch-major, between 0 and 1.
    pub gates: ValueId,
    /// `[C, H, W]`: the sum over branches of gate times branch.
    pub output: ValueId,
}

/// What the inspector shows of a network without units: the output of a block's spatial convolution.
#[derive(Clone, Debug, PartialEq)]
pub struct Layer {
    /// timm's module path of the convolution (RegNet's with norm and activation), for example `layer1.0.conv2`.
    pub name: String,
    /// `[C, H, W]`, after norm and activation.
    pub value: ValueId,
    /// Groups of consecutive channels that the convolution computes apart; divides `C`.
    pub groups: usize,
}

/// One of the blocks that a network repeats through its depth.
#[derive(Clone, Debug, PartialEq)]
pub struct Block {
    /// timm's module path, for example `layer1.0`.
    pub name: String,
    /// Positions of its nodes.
    pub nodes: Range<usize>,
}
