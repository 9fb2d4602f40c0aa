use crate::graph::{Shape, Tensor};

/// A 1x1 convolution of one group: `y[o, p] = bias[o] + sum over c of weight[o, c] * x[c, p]` at every
/// pixel, or at every `stride`th along both axes.
///
/// `weight`: `[out_channels, in_channels]`; `bias`: `[out_channels]`.
pub fn pointwise(x: &Tensor, stride: usize, weight: &[f32], bias: &[f32]) -> Tensor {
    let Shape { channels, height, width } = x.shape;
    let shape = Shape::new(bias.len(), height.div_ceil(stride), width.div_ceil(stride));
    Tensor::from_fn(shape, |out, i, j| {
        let row = &weight[out * channels..][..channels];
        let products = row.iter().enumerate().map(|(c, w)| w * x.at(c, i * stride, j * stride));
        products.sum::<f32>() + bias[out]
    })
}

#[cfg(test)]
mod tests {
    use super::super::conv;
    use super::*;
    use crate::graph::Conv;

    #[test]
    fn is_a_convolution_with_a_kernel_of_one() {
        let x = Tensor::from_fn(Shape::new(3, 5, 4), |c, y, x| (c * 7 + y * 3 + x) as f32 % 5.0);
        let weight = [1.0, -2.0, 0.5, 0.0, 3.0, 1.0];
        for stride in [1, 2] {
            let general = conv(&x, &Conv::new(1, 2).stride(stride), &weight, &[0.5, -1.0]);
            assert_eq!(pointwise(&x, stride, &weight, &[0.5, -1.0]), general);
        }
    }
}
