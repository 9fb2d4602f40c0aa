use super::Map;

/// Enlarges (or shrinks, without antialiasing) a map to `width` x `height` pixels.
///
/// Not smooth, every pixel takes the value of the cell that its centre lies in. Smooth, values are
/// interpolated between the cells' centres and clamped at the edges, as PyTorch's `interpolate` with
/// `mode='bilinear', align_corners=False` does; undefined neighbours are left out, and a pixel whose own
/// cell is undefined stays so.
pub fn upsample(map: &Map, width: usize, height: usize, smooth: bool) -> Map {
    let columns = positions(map.width, width);
    let rows = positions(map.height, height);
    let mut values = Vec::with_capacity(width * height);
    for row in &rows {
        values.extend(columns.iter().map(|column| {
            let nearest = map.at(column.nearest, row.nearest);
            if !smooth || nearest.is_nan() { nearest } else { interpolate(map, column, row) }
        }));
    }
    Map { width, height, values }
}

/// Where the centre of one output pixel lies on a source axis.
struct Position {
    nearest: usize,
    /// The cells whose centres enclose it, and the weight of the second.
    between: [usize; 2],
    fraction: f32,
}

fn positions(from: usize, to: usize) -> Vec<Position> {
    let last = from.saturating_sub(1);
    let position = |output: usize| {
        let center = (output as f32 + 0.5) * from as f32 / to as f32;
        let above_first = (center - 0.5).max(0.0);
        let low = (above_first as usize).min(last);
        Position {
            nearest: (center as usize).min(last),
            between: [low, (low + 1).min(last)],
            fraction: above_first - low as f32,
        }
    };
    (0..to).map(position).collect()
}

fn interpolate(map: &Map, column: &Position, row: &Position) -> f32 {
    let (mut sum, mut weights) = (0.0, 0.0);
    for (y, row_weight) in row.between.into_iter().zip([1.0 - row.fraction, row.fraction]) {
        for (x, column_weight) in column.between.into_iter().zip([1.0 - column.fraction, column.fraction]) {
            let value = map.at(x, y);
            if !value.is_nan() {
                sum += value * row_weight * column_weight;
                weights += row_weight * column_weight;
            }
        }
    }
    sum / weights
}

#[cfg(test)]
mod tests {
    use super::*;

    fn map(width: usize, values: &[f32]) -> Map {
        Map { width, height: values.len() / width, values: values.to_vec() }
    }

    #[test]
    fn nearest_repeats_cells() {
        let found = upsample(&map(2, &[1.0, 2.0, 3.0, 4.0]), 4, 2, false);
        assert_eq!(found, map(4, &[1.0, 1.0, 2.0, 2.0, 3.0, 3.0, 4.0, 4.0]));
        assert_eq!(upsample(&map(2, &[1.0, 2.0]), 3, 1, false).values, [1.0, 2.0, 2.0]);
    }

    #[test]
    fn smooth_is_pytorchs_bilinear() {
        // interpolate(tensor([0., 4.]), 4, mode='linear', align_corners=False): 0, 1, 3, 4.
        assert_eq!(upsample(&map(2, &[0.0, 4.0]), 4, 1, true).values, [0.0, 1.0, 3.0, 4.0]);
        assert_eq!(upsample(&map(1, &[0.0, 4.0]), 1, 4, true).values, [0.0, 1.0, 3.0, 4.0]);
        // The middle of four cells is their mean.
        let found = upsample(&map(2, &[0.0, 1.0, 2.0, 5.0]), 3, 3, true);
        assert_eq!(found.at(1, 1), 2.0);
        assert_eq!((found.at(0, 0), found.at(2, 2)), (0.0, 5.0));
    }

    #[test]
    fn the_same_extent_is_the_identity() {
        let source = map(3, &[0.5, -1.0, 2.0, 7.0, 8.0, 9.0]);
        assert_eq!(upsample(&source, 3, 2, true), source);
        assert_eq!(upsample(&source, 3, 2, false), source);
    }

    #[test]
    fn an_undefined_cell_does_not_spread() {
        let found = upsample(&map(2, &[f32::NAN, 4.0]), 4, 1, true).values;
        assert!(found[0].is_nan() && found[1].is_nan());
        assert_eq!(found[2..], [4.0, 4.0]);
    }
}
