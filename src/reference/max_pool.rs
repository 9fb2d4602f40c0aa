use super::avg_pool::window;
use crate::graph::{Op, Pool, Tensor};

/// Largest value of every window; padding never wins.
pub fn max_pool(x: &Tensor, pool: &Pool) -> Tensor {
    let shape = Op::MaxPool(*pool).infer(&[x.shape]).expect("a window that fits its input");
    Tensor::from_fn(shape, |channel, i, j| {
        let columns = window(pool, j, x.shape.width);
        let pixels = window(pool, i, x.shape.height).flat_map(|y| columns.clone().map(move |x| (y, x)));
        pixels.fold(f32::NEG_INFINITY, |max, (row, column)| max.max(x.at(channel, row, column)))
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::graph::Shape;

    #[test]
    fn by_hand() {
        let x = Tensor::new(Shape::new(1, 3, 3), (1..=9).map(|value| -(value as f32)).collect());
        let pooled = max_pool(&x, &Pool::new(3, 2).padding(1));
        assert_eq!(pooled.values, [-1.0, -2.0, -4.0, -5.0], "padding is not zero");
    }
}
