use leptos::prelude::*;

use crate::app::state::{State, View};
use crate::app::what_if::WhatIf;
use crate::app::words;
use crate::reading::UnitReading;

/// What replaced gates have to do with the map that is shown.
#[component]
pub fn Replaced() -> impl IntoView {
    let state = expect_context::<State>();
    let sentence = Memo::new(move |_| match state.view.get() {
        View::Class => of_class(state),
        _ => of_unit(state),
    });
    move || sentence.get().map(|sentence| view! { <p class="muted" data-testid="explain-replaced">{sentence}</p> })
}

fn of_class(state: State) -> Option<String> {
    let class = state.shown_class()?;
    state.with_what_if(|what_if| {
        let probability = words::percent(what_if.untouched.probabilities[class]);
        let logit = words::number(what_if.untouched.reading.logits[class]);
        format!(
            "The network ran with gates replaced ({}). Untouched it gives this class {probability}, with a logit of \
             {logit}.",
            what_if.told()
        )
    })
}

fn of_unit(state: State) -> Option<String> {
    let unit = state.with_unit(|unit| unit.name.clone())?;
    state.with_what_if(|what_if| sentence(what_if, &unit)).flatten()
}

fn sentence(what_if: &WhatIf, unit: &str) -> Option<String> {
    let units = &what_if.untouched.reading.units;
    let position = units.iter().position(|other| other.name == unit)?;
    let is_replaced = |unit: &UnitReading| what_if.of(&unit.name).is_some();
    let before = units[..position].iter().any(is_replaced);
    Some(match (what_if.told_of(&units[position]), before) {
        (Some(how), false) => format!("This unit’s gates are replaced ({how}): they are not those that it computes."),
        (Some(how), true) => format!(
            "This unit’s gates are replaced ({how}), and so are gates before it: neither its gates nor what comes in \
             is the network’s own."
        ),
        (None, true) => {
            "This unit computes its own gates, but from what comes of gates that were replaced before it.".into()
        }
        (None, false) => "Gates are replaced only after this unit: it does what it does untouched.".into(),
    })
}
