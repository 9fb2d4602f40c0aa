//! The table of variants: every network that the page and the command know, by timm's ids.

use super::resnet::{Attention, ResNet, Shortcut, Stem};
use crate::graph::{Graph, Shape};

/// A family's builder with the numbers of one variant.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Architecture {
    ResNet(ResNet),
}

/// One row of the table.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Variant {
    /// timm's id, or the tiny family's.
    pub id: &'static str,
    /// As the paper writes it.
    pub title: &'static str,
    /// The line of thought that it belongs to: what the page's tabs show.
    pub family: &'static str,
    pub architecture: Architecture,
}

impl Variant {
    /// The graph for images of `height` x `width` pixels.
    pub fn build(&self, height: usize, width: usize, classes: usize) -> Graph {
        let input = Shape::new(3, height, width);
        match self.architecture {
            Architecture::ResNet(resnet) => resnet.build(input, classes),
        }
    }
}

const RESNEST_50: ResNet = ResNet {
    stem: Stem::Deep { width: 32, pool: true },
    depths: [3, 4, 6, 3],
    widths: [64, 128, 256, 512],
    cardinality: 1,
    base_width: 64,
    shortcut: Shortcut::AvgPool,
    attention: Attention::Split { radix: 2, pool_first: false },
};
const RESNEST_14: ResNet = ResNet { depths: [1, 1, 1, 1], ..RESNEST_50 };
const RESNEST_26: ResNet = ResNet { depths: [2, 2, 2, 2], ..RESNEST_50 };
const RESNEST_50_1S4X24D: ResNet =
    ResNet { cardinality: 4, base_width: 24, attention: Attention::Split { radix: 1, pool_first: true }, ..RESNEST_50 };
const RESNEST_50_4S2X40D: ResNet =
    ResNet { cardinality: 2, base_width: 40, attention: Attention::Split { radix: 4, pool_first: true }, ..RESNEST_50 };

/// Stages of 32, 16, 8 and 4 pixels on a 64 x 64 image.
const RESNEST_TINY: ResNet = ResNet {
    stem: Stem::Deep { width: 16, pool: false },
    depths: [2, 2, 2, 2],
    widths: [16, 32, 64, 128],
    ..RESNEST_50
};

const fn resnest(id: &'static str, title: &'static str, resnet: ResNet) -> Variant {
    Variant { id, title, family: "ResNeSt", architecture: Architecture::ResNet(resnet) }
}

/// Every variant, families in the order of the papers.
pub const VARIANTS: &[Variant] = &[
    resnest("resnest_tiny", "ResNeSt-tiny 2s1x64d", RESNEST_TINY),
    resnest("resnest14d", "ResNeSt-14", RESNEST_14),
    resnest("resnest26d", "ResNeSt-26", RESNEST_26),
    resnest("resnest50d", "ResNeSt-50", RESNEST_50),
    resnest("resnest50d_1s4x24d", "ResNeSt-50 1s4x24d", RESNEST_50_1S4X24D),
    resnest("resnest50d_4s2x40d", "ResNeSt-50 4s2x40d", RESNEST_50_4S2X40D),
];

/// The row with this id.
pub fn variant(id: &str) -> Option<&'static Variant> {
    VARIANTS.iter().find(|variant| variant.id == id)
}
