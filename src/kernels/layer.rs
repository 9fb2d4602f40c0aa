use std::ops::Range;

use super::winograd::{self, Winograd};
use super::{
    Finish, Loads, Operand, Pointwise, Start, Tile, Tuning, blocks, conv, conv_depthwise, conv_pair, conv_quad, linear,
    linear_shared, pointwise, pointwise_quad, pointwise_shared, whole_rows,
};
use crate::graph::{Activation, Conv, Op, Padding, Shape};

/// From as many multiplications on, a 1x1 convolution goes to `pointwise`. It is a quarter faster than
/// `conv`, but another pipeline, which takes longer to compile than a small network takes to run.
pub(super) const POINTWISE_PRODUCTS: u64 = 1 << 23;

/// From as many multiplications on, invocations of a team have more than the narrowest tile: about a tenth faster,
/// and again another pipeline.
const WIDE_PRODUCTS: u64 = 1 << 24;

/// Invocations of a quad, and of a pair.
const TEAMS: [usize; 2] = [4, 2];

/// A convolution with everything that its kernel has to know.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct ConvLayer {
    pub conv: Conv,
    pub input: Shape,
    pub output: Shape,
    pub activation: Activation,
    /// Whether a bias is added.
    pub bias: bool,
    /// Whether an activation of the output's shape is added before the activation function.
    pub shortcut: bool,
    /// Block of the input buffer that holds the first input channel.
    pub in_first_block: u32,
    /// Block of the output buffer that the first output channel goes to.
    pub out_first_block: u32,
    /// Which kernels to choose among.
    pub tuning: Tuning,
}

impl ConvLayer {
    /// A convolution between whole buffers with a bias and nothing else. Panics where it does not fit its input.
    pub fn new(conv: Conv, input: Shape) -> Self {
        Self {
            conv,
            input,
            output: Op::Conv(conv).infer(&[input]).expect("a convolution that fits its input"),
            activation: Activation::Identity,
            bias: true,
            shortcut: false,
            in_first_block: 0,
            out_first_block: 0,
            tuning: Tuning::default(),
        }
    }

    /// The kernels for this layer, in order.
    pub fn starts(&self) -> Vec<Start> {
        let route = self.route();
        let team = self.team(&route);
        let dispatch = match route {
            Route::Linear if self.tuning.shared_sums => linear_shared::dispatch(self),
            Route::Linear => linear::dispatch(self),
            Route::Depthwise => conv_depthwise::dispatch(self),
            Route::Pointwise(Pointwise::Registers(_)) => {
                let kernel = match (team, self.tuning.loads) {
                    (1, Loads::Buffers) => &pointwise::KERNEL,
                    (1, _) => &pointwise::SAMPLING,
                    _ => &pointwise_quad::KERNEL,
                };
                pointwise::dispatch(kernel, self)
            }
            Route::Pointwise(Pointwise::Shared) => pointwise_shared::dispatch(self),
            Route::Conv => {
                let kernel = match (team, self.tuning.loads) {
                    (1, Loads::Buffers) => &conv::KERNEL,
                    (1, _) => &conv::SAMPLING,
                    (2, _) => &conv_pair::KERNEL,
                    _ => &conv_quad::KERNEL,
                };
                conv::dispatch(kernel, self)
            }
            Route::Winograd(winograd) => return winograd.starts(self),
        };
        let operands = [Operand::Input(0), Operand::Weight, Operand::Bias, self.shortcut_operand(), Operand::Output];
        vec![Start { dispatch, operands: operands.to_vec() }]
    }

    /// Elements of each buffer that the kernels pass on among themselves.
    pub fn scratch(&self) -> Vec<usize> {
        match self.route() {
            Route::Winograd(winograd) => winograd.scratch().to_vec(),
            _ => Vec::new(),
        }
    }

    /// A layer without a shortcut still has the binding; its input is as good as any.
    pub(super) fn shortcut_operand(&self) -> Operand {
        Operand::Input(self.shortcut.into())
    }

    /// Values of the packed weight.
    pub fn packed_elements(&self) -> usize {
        let elements = self.matrices_elements();
        if self.samples_weight() { whole_rows(elements) } else { elements }
    }

    /// Whether its kernel reads the weight as a texture.
    pub fn samples_weight(&self) -> bool {
        self.starts().iter().any(|start| start.dispatch.kernel.sampled)
    }

