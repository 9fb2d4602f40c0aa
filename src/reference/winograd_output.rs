use std::f32::consts::{FRAC_1_SQRT_2, SQRT_2};

use crate::graph::{Shape, Tensor};

/// The rows of A^T of Winograd's F(4x4, 3x3) for the points 0, +-1/sqrt(2), +-sqrt(2) and infinity.
const A: [[f32; 6]; 4] = [
    [1.0, 1.0, 1.0, 1.0, 1.0, 0.0],
    [0.0, FRAC_1_SQRT_2, -FRAC_1_SQRT_2, SQRT_2, -SQRT_2, 0.0],
    [0.0, 0.5, 0.5, 2.0, 2.0, 0.0],
    [0.0, FRAC_1_SQRT_2 / 2.0, -FRAC_1_SQRT_2 / 2.0, 2.0 * SQRT_2, -2.0 * SQRT_2, 1.0],
];

/// The output of a 3x3 convolution from the products of its tiles, `A^T m A` of each 6x6 tile m: the inverse of
/// [`winograd_input`](super::winograd_input) in all but the weights.
///
/// `[36 * C, D * D * ceil(H / 4D), ceil(W / 4D)] -> [C, H, W]`, the shape `output`, with a dilation D.
pub fn winograd_output(products: &Tensor, dilation: usize, output: Shape) -> Tensor {
    let tiles_down = output.height.div_ceil(4 * dilation);
    Tensor::from_fn(output, |c, i, j| {
        let phase = i % dilation * dilation + j % dilation;
        let (i, j) = (i / dilation, j / dilation);
        let rows = A[i % 4].iter().enumerate().map(|(k, down)| {
            let product = |l: usize| products.at((6 * k + l) * output.channels + c, phase * tiles_down + i / 4, j / 4);
            down * A[j % 4].iter().enumerate().map(|(l, across)| across * product(l)).sum::<f32>()
        });
        rows.sum()
    })
}

#[cfg(test)]
mod tests {
    use super::super::{conv, winograd_input};
    use super::*;
    use crate::graph::Conv;

    /// The transformed weight of a convolution of one channel that copies tap (u, v): column u of G times row v of G^T.
    fn transformed(u: usize, v: usize) -> [[f32; 6]; 6] {
        let g = |k: usize, tap: usize| {
            let point = [0.0, FRAC_1_SQRT_2, -FRAC_1_SQRT_2, SQRT_2, -SQRT_2];
            let Some(&p) = point.get(k) else { return if tap == 2 { 1.0 } else { 0.0 } };
            let others = point.iter().filter(|&&other| other != p).map(|other| p - other);
            p.powi(tap as i32) / others.product::<f32>()
        };
        std::array::from_fn(|k| std::array::from_fn(|l| g(k, u) * g(l, v)))
    }

    #[test]
    fn input_weight_and_output_make_a_convolution() {
        let taps = [(0, 0), (0, 2), (1, 1), (2, 0), (2, 2), (1, 2)];
        let layers = [Conv::new(3, 1), Conv::new(3, 1).dilation(2), Conv::new(3, 1).dilation(3).padding(1)];
        for (layer, (u, v)) in layers.into_iter().flat_map(|layer| taps.map(|tap| (layer, tap))) {
            let x = Tensor::from_fn(Shape::new(1, 10, 19), |_, y, x| ((y * 7 + x * 3) % 11) as f32 - 5.0);
            let mut weight = [0.0; 9];
            weight[3 * u + v] = 1.0;
            let expected = conv(&x, &layer, &weight, &[0.0]);
            let tiles = winograd_input(&x, &layer, expected.shape);
            let weight = transformed(u, v);
            let products = Tensor::from_fn(tiles.shape, |e, i, j| weight[e / 6][e % 6] * tiles.at(e, i, j));
            let found = winograd_output(&products, layer.dilation, expected.shape);
            for (found, expected) in found.values.iter().zip(&expected.values) {
                assert!((found - expected).abs() < 1e-4, "{layer:?}, tap {u}, {v}: {found} instead of {expected}");
            }
        }
    }
}
