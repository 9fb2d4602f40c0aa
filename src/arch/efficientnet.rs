//! EfficientNet-B0: Tan & Le, 'EfficientNet' (2019): inverted residuals with depthwise convolutions, squeeze
//! and excitation, swish; and EfficientNet-Lite0, which does without the last two. Names and order as timm's
//! `efficientnet.py`.

use super::rounding::round;
use super::squeeze_excite::SqueezeExcite;
use crate::graph::{Activation, BatchNorm, Conv, Graph, Net, Shape, ValueId};

/// An EfficientNet of B0's depth and width.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct EfficientNet {
    pub activation: Activation,
    /// Whether blocks have squeeze and excitation, with a quarter of the block's input channels between.
    pub squeeze_excite: bool,
    /// TensorFlow's 'SAME' padding instead of the same on every side.
    pub padding_same: bool,
    pub epsilon: f32,
}

/// Blocks, side of the depthwise kernel, stride of the first, output channels, expansion.
struct Stage {
    depth: usize,
    kernel: usize,
    stride: usize,
    width: usize,
    expansion: usize,
}

const fn stage(depth: usize, kernel: usize, stride: usize, width: usize, expansion: usize) -> Stage {
    Stage { depth, kernel, stride, width, expansion }
}

/// Table 1 of the paper.
const STAGES: [Stage; 7] = [
    stage(1, 3, 1, 16, 1),
    stage(2, 3, 2, 24, 6),
    stage(2, 5, 2, 40, 6),
    stage(3, 3, 2, 80, 6),
    stage(3, 5, 1, 112, 6),
    stage(4, 5, 2, 192, 6),
    stage(1, 3, 1, 320, 6),
];

impl EfficientNet {
    /// The graph for an input `[3, H, W]`; ends in `classes` logits.
    pub fn build(&self, input: Shape, classes: usize) -> Graph {
        let (mut net, x) = Net::new(input);
        let x = self.conv_bn(&mut net, ["conv_stem", "bn1"], x, self.pad(Conv::new(3, 32).stride(2)));
        let mut x = net.activation(x, self.activation);
        x = net.scope("blocks", |net| {
            STAGES.iter().enumerate().fold(x, |x, (index, stage)| {
                net.scope(index, |net| {
                    (0..stage.depth).fold(x, |x, block| {
                        let stride = if block == 0 { stage.stride } else { 1 };
                        net.block(block, |net| self.block(net, x, stage, stride))
                    })
                })
            })
        });
        let x = self.conv_bn(&mut net, ["conv_head", "bn2"], x, Conv::new(1, 1280));
        let x = net.activation(x, self.activation);
        net.finish(x, "classifier", classes)
    }

    fn block(&self, net: &mut Net, x: ValueId, stage: &Stage, stride: usize) -> ValueId {
        let in_channels = net.shape(x).channels;
        let inner = in_channels * stage.expansion;
        let depthwise = self.pad(Conv::new(stage.kernel, inner).groups(inner).stride(stride));
        // Without expansion the block is depthwise separable, and its batch norms count from one.
        let expands = stage.expansion > 1;
        let mut y = x;
        if expands {
            y = self.conv_bn(net, ["conv_pw", "bn1"], y, Conv::new(1, inner));
            y = net.activation(y, self.activation);
        }
        y = self.conv_bn(net, ["conv_dw", if expands { "bn2" } else { "bn1" }], y, depthwise);
        y = net.activation(y, self.activation);
        net.layer("conv_dw", y, inner);
        if self.squeeze_excite {
            let hidden = round(in_channels as f64 / 4.0);
            let names = ["conv_reduce", "conv_expand"];
            y = net.scope("se", |net| SqueezeExcite { hidden, activation: self.activation, names }.build(net, y));
        }
        let project = if expands { ["conv_pwl", "bn3"] } else { ["conv_pw", "bn2"] };
        y = self.conv_bn(net, project, y, Conv::new(1, stage.width));
        if stride == 1 && in_channels == stage.width { net.add(y, x) } else { y }
    }

    fn conv_bn(&self, net: &mut Net, [conv_name, norm_name]: [&str; 2], x: ValueId, conv: Conv) -> ValueId {
        let x = net.conv(conv_name, x, conv);
        net.batch_norm(norm_name, x, BatchNorm { epsilon: self.epsilon })
    }

    fn pad(&self, conv: Conv) -> Conv {
        if self.padding_same { conv.padding_same() } else { conv }
    }
}
