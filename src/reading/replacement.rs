use std::collections::BTreeMap;
use std::fmt;
use std::str::FromStr;

use crate::graph::{Graph, Unit};

/// What stands in place of the gates that a unit computes, the same for every channel unless set by hand.
#[derive(Clone, Debug, PartialEq)]
pub enum Replacement {
    /// What the unit's own function makes of logits that are all 0, which tell nothing apart: 1 / branches by
    /// a softmax, 1 / 2 by the sigmoid of a unit with one branch.
    Uniform,
    /// The gates that the unit computes, with its branches in reverse order.
    Swap,
    /// The gates of this branch, counted from 1, are 1, those of the others 0. In a unit with one branch
    /// everything passes.
    Branch(usize),
    /// Between 0 and 1: one weight per branch for all its channels, or one per branch and channel,
    /// branch-major. Weights of a channel need not add up to 1.
    ByHand(Vec<f32>),
}

/// The units whose gates are replaced.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Replacements {
    /// For every unit that is not named.
    pub all: Option<Replacement>,
    /// By timm's module path, for example `layer1.0.conv2`.
    pub units: BTreeMap<String, Replacement>,
}

/// A replacement worked out for one unit.
#[derive(Clone, Debug, PartialEq)]
pub enum NewGates {
    /// The unit's own, its branches reversed.
    Reversed,
    /// `[branches * C]`, branch-major.
    Values(Vec<f32>),
}

/// Why gates cannot be replaced as asked.
#[derive(Clone, Debug, PartialEq, thiserror::Error)]
pub enum ReplacementError {
    #[error(
        "`{0}` says not what gates to take: `uniform`, `swap`, `branch:1`, or weights such as `0.3/0.7`, are known"
    )]
    Unknown(String),
    #[error("the network has no unit of attention whose gates could be replaced")]
    NoUnits,
    #[error("the network has no unit `{name}`; its units are {}", units.join(", "))]
    NoSuchUnit { name: String, units: Vec<String> },
    #[error("unit `{0}` has a single branch, so there is nothing to swap")]
    NothingToSwap(String),
    #[error("unit `{unit}` has branches 1 to {branches}, but got branch {got}")]
    NoSuchBranch { unit: String, branches: usize, got: usize },
    #[error(
        "unit `{unit}` takes {branches} weights, one per branch, or {} with one per channel, but got {got}",
        branches * channels
    )]
    WeightCount { unit: String, branches: usize, channels: usize, got: usize },
    #[error("a gate lies between 0 and 1, but got {got} for unit `{unit}`")]
    NotAGate { unit: String, got: f32 },
}

impl Replacements {
    /// Every unit alike.
    pub fn all(replacement: Replacement) -> Self {
        Self { all: Some(replacement), ..Self::default() }
    }

    /// One unit alone.
    pub fn unit(name: impl Into<String>, replacement: Replacement) -> Self {
        Self { all: None, units: [(name.into(), replacement)].into() }
    }

    pub fn is_empty(&self) -> bool {
        self.all.is_none() && self.units.is_empty()
    }

    /// What can be asked of another network too, whose units have other names.
    pub fn of_all(&self) -> Self {
        Self { all: self.all.clone(), ..Self::default() }
    }

    /// One for each replacement, for example `all=uniform`.
    pub fn assignments(&self) -> Vec<String> {
        let all = self.all.iter().map(|replacement| format!("all={replacement}"));
        let units = self.units.iter().map(|(unit, replacement)| format!("{unit}={replacement}"));
        all.chain(units).collect()
    }

    /// What stands in place of a unit's gates: what is said of it by name, else of all.
    pub fn of(&self, unit: &str) -> Option<&Replacement> {
        self.units.get(unit).or(self.all.as_ref())
    }

