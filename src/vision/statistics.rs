use crate::graph::Tensor;
use crate::order;
use crate::reading::Gates;

/// Mean and spread of some values.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Statistics {
    pub mean: f32,
    /// Of the whole population (divided by the count).
    pub standard_deviation: f32,
}

impl Statistics {
    /// Of the defined values; `None` where none is.
    pub fn of(values: &[f32]) -> Option<Self> {
        let defined = || values.iter().filter(|value| !value.is_nan()).map(|value| f64::from(*value));
        let count = defined().count() as f64;
        let mean = defined().sum::<f64>() / count;
        let squares: f64 = defined().map(|value| (value - mean).powi(2)).sum();
        let found = Self { mean: mean as f32, standard_deviation: (squares / count).sqrt() as f32 };
        (count > 0.0).then_some(found)
    }
}

/// The `count` channels of `[C, H, W]` whose values vary most over the pixels, by their standard deviation, the
/// largest first; of equals the first.
pub fn most_varied(tensor: &Tensor, count: usize) -> Vec<usize> {
    let deviation = |channel| Statistics::of(tensor.channel(channel)).map_or(0.0, |of| of.standard_deviation);
    let deviations: Vec<f32> = (0..tensor.shape.channels).map(deviation).collect();
    let falling = |one: usize, other: usize| deviations[other].total_cmp(&deviations[one]);
    let mut channels = order::positions(deviations.len(), &mut { falling });
    channels.truncate(count);
    channels
}

/// How the gates of each branch are spread over the channels; empty where a unit has no channels.
pub fn branch_statistics(gates: &Gates) -> Vec<Statistics> {
    (0..gates.branches).filter_map(|branch| Statistics::of(gates.branch(branch))).collect()
}

/// How far gates are from others of the same unit: the mean of the differences' magnitudes over branches and
/// channels; `None` where there are not equally many, or none.
pub fn mean_change(before: &Gates, after: &Gates) -> Option<f32> {
    let count = before.values.len();
    if count != after.values.len() || count == 0 {
        return None;
    }
    let differences = before.values.iter().zip(&after.values).map(|(before, after)| f64::from((after - before).abs()));
    Some((differences.sum::<f64>() / count as f64) as f32)
}

/// Which branch a channel is taken from most.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Dominance {
    /// The branch with the largest gate; of equals the first.
    pub branch: usize,
    /// That gate minus the mean of the other branches' (minus nothing where there is no other).
    pub margin: f32,
}

/// One per output channel.
pub fn dominance(gates: &Gates) -> Vec<Dominance> {
    let channel = |channel: usize| {
        let gate = |branch: usize| gates.at(branch, channel);
        let largest = (1..gates.branches).fold(0, |best, branch| if gate(branch) > gate(best) { branch } else { best });
        let others: f32 = (0..gates.branches).filter(|branch| *branch != largest).map(gate).sum();
        let count = gates.branches.saturating_sub(1).max(1) as f32;
        Dominance { branch: largest, margin: gate(largest) - others / count }
    };
    (0..gates.channels).map(channel).collect()
}

/// How channels are lined up.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub enum ChannelOrder {
    /// As the network has them.
    #[default]
    Channel,
    /// Within each cardinal group by the branch that dominates them, the first branch's strongest channel
    /// first. Within the last branch the weakest comes first, so that with two branches the first gate
    /// falls all the way.
    Dominance,
}

