//! A run with gates replaced, set against the run with the network's own.

use std::sync::Arc;

use super::state::Analysis;
use super::words;
use crate::reading::{Replacement, Replacements, UnitReading};
use crate::vision::Prediction;

/// What was replaced in a run, and what the network makes of the same picture without.
pub struct WhatIf {
    pub replacements: Replacements,
    pub untouched: Arc<Analysis>,
}

impl WhatIf {
    /// For example `all units uniform, unit 2.1 swapped`.
    pub fn told(&self) -> String {
        let units = &self.untouched.reading.units;
        let branches = |name: Option<&str>| {
            let unit = units.iter().find(|unit| name.is_none_or(|name| unit.name == name));
            unit.map_or(0, UnitReading::branches)
        };
        let Replacements { all, units } = &self.replacements;
        let all = all.iter().map(|replacement| format!("all units {}", words::replaced(replacement, branches(None))));
        let units = units.iter().map(|(unit, replacement)| {
            format!("unit {} {}", words::place_name(unit), words::replaced(replacement, branches(Some(unit))))
        });
        all.chain(units).collect::<Vec<_>>().join(", ")
    }

    /// What stands in place of a unit's gates, in words; `None` where the unit keeps its own.
    pub fn told_of(&self, unit: &UnitReading) -> Option<String> {
        self.of(&unit.name).map(|replacement| words::replaced(replacement, unit.branches()))
    }

    pub fn of(&self, unit: &str) -> Option<&Replacement> {
        self.replacements.of(unit)
    }

    /// The unit of this name in the untouched run.
    pub fn untouched_unit(&self, name: &str) -> Option<&UnitReading> {
        self.untouched.reading.units.iter().find(|unit| unit.name == name)
    }

    /// Classes of the untouched run's list that are not on `top`, with their probabilities in that run.
    pub fn fallen(&self, top: &[Prediction]) -> Vec<Prediction> {
        let listed = |class: &Prediction| top.iter().any(|other| other.index == class.index);
        self.untouched.top.iter().filter(|class| !listed(class)).copied().collect()
    }
}
