use crate::graph::Tensor;

/// Gates `[branches * C]`, branch-major, in place of those that a unit computed: the replacement, or where
/// there is none its own with the branches in reverse order.
pub fn replace_gates(gates: &Tensor, branches: usize, replacement: Option<&[f32]>) -> Tensor {
    let channels = gates.values.len() / branches;
    Tensor::vector(match replacement {
        Some(values) => values.to_vec(),
        None => gates.values.chunks_exact(channels).rev().flatten().copied().collect(),
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn branches_change_places_and_channels_do_not() {
        let gates = Tensor::vector(vec![0.1, 0.2, 0.3, 0.4, 0.5, 0.6]);
        assert_eq!(replace_gates(&gates, 3, None).values, [0.5, 0.6, 0.3, 0.4, 0.1, 0.2]);
        assert_eq!(replace_gates(&gates, 2, None).values, [0.4, 0.5, 0.6, 0.1, 0.2, 0.3]);
        assert_eq!(replace_gates(&gates, 2, Some(&[1.0; 6])).values, [1.0; 6]);
    }
}
