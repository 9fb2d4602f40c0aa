use crate::graph::{Op, Tensor};

/// `y[c, p] = sum over r of gates[r * C + c] * splits[r * C + c, p]`: `[radix * C, H, W] -> [C, H, W]`.
pub fn weighted_sum(splits: &Tensor, gates: &Tensor, radix: usize) -> Tensor {
    let op = Op::WeightedSum { radix };
    let shape = op.infer(&[splits.shape, gates.shape]).expect("gates that fit their splits");
    Tensor::from_fn(shape, |c, i, j| {
        let channels = (0..radix).map(|r| r * shape.channels + c);
        channels.map(|channel| gates.values[channel] * splits.at(channel, i, j)).sum()
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::graph::Shape;

    #[test]
    fn by_hand() {
        let splits = Tensor::new(Shape::new(4, 1, 1), vec![1.0, 2.0, 10.0, 20.0]);
        let gates = Tensor::vector(vec![0.5, 1.0, 0.5, 0.0]);
        assert_eq!(weighted_sum(&splits, &gates, 2).values, [5.5, 2.0]);
    }
}
