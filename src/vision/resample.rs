//! Resampling weights of one axis, as Pillow computes them (`src/libImaging/Resample.c`): in f64,
//! normalised to a sum of 1, then rounded to integers of [`PRECISION_BITS`] fractional bits.
//!
//! Our own because the picture has to be the one that checkpoints were measured with, bit for bit: the
//! crate `fast_image_resize` follows the same scheme with 16-bit weights, and is one level off in up to
//! 0.34 % of bytes. It also resizes whole images, where ours takes a photo row by row.

use std::ops::Range;

use super::Filter;

/// Pillow keeps 8 bits for the result and 2 for what negative lobes overshoot.
pub(super) const PRECISION_BITS: u32 = 32 - 8 - 2;
/// One half, which a sum starts from to be rounded rather than cut.
pub(super) const HALF: i32 = 1 << (PRECISION_BITS - 1);

/// The source pixels that one output pixel is made of.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct Taps {
    /// First source pixel.
    pub start: usize,
    /// Weights of the source pixels from `start` on, in units of `2^-PRECISION_BITS`.
    pub weights: Vec<i32>,
}

impl Taps {
    /// One past the last source pixel.
    pub fn end(&self) -> usize {
        self.start + self.weights.len()
    }
}

/// Taps of the output pixels in `outputs` when an axis of `from` pixels is resized to `to`. Both ends of
/// the taps never decrease from one output pixel to the next.
pub(super) fn taps(from: usize, to: usize, outputs: Range<usize>, filter: Filter) -> Vec<Taps> {
    let scale = from as f64 / to as f64;
    // When shrinking, the kernel grows with the scale: that is the antialiasing.
    let filter_scale = scale.max(1.0);
    let support = radius(filter) * filter_scale;
    let one = |output: usize| {
        let center = (output as f64 + 0.5) * scale;
        // Casts cut towards zero and stop at it, as C's do after Pillow's own test.
        let start = (center - support + 0.5) as usize;
        let end = ((center + support + 0.5) as usize).min(from);
        let inverse = 1.0 / filter_scale;
        let weight = |pixel: usize| kernel(filter, (pixel as f64 - center + 0.5) * inverse);
        let weights: Vec<f64> = (start..end).map(weight).collect();
        let sum: f64 = weights.iter().sum();
        Taps { start, weights: weights.iter().map(|weight| to_fixed(weight / sum)).collect() }
    };
    outputs.map(one).collect()
}

/// Rounds halves away from zero.
fn to_fixed(weight: f64) -> i32 {
    let scaled = weight * f64::from(1 << PRECISION_BITS);
    (scaled + if weight < 0.0 { -0.5 } else { 0.5 }) as i32
}

/// Back to 8 bits, clipped.
pub(super) fn to_pixel(sum: i32) -> u8 {
    (sum >> PRECISION_BITS).clamp(0, 255) as u8
}

fn radius(filter: Filter) -> f64 {
    match filter {
        Filter::Bilinear => 1.0,
        Filter::Bicubic => 2.0,
    }
}

fn kernel(filter: Filter, x: f64) -> f64 {
    const A: f64 = -0.5;
    let x = x.abs();
    match filter {
        Filter::Bilinear => (1.0 - x).max(0.0),
        Filter::Bicubic if x < 1.0 => ((A + 2.0) * x - (A + 3.0)) * x * x + 1.0,
        Filter::Bicubic if x < 2.0 => (((x - 5.0) * x + 8.0) * x - 4.0) * A,
        Filter::Bicubic => 0.0,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const ONE: i32 = 1 << PRECISION_BITS;

    #[test]
    fn halving_with_a_triangle_by_hand() {
        // Scale 2: centers 1 and 3, a triangle 2 pixels to either side; pixel centers .5, 1.5, ..
        // lie at .25 and .75 of the slope. Output 0 sees pixels 0, 1, 2: weights .75, .75, .25 of 1.75.
        let found = taps(4, 2, 0..2, Filter::Bilinear);
        let third = |part: f64| (part / 1.75 * f64::from(ONE)).round() as i32;
        assert_eq!(found[0], Taps { start: 0, weights: vec![third(0.75), third(0.75), third(0.25)] });
        assert_eq!(found[1], Taps { start: 1, weights: vec![third(0.25), third(0.75), third(0.75)] });
    }

    #[test]
    fn the_same_extent_is_the_identity() {
        for filter in [Filter::Bilinear, Filter::Bicubic] {
            for (output, taps) in taps(5, 5, 0..5, filter).iter().enumerate() {
                let others = (taps.start..taps.end()).zip(&taps.weights).filter(|(pixel, _)| *pixel != output);
                assert!(others.into_iter().all(|(_, weight)| *weight == 0), "{filter:?} {output}");
                assert_eq!(taps.weights[output - taps.start], ONE);
            }
        }
    }

    #[test]
    fn kernels_at_their_knots() {
        let bicubic = |x| kernel(Filter::Bicubic, x);
        assert_eq!([0.0, 1.0, 2.0, -1.0, 2.5].map(bicubic), [1.0, 0.0, 0.0, 0.0, 0.0]);
        assert_eq!([0.5, -0.5, 1.5].map(bicubic), [0.5625, 0.5625, -0.0625]);
        assert_eq!([0.0, 0.25, -1.0, 3.0].map(|x| kernel(Filter::Bilinear, x)), [1.0, 0.75, 0.0, 0.0]);
    }

    #[test]
    fn weights_sum_to_one_and_ends_never_decrease() {
        for filter in [Filter::Bilinear, Filter::Bicubic] {
            for (from, to) in [(1, 7), (2, 64), (7, 3), (1000, 64), (65_535, 73), (64, 73)] {
                let all = taps(from, to, 0..to, filter);
                for pair in all.windows(2) {
                    assert!(pair[0].start <= pair[1].start && pair[0].end() <= pair[1].end());
                }
                for one in &all {
                    assert!(one.end() <= from && !one.weights.is_empty());
                    let sum: i32 = one.weights.iter().sum();
                    // Each weight is rounded by at most a half.
                    assert!((sum - ONE).abs() <= one.weights.len() as i32 / 2 + 1, "{filter:?} {from} {to}");
                    let reach: i64 = one.weights.iter().map(|weight| i64::from(weight.abs()) * 255).sum();
                    assert!(reach + i64::from(HALF) <= i64::from(i32::MAX), "sums fit 32 bits");
                }
            }
        }
    }

    #[test]
    fn a_part_of_the_outputs_is_cut_from_the_whole() {
        assert_eq!(taps(100, 30, 7..9, Filter::Bicubic), taps(100, 30, 0..30, Filter::Bicubic)[7..9]);
    }
}
