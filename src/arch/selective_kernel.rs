//! Selective kernels: Li et al., 'Selective Kernel Networks' (2019), section 3.1; names and order as timm's
//! `SelectiveKernel` (`timm/layers/selective_kernel.py`).

use super::rounding::make_divisible;
use crate::graph::{Conv, Net, UnitKind, ValueId};

/// The knobs of a selective-kernel network's units.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct SelectiveKernel {
    /// The hidden layer has the unit's channels divided by this ..
    pub reduction: usize,
    /// .. rounded to a multiple of this, and at least this.
    pub divisor: usize,
    /// Each path sees its own part of the input's channels, instead of all.
    pub split_input: bool,
}

/// A 3x3 path and a dilated 3x3 one that reaches as far as 5x5.
const PATHS: usize = 2;

impl SelectiveKernel {
    /// `[in, H, W] -> [channels, H / stride, W / stride]`: paths of different reach compete for every
    /// channel through a softmax that their pooled sum decides.
    pub(super) fn build(self, net: &mut Net, x: ValueId, channels: usize, stride: usize, groups: usize) -> ValueId {
        let share = net.shape(x).channels / PATHS;
        let paths: Vec<ValueId> = (0..PATHS)
            .map(|path| {
                let seen = if self.split_input { net.slice(x, path * share, share) } else { x };
                let conv = Conv::new(3, channels).dilation(path + 1).stride(stride).groups(groups);
                let y = net.scope("paths", |net| net.scope(path, |net| net.conv_bn("conv", "bn", seen, conv)));
                net.relu(y)
            })
            .collect();
        let branches = net.concat(&paths);
        let summed = net.sum_splits(branches, PATHS);
        let pooled = net.global_avg_pool(summed);
        let hidden = make_divisible(channels as f64 / self.reduction as f64, self.divisor, self.divisor);
        let gates = net.scope("attn", |net| {
            let squeezed = net.conv_bn("fc_reduce", "bn", pooled, Conv::new(1, hidden));
            let squeezed = net.relu(squeezed);
            let logits = net.conv("fc_select", squeezed, Conv::new(1, channels * PATHS));
            net.radix_softmax(logits, PATHS, 1)
        });
        let output = net.weighted_sum(branches, gates, PATHS);
        net.unit(UnitKind::SelectiveKernel { paths: PATHS }, branches, gates, output);
        output
    }
}
