use super::{Map, MapKind, branch_map};
use crate::reading::Reading;

/// The values at the two ends of a colour scale.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Range {
    pub low: f32,
    pub high: f32,
}

impl Range {
    /// From the least to the largest defined value; 0 to 0 where none is defined.
    pub fn spanning<'a>(maps: impl IntoIterator<Item = &'a Map>) -> Self {
        let values = maps.into_iter().flat_map(|map| &map.values).filter(|value| !value.is_nan());
        let ends = values.fold(None, |ends: Option<(f32, f32)>, value| match ends {
            None => Some((*value, *value)),
            Some((low, high)) => Some((low.min(*value), high.max(*value))),
        });
        let (low, high) = ends.unwrap_or((0.0, 0.0));
        Self { low, high }
    }

    /// From the least to the largest defined value where none is below zero; else as far below zero as above, since
    /// signs mean something, and zero is to be the middle of a diverging scale.
    pub fn fitting<'a>(maps: impl IntoIterator<Item = &'a Map>) -> Self {
        let spanned = Self::spanning(maps);
        if spanned.is_signed() { spanned.about_zero() } else { spanned }
    }

    /// Whether values below zero are within it: its colours are a diverging scale's.
    pub fn is_signed(self) -> bool {
        self.low < 0.0
    }

    /// As far below zero as above, for a diverging scale.
    pub fn symmetric<'a>(maps: impl IntoIterator<Item = &'a Map>) -> Self {
        Self::spanning(maps).about_zero()
    }

    fn about_zero(self) -> Self {
        let reach = self.low.abs().max(self.high.abs());
        Self { low: -reach, high: reach }
    }

    /// Where a value lies between the ends, clamped to 0..=1; 0.5 for the value of a range without
    /// extent; `None` for an undefined value.
    pub fn position(&self, value: f32) -> Option<f32> {
        if value.is_nan() {
            return None;
        }
        let extent = self.high - self.low;
        Some(match extent > 0.0 {
            true => ((value - self.low) / extent).clamp(0.0, 1.0),
            false if value == self.low => 0.5,
            false => f32::from(value > self.low),
        })
    }
}

/// Which maps share one colour scale.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum RangeScope {
    /// The map alone.
    Map,
    /// All branches of its unit.
    Unit,
    /// All branches of all units.
    Network,
}

/// One map of a reading.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct Selection {
    /// Position in [`Reading::units`].
    pub unit: usize,
    pub branch: usize,
    pub kind: MapKind,
}

/// The range that a map is painted in. A share's is always 0 to 1, and a difference's is symmetric about zero, as are
/// others with values below zero in the scope; else they span the values found there. Panics unless the selection is in
/// the reading.
pub fn range(reading: &Reading, selection: Selection, scope: RangeScope) -> Range {
    let Selection { unit, branch, kind } = selection;
    if kind == MapKind::Share {
        return Range { low: 0.0, high: 1.0 };
    }
    let branches = |unit: usize| (0..reading.units[unit].branches()).map(move |branch| (unit, branch));
    let chosen: Vec<(usize, usize)> = match scope {
        RangeScope::Map => vec![(unit, branch)],
        RangeScope::Unit => branches(unit).collect(),
        RangeScope::Network => (0..reading.units.len()).flat_map(branches).collect(),
    };
    let maps = chosen.into_iter().map(|(unit, branch)| branch_map(&reading.units[unit], kind, branch));
    let maps: Vec<Map> = maps.collect();
    if kind.is_diverging() { Range::symmetric(&maps) } else { Range::fitting(&maps) }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::graph::Tensor;
    use crate::vision::example_unit as unit;

    fn map(values: &[f32]) -> Map {
        Map { width: values.len(), height: 1, values: values.to_vec() }
    }

    #[test]
    fn ends_leave_undefined_values_out() {
        let maps = [map(&[f32::NAN, 2.0]), map(&[-1.0, 0.5])];
        assert_eq!(Range::spanning(&maps), Range { low: -1.0, high: 2.0 });
        assert_eq!(Range::symmetric(&maps), Range { low: -2.0, high: 2.0 });
        assert_eq!(Range::fitting(&maps), Range { low: -2.0, high: 2.0 });
        assert_eq!(Range::fitting(&maps[..1]), Range { low: 2.0, high: 2.0 }, "nothing below zero");
        assert_eq!(Range::fitting([&map(&[-3.0, -1.0])]), Range { low: -3.0, high: 3.0 });
        assert_eq!(Range::spanning([&map(&[f32::NAN])]), Range { low: 0.0, high: 0.0 });
        assert_eq!(Range::spanning([]), Range { low: 0.0, high: 0.0 });
    }

    #[test]
    fn positions() {
        let range = Range { low: -1.0, high: 3.0 };
        assert_eq!([-2.0, -1.0, 0.0, 3.0, 9.0].map(|v| range.position(v).unwrap()), [0.0, 0.0, 0.25, 1.0, 1.0]);
        assert_eq!(range.position(f32::NAN), None);
        let flat = Range { low: 2.0, high: 2.0 };
        assert_eq!([1.0, 2.0, 3.0].map(|v| flat.position(v).unwrap()), [0.0, 0.5, 1.0]);
    }

    #[test]
    fn scopes_by_hand() {
        let units = vec![unit(&[&[3.0, 1.0], &[1.0, 4.0]]), unit(&[&[10.0, 2.0], &[2.0, 2.0]])];
        let reading = Reading { logits: Vec::new(), units, layers: Vec::new(), features: Tensor::vector(Vec::new()) };
        let found = |kind, scope| {
            let Range { low, high } = range(&reading, Selection { unit: 0, branch: 0, kind }, scope);
            (low, high)
        };
        assert_eq!(found(MapKind::Contribution, RangeScope::Map), (1.0, 3.0));
        assert_eq!(found(MapKind::Contribution, RangeScope::Unit), (1.0, 4.0));
        assert_eq!(found(MapKind::Contribution, RangeScope::Network), (1.0, 10.0));
        assert_eq!(found(MapKind::Activation, RangeScope::Map), (2.0, 6.0));
        assert_eq!(found(MapKind::Share, RangeScope::Network), (0.0, 1.0));
        assert_eq!(found(MapKind::Difference, RangeScope::Map), (-3.0, 3.0));
        assert_eq!(found(MapKind::Difference, RangeScope::Network), (-8.0, 8.0));
    }
}
