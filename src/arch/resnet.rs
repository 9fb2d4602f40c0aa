//! The ResNet skeleton: He et al., 'Deep Residual Learning' (2015), with the grouped convolution of
//! ResNeXt (Xie et al. 2016), the 'd' stem and shortcut of 'Bag of Tricks' (He et al. 2018), and a plug
//! for an attention. Names and order as timm's `resnet.py`, `sknet.py` and `resnest.py`.

use super::rounding::make_divisible;
use super::selective_kernel::SelectiveKernel;
use super::split_attention::SplitAttention;
use super::squeeze_excite::SqueezeExcite;
use crate::graph::{Activation, BatchNorm, Conv, Graph, Net, Pool, Shape, ValueId};

/// The first layers, before the stages.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Stem {
    /// One 7x7 convolution with stride 2, then max pooling.
    Plain,
    /// Three 3x3 convolutions, the first with stride 2, the last twice as wide (ResNet-C, which timm's 'd' includes);
    /// then max pooling, unless the images are small.
    Deep { width: usize, pool: bool },
}

/// What a block is made of.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Block {
    /// Two 3x3 convolutions.
    Basic,
    /// 1x1 down to the inner width, 3x3, 1x1 up to four times the stage's width.
    Bottleneck,
}

impl Block {
    /// Output channels over the stage's width.
    fn expansion(self) -> usize {
        match self {
            Block::Basic => 1,
            Block::Bottleneck => 4,
        }
    }
}

/// How a block's input reaches its output where the shapes differ.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Shortcut {
    /// A 1x1 convolution that carries the stride.
    Conv,
    /// 2x2 average pooling for the stride, then a 1x1 convolution (ResNet-D).
    AvgPool,
}

/// What weighs the channels.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Attention {
    None,
    /// SENet: after a block's last convolution, with the channels divided by `reduction` in between.
    SqueezeExcite {
        reduction: usize,
    },
    /// SKNet: in place of a block's 3x3 convolution (the first of a basic block's).
    Selective(SelectiveKernel),
    /// ResNeSt: in place of the 3x3 convolution. `pool_first` puts the 3x3 average pool that carries the
    /// stride before the unit ('fast' variants) instead of after it.
    Split {
        radix: usize,
        pool_first: bool,
    },
}

/// A residual network; variants differ by a few fields.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct ResNet {
    pub stem: Stem,
    pub block: Block,
    /// Blocks of each of the four stages.
    pub depths: [usize; 4],
    pub widths: [usize; 4],
    /// Groups of the 3x3 convolution.
    pub cardinality: usize,
    /// Channels per group in a stage of width 64.
    pub base_width: usize,
    pub shortcut: Shortcut,
    pub attention: Attention,
}

impl ResNet {
    /// The graph for an input `[3, H, W]`; ends in `classes` logits.
    pub fn build(&self, input: Shape, classes: usize) -> Graph {
        let (mut net, x) = Net::new(input);
        let mut x = self.stem(&mut net, x);
        for (stage, (&depth, &width)) in self.depths.iter().zip(&self.widths).enumerate() {
            x = net.scope(format!("layer{}", stage + 1), |net| {
                (0..depth).fold(x, |x, block| {
                    let stride = if stage > 0 && block == 0 { 2 } else { 1 };
                    net.block(block, |net| self.residual(net, x, width, stride))
                })
            });
        }
        net.finish(x, "fc", classes)
    }

    fn stem(&self, net: &mut Net, x: ValueId) -> ValueId {
        let (x, pool) = match self.stem {
            Stem::Plain => (net.conv("conv1", x, Conv::new(7, 64).stride(2)), true),
            Stem::Deep { width, pool } => {
                let x = net.scope("conv1", |net| {
                    let x = net.conv_bn("0", "1", x, Conv::new(3, width).stride(2));
                    let x = net.relu(x);
                    let x = net.conv_bn("3", "4", x, Conv::new(3, width));
                    let x = net.relu(x);
                    net.conv("6", x, Conv::new(3, width * 2))
                });
                (x, pool)
            }
        };
        let x = net.batch_norm("bn1", x, BatchNorm::default());
        let x = net.relu(x);
        if pool { net.max_pool(x, Pool::new(3, 2).padding(1)) } else { x }
    }

