//! Rounding of widths, as the authors' code does it.

/// Rounds to the nearest multiple of `divisor`, never below `min` nor more than 10 % down
/// (timm's `make_divisible`, after MobileNet).
pub(super) fn make_divisible(value: f64, divisor: usize, min: usize) -> usize {
    let rounded = (value + divisor as f64 / 2.0) as usize / divisor * divisor;
    let rounded = rounded.max(min);
    if (rounded as f64) < 0.9 * value { rounded + divisor } else { rounded }
}

/// Rounds to the nearest integer, ties to even, as Python and NumPy do.
pub(super) fn round(value: f64) -> usize {
    value.round_ties_even() as usize
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn multiples_are_at_most_ten_percent_down() {
        assert_eq!(make_divisible(9.0, 8, 8), 16, "8 would be more than 10 % below 9");
        assert_eq!(make_divisible(35.0, 8, 8), 32);
        assert_eq!(make_divisible(3.0, 8, 32), 32);
    }

    #[test]
    fn ties_go_to_even() {
        assert_eq!([0.5, 1.5, 2.5, 22.5].map(round), [0, 2, 2, 22]);
    }
}
