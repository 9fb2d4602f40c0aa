use std::ops::Range;

use crate::graph::{Op, Pool, Tensor};

/// Mean of every window. With `count_include_pad` the divisor counts padding too, though never what
/// `ceil_mode` hangs over the padded image.
pub fn avg_pool(x: &Tensor, pool: &Pool) -> Tensor {
    let shape = Op::AvgPool(*pool).infer(&[x.shape]).expect("a window that fits its input");
    Tensor::from_fn(shape, |channel, i, j| {
        let (rows, columns) = (window(pool, i, x.shape.height), window(pool, j, x.shape.width));
        let divisor = match pool.count_include_pad {
            true => padded_length(pool, i, x.shape.height) * padded_length(pool, j, x.shape.width),
            false => rows.len() * columns.len(),
        };
        let pixels = rows.flat_map(|y| columns.clone().map(move |x| (y, x)));
        pixels.map(|(row, column)| x.at(channel, row, column)).sum::<f32>() / divisor as f32
    })
}

/// The part of a window's extent that lies on the image.
pub(super) fn window(pool: &Pool, index: usize, extent: usize) -> Range<usize> {
    let start = index * pool.stride;
    start.saturating_sub(pool.padding)..(start + pool.kernel).saturating_sub(pool.padding).min(extent)
}

/// The part of a window's extent that lies on the padded image.
fn padded_length(pool: &Pool, index: usize, extent: usize) -> usize {
    pool.kernel.min(extent + 2 * pool.padding - index * pool.stride)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::graph::Shape;

    #[test]
    fn by_hand() {
        let x = Tensor::new(Shape::new(1, 3, 3), (1..=9).map(|value| value as f32).collect());
        let shortcut = avg_pool(&x, &Pool::new(2, 2).ceil_mode().exclude_pad());
        assert_eq!(shortcut.values, [3.0, 4.5, 7.5, 9.0]);
        let attention = avg_pool(&x, &Pool::new(3, 2).padding(1));
        assert_eq!(attention.values, [12.0 / 9.0, 16.0 / 9.0, 24.0 / 9.0, 28.0 / 9.0]);
    }
}
