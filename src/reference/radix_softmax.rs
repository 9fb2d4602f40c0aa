use super::activate::sigmoid;
use crate::graph::Tensor;

/// Gates from logits: softmax over the radix in each cardinal group, a sigmoid at radix 1.
///
/// Logits are cardinality-major, `[cardinality, radix, C']`; gates are radix-major, `[radix,
/// cardinality, C']`, as the splits are (timm's `RadixSoftmax`, ResNeSt's `rSoftMax`).
pub fn radix_softmax(logits: &Tensor, radix: usize, cardinality: usize) -> Tensor {
    if radix == 1 {
        return Tensor::vector(logits.values.iter().map(|&x| sigmoid(x)).collect());
    }
    let width = logits.values.len() / (radix * cardinality);
    let mut gates = vec![0.0; logits.values.len()];
    for k in 0..cardinality {
        for c in 0..width {
            let logit = |r: usize| logits.values[(k * radix + r) * width + c];
            let max = (0..radix).map(logit).fold(f32::NEG_INFINITY, f32::max);
            let sum: f32 = (0..radix).map(|r| (logit(r) - max).exp()).sum();
            for r in 0..radix {
                gates[(r * cardinality + k) * width + c] = (logit(r) - max).exp() / sum;
            }
        }
    }
    Tensor::vector(gates)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn gates_of_a_channel_add_up_to_one() {
        let logits = Tensor::vector((0..24).map(|index| (index * 5 % 11) as f32 - 40.0).collect());
        let gates = radix_softmax(&logits, 3, 2).values;
        for channel in 0..8 {
            let sum: f32 = (0..3).map(|r| gates[r * 8 + channel]).sum();
            assert!((sum - 1.0).abs() < 1e-6, "channel {channel}: {sum}");
        }
    }

    #[test]
    fn logits_are_cardinality_major_and_gates_radix_major() {
        // Two cardinal groups of one channel, two splits: group 0 prefers split 0, group 1 split 1.
        let logits = Tensor::vector(vec![1000.0, 0.0, 0.0, 1000.0]);
        assert_eq!(radix_softmax(&logits, 2, 2).values, [1.0, 0.0, 0.0, 1.0]);
        let logits = Tensor::vector(vec![1000.0, 0.0, 1000.0, 0.0]);
        assert_eq!(radix_softmax(&logits, 2, 2).values, [1.0, 1.0, 0.0, 0.0]);
    }

    #[test]
    fn radix_one_is_a_sigmoid() {
        assert_eq!(radix_softmax(&Tensor::vector(vec![0.0, 100.0]), 1, 2).values, [0.5, 1.0]);
    }
}