    /// The block's layers plus its shortcut.
    fn residual(&self, net: &mut Net, x: ValueId, width: usize, stride: usize) -> ValueId {
        let out_channels = width * self.block.expansion();
        let y = match self.block {
            Block::Basic => {
                let y = self.middle(net, 1, x, width, stride);
                self.conv_bn(net, 2, y, Conv::new(3, width))
            }
            Block::Bottleneck => {
                let inner = width * self.base_width / 64 * self.cardinality;
                let y = self.conv_bn(net, 1, x, Conv::new(1, inner));
                let y = net.relu(y);
                let y = self.middle(net, 2, y, inner, stride);
                self.conv_bn(net, 3, y, Conv::new(1, out_channels))
            }
        };
        let y = match self.attention {
            Attention::SqueezeExcite { reduction } => {
                let hidden = make_divisible((out_channels / reduction) as f64, 8, 8);
                let unit = SqueezeExcite { hidden, activation: Activation::Relu, names: ["fc1", "fc2"] };
                net.scope("se", |net| unit.build(net, y))
            }
            _ => y,
        };
        let shortcut = match stride > 1 || net.shape(x).channels != out_channels {
            true => self.shortcut(net, x, out_channels, stride),
            false => x,
        };
        let y = net.add(y, shortcut);
        net.relu(y)
    }

    /// The layer that carries stride, groups and attention, as the block's convolution number `index`.
    fn middle(&self, net: &mut Net, index: usize, x: ValueId, channels: usize, stride: usize) -> ValueId {
        let path = format!("conv{index}");
        match self.attention {
            Attention::Selective(unit) => net.scope(path, |net| unit.build(net, x, channels, stride, self.cardinality)),
            Attention::Split { radix, pool_first } => {
                // The stride moves out of the convolution into a 3x3 average pool.
                let pool = |net: &mut Net, y| match stride {
                    1 => y,
                    _ => net.avg_pool(y, Pool::new(3, stride).padding(1)),
                };
                let unit = SplitAttention { channels, radix, cardinality: self.cardinality };
                let y = if pool_first { pool(net, x) } else { x };
                let y = net.scope(path, |net| unit.build(net, y));
                if pool_first { y } else { pool(net, y) }
            }
            Attention::None | Attention::SqueezeExcite { .. } => {
                let conv = Conv::new(3, channels).stride(stride).groups(self.cardinality);
                let y = self.conv_bn(net, index, x, conv);
                let y = net.relu(y);
                net.layer(&path, y, self.cardinality);
                y
            }
        }
    }

    /// The block's convolution number `index` with its batch norm; timm's SKNet nests the two.
    fn conv_bn(&self, net: &mut Net, index: usize, x: ValueId, conv: Conv) -> ValueId {
        match self.attention {
            Attention::Selective(_) => net.conv_bn(&format!("conv{index}.conv"), &format!("conv{index}.bn"), x, conv),
            _ => net.conv_bn(&format!("conv{index}"), &format!("bn{index}"), x, conv),
        }
    }

    fn shortcut(&self, net: &mut Net, x: ValueId, out_channels: usize, stride: usize) -> ValueId {
        let conv = Conv::new(1, out_channels);
        net.scope("downsample", |net| match self.shortcut {
            Shortcut::Conv => net.conv_bn("0", "1", x, conv.stride(stride)),
            Shortcut::AvgPool => {
                let x = match stride {
                    1 => x,
                    _ => net.avg_pool(x, Pool::new(2, stride).ceil_mode().exclude_pad()),
                };
                net.conv_bn("1", "2", x, conv)
            }
        })
    }
}
