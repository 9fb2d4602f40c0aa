use std::f64::consts::{FRAC_1_SQRT_2, SQRT_2};

use super::layer::{ConvLayer, POINTWISE_PRODUCTS};
use super::{Operand, Start, blocks, pointwise, winograd_input, winograd_output};
use crate::graph::{Conv, Shape};

/// Rows and columns of the output that a tile computes.
const TILE_SIDE: usize = 4;
/// Values that a tile is transformed to: images of the product.
const IMAGES: usize = 36;
/// Below as many multiplications of the direct convolution, its three pipelines take longer to compile than
/// they ever save. A quarter of them is left, which is enough for the kernels of large 1x1 convolutions.
const LEAST_PRODUCTS: u64 = 4 * POINTWISE_PRODUCTS;
/// Elements of the largest buffer that a kernel can be given on every WebGPU device, 128 MiB: what is passed on is
/// 36 values for 16, and must not keep a network from sizes that it can have otherwise.
const MOST_SCRATCH: usize = 1 << 25;
/// What the transformation of a tile's value costs, in and out, over a multiplication of a block by a matrix:
/// a load and a store in place of sixteen multiplications, as measured on a processor-backed adapter.
const TRANSFORM_COST: u64 = 3;

/// A 3x3 convolution by Winograd's F(4x4, 3x3) (arXiv 1509.09308): 36 multiplications for 16 pixels instead of
/// 144, in three kernels. The tiles of the input become 36 images with a pixel for each tile, those are
/// multiplied by 36 matrices, and the products become the tiles of the output.
///
/// A dilated convolution is one for each phase of the image: the pixels whose coordinates leave the same remainders when
/// divided by the dilation. The tiles of all phases lie below each other.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Winograd {
    /// The multiplications as a 1x1 convolution of all images at once, with 36 times the layer's groups.
    pub product: ConvLayer,
    /// Rows of tiles of one phase.
    pub tiles_down: usize,
}

impl Winograd {
    /// The layer in this way, where that is possible and pays.
    pub fn of(layer: &ConvLayer) -> Option<Self> {
        let Conv { kernel: 3, stride: 1, dilation, groups, out_channels, .. } = layer.conv else { return None };
        let sides = [layer.output.width, layer.output.height];
        let [across, down] = sides.map(|side| side.div_ceil(dilation * TILE_SIDE));
        let images = Shape::new(IMAGES * layer.input.channels, dilation * dilation * down, across);
        let conv = Conv::new(1, IMAGES * out_channels).groups(IMAGES * groups);
        let product = ConvLayer { bias: false, tuning: layer.tuning, ..ConvLayer::new(conv, images) };
        if !product.whole_groups() {
            return None;
        }
        // In multiplications of a block of a pixel by a 4x4 matrix, whole tiles of the kernels counted: for large images
        // more than a `usize` of the browser holds.
        let (tiles, in_per_group) = (images.pixels(), layer.input.channels / groups);
        let matrices = ((in_per_group / 4) * (out_channels / 4)) as u64;
        let directly: usize = sides.iter().map(|side| side.next_multiple_of(TILE_SIDE)).product();
        let direct = (directly * 9) as u64 * matrices;
        let multiplied = (IMAGES * tiles.next_multiple_of(pointwise::TILE_PIXELS)) as u64 * matrices;
        let transformed = (IMAGES * tiles) as u64 * u64::from(blocks(layer.input.channels) + blocks(out_channels));
        // Memory and starts ask for more than a draw.
        let pays = (multiplied + TRANSFORM_COST * transformed) * 5 < direct * 4;
        let winograd = Self { product, tiles_down: down };
        let fits = winograd.scratch().iter().all(|&elements| elements <= MOST_SCRATCH);
        (layer.products() >= LEAST_PRODUCTS && pays && fits).then_some(winograd)
    }

    /// Elements of the transformed input and of the products.
    pub fn scratch(&self) -> [usize; 2] {
        [self.product.input, self.product.output].map(|shape| shape.stored_elements())
    }

    /// The three kernels of `layer`.
    pub fn starts(&self, layer: &ConvLayer) -> Vec<Start> {
        let [transformed, products] = [0, 1].map(Operand::Scratch);
        let first =
            Start { dispatch: winograd_input::dispatch(layer, self), operands: vec![Operand::Input(0), transformed] };
        let passed_on = |operand| match operand {
            Operand::Input(_) => transformed,
            Operand::Output => products,
            weights => weights,
        };
        let second = self.product.starts().into_iter().map(|Start { dispatch, operands }| Start {
            dispatch,
            operands: operands.into_iter().map(passed_on).collect(),
        });
        let last = Start {
            dispatch: winograd_output::dispatch(layer, self),
            operands: vec![products, Operand::Bias, layer.shortcut_operand(), Operand::Output],
        };
        [first].into_iter().chain(second).chain([last]).collect()
    }
}

/// The rows of G for the points 0, +-1/sqrt(2), +-sqrt(2) and infinity.
const G: [[f64; 3]; 6] = [
    [1.0, 0.0, 0.0],
    [-2.0 / 3.0, -2.0 / 3.0 * FRAC_1_SQRT_2, -1.0 / 3.0],
    [-2.0 / 3.0, 2.0 / 3.0 * FRAC_1_SQRT_2, -1.0 / 3.0],
    [1.0 / 6.0, SQRT_2 / 6.0, 1.0 / 3.0],
    [1.0 / 6.0, -SQRT_2 / 6.0, 1.0 / 3.0],
    [0.0, 0.0, 1.0],
];

/// The weight `[rows, 3, 3]` to `[36, rows]`, G w G^T of each 3x3 matrix w; in double precision, since it is done once.
pub(super) fn transform_weight(weight: &[f32]) -> Vec<f32> {
    let rows = weight.len() / 9;
    let mut transformed = vec![0.0; IMAGES * rows];
    for (index, w) in weight.chunks_exact(9).enumerate() {
        let w: [f64; 9] = std::array::from_fn(|tap| w[tap].into());
        let dot = |row: [f64; 3], column: [f64; 3]| row[0] * column[0] + row[1] * column[1] + row[2] * column[2];
        for (u, row) in G.into_iter().enumerate() {
            let across = [0, 1, 2].map(|v| dot(row, [w[v], w[3 + v], w[6 + v]]));
            for (v, column) in G.into_iter().enumerate() {
                transformed[(u * 6 + v) * rows + index] = dot(across, column) as f32;
            }
        }
    }
    transformed
}
