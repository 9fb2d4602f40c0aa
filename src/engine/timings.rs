use crate::gpu::Laps;

/// A lap of fewer steps of the clock is told by its mean, see [`Timings::milliseconds`].
const FEW_STEPS: f64 = 16.0;

/// What the parts of a network took, over several runs.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Timings {
    runs: Vec<Laps>,
}

impl Timings {
    pub fn push(&mut self, laps: Laps) {
        self.runs.push(laps);
    }

    pub fn runs(&self) -> usize {
        self.runs.len()
    }

    /// What a part takes, by its position; none where the clock went wrong in half of the runs or more.
    ///
    /// It is the median, since other work disturbs single runs. Where the clock's step is coarse beside it, it is
    /// the mean: a lap is then one of a few whole steps, and only many of them together come near the truth.
    pub fn milliseconds(&self, part: usize) -> Option<f64> {
        let laps = self.runs.iter().filter_map(|laps| *laps.nanoseconds.get(part)?);
        let laps: Vec<f64> = laps.collect();
        if 2 * laps.len() <= self.runs.len() {
            return None;
        }
        let median = median(&laps)?;
        let is_coarse = median < FEW_STEPS * self.step_ns();
        let typical = if is_coarse { laps.iter().sum::<f64>() / laps.len() as f64 } else { median };
        Some(typical / 1e6)
    }

    /// What all parts take together; none where one is missing.
    pub fn total_milliseconds(&self) -> Option<f64> {
        let parts = self.runs.first()?.nanoseconds.len();
        (0..parts).map(|part| self.milliseconds(part)).sum()
    }

    /// How exactly the clock can be read, in milliseconds.
    pub fn step_ms(&self) -> f64 {
        self.step_ns() / 1e6
    }

    fn step_ns(&self) -> f64 {
        let steps = self.runs.iter().map(|laps| laps.step_ns).filter(|step| *step > 0.0);
        steps.min_by(f64::total_cmp).unwrap_or(0.0)
    }
}

/// Billions of operations in a second, two for each multiply-add; none where there is nothing to count, or no time.
pub fn gigaflops(macs: u64, milliseconds: f64) -> Option<f64> {
    (macs > 0 && milliseconds > 0.0).then(|| 2.0 * macs as f64 / milliseconds / 1e6)
}

/// The middle one, or the mean of the middle two; none of nothing.
pub fn median(values: &[f64]) -> Option<f64> {
    // A handful of values: the library's sorting would be a weighty part of the page's program.
    let mut sorted = Vec::with_capacity(values.len());
    for value in values {
        sorted.insert(sorted.partition_point(|other| other < value), *value);
    }
    let middle = sorted.get(sorted.len() / 2)?;
    let other = sorted[(sorted.len() - 1) / 2];
    Some((middle + other) / 2.0)
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Runs of one part.
    fn timings(laps: &[Option<f64>], step_ns: f64) -> Timings {
        let runs = laps.iter().map(|lap| Laps { nanoseconds: vec![*lap], step_ns });
        Timings { runs: runs.collect() }
    }

    #[test]
    fn a_fine_clock_gives_the_median_and_a_coarse_one_the_mean() {
        let laps = [3e6, 2e6, 50e6].map(Some);
        assert_eq!(timings(&laps, 1.0).milliseconds(0), Some(3.0));
        let laps = [0.0, 0.0, 1e5, 1e5, 0.0].map(Some);
        assert_eq!(timings(&laps, 1e5).milliseconds(0), Some(0.04));
    }

    #[test]
    fn wrong_laps_are_left_out_until_they_are_half() {
        assert_eq!(timings(&[Some(2e6), None, Some(4e6)], 1.0).milliseconds(0), Some(3.0));
        let half = timings(&[Some(2e6), None], 1.0);
        assert_eq!((half.milliseconds(0), half.total_milliseconds()), (None, None));
        assert_eq!(timings(&[], 1.0).milliseconds(0), None);
    }

    #[test]
    fn rates() {
        assert_eq!(gigaflops(3_000_000, 2.0), Some(3.0));
        assert_eq!((gigaflops(0, 2.0), gigaflops(3, 0.0)), (None, None));
    }

    #[test]
    fn medians() {
        assert_eq!(median(&[]), None);
        assert_eq!(median(&[3.0, 1.0, 2.0]), Some(2.0));
        assert_eq!(median(&[4.0, 1.0, 2.0, 3.0]), Some(2.5));
    }
}
