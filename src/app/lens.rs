//! What lies over the picture: the chosen map with its scale, ready to paint.

use std::sync::Arc;

use leptos::prelude::*;

use super::features;
use super::state::{Analysis, State, View};
use crate::vision::{
    ColourMap, Map, MapKind, Range, RangeScope, Selection, branch_map, class_activation_map, paint, range,
};

/// A map and the scale that it is painted in.
#[derive(Clone, Debug, PartialEq)]
pub struct Lens {
    pub map: Map,
    pub scale: Scale,
}

/// The values at the ends of a colour scale, and the colours between.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Scale {
    pub range: Range,
    pub colours: ColourMap,
    /// The colours run the other way.
    pub flipped: bool,
}

impl Scale {
    /// In the colours that the visitor chose for values with and without signs.
    pub fn of(state: State, range: Range) -> Self {
        let colours = if range.is_signed() { state.diverging } else { state.sequential };
        Self { range, colours: colours.get(), flipped: false }
    }

    /// Red, green, blue at `t`, 0 for the low end and 1 for the high one.
    pub fn colour(self, t: f32) -> [u8; 3] {
        self.colours.sample(if self.flipped { 1.0 - t } else { t })
    }

    /// Red, green, blue, alpha for each of the map's values.
    pub fn paint(self, map: &Map) -> Vec<u8> {
        if !self.flipped {
            return paint(map, self.range, self.colours);
        }
        let Range { low, high } = self.range;
        let negated = Map { values: map.values.iter().map(|value| -value).collect(), ..*map };
        paint(&negated, Range { low: -high, high: -low }, self.colours)
    }
}

/// The lens that the page shows; `None` before the first analysis.
#[derive(Clone, Copy)]
pub struct Shown(pub Memo<Option<Arc<Lens>>>);

impl Shown {
    pub fn new(state: State) -> Self {
        Self(Memo::new(move |_| {
            let analysis = state.analysis.get()?;
            let view = state.view.get();
            let (map, range) = match (view, view.kind()) {
                (_, Some(kind)) => of_branch(state, &analysis, kind)?,
                (View::Features, None) => features::chosen(state, &analysis)?,
                (_, None) => of_class(state, &analysis)?,
            };
            let held = state.held.get().filter(|(of, _)| *of == view);
            let range = held.map_or(range, |(_, range)| range);
            let scale = match view.diverges() {
                // Without extent a range has no sign.
                true => Scale { range, colours: state.diverging.get(), flipped: false },
                false => Scale::of(state, range),
            };
            // Of two branches the first is warm and the second cold, whichever is taken from the other.
            let flipped = view == View::Difference && state.branches() == 2 && state.branch.get() == 1;
            Some(Arc::new(Lens { map, scale: Scale { flipped, ..scale } }))
        }))
    }
}

fn of_branch(state: State, analysis: &Analysis, kind: MapKind) -> Option<(Map, Range)> {
    let selection = Selection { unit: state.unit.get(), branch: state.branch.get(), kind };
    let unit = analysis.reading.units.get(selection.unit).filter(|unit| selection.branch < unit.branches())?;
    let within = |scope| range(&analysis.reading, selection, scope);
    let range = match within(state.scope.get()) {
        // The same everywhere, as where replaced gates shut a branch: a scale of its own would have no extent.
        Range { low, high } if low == high => within(RangeScope::Unit),
        range => range,
    };
    Some((branch_map(unit, kind, selection.branch), range))
}

/// Beyond the map itself, a class is compared with the other classes of the list.
fn of_class(state: State, analysis: &Analysis) -> Option<(Map, Range)> {
    let class = state.shown_class()?;
    let map = |class| class_activation_map(&analysis.reading.features, analysis.classifier.row(class));
    let shown = map(class);
    let range = match state.scope.get() {
        RangeScope::Map => Range::symmetric([&shown]),
        RangeScope::Unit | RangeScope::Network => {
            let listed: Vec<Map> = analysis.top.iter().map(|prediction| map(prediction.index)).collect();
            Range::symmetric(listed.iter().chain([&shown]))
        }
    };
    Some((shown, range))
}

/// How the class activation map adds up to the logit.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Evidence {
    /// Over the map's cells.
    pub mean: f32,
    pub bias: f32,
    pub logit: f32,
}

/// The parts of the shown class's logit.
pub fn evidence(state: State) -> Option<Evidence> {
    let analysis = state.analysis.get()?;
    let class = state.shown_class()?;
    let map = class_activation_map(&analysis.reading.features, analysis.classifier.row(class));
    Some(Evidence {
        mean: map.values.iter().sum::<f32>() / map.values.len() as f32,
        bias: analysis.classifier.bias[class],
        logit: analysis.reading.logits[class],
    })
}

/// Views that say something about the chosen unit or layer.
pub fn views(state: State) -> Vec<View> {
    let kinds = match state.branches() {
        0 => &[],
        branches => MapKind::of_branches(branches),
    };
    let has_layers = state.with_layer(|_| ()).is_some();
    let says_something = |view: &View| match view {
        View::Features => has_layers,
        view => view.kind().is_none_or(|kind| kinds.contains(&kind)),
    };
    View::ALL.into_iter().filter(says_something).collect()
}
