use crate::graph::Tensor;
use crate::reading::UnitReading;

/// One value per pixel of a feature map; NaN where it is undefined.
#[derive(Clone, Debug, PartialEq)]
pub struct Map {
    pub width: usize,
    pub height: usize,
    /// Row by row.
    pub values: Vec<f32>,
}

impl Map {
    /// One channel of `[C, H, W]`, for example a branch's feature map.
    pub fn of_channel(tensor: &Tensor, channel: usize) -> Self {
        Self::with_extent_of(tensor, tensor.channel(channel).to_vec())
    }

    pub fn at(&self, x: usize, y: usize) -> f32 {
        self.values[y * self.width + x]
    }

    fn with_extent_of(tensor: &Tensor, values: Vec<f32>) -> Self {
        Self { width: tensor.shape.width, height: tensor.shape.height, values }
    }
}

/// What a map of one branch shows.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum MapKind {
    /// Gate times activation, summed over channels. The branches' maps add up to the unit's output.
    Contribution,
    /// The branch's part of the sum of all contributions, 0 to 1. Undefined where that sum is zero, and
    /// where a contribution is negative, as it cannot be after a ReLU.
    Share,
    /// The branch's contribution minus the mean of the other branches': with two branches, minus the
    /// other's. Undefined where there is no other branch.
    Difference,
    /// Activation summed over channels, without the gates.
    Activation,
}

impl MapKind {
    pub const ALL: [Self; 4] = [Self::Contribution, Self::Share, Self::Difference, Self::Activation];

    /// The kinds that say something about a unit of so many branches: one branch alone has neither a
    /// share nor a difference.
    pub fn of_branches(branches: usize) -> &'static [Self] {
        match branches {
            0 | 1 => &[Self::Contribution, Self::Activation],
            _ => &Self::ALL,
        }
    }

    pub fn name(self) -> &'static str {
        match self {
            Self::Contribution => "contribution",
            Self::Share => "share",
            Self::Difference => "difference",
            Self::Activation => "activation",
        }
    }

    /// Whether the scale is symmetric about zero whatever the values; see [`range`](super::range).
    pub fn is_diverging(self) -> bool {
        self == Self::Difference
    }
}

/// The map of one branch at the unit's resolution. Panics unless `branch < unit.branches()`.
pub fn branch_map(unit: &UnitReading, kind: MapKind, branch: usize) -> Map {
    let own = unit.contribution.channel(branch);
    let at = |pixel: usize| (0..unit.branches()).map(move |branch| unit.contribution.channel(branch)[pixel]);
    let values = match kind {
        MapKind::Contribution => own.to_vec(),
        MapKind::Activation => unit.activation.channel(branch).to_vec(),
        MapKind::Share => (0..own.len()).map(|pixel| share(own[pixel], at(pixel))).collect(),
        MapKind::Difference => {
            let others = (unit.branches() - 1) as f32;
            let difference = |pixel| {
                let sum: f32 = (0..).zip(at(pixel)).filter(|(other, _)| *other != branch).map(|(_, value)| value).sum();
                // Zero by zero, NaN, where there is no other branch.
                own[pixel] - sum / others
            };
            (0..own.len()).map(difference).collect()
        }
    };
    Map::with_extent_of(&unit.contribution, values)
}

fn share(own: f32, all: impl Iterator<Item = f32> + Clone) -> f32 {
    let sum: f32 = all.clone().sum();
    match sum > 0.0 && all.into_iter().all(|value| value >= 0.0) {
        true => own / sum,
        false => f32::NAN,
    }
}

/// How much each pixel of the last feature map `[C, H, W]` speaks for a class: its features weighted by
/// the class's row of the classifier, `[C]`. After global average pooling and one linear layer this is
/// exact: the map's mean plus the class's bias is the class's logit.
///
/// Zhou et al., 'Learning Deep Features for Discriminative Localization' (2016). Panics unless there is
/// one weight per channel.
pub fn class_activation_map(features: &Tensor, classifier_row: &[f32]) -> Map {
    assert_eq!(classifier_row.len(), features.shape.channels, "weights of the class");
    let mut values = vec![0.0; features.shape.pixels()];
    for (channel, weight) in classifier_row.iter().enumerate() {
        for (sum, feature) in values.iter_mut().zip(features.channel(channel)) {
            *sum += weight * feature;
        }
    }
    Map::with_extent_of(features, values)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::graph::Shape;
    use crate::vision::example_unit as unit;

    #[test]
    fn kinds_by_hand() {
        let two = unit(&[&[3.0, 0.0, 1.0], &[1.0, 0.0, 4.0]]);
        let values = |kind, branch| branch_map(&two, kind, branch).values;
        assert_eq!(values(MapKind::Contribution, 1), [1.0, 0.0, 4.0]);
        assert_eq!(values(MapKind::Activation, 0), [6.0, 0.0, 2.0]);
        assert_eq!(values(MapKind::Difference, 0), [2.0, 0.0, -3.0]);
        assert_eq!(values(MapKind::Difference, 1), [-2.0, 0.0, 3.0]);
        let shares = values(MapKind::Share, 0);
        assert_eq!((shares[0], shares[2]), (0.75, 0.2));
        assert!(shares[1].is_nan(), "a share of nothing is undefined");
        assert_eq!(branch_map(&two, MapKind::Share, 0).width, 3);
    }

    #[test]
    fn difference_is_from_the_mean_of_the_others() {
        let three = unit(&[&[6.0], &[1.0], &[3.0]]);
        assert_eq!(branch_map(&three, MapKind::Difference, 0).values, [4.0]);
        assert_eq!(branch_map(&three, MapKind::Difference, 2).values, [-0.5]);
    }

    #[test]
    fn one_branch_has_no_difference_and_a_negative_part_no_share() {
        let one = unit(&[&[2.0]]);
        assert!(branch_map(&one, MapKind::Difference, 0).values[0].is_nan());
        assert_eq!(MapKind::of_branches(1), [MapKind::Contribution, MapKind::Activation]);
        assert_eq!(MapKind::of_branches(2), MapKind::ALL);
        let negative = unit(&[&[3.0], &[-1.0]]);
        assert!(branch_map(&negative, MapKind::Share, 0).values[0].is_nan());
    }

    #[test]
    fn contributions_add_up_and_shares_add_up_to_one() {
        let unit = unit(&[&[3.0, 0.5], &[1.0, 2.5]]);
        for pixel in 0..2 {
            let sum = |kind| -> f32 { (0..2).map(|branch| branch_map(&unit, kind, branch).values[pixel]).sum() };
            assert_eq!(sum(MapKind::Contribution), unit.output.values[pixel]);
            assert_eq!(sum(MapKind::Share), 1.0);
        }
    }

    #[test]
    fn mean_of_the_class_map_is_the_logit_without_its_bias() {
        let features = Tensor::new(Shape::new(2, 1, 2), vec![1.0, 3.0, 4.0, 0.0]);
        let map = class_activation_map(&features, &[2.0, -0.5]);
        assert_eq!(map.values, [0.0, 6.0]);
        // Pooled: (2, 2); 2 * 2 - 0.5 * 2 = 3.
        assert_eq!(map.values.iter().sum::<f32>() / 2.0, 3.0);
        assert_eq!(Map::of_channel(&features, 1).at(0, 0), 4.0);
    }
}