    /// The new gates of every unit of the network, in its order; `None` for units that keep their own.
    pub fn resolve(&self, graph: &Graph) -> Result<Vec<Option<NewGates>>, ReplacementError> {
        if !self.is_empty() && graph.units.is_empty() {
            return Err(ReplacementError::NoUnits);
        }
        if let Some(name) = self.units.keys().find(|name| graph.units.iter().all(|unit| unit.name != **name)) {
            let units = graph.units.iter().map(|unit| unit.name.clone()).collect();
            return Err(ReplacementError::NoSuchUnit { name: name.clone(), units });
        }
        let new = |unit: &Unit| {
            let channels = graph.shape(unit.output).channels;
            self.of(&unit.name).map(|replacement| replacement.resolve(unit, channels)).transpose()
        };
        graph.units.iter().map(new).collect()
    }
}

impl Replacement {
    /// `channels`: of the unit's output.
    fn resolve(&self, unit: &Unit, channels: usize) -> Result<NewGates, ReplacementError> {
        let (name, branches) = (unit.name.clone(), unit.kind.branches());
        let per_branch = |weights: &[f32]| weights.iter().flat_map(|&weight| vec![weight; channels]).collect();
        Ok(NewGates::Values(match self {
            Self::Uniform if branches == 1 => vec![0.5; channels],
            Self::Uniform => vec![1.0 / branches as f32; branches * channels],
            Self::Swap if branches == 1 => return Err(ReplacementError::NothingToSwap(name)),
            Self::Swap => return Ok(NewGates::Reversed),
            &Self::Branch(got) if got == 0 || got > branches => {
                return Err(ReplacementError::NoSuchBranch { unit: name, branches, got });
            }
            &Self::Branch(alone) => {
                per_branch(&Vec::from_iter((1..=branches).map(|branch| f32::from(branch == alone))))
            }
            Self::ByHand(weights) => {
                if let Some(&got) = weights.iter().find(|weight| !(0.0..=1.0).contains(*weight)) {
                    return Err(ReplacementError::NotAGate { unit: name, got });
                }
                match weights.len() {
                    got if got == branches => per_branch(weights),
                    got if got == branches * channels => weights.clone(),
                    got => return Err(ReplacementError::WeightCount { unit: name, branches, channels, got }),
                }
            }
        }))
    }
}

impl FromStr for Replacement {
    type Err = ReplacementError;

    /// `uniform`, `swap`, `branch:1`, or weights with slashes between them.
    fn from_str(text: &str) -> Result<Self, ReplacementError> {
        let weights = || text.split('/').map(str::parse).collect::<Result<_, _>>().ok().map(Self::ByHand);
        let known = match text {
            "uniform" => Some(Self::Uniform),
            "swap" => Some(Self::Swap),
            _ => match text.strip_prefix("branch:") {
                Some(branch) => branch.parse().ok().map(Self::Branch),
                None => weights(),
            },
        };
        known.ok_or_else(|| ReplacementError::Unknown(text.into()))
    }
}

impl fmt::Display for Replacement {
    /// As it is read.
    fn fmt(&self, f: &mut fmt::Formatter) -> fmt::Result {
        match self {
            Self::Uniform => write!(f, "uniform"),
            Self::Swap => write!(f, "swap"),
            Self::Branch(branch) => write!(f, "branch:{branch}"),
            Self::ByHand(weights) => write!(f, "{}", Vec::from_iter(weights.iter().map(f32::to_string)).join("/")),
        }
    }
}

