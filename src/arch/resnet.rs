//! The ResNet skeleton: He et al., 'Deep Residual Learning' (2015), with the 'd' stem and shortcut of
//! 'Bag of Tricks' (2018) and a plug for an attention in place of the 3x3 convolution. Names and order
//! as timm's `resnet.py`, `resnest.py`.

use super::split_attention::SplitAttention;
use crate::graph::{BatchNorm, Conv, Graph, Net, Pool, Shape, ValueId};

/// Channels a bottleneck block widens its inner width by.
const EXPANSION: usize = 4;

/// The first layers, before the stages.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Stem {
    /// Three 3x3 convolutions, the first with stride 2; the last is twice as wide (ResNet-D).
    Deep { width: usize, pool: bool },
}

/// How a block's input reaches its output where the extents differ.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Shortcut {
    /// 2x2 average pooling for the stride, then a 1x1 convolution (ResNet-D).
    AvgPool,
}

/// What stands in a block's middle.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Attention {
    /// ResNeSt's split attention. `pool_first` puts the 3x3 average pool that carries the stride
    /// before the unit ('fast' variants) instead of after it.
    Split { radix: usize, pool_first: bool },
}

/// A residual network of bottleneck blocks; variants differ by a few fields.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct ResNet {
    pub stem: Stem,
    /// Blocks of each of the four stages.
    pub depths: [usize; 4],
    /// Inner width of each stage's blocks before `cardinality` and `base_width` scale it.
    pub widths: [usize; 4],
    /// Groups of the middle convolution.
    pub cardinality: usize,
    /// Channels per group in a stage of width 64.
    pub base_width: usize,
    pub shortcut: Shortcut,
    pub attention: Attention,
}

impl ResNet {
    /// The graph for an input `[3, height, width]`; ends in `classes` logits.
    pub fn build(&self, input: Shape, classes: usize) -> Graph {
        let (mut net, x) = Net::new(input);
        let mut x = self.stem(&mut net, x);
        for (stage, (&depth, &width)) in self.depths.iter().zip(&self.widths).enumerate() {
            x = net.scope(format!("layer{}", stage + 1), |net| {
                (0..depth).fold(x, |x, block| {
                    let stride = if stage > 0 && block == 0 { 2 } else { 1 };
                    net.scope(block, |net| self.bottleneck(net, x, width, stride))
                })
            });
        }
        net.finish(x, "fc", classes)
    }

    fn stem(&self, net: &mut Net, x: ValueId) -> ValueId {
        let Stem::Deep { width, pool } = self.stem;
        let x = net.scope("conv1", |net| {
            let x = net.conv_bn("0", "1", x, Conv::new(3, width).stride(2));
            let x = net.relu(x);
            let x = net.conv_bn("3", "4", x, Conv::new(3, width));
            let x = net.relu(x);
            net.conv("6", x, Conv::new(3, width * 2))
        });
        let x = net.batch_norm("bn1", x, BatchNorm { epsilon: 1e-5 });
        let x = net.relu(x);
        if pool { net.max_pool(x, Pool::new(3, 2).padding(1)) } else { x }
    }

    /// 1x1 to the inner width, the attention, 1x1 to four times the width, plus the shortcut.
    fn bottleneck(&self, net: &mut Net, x: ValueId, width: usize, stride: usize) -> ValueId {
        let inner = width * self.base_width / 64 * self.cardinality;
        let out_channels = width * EXPANSION;
        let y = net.conv_bn("conv1", "bn1", x, Conv::new(1, inner));
        let y = net.relu(y);

        // The stride moves out of the convolution into a 3x3 average pool.
        let Attention::Split { radix, pool_first } = self.attention;
        let pool = |net: &mut Net, y| match stride {
            1 => y,
            _ => net.avg_pool(y, Pool::new(3, stride).padding(1)),
        };
        let unit = SplitAttention { channels: inner, radix, cardinality: self.cardinality };
        let y = if pool_first { pool(net, y) } else { y };
        let y = net.scope("conv2", |net| unit.build(net, y));
        let y = if pool_first { y } else { pool(net, y) };

        let y = net.conv_bn("conv3", "bn3", y, Conv::new(1, out_channels));
        let shortcut = match stride > 1 || net.shape(x).channels != out_channels {
            true => self.shortcut(net, x, out_channels, stride),
            false => x,
        };
        let y = net.add(y, shortcut);
        net.relu(y)
    }

    fn shortcut(&self, net: &mut Net, x: ValueId, out_channels: usize, stride: usize) -> ValueId {
        let Shortcut::AvgPool = self.shortcut;
        let x = match stride {
            1 => x,
            _ => net.avg_pool(x, Pool::new(2, stride).ceil_mode().exclude_pad()),
        };
        net.scope("downsample", |net| net.conv_bn("1", "2", x, Conv::new(1, out_channels)))
    }
}
