use crate::graph::Tensor;

/// A linear layer in `groups` groups: `y[o] = bias[o] + sum over c of weight[o, c] * x[c']`, where `c'`
/// is channel `c` of the group of `o`.
///
/// `x`: a vector of channels; `weight`: `[out, in / groups]`; `bias`: `[out]`.
pub fn linear(x: &Tensor, groups: usize, weight: &[f32], bias: &[f32]) -> Tensor {
    let (in_per_group, out_per_group) = (x.values.len() / groups, bias.len() / groups);
    let rows = weight.chunks_exact(in_per_group).enumerate();
    let values = rows.map(|(out, row)| {
        let inputs = &x.values[out / out_per_group * in_per_group..][..in_per_group];
        row.iter().zip(inputs).map(|(w, x)| w * x).sum::<f32>() + bias[out]
    });
    Tensor::vector(values.collect())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn by_hand() {
        let x = Tensor::vector(vec![1.0, 2.0]);
        assert_eq!(linear(&x, 1, &[3.0, 4.0, 0.0, -1.0], &[0.5, 0.0]).values, [11.5, -2.0]);
        assert_eq!(linear(&x, 2, &[3.0, 4.0], &[0.5, 0.0]).values, [3.5, 8.0]);
    }
}
