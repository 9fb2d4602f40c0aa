use super::sum_splits;
use crate::graph::Tensor;

/// Mean over the pixels of each channel of the sum over `radix` splits; radix 1 sums nothing.
/// `[radix * C, H, W] -> [C, 1, 1]`
pub fn global_avg_pool(x: &Tensor, radix: usize) -> Tensor {
    let summed = sum_splits(x, radix);
    let pixels = x.shape.pixels() as f32;
    Tensor::vector(summed.values.chunks_exact(x.shape.pixels()).map(|c| c.iter().sum::<f32>() / pixels).collect())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::graph::Shape;

    #[test]
    fn by_hand() {
        let x = Tensor::new(Shape::new(2, 1, 2), vec![1.0, 3.0, 10.0, 20.0]);
        assert_eq!(global_avg_pool(&x, 1).values, [2.0, 15.0]);
        assert_eq!(global_avg_pool(&x, 2).values, [17.0]);
    }
}
