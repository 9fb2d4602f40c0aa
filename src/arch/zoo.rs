//! The table of variants: every network that the page and the command know, by timm's ids.

use super::efficientnet::EfficientNet;
use super::regnet::RegNet;
use super::resnet::{Attention, Block, ResNet, Shortcut, Stem};
use super::selective_kernel::SelectiveKernel;
use crate::graph::{Activation, Graph, Shape};

/// A family's builder with the numbers of one variant.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Architecture {
    ResNet(ResNet),
    RegNet(RegNet),
    EfficientNet(EfficientNet),
}

/// One row of the table.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Variant {
    /// timm's id, or the tiny family's.
    pub id: &'static str,
    /// As the paper writes it.
    pub title: &'static str,
    /// The step in the line of thought that it belongs to: what the page's tabs show.
    pub family: &'static str,
    pub architecture: Architecture,
    /// Side in pixels of the images at which networks of its data set are compared.
    pub side: usize,
    /// Classes of the data set that it was designed for.
    pub classes: usize,
}

impl Variant {
    /// The graph for images of `height` x `width` pixels.
    pub fn build(&self, height: usize, width: usize, classes: usize) -> Graph {
        let input = Shape::new(3, height, width);
        match self.architecture {
            Architecture::ResNet(resnet) => resnet.build(input, classes),
            Architecture::RegNet(regnet) => regnet.build(input, classes),
            Architecture::EfficientNet(efficientnet) => efficientnet.build(input, classes),
        }
    }
}

const RESNET_50: ResNet = ResNet {
    stem: Stem::Plain,
    block: Block::Bottleneck,
    depths: [3, 4, 6, 3],
    widths: [64, 128, 256, 512],
    cardinality: 1,
    base_width: 64,
    shortcut: Shortcut::Conv,
    attention: Attention::None,
};
const RESNET_34: ResNet = ResNet { block: Block::Basic, ..RESNET_50 };
const RESNET_18: ResNet = ResNet { depths: [2, 2, 2, 2], ..RESNET_34 };
const RESNET_101: ResNet = ResNet { depths: [3, 4, 23, 3], ..RESNET_50 };
const RESNET_50_D: ResNet =
    ResNet { stem: Stem::Deep { width: 32, pool: true }, shortcut: Shortcut::AvgPool, ..RESNET_50 };

const fn resnext(resnet: ResNet) -> ResNet {
    ResNet { cardinality: 32, base_width: 4, ..resnet }
}

const fn squeeze_excite(resnet: ResNet) -> ResNet {
    ResNet { attention: Attention::SqueezeExcite { reduction: 16 }, ..resnet }
}

const fn selective(resnet: ResNet, reduction: usize, divisor: usize, split_input: bool) -> ResNet {
    ResNet { attention: Attention::Selective(SelectiveKernel { reduction, divisor, split_input }), ..resnet }
}

const RESNEST_50: ResNet = ResNet { attention: Attention::Split { radix: 2, pool_first: false }, ..RESNET_50_D };
const RESNEST_14: ResNet = ResNet { depths: [1, 1, 1, 1], ..RESNEST_50 };
const RESNEST_26: ResNet = ResNet { depths: [2, 2, 2, 2], ..RESNEST_50 };
const RESNEST_50_1S4X24D: ResNet =
    ResNet { cardinality: 4, base_width: 24, attention: Attention::Split { radix: 1, pool_first: true }, ..RESNEST_50 };
const RESNEST_50_4S2X40D: ResNet =
    ResNet { cardinality: 2, base_width: 40, attention: Attention::Split { radix: 4, pool_first: true }, ..RESNEST_50 };
const RESNEST_101: ResNet = ResNet { depths: [3, 4, 23, 3], stem: Stem::Deep { width: 64, pool: true }, ..RESNEST_50 };
const RESNEST_200: ResNet = ResNet { depths: [3, 24, 36, 3], ..RESNEST_101 };
const RESNEST_269: ResNet = ResNet { depths: [3, 30, 48, 8], ..RESNEST_101 };

/// The tiny family, for 64 x 64 images: stages of 32, 16, 8 and 4 pixels, 60 to 90 million multiply-adds.
const RESNET_TINY: ResNet = ResNet {
    stem: Stem::Deep { width: 16, pool: false },
    depths: [2, 2, 2, 2],
    widths: [16, 32, 64, 128],
    base_width: 80,
    ..RESNET_50_D
};
const RESNEXT_TINY: ResNet = ResNet { cardinality: 8, base_width: 16, ..RESNET_TINY };
const RESNEST_TINY: ResNet = ResNet { base_width: 64, attention: RESNEST_50.attention, ..RESNET_TINY };
const RESNEST_TINY_2S2X: ResNet = ResNet { cardinality: 2, base_width: 40, ..RESNEST_TINY };