/// All output channels in this order.
pub fn channel_order(gates: &Gates, order: ChannelOrder) -> Vec<usize> {
    if order == ChannelOrder::Channel {
        return (0..gates.channels).collect();
    }
    let all = dominance(gates);
    let group = |channel: usize| channel * gates.groups / gates.channels;
    order::positions(gates.channels, &mut |one, other| {
        let (a, b) = (all[one], all[other]);
        let rising = a.branch > 0 && a.branch + 1 == gates.branches;
        let margins = if rising { a.margin.total_cmp(&b.margin) } else { b.margin.total_cmp(&a.margin) };
        group(one).cmp(&group(other)).then(a.branch.cmp(&b.branch)).then(margins)
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::graph::Shape;

    #[test]
    fn channels_that_vary_most_come_first() {
        let tensor = Tensor::new(Shape::new(4, 1, 2), vec![1.0, 2.0, 5.0, -5.0, 9.0, 9.0, 0.0, 3.0]);
        assert_eq!(most_varied(&tensor, 3), [1, 3, 0]);
        assert_eq!(most_varied(&tensor, 9).len(), 4);
    }

    fn gates(branches: &[&[f32]]) -> Gates {
        Gates { branches: branches.len(), channels: branches[0].len(), groups: 1, values: branches.concat() }
    }

    #[test]
    fn summary_by_hand() {
        let found = |values: &[f32]| Statistics::of(values).map(|found| (found.mean, found.standard_deviation));
        assert_eq!(found(&[4.0, f32::NAN, 1.0, 3.0, 2.0]), Some((2.5, 1.25f32.sqrt())));
        assert_eq!(found(&[f32::NAN]), None);
        assert_eq!(found(&[7.0]), Some((7.0, 0.0)));
    }

    #[test]
    fn branches_are_summed_up_apart() {
        let found = branch_statistics(&gates(&[&[0.0, 0.5], &[1.0, 0.5]]));
        assert_eq!(found.len(), 2);
        assert_eq!((found[0].mean, found[1].mean), (0.25, 0.75));
    }

    #[test]
    fn gates_that_go_up_and_down_have_changed_all_the_same() {
        let [before, after] = [gates(&[&[0.25, 0.75], &[0.5, 1.0]]), gates(&[&[0.75, 0.25], &[0.5, 1.0]])];
        assert_eq!(mean_change(&before, &after), Some(0.25));
        assert_eq!(mean_change(&before, &before), Some(0.0));
        assert_eq!(mean_change(&before, &gates(&[&[0.25, 0.75]])), None);
    }

    #[test]
    fn sorting_keeps_cardinal_groups_together() {
        let gates = Gates { groups: 2, ..gates(&[&[0.25, 0.75, 0.5, 1.0], &[0.75, 0.25, 0.5, 0.0]]) };
        assert_eq!(channel_order(&gates, ChannelOrder::Dominance), [1, 0, 3, 2]);
    }

    #[test]
    fn dominance_by_hand() {
        let two = dominance(&gates(&[&[0.75, 0.5, 0.25], &[0.25, 0.5, 0.75]]));
        assert_eq!(two.iter().map(|one| (one.branch, one.margin)).collect::<Vec<_>>(), [(0, 0.5), (0, 0.0), (1, 0.5)]);
        let four = dominance(&gates(&[&[0.125], &[0.125], &[0.5], &[0.25]]));
        assert_eq!(four[0].branch, 2);
        assert!((four[0].margin - 1.0 / 3.0).abs() < 1e-6);
        assert_eq!(dominance(&gates(&[&[0.5]]))[0], Dominance { branch: 0, margin: 0.5 });
    }

    #[test]
    fn with_two_branches_the_first_gate_falls() {
        let two = gates(&[&[0.25, 0.875, 0.5, 0.0, 0.625], &[0.75, 0.125, 0.5, 1.0, 0.375]]);
        assert_eq!(channel_order(&two, ChannelOrder::Dominance), [1, 4, 2, 0, 3]);
        assert_eq!(channel_order(&two, ChannelOrder::Channel), [0, 1, 2, 3, 4]);
    }

    #[test]
    fn with_more_branches_channels_are_grouped() {
        let three = gates(&[&[0.2, 0.6, 0.1, 0.9], &[0.7, 0.3, 0.1, 0.1], &[0.1, 0.1, 0.8, 0.0]]);
        assert_eq!(channel_order(&three, ChannelOrder::Dominance), [3, 1, 0, 2]);
        assert_eq!(channel_order(&gates(&[&[0.2, 0.6]]), ChannelOrder::Dominance), [1, 0]);
    }
}
