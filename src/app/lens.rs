//! What lies over the picture: the chosen map with its scale, ready to paint.

use std::sync::Arc;

use leptos::prelude::*;

use super::session::Session;
use super::state::{Analysis, State, View};
use crate::vision::{ColourMap, Map, MapKind, Range, RangeScope, Selection, branch_map, class_activation_map, range};

/// A map, the values at the ends of its scale, and the scale.
#[derive(Clone, Debug, PartialEq)]
pub struct Lens {
    pub map: Map,
    pub range: Range,
    pub colours: ColourMap,
}

/// The lens that the page shows; `None` before the first analysis.
#[derive(Clone, Copy)]
pub struct Shown(pub Memo<Option<Arc<Lens>>>);

impl Shown {
    pub fn new(state: State, session: Session) -> Self {
        Self(Memo::new(move |_| {
            let analysis = state.analysis.get()?;
            let view = state.view.get();
            let (map, range) = match view.kind() {
                Some(kind) => of_branch(state, &analysis, kind)?,
                None => of_class(state, session, &analysis)?,
            };
            let colours = if view.diverges() { state.diverging.get() } else { state.sequential.get() };
            Some(Arc::new(Lens { map, range, colours }))
        }))
    }
}

fn of_branch(state: State, analysis: &Analysis, kind: MapKind) -> Option<(Map, Range)> {
    let selection = Selection { unit: state.unit.get(), branch: state.branch.get(), kind };
    let unit = analysis.reading.units.get(selection.unit).filter(|unit| selection.branch < unit.branches())?;
    Some((branch_map(unit, kind, selection.branch), range(&analysis.reading, selection, state.scope.get())))
}

/// Beyond the map itself, a class is compared with the other classes of the list.
fn of_class(state: State, session: Session, analysis: &Analysis) -> Option<(Map, Range)> {
    let class = state.shown_class()?;
    let map = |class| class_map(session, analysis, class);
    let shown = map(class)?;
    let range = match state.scope.get() {
        RangeScope::Map => Range::symmetric([&shown]),
        RangeScope::Unit | RangeScope::Network => {
            let listed: Vec<Map> = analysis.top.iter().filter_map(|prediction| map(prediction.index)).collect();
            Range::symmetric(listed.iter().chain([&shown]))
        }
    };
    Some((shown, range))
}

/// Where the evidence for a class lies.
fn class_map(session: Session, analysis: &Analysis, class: usize) -> Option<Map> {
    let features = &analysis.reading.features;
    session.with_network(|network| class_activation_map(features, network.classifier_row(class)))
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
pub fn evidence(state: State, session: Session) -> Option<Evidence> {
    let analysis = state.analysis.get()?;
    let class = state.shown_class()?;
    let map = class_map(session, &analysis, class)?;
    let mean = map.values.iter().sum::<f32>() / map.values.len() as f32;
    let bias = session.with_network(|network| network.classifier_bias(class))?;
    Some(Evidence { mean, bias, logit: *analysis.reading.logits.get(class)? })
}

/// Views that say something about the chosen unit.
pub fn views(state: State) -> Vec<View> {
    let kinds = MapKind::of_branches(state.branches());
    View::ALL.into_iter().filter(|view| view.kind().is_none_or(|kind| kinds.contains(&kind))).collect()
}