/// A RegNetX: initial width, slope, width multiplier; group width and depth.
const fn regnet_x(line: [f64; 3], group_width: usize, depth: usize) -> RegNet {
    RegNet {
        initial_width: line[0],
        slope: line[1],
        width_multiplier: line[2],
        depth,
        group_width,
        bottleneck_ratio: 1.0,
        squeeze_ratio: None,
        stem_width: 32,
        stem_stride: 2,
        activation: Activation::Relu,
        linear_out: false,
        final_width: None,
    }
}

const fn regnet_y(line: [f64; 3], group_width: usize, depth: usize) -> RegNet {
    RegNet { squeeze_ratio: Some(0.25), ..regnet_x(line, group_width, depth) }
}

const REGNET_Z_005: RegNet = RegNet {
    bottleneck_ratio: 4.0,
    activation: Activation::Silu,
    linear_out: true,
    final_width: Some(1024),
    ..regnet_y([16.0, 10.7, 2.51], 4, 21)
};

const REGNET_X_TINY: RegNet = RegNet { stem_width: 16, stem_stride: 1, ..regnet_x([40.0, 32.0, 2.2], 8, 10) };
const REGNET_Y_TINY: RegNet = RegNet { squeeze_ratio: Some(0.25), ..REGNET_X_TINY };
/// Depthwise; the pair differs in the activation alone.
const REGNET_Z_RELU_TINY: RegNet = RegNet {
    bottleneck_ratio: 4.0,
    linear_out: true,
    stem_width: 16,
    stem_stride: 1,
    ..regnet_x([16.0, 16.0, 2.5], 1, 11)
};
const REGNET_Z_SWISH_TINY: RegNet = RegNet { activation: Activation::Silu, ..REGNET_Z_RELU_TINY };

const EFFICIENTNET_B0: EfficientNet =
    EfficientNet { activation: Activation::Silu, squeeze_excite: true, padding_same: false, epsilon: 1e-5 };
const EFFICIENTNET_LITE0: EfficientNet =
    EfficientNet { activation: Activation::Relu6, squeeze_excite: false, padding_same: true, epsilon: 1e-3 };

/// Classes of ImageNet, for which every published checkpoint was trained.
pub const IMAGENET_CLASSES: usize = 1000;

/// A row designed for ImageNet.
const fn imagenet(family: &'static str, id: &'static str, title: &'static str, architecture: Architecture) -> Variant {
    Variant { id, title, family, architecture, side: 224, classes: IMAGENET_CLASSES }
}

const fn row(family: &'static str, id: &'static str, title: &'static str, resnet: ResNet) -> Variant {
    imagenet(family, id, title, Architecture::ResNet(resnet))
}

const fn regnet(id: &'static str, title: &'static str, regnet: RegNet) -> Variant {
    imagenet("RegNet", id, title, Architecture::RegNet(regnet))
}

const fn efficientnet(id: &'static str, title: &'static str, efficientnet: EfficientNet) -> Variant {
    imagenet("EfficientNet", id, title, Architecture::EfficientNet(efficientnet))
}

/// A row of the tiny family.
const fn tiny(variant: Variant) -> Variant {
    Variant { side: 64, classes: 100, ..variant }
}

/// The families in the order of the line of thought.
pub const FAMILIES: &[&str] = &["ResNet", "ResNeXt", "SENet", "SKNet", "ResNeSt", "RegNet", "EfficientNet"];

