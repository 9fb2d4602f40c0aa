//! Split attention: Zhang et al., 'ResNeSt: Split-Attention Networks' (2020), section 3; names and
//! order as timm's `SplitAttn` (`timm/layers/split_attn.py`).

use super::rounding::make_divisible;
use crate::graph::{Conv, Net, UnitKind, ValueId};

/// The knobs of one split-attention unit.
#[derive(Clone, Copy, Debug)]
pub(super) struct SplitAttention {
    /// Output channels.
    pub channels: usize,
    /// Splits that compete in each cardinal group.
    pub radix: usize,
    /// Cardinal groups.
    pub cardinality: usize,
}

impl SplitAttention {
    /// `[in, H, W] -> [channels, H, W]`: one grouped convolution yields `radix`
    /// splits; their sum, pooled and squeezed, decides by `rsoftmax` how much of each split to keep.
    pub fn build(self, net: &mut Net, x: ValueId) -> ValueId {
        let Self { channels, radix, cardinality } = self;
        let splits = Conv::new(3, channels * radix).groups(cardinality * radix);
        let splits = net.conv_bn("conv", "bn0", x, splits);
        let splits = net.relu(splits);
        let summed = net.sum_splits(splits, radix);
        let pooled = net.global_avg_pool(summed);
        let squeeze = Conv::new(1, hidden_width(channels * radix)).groups(cardinality).bias();
        let squeezed = net.conv_bn("fc1", "bn1", pooled, squeeze);
        let squeezed = net.relu(squeezed);
        let logits = net.conv("fc2", squeezed, Conv::new(1, channels * radix).groups(cardinality).bias());
        let gates = net.radix_softmax(logits, radix, cardinality);
        let output = net.weighted_sum(splits, gates, radix);
        net.unit(UnitKind::SplitAttention { radix, cardinality }, splits, gates, output);
        output
    }
}

/// timm's `make_divisible(width / 4, 8, min_value=32)`.
fn hidden_width(width: usize) -> usize {
    make_divisible(width as f64 * 0.25, 8, 32)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn hidden_widths_are_timms() {
        // timm 1.0: make_divisible(attn_chs * 0.25, min_value=32, divisor=8)
        assert_eq!([32, 128, 160, 320, 1024].map(hidden_width), [32, 32, 40, 80, 256]);
    }
}
