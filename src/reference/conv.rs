use crate::graph::{Conv, Op, Tensor};

/// `y[o, i, j] = bias[o] + sum over (c, u, v) of weight[o, c, u, v] * x[c', s i + d u - p, s j + d v - p]`,
/// where `c'` is channel `c` of the group of `o` and pixels outside the image are zero.
///
/// `weight`: `[out_channels, in_channels / groups, kernel, kernel]`; `bias`: `[out_channels]`.
pub fn conv(x: &Tensor, conv: &Conv, weight: &[f32], bias: &[f32]) -> Tensor {
    let shape = Op::Conv(*conv).infer(&[x.shape]).expect("a convolution that fits its input");
    let in_per_group = x.shape.channels / conv.groups;
    let out_per_group = conv.out_channels / conv.groups;
    // Position in the image of tap `u` for output `i`, unless it lies in the padding.
    let tap = |i: usize, u: usize, extent: usize| {
        (conv.stride * i + conv.dilation * u).checked_sub(conv.pad_before(extent)).filter(|&at| at < extent)
    };
    Tensor::from_fn(shape, |out, i, j| {
        let first = out / out_per_group * in_per_group;
        let mut sum = 0.0;
        for c in 0..in_per_group {
            for u in 0..conv.kernel {
                let Some(y) = tap(i, u, x.shape.height) else { continue };
                for v in 0..conv.kernel {
                    let Some(column) = tap(j, v, x.shape.width) else { continue };
                    let index = ((out * in_per_group + c) * conv.kernel + u) * conv.kernel + v;
                    sum += weight[index] * x.at(first + c, y, column);
                }
            }
        }
        sum + bias[out]
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::graph::Shape;

    fn ramp(shape: Shape) -> Tensor {
        Tensor::new(shape, (0..shape.elements()).map(|index| (index % 7) as f32 - 3.0).collect())
    }

    #[test]
    fn by_hand() {
        let x = Tensor::new(Shape::new(1, 2, 3), vec![1.0, 2.0, 3.0, 4.0, 5.0, 6.0]);
        let all_ones = conv(&x, &Conv::new(3, 1), &[1.0; 9], &[0.5]);
        assert_eq!(all_ones.values, [12.5, 21.5, 16.5, 12.5, 21.5, 16.5]);
        let dilated = conv(&x, &Conv::new(3, 1).dilation(2), &[1.0; 9], &[0.0]);
        assert_eq!(dilated.values, [4.0, 2.0, 4.0, 10.0, 5.0, 10.0]);
    }

    #[test]
    fn groups_are_convolutions_of_their_own() {
        let x = ramp(Shape::new(4, 3, 3));
        let weight = ramp(Shape::new(6 * 2, 3, 3)).values;
        let grouped = conv(&x, &Conv::new(3, 6).groups(2).stride(2), &weight, &[0.0; 6]);
        for group in 0..2 {
            let part = Tensor::new(Shape::new(2, 3, 3), x.values[group * 18..][..18].to_vec());
            let alone = conv(&part, &Conv::new(3, 3).stride(2), &weight[group * 54..][..54], &[0.0; 3]);
            assert_eq!(alone.values, grouped.values[group * 12..][..12]);
        }
    }
}
