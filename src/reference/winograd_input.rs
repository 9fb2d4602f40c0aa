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
/// tile d, whose tile of the output is 4x4. Pixels outside the image are zero.
///
/// `[C, H, W] -> [36 * C, ceil(H / 4), ceil(W / 4)]` where the output is as large as the input; value (u, v) of
/// channel c is channel `(6 u + v) * C + c`.
pub fn winograd_input(x: &Tensor, conv: &Conv, output: Shape) -> Tensor {
    let Shape { channels, height, width } = x.shape;
    let pixel = |c: usize, i: usize, j: usize| {
        let y = i.checked_sub(conv.pad_before(height)).filter(|&y| y < height);
        let x_ = j.checked_sub(conv.pad_before(width)).filter(|&x_| x_ < width);
        y.zip(x_).map_or(0.0, |(y, x_)| x.at(c, y, x_))
    };
    let tiles = Shape::new(36 * channels, output.height.div_ceil(4), output.width.div_ceil(4));
    Tensor::from_fn(tiles, |channel, i, j| {
        let (image, c) = (channel / channels, channel % channels);
        let rows = B[image / 6].iter().enumerate().map(|(k, down)| {
            let row = B[image % 6].iter().enumerate().map(|(l, across)| across * pixel(c, 4 * i + k, 4 * j + l));
            down * row.sum::<f32>()
        });
        rows.sum()
    })
}
