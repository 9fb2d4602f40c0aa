use std::f32::consts::{FRAC_1_SQRT_2, SQRT_2};

use crate::graph::{Conv, Shape, Tensor};

/// The rows of B^T of Winograd's F(4x4, 3x3) for the points 0, +-1/sqrt(2), +-sqrt(2) and infinity.
const B: [[f32; 6]; 6] = [
    [1.0, 0.0, -2.5, 0.0, 1.0, 0.0],
    [0.0, -SQRT_2, -2.0, FRAC_1_SQRT_2, 1.0, 0.0],
    [0.0, SQRT_2, -2.0, -FRAC_1_SQRT_2, 1.0, 0.0],
    [0.0, -FRAC_1_SQRT_2, -0.5, SQRT_2, 1.0, 0.0],
    [0.0, FRAC_1_SQRT_2, -0.5, -SQRT_2, 1.0, 0.0],
    [0.0, 1.0, 0.0, -2.5, 0.0, 1.0],
];

/// The tiles of a 3x3 convolution's input by Winograd's F(4x4, 3x3) (arXiv 1509.09308): `B^T d B` of each 6x6
/// tile d, whose tile of the output is 4x4. Pixels outside the image are zero. With a dilation D tiles are of the D x D
/// phases, the pixels whose coordinates leave the same remainders when divided by D.
///
/// `[C, H, W] -> [36 * C, D * D * ceil(H / 4D), ceil(W / 4D)]` where the output is as large as the input, the phases below
/// each other; value (u, v) of channel c is channel `(6 u + v) * C + c`.
pub fn winograd_input(x: &Tensor, conv: &Conv, output: Shape) -> Tensor {
    let Shape { channels, height, width } = x.shape;
    let pixel = |c: usize, i: usize, j: usize| {
        let y = i.checked_sub(conv.pad_before(height)).filter(|&y| y < height);
        let x_ = j.checked_sub(conv.pad_before(width)).filter(|&x_| x_ < width);
        y.zip(x_).map_or(0.0, |(y, x_)| x.at(c, y, x_))
    };
    let dilation = conv.dilation;
    let [tiles_down, tiles_across] = [output.height, output.width].map(|side| side.div_ceil(4 * dilation));
    let tiles = Shape::new(36 * channels, dilation * dilation * tiles_down, tiles_across);
    Tensor::from_fn(tiles, |channel, i, j| {
        let (image, c) = (channel / channels, channel % channels);
        let (phase, i) = (i / tiles_down, i % tiles_down);
        let y = |k: usize| (4 * i + k) * dilation + phase / dilation;
        let x = |l: usize| (4 * j + l) * dilation + phase % dilation;
        let rows = B[image / 6].iter().enumerate().map(|(k, down)| {
            let row = B[image % 6].iter().enumerate().map(|(l, across)| across * pixel(c, y(k), x(l)));
            down * row.sum::<f32>()
        });
        rows.sum()
    })
}