    /// Values of the packed weight but for what fills a texture.
    fn matrices_elements(&self) -> usize {
        match self.route() {
            Route::Winograd(winograd) => return winograd.product.packed_elements(),
            Route::Depthwise => return conv_depthwise::packed_elements(self),
            _ => {}
        }
        let tile_blocks = self.tile_blocks();
        let bands = self.bands(tile_blocks, 1);
        bands * self.span(tile_blocks) * self.conv.kernel * self.conv.kernel * tile_blocks * 16
    }

    /// The weight `[out, in / groups, kernel, kernel]` in the kernel's order, for most in 4x4 matrices.
    pub fn pack_weight(&self, weight: &[f32]) -> Vec<f32> {
        match self.route() {
            Route::Winograd(winograd) => return winograd.product.pack_weight(&winograd::transform_weight(weight)),
            Route::Depthwise => return conv_depthwise::pack_weight(self, weight),
            _ => {}
        }
        let tile_blocks = self.tile_blocks();
        let Conv { kernel, groups, .. } = self.conv;
        let taps = kernel * kernel;
        let (in_per_group, out_per_group) = (self.input.channels / groups, self.conv.out_channels / groups);
        let bands = self.bands(tile_blocks, 1);
        let span = self.span(tile_blocks);
        let mut packed = vec![0.0; self.packed_elements()];
        let mut matrices = packed.chunks_exact_mut(16);
        for band in 0..bands {
            let first = self.first_block(band * tile_blocks, span);
            for in_block in first..first + span {
                for tap in 0..taps {
                    for block in 0..tile_blocks {
                        let matrix = matrices.next().expect("one matrix for each index of the loops");
                        for (index, value) in matrix.iter_mut().enumerate() {
                            let input = in_block * 4 + index / 4;
                            let out = (band * tile_blocks + block) * 4 + index % 4;
                            if out >= self.conv.out_channels {
                                continue;
                            }
                            let first_input = out / out_per_group * in_per_group;
                            if (first_input..first_input + in_per_group).contains(&input) {
                                let row = out * in_per_group + input - first_input;
                                *value = weight[row * taps + tap];
                            }
                        }
                    }
                }
            }
        }
        packed
    }

    /// Output blocks per invocation: the tile that loads and multiplies least over the whole layer. One
    /// step of an invocation loads 16 pixels, or its team together, and 4 vectors of weights per block, and the
    /// multiplications of a block cost about as much as four more loads; a tile over several groups also reads zeros.
    pub(super) fn tile_blocks(&self) -> usize {
        let route = self.route();
        let tiles = route.tiles(self.tuning);
        let team = self.team(&route);
        let whole = team > 1 || matches!(route, Route::Pointwise(_));
        let fits = |tile: &usize| !whole || self.in_one_group(team * tile);
        let tiles = tiles.iter().copied().filter(fits);
        if team > 1 && self.products() < WIDE_PRODUCTS {
            return tiles.min().expect("a tile");
        }
        let cost = |tile: &usize| self.bands(*tile, team) * self.span(*tile) * (16 / team + 8 * tile);
        tiles.min_by_key(cost).expect("a tile")
    }

    /// Bands of `tile_blocks` output blocks, as many as a whole number of teams computes.
    pub(super) fn bands(&self, tile_blocks: usize, team: usize) -> usize {
        (blocks(self.conv.out_channels) as usize).div_ceil(tile_blocks).next_multiple_of(team)
    }

    /// Invocations that exchange what they load: they compute different bands, which have to read the same input.
    fn team(&self, route: &Route) -> usize {
        let teams = match route {
            // ResNeSt's groups, which have more outputs than inputs, are at times no whole blocks: it needs the kernel
            // that exchanges nothing anyway, and is ready sooner without one more.
            Route::Conv if self.input.channels == self.conv.out_channels => &TEAMS[..],
            Route::Conv | Route::Pointwise(Pointwise::Registers(_)) => &TEAMS[..1],
            _ => &[],
        };
        let narrowest = *route.tiles(self.tuning).iter().min().expect("a tile");
        let fitting = teams.iter().copied().find(|team| self.in_one_group(team * narrowest));
        fitting.filter(|_| self.tuning.loads == Loads::Quads).unwrap_or(1)
    }

