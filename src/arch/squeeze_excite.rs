//! Squeeze and excitation: Hu et al., 'Squeeze-and-Excitation Networks' (2017), section 3; names as timm's
//! `SqueezeExcite` and `SEModule`.

use crate::graph::{Activation, Conv, Net, UnitKind, ValueId};

/// The knobs of one squeeze-and-excitation unit.
#[derive(Clone, Copy, Debug)]
pub(super) struct SqueezeExcite {
    /// Channels between the two layers.
    pub hidden: usize,
    pub activation: Activation,
    /// Names of the layer that squeezes and the one that excites.
    pub names: [&'static str; 2],
}

impl SqueezeExcite {
    /// `[C, H, W] -> [C, H, W]`: every channel is scaled by a gate that the means of all channels decide.
    pub fn build(self, net: &mut Net, x: ValueId) -> ValueId {
        let channels = net.shape(x).channels;
        let [squeeze, excite] = self.names;
        let pooled = net.global_avg_pool(x);
        let squeezed = net.conv(squeeze, pooled, Conv::new(1, self.hidden).bias());
        let squeezed = net.activation(squeezed, self.activation);
        let logits = net.conv(excite, squeezed, Conv::new(1, channels).bias());
        let gates = net.activation(logits, Activation::Sigmoid);
        let output = net.weighted_sum(x, gates, 1);
        net.unit(UnitKind::SqueezeExcite, x, gates, output);
        output
    }
}