/// Every variant, in the order of [`FAMILIES`].
pub const VARIANTS: &[Variant] = &[
    tiny(row("ResNet", "resnet_tiny", "ResNet-tiny", RESNET_TINY)),
    row("ResNet", "resnet18", "ResNet-18", RESNET_18),
    row("ResNet", "resnet34", "ResNet-34", RESNET_34),
    row("ResNet", "resnet50", "ResNet-50", RESNET_50),
    row("ResNet", "resnet50d", "ResNet-50-D", RESNET_50_D),
    row("ResNet", "resnet101", "ResNet-101", RESNET_101),
    tiny(row("ResNeXt", "resnext_tiny", "ResNeXt-tiny 8x16d", RESNEXT_TINY)),
    row("ResNeXt", "resnext50_32x4d", "ResNeXt-50 32x4d", resnext(RESNET_50)),
    row("ResNeXt", "resnext50d_32x4d", "ResNeXt-50-D 32x4d", resnext(RESNET_50_D)),
    row("ResNeXt", "resnext101_32x4d", "ResNeXt-101 32x4d", resnext(RESNET_101)),
    tiny(row("SENet", "seresnext_tiny", "SE-ResNeXt-tiny 8x16d", squeeze_excite(RESNEXT_TINY))),
    row("SENet", "seresnet50", "SE-ResNet-50", squeeze_excite(RESNET_50)),
    row(
        "SENet",
        "seresnext26d_32x4d",
        "SE-ResNeXt-26-D 32x4d",
        squeeze_excite(resnext(ResNet { depths: [2, 2, 2, 2], ..RESNET_50_D })),
    ),
    row("SENet", "seresnext50_32x4d", "SE-ResNeXt-50 32x4d", squeeze_excite(resnext(RESNET_50))),
    tiny(row("SKNet", "sknet_tiny", "SKNet-tiny 8x16d", selective(RESNEXT_TINY, 16, 32, false))),
    row("SKNet", "skresnet18", "SK-ResNet-18", selective(RESNET_18, 8, 16, true)),
    row("SKNet", "skresnet34", "SK-ResNet-34", selective(RESNET_34, 8, 16, true)),
    row("SKNet", "skresnet50", "SK-ResNet-50", selective(RESNET_50, 16, 8, true)),
    row("SKNet", "skresnext50_32x4d", "SKNet-50 (SK-ResNeXt-50 32x4d)", selective(resnext(RESNET_50), 16, 32, false)),
    tiny(row("ResNeSt", "resnest_tiny", "ResNeSt-tiny 2s1x64d", RESNEST_TINY)),
    tiny(row("ResNeSt", "resnest_tiny_2s2x", "ResNeSt-tiny 2s2x40d", RESNEST_TINY_2S2X)),
    row("ResNeSt", "resnest14d", "ResNeSt-14", RESNEST_14),
    row("ResNeSt", "resnest26d", "ResNeSt-26", RESNEST_26),
    row("ResNeSt", "resnest50d", "ResNeSt-50", RESNEST_50),
    row("ResNeSt", "resnest50d_1s4x24d", "ResNeSt-50 1s4x24d", RESNEST_50_1S4X24D),
    row("ResNeSt", "resnest50d_4s2x40d", "ResNeSt-50 4s2x40d", RESNEST_50_4S2X40D),
    row("ResNeSt", "resnest101e", "ResNeSt-101", RESNEST_101),
    row("ResNeSt", "resnest200e", "ResNeSt-200", RESNEST_200),
    row("ResNeSt", "resnest269e", "ResNeSt-269", RESNEST_269),
    tiny(regnet("regnetx_tiny", "RegNetX-tiny", REGNET_X_TINY)),
    tiny(regnet("regnety_tiny", "RegNetY-tiny", REGNET_Y_TINY)),
    tiny(regnet("regnetz_relu_tiny", "RegNetZ-tiny, ReLU", REGNET_Z_RELU_TINY)),
    tiny(regnet("regnetz_swish_tiny", "RegNetZ-tiny, swish", REGNET_Z_SWISH_TINY)),
    regnet("regnetx_002", "RegNetX-200MF", regnet_x([24.0, 36.44, 2.49], 8, 13)),
    regnet("regnetx_004", "RegNetX-400MF", regnet_x([24.0, 24.48, 2.54], 16, 22)),
    regnet("regnetx_006", "RegNetX-600MF", regnet_x([48.0, 36.97, 2.24], 24, 16)),
    regnet("regnetx_008", "RegNetX-800MF", regnet_x([56.0, 35.73, 2.28], 16, 16)),
    regnet("regnetx_016", "RegNetX-1.6GF", regnet_x([80.0, 34.01, 2.25], 24, 18)),
    regnet("regnetx_032", "RegNetX-3.2GF", regnet_x([88.0, 26.31, 2.25], 48, 25)),
    regnet("regnety_002", "RegNetY-200MF", regnet_y([24.0, 36.44, 2.49], 8, 13)),
    regnet("regnety_004", "RegNetY-400MF", regnet_y([48.0, 27.89, 2.09], 8, 16)),
    regnet("regnety_006", "RegNetY-600MF", regnet_y([48.0, 32.54, 2.32], 16, 15)),
    regnet("regnety_008", "RegNetY-800MF", regnet_y([56.0, 38.84, 2.4], 16, 14)),
    regnet("regnety_016", "RegNetY-1.6GF", regnet_y([48.0, 20.71, 2.65], 24, 27)),
    regnet("regnety_032", "RegNetY-3.2GF", regnet_y([80.0, 42.63, 2.66], 24, 21)),
    regnet("regnetz_005", "RegNetZ-500MF", REGNET_Z_005),
    efficientnet("efficientnet_b0", "EfficientNet-B0", EFFICIENTNET_B0),
    efficientnet("tf_efficientnet_lite0", "EfficientNet-Lite0", EFFICIENTNET_LITE0),
];

/// The row with this id.
pub fn variant(id: &str) -> Option<&'static Variant> {
    VARIANTS.iter().find(|variant| variant.id == id)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn variants_stand_in_the_order_of_their_families() {
        let mut families: Vec<&str> = VARIANTS.iter().map(|variant| variant.family).collect();
        families.dedup();
        assert_eq!(families, FAMILIES);
    }
}