    /// What its kernel does with the sums.
    pub(super) fn finish(&self) -> Finish {
        let curves = matches!(self.activation, Activation::Silu | Activation::Sigmoid);
        Finish { curves, shortcut: self.shortcut }
    }

    /// Input blocks that a band of `tile_blocks` output blocks reads, the widest band's.
    pub(super) fn span(&self, tile_blocks: usize) -> usize {
        let bands = self.bands(tile_blocks, 1);
        let widths = (0..bands).map(|band| {
            let outputs = self.input_channels(band * tile_blocks * 4..(band + 1) * tile_blocks * 4);
            outputs.end.div_ceil(4) - outputs.start / 4
        });
        widths.max().unwrap_or(0)
    }

    /// First input block that a band reads whose first output block is `block`; as the shaders compute it.
    fn first_block(&self, block: usize, span: usize) -> usize {
        let channels = self.input_channels(block * 4..block * 4 + 1);
        (channels.start / 4).min(blocks(self.input.channels) as usize - span)
    }

    /// Groups as the kernel sees them. Where invocations exchange what they load, two groups of one block each pass for
    /// one, with zeros in its weight: a pair can read for both then, and ResNeXt does without the kernel that exchanges
    /// nothing, which takes longest to compile.
    pub(super) fn kernel_groups(&self) -> usize {
        let Conv { kernel, groups, out_channels, .. } = self.conv;
        let of_one_block = [self.input.channels, out_channels] == [4 * groups; 2];
        let merged = self.tuning.loads == Loads::Quads && kernel > 1 && of_one_block && groups.is_multiple_of(2);
        if merged { groups / 2 } else { groups }
    }

    /// Input channels of the groups that these output channels belong to.
    fn input_channels(&self, outputs: Range<usize>) -> Range<usize> {
        let groups = self.kernel_groups();
        let (in_per_group, out_per_group) = (self.input.channels / groups, self.conv.out_channels / groups);
        let last = outputs.end.min(self.conv.out_channels) - 1;
        outputs.start / out_per_group * in_per_group..(last / out_per_group + 1) * in_per_group
    }

    fn route(&self) -> Route {
        let Conv { kernel, .. } = self.conv;
        let unpadded = matches!(self.conv.padding, Padding::Each(0) | Padding::Same);
        match kernel {
            1 if self.input.pixels() == 1 => Route::Linear,
            1 if unpadded && self.whole_groups() && self.products() >= POINTWISE_PRODUCTS => {
                Route::Pointwise(self.pointwise())
            }
            _ if conv_depthwise::fits(self) => Route::Depthwise,
            3 if self.tuning.winograd => Winograd::of(self).map_or(Route::Conv, Route::Winograd),
            _ => Route::Conv,
        }
    }

    /// Multiplications: more than a `usize` of the browser holds.
    pub(super) fn products(&self) -> u64 {
        let Conv { kernel, groups, out_channels, .. } = self.conv;
        (self.input.channels / groups * kernel * kernel) as u64 * (out_channels * self.output.pixels()) as u64
    }

    /// Whether the kernels for 1x1 convolutions can take each group by itself.
    pub(super) fn whole_groups(&self) -> bool {
        let whole = (self.input.channels / self.conv.groups).is_multiple_of(4);
        self.conv.groups == 1
            || whole && pointwise::tiles(Tile::Narrow, Loads::Buffers).iter().all(|tile| self.in_one_group(*tile))
    }

    /// Whether bands of so many output blocks never hold channels of two groups.
    fn in_one_group(&self, tile_blocks: usize) -> bool {
        let groups = self.kernel_groups();
        groups == 1 || (self.conv.out_channels / groups).is_multiple_of(4 * tile_blocks)
    }

    /// The tuning's kernel, where the layer fills its tiles.
    fn pointwise(&self) -> Pointwise {
        let tile = pointwise_shared::TILE_BLOCKS;
        let filled = self.conv.out_channels / self.conv.groups >= 4 * tile && self.in_one_group(tile);
        match self.tuning.pointwise {
            Pointwise::Shared if !filled => Pointwise::Registers(Tile::Narrow),
            chosen => chosen,
        }
    }
}

/// Which kernel computes a layer.
enum Route {
    Linear,
    Pointwise(Pointwise),
    Depthwise,
    Conv,
    Winograd(Winograd),
}