impl fmt::Display for Replacements {
    /// For example `all=uniform, layer2.0.conv2=swap`.
    fn fmt(&self, f: &mut fmt::Formatter) -> fmt::Result {
        write!(f, "{}", self.assignments().join(", "))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::graph::{Net, Shape, UnitKind};

    /// Units of two branches, `two`, and of one, `one`, each with two channels.
    fn graph() -> Graph {
        let (mut net, x) = Net::new(Shape::new(4, 1, 1));
        let gates = net.radix_softmax(x, 2, 1);
        let y = net.weighted_sum(x, gates, 2);
        net.scope("two", |net| net.unit(UnitKind::SelectiveKernel { paths: 2 }, x, gates, y));
        let gates = net.radix_softmax(y, 1, 1);
        let z = net.weighted_sum(y, gates, 1);
        net.scope("one", |net| net.unit(UnitKind::SqueezeExcite, y, gates, z));
        net.finish(z, "fc", 3)
    }

    fn resolved(unit: &str, how: &str) -> Result<NewGates, ReplacementError> {
        let new = Replacements::unit(unit, how.parse()?).resolve(&graph())?;
        Ok(new.into_iter().flatten().next().expect("the unit's new gates"))
    }

    fn values(unit: &str, how: &str) -> Vec<f32> {
        match resolved(unit, how) {
            Ok(NewGates::Values(values)) => values,
            other => panic!("{unit}={how}: {other:?}"),
        }
    }

    #[test]
    fn new_gates_by_hand() {
        assert_eq!(values("two", "uniform"), [0.5; 4]);
        assert_eq!(values("two", "branch:2"), [0.0, 0.0, 1.0, 1.0]);
        assert_eq!(values("two", "0.3/0.7"), [0.3, 0.3, 0.7, 0.7]);
        assert_eq!(values("two", "0.1/0.2/0.3/0.4"), [0.1, 0.2, 0.3, 0.4]);
        assert_eq!(resolved("two", "swap"), Ok(NewGates::Reversed));
        assert_eq!(values("one", "uniform"), [0.5, 0.5]);
        assert_eq!(values("one", "branch:1"), [1.0, 1.0]);
        assert_eq!(values("one", "0.25"), [0.25, 0.25]);
    }

    #[test]
    fn what_is_said_of_a_unit_counts_before_what_is_said_of_all() {
        let both =
            Replacements { all: Some(Replacement::Swap), units: [("one".to_string(), Replacement::Branch(1))].into() };
        let new = both.resolve(&graph()).unwrap();
        assert_eq!(new, [Some(NewGates::Reversed), Some(NewGates::Values(vec![1.0, 1.0]))]);
        assert_eq!(both.to_string(), "all=swap, one=branch:1");
        assert_eq!(both.of_all(), Replacements::all(Replacement::Swap));
        assert_eq!(Replacements::default().resolve(&graph()), Ok(vec![None, None]));
    }

    #[test]
    fn what_does_not_fit_is_told_with_what_would() {
        let told = |unit, how| resolved(unit, how).unwrap_err().to_string();
        assert_eq!(told("three", "swap"), "the network has no unit `three`; its units are two, one");
        assert_eq!(told("one", "swap"), "unit `one` has a single branch, so there is nothing to swap");
        assert_eq!(told("two", "branch:3"), "unit `two` has branches 1 to 2, but got branch 3");
        assert!(told("two", "branch:0").contains("but got branch 0"));
        let count = "unit `two` takes 2 weights, one per branch, or 4 with one per channel, but got 3";
        assert_eq!(told("two", "0/0/1"), count);
        assert_eq!(told("two", "0.5/1.5"), "a gate lies between 0 and 1, but got 1.5 for unit `two`");
        assert!(told("two", "NaN/0").contains("but got NaN"));
        for nonsense in ["", "half", "branch:", "branch:-1", "0.3/", "0,3/0,7"] {
            assert!(told("two", nonsense).contains("`uniform`, `swap`, `branch:1`"), "{nonsense}");
        }

        let (net, x) = Net::new(Shape::new(4, 1, 1));
        let none = Replacements::all(Replacement::Uniform).resolve(&net.finish(x, "fc", 3));
        assert_eq!(none, Err(ReplacementError::NoUnits));
    }

    #[test]
    fn replacements_are_written_as_they_are_read() {
        for how in ["uniform", "swap", "branch:2", "0.3/0.7", "1"] {
            assert_eq!(how.parse::<Replacement>().unwrap().to_string(), how);
        }
    }
}
