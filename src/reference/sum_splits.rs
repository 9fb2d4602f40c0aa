use crate::graph::{Op, Tensor};

/// `y[c, p] = sum over r of x[r * C + c, p]`: `[radix * C, H, W] -> [C, H, W]`.
pub fn sum_splits(x: &Tensor, radix: usize) -> Tensor {
    let shape = Op::SumSplits { radix }.infer(&[x.shape]).expect("splits that divide the channels");
    Tensor::from_fn(shape, |c, i, j| (0..radix).map(|r| x.at(r * shape.channels + c, i, j)).sum())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::graph::Shape;

    #[test]
    fn splits_are_the_major_axis() {
        let x = Tensor::new(Shape::new(4, 1, 1), vec![1.0, 2.0, 10.0, 20.0]);
        assert_eq!(sum_splits(&x, 2).values, [11.0, 22.0]);
    }
}