impl Route {
    /// Output blocks that one invocation may compute.
    fn tiles(&self, tuning: Tuning) -> &'static [usize] {
        match self {
            Self::Linear | Self::Depthwise => &[1],
            Self::Pointwise(Pointwise::Registers(tile)) => pointwise::tiles(*tile, tuning.loads),
            Self::Pointwise(Pointwise::Shared) => &[pointwise_shared::TILE_BLOCKS],
            Self::Conv | Self::Winograd(_) => conv::tiles(tuning.conv),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn layer(conv: Conv, channels: usize) -> ConvLayer {
        ConvLayer::new(conv, Shape::new(channels, 8, 8))
    }

    #[test]
    fn tiles_stay_inside_narrow_groups() {
        assert_eq!(layer(Conv::new(3, 64), 64).tile_blocks(), 2);
        assert_eq!(layer(Conv::new(3, 128).groups(2), 64).tile_blocks(), 2);
        assert_eq!(layer(Conv::new(3, 128).groups(32), 128).tile_blocks(), 1, "ResNeXt's groups of four");
        assert_eq!(layer(Conv::new(3, 128).groups(32), 128).span(1), 1);
    }

    #[test]
    fn invocations_that_exchange_read_the_same_groups() {
        let quads = Tuning { loads: Loads::Quads, ..Tuning::default() };
        let kernel = |groups| {
            let layer = ConvLayer { tuning: quads, ..layer(Conv::new(3, 128).groups(groups), 128) };
            (layer.starts()[0].dispatch.kernel.name, layer.tile_blocks(), layer.span(1))
        };
        assert_eq!(kernel(1), ("conv_quad", 1, 32));
        assert_eq!(kernel(8), ("conv_quad", 1, 4));
        assert_eq!(kernel(16), ("conv_pair", 1, 2));
        assert_eq!(kernel(32), ("conv_pair", 1, 2), "two of ResNeXt's groups of four together");
        assert_eq!(kernel(64), ("conv", 1, 1));
        let resnest = ConvLayer { tuning: quads, ..layer(Conv::new(3, 320).groups(8), 80) };
        assert_eq!(resnest.starts()[0].dispatch.kernel.name, "conv");
    }

    #[test]
    fn spans_cover_groups_that_end_inside_a_block() {
        // ResNeSt-50 4s2x40d, first stage: 8 groups of 10 input and 40 output channels.
        let layer = layer(Conv::new(3, 320).groups(8), 80);
        assert_eq!(layer.input_channels(0..4), 0..10);
        assert_eq!(layer.input_channels(40..44), 10..20);
        assert_eq!(layer.span(1), 3, "channels 0..10 lie in blocks 0..3, 10..20 in 2..5, 20..30 in 5..8");
    }

    #[test]
    fn matrices_have_input_channels_as_columns() {
        let pointwise = layer(Conv::new(1, 4), 4);
        let weight: Vec<f32> = (0..16).map(|index| index as f32).collect();
        // weight[o, c] = 4 o + c, so column c holds c, 4 + c, 8 + c, 12 + c.
        assert_eq!(pointwise.pack_weight(&weight)[..8], [0.0, 4.0, 8.0, 12.0, 1.0, 5.0, 9.0, 13.0]);
    }

    #[test]
    fn weights_of_narrow_groups_lie_on_the_diagonal() {
        let groups_of_one = layer(Conv::new(1, 4).groups(4).padding(0), 4);
        let packed = groups_of_one.pack_weight(&[1.0, 2.0, 3.0, 4.0]);
        let diagonal: Vec<f32> = (0..4).map(|index| packed[index * 5]).collect();
        assert_eq!((diagonal, packed.iter().sum()), (vec![1.0, 2.0, 3.0, 4.0], 10.0));
    }

    #[test]
    fn depthwise_weights_are_vectors_of_four_channels() {
        let depthwise = layer(Conv::new(3, 6).groups(6), 6);
        let weight: Vec<f32> = (0..54).map(|index| index as f32).collect();
        let packed = depthwise.pack_weight(&weight);
        assert_eq!((packed.len(), depthwise.packed_elements()), (72, 72));
        assert_eq!(packed[..8], [0.0, 9.0, 18.0, 27.0, 1.0, 10.0, 19.0, 28.0], "taps 0 and 1 of channels 0 to 3");
        assert_eq!(packed[68..], [44.0, 53.0, 0.0, 0.0], "tap 8 of channels 4 and 5");
    }
}
