//! RegNet: Radosavovic et al., 'Designing Network Design Spaces' (2020): grouped bottlenecks whose widths
//! follow a quantised line; RegNetY adds squeeze and excitation. RegNetZ: Dollar et al., 'Fast and Accurate
//! Model Scaling' (2021). Names and order as timm's `regnet.py`.

use super::rounding::round;
use super::squeeze_excite::SqueezeExcite;
use crate::graph::{Activation, Conv, Graph, Net, Shape, ValueId};

/// A RegNet by the parameters of its design space; variants differ by a few fields.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct RegNet {
    /// Width where the line starts.
    pub initial_width: f64,
    /// Width that the line gains per block.
    pub slope: f64,
    /// Factor between the widths of neighbouring stages: w_m of the paper.
    pub width_multiplier: f64,
    /// Blocks in all.
    pub depth: usize,
    /// Channels of one group of the 3x3 convolutions.
    pub group_width: usize,
    /// Inner width of a block over its width.
    pub bottleneck_ratio: f64,
    /// Hidden width of squeeze and excitation over the block's input channels; none without.
    pub squeeze_ratio: Option<f64>,
    pub stem_width: usize,
    pub stem_stride: usize,
    pub activation: Activation,
    /// RegNetZ: blocks end without an activation, and have no shortcut where the shape changes.
    pub linear_out: bool,
    /// RegNetZ: channels of a last 1x1 convolution.
    pub final_width: Option<usize>,
}

/// One stage: blocks of equal width.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct StageWidths {
    depth: usize,
    width: usize,
    inner: usize,
    groups: usize,
}

impl RegNet {
    /// The graph for an input `[3, H, W]`; ends in `classes` logits.
    pub fn build(&self, input: Shape, classes: usize) -> Graph {
        let (mut net, x) = Net::new(input);
        let stem = Conv::new(3, self.stem_width).stride(self.stem_stride);
        let x = net.scope("stem", |net| net.conv_bn("conv", "bn", x, stem));
        let mut x = net.activation(x, self.activation);
        for (index, stage) in self.stages().into_iter().enumerate() {
            x = net.scope(format!("s{}", index + 1), |net| {
                (0..stage.depth).fold(x, |x, block| {
                    let stride = if block == 0 { 2 } else { 1 };
                    net.block(format!("b{}", block + 1), |net| self.block(net, x, stage, stride))
                })
            });
        }
        if let Some(width) = self.final_width {
            x = net.scope("final_conv", |net| net.conv_bn("conv", "bn", x, Conv::new(1, width)));
        }
        // Where blocks end without an activation, the last one's comes here, with a last convolution or not.
        if self.linear_out {
            x = net.activation(x, self.activation);
        }
        net.finish(x, "head.fc", classes)
    }

    fn block(&self, net: &mut Net, x: ValueId, stage: StageWidths, stride: usize) -> ValueId {
        let in_channels = net.shape(x).channels;
        let layer = |net: &mut Net, name: &str, x, conv| net.scope(name, |net| net.conv_bn("conv", "bn", x, conv));
        let y = layer(net, "conv1", x, Conv::new(1, stage.inner));
        let y = net.activation(y, self.activation);
        let y = layer(net, "conv2", y, Conv::new(3, stage.inner).stride(stride).groups(stage.groups));
        let mut y = net.activation(y, self.activation);
        net.layer("conv2", y, stage.groups);
        if let Some(ratio) = self.squeeze_ratio {
            let hidden = round(in_channels as f64 * ratio);
            let unit = SqueezeExcite { hidden, activation: self.activation, names: ["fc1", "fc2"] };
            y = net.scope("se", |net| unit.build(net, y));
        }
        let mut y = layer(net, "conv3", y, Conv::new(1, stage.width));
        let same = stride == 1 && in_channels == stage.width;
        if same || !self.linear_out {
            let shortcut = if same { x } else { layer(net, "downsample", x, Conv::new(1, stage.width).stride(stride)) };
            y = net.add(y, shortcut);
        }
        if self.linear_out { y } else { net.activation(y, self.activation) }
    }

    /// Widths on the line `initial + slope * block`, each moved to the nearest `initial * multiplier^k` on a logarithmic
    /// scale and to a multiple of 8; blocks of equal width make a stage (section 3.3; timm's `generate_regnet` and
    /// `adjust_widths_groups_comp`).
    fn stages(&self) -> Vec<StageWidths> {
        let mut stages: Vec<StageWidths> = Vec::new();
        for block in 0..self.depth {
            let on_line = self.initial_width + self.slope * block as f64;
            let exponent = ((on_line / self.initial_width).ln() / self.width_multiplier.ln()).round_ties_even();
            let width = round(self.initial_width * self.width_multiplier.powf(exponent) / 8.0) * 8;
            match stages.last_mut() {
                Some(stage) if stage.width == width => stage.depth += 1,
                _ => stages.push(StageWidths { depth: 1, width, inner: 0, groups: 0 }),
            }
        }
        for stage in &mut stages {
            let inner = (stage.width as f64 * self.bottleneck_ratio) as usize;
            let group_width = self.group_width.min(inner);
            stage.inner = round(inner as f64 / group_width as f64) * group_width;
            stage.width = (stage.inner as f64 / self.bottleneck_ratio) as usize;
            stage.groups = stage.inner / group_width;
        }
        stages
    }
}
