use crate::graph::{Shape, Tensor};

/// The maps that the inspector shows of one unit, each a sum over channels:
///
/// - `b` below `branches`: the contribution of branch `b`, `sum over c of gates[b * C + c] * x[b * C + c, p]`;
/// - then, for each branch, its activation without the gates, `sum over c of x[b * C + c, p]`;
/// - last, the output, `sum over c of output[c, p]`.
///
/// `branch_values`: `[branches * C, H, W]`; `gates`: `[branches * C]`; `output`: `[C, H, W]`.
/// Returns `[2 * branches + 1, H, W]`.
pub fn branch_maps(branch_values: &Tensor, gates: &Tensor, output: &Tensor, branches: usize) -> Tensor {
    let channels = branch_values.shape.channels / branches;
    let shape = Shape { channels: 2 * branches + 1, ..output.shape };
    Tensor::from_fn(shape, |map, i, j| {
        if map == 2 * branches {
            return (0..channels).map(|c| output.at(c, i, j)).sum();
        }
        let own = map % branches * channels..(map % branches + 1) * channels;
        let gate = |c: usize| if map < branches { gates.values[c] } else { 1.0 };
        own.map(|c| gate(c) * branch_values.at(c, i, j)).sum()
    })
}

#[cfg(test)]
mod tests {
    use super::super::{sum_splits, weighted_sum};
    use super::*;

    #[test]
    fn by_hand() {
        let x = Tensor::new(Shape::new(4, 1, 1), vec![1.0, 2.0, 10.0, 20.0]);
        let gates = Tensor::vector(vec![0.5, 0.25, 0.5, 0.75]);
        let output = weighted_sum(&x, &gates, 2);
        assert_eq!(branch_maps(&x, &gates, &output, 2).values, [1.0, 20.0, 3.0, 30.0, 21.0]);
    }

    #[test]
    fn contributions_add_up_to_the_output() {
        let x = Tensor::from_fn(Shape::new(6, 2, 3), |c, i, j| (c * 5 + i * 3 + j) as f32 % 7.0);
        let gates = Tensor::vector(vec![0.2, 0.5, 0.3, 0.5, 0.5, 0.25]);
        let output = weighted_sum(&x, &gates, 3);
        let maps = branch_maps(&x, &gates, &output, 3);
        let parts = Tensor::new(Shape::new(3, 2, 3), maps.values[..18].to_vec());
        for (sum, whole) in sum_splits(&parts, 3).values.iter().zip(maps.channel(6)) {
            assert!((sum - whole).abs() < 1e-5);
        }
    }
}
