use leptos::ev::KeyboardEvent;
use leptos::html::Div;
use leptos::prelude::*;
use wasm_bindgen::JsCast;
use web_sys::{Element, HtmlElement};

use crate::app::state::State;
use crate::app::words;
use crate::graph::Shape;

/// One place along the network's depth: a unit, or a layer where there are none.
#[derive(Clone, PartialEq)]
pub struct Stop {
    /// For example `2.1`.
    pub name: String,
    /// timm's module path.
    pub module: String,
    pub stage: usize,
    /// Of its maps, for example `8 × 8`.
    pub cells: String,
    /// The stop and what it shows, in words.
    pub says: String,
    /// What has become of it, in a word, where gates were replaced.
    pub note: Option<Note>,
}

/// A word below a stop.
#[derive(Clone, PartialEq)]
pub struct Note {
    pub text: String,
    /// The visitor's doing, not what came of it.
    pub is_cause: bool,
}

impl Stop {
    /// `says` is given the stop's name and cells.
    pub fn new(module: &str, maps: Shape, says: impl FnOnce(&str, &str) -> String) -> Self {
        let (stage, _) = words::place(module);
        let (name, cells) = (words::place_name(module), format!("{} × {}", maps.height, maps.width));
        Self { says: says(&name, &cells), module: module.into(), name, stage, cells, note: None }
    }

    /// The first cells of its row in a table: name, module, cells.
    pub fn row(&self) -> [String; 3] {
        [self.name.clone(), self.module.clone(), self.cells.clone()]
    }
}

/// The network's depth as a row of stops, stage by stage, of which one is chosen; arrow keys move along it.
#[component]
pub fn Rail<P, V>(
    /// What the stops are.
    label: &'static str,
    testid: &'static str,
    stops: Memo<Vec<Stop>>,
    /// What a stop shows above its name.
    picture: P,
) -> impl IntoView
where
    P: Fn(usize) -> V + Copy + Send + Sync + 'static,
    V: IntoView + 'static,
{
    let state = expect_context::<State>();
    let rail = NodeRef::<Div>::new();
    let stages = move || {
        stops.with(|stops| {
            let positions: Vec<(usize, usize)> = stops.iter().map(|stop| stop.stage).enumerate().collect();
            let stages = positions.chunk_by(|(_, a), (_, b)| a == b);
            stages.map(|stage| (stage[0].1, stage[0].0..stage[0].0 + stage.len())).collect::<Vec<_>>()
        })
    };
    Effect::new(move |_| {
        let unit = state.unit.get();
        let Some(rail) = rail.get() else { return };
        // Asked in the midst of building, where a button is would have the browser lay out the page twice.
        request_animation_frame(move || {
            if let Some(button) = button_of(&rail, unit) {
                scroll_sideways(&rail, &button);
            }
        });
    });
    let walk = move |event: KeyboardEvent| {
        let last = stops.with_untracked(Vec::len).saturating_sub(1);
        let unit = match event.key().as_str() {
            "Home" => 0,
            "End" => last,
            "ArrowLeft" => state.unit.get_untracked().saturating_sub(1),
            "ArrowRight" => (state.unit.get_untracked() + 1).min(last),
            _ => return,
        };
        event.prevent_default();
        state.choose_unit(unit);
        if let Some(button) = rail.get_untracked().and_then(|rail| button_of(&rail, unit)) {
            // A button that cannot take the focus leaves it where it was.
            let _ = button.focus();
        }
    };
    let read = move |position: usize, read: fn(&Stop) -> String| {
        stops.with(|stops| stops.get(position).map(read).unwrap_or_default())
    };
    let note = move |position: usize| stops.with(|stops| stops.get(position).and_then(|stop| stop.note.clone()));
    let button = move |position: usize| {
        let is_on = move || state.unit.get() == position;
        view! {
            <button
                class="unit" type="button" role="radio" data-testid=testid data-unit=position.to_string()
                data-name=move || read(position, |stop| stop.module.clone())
                aria-checked=move || is_on().to_string()
                tabindex=move || if is_on() { "0" } else { "-1" }
                aria-label=move || read(position, |stop| stop.says.clone())
                title=move || read(position, |stop| stop.says.clone())
                on:click=move |_| state.choose_unit(position)
            >
                {picture(position)}
                <span class="unit-name">{move || read(position, |stop| stop.name.clone())}</span>
                <span class="unit-cells">{move || read(position, |stop| stop.cells.clone())}</span>
                {move || note(position).map(|note| view! {
                    <span class="unit-note" class:cause=note.is_cause data-testid="unit-note">{note.text}</span>
                })}
            </button>
        }
    };
    view! {
        <div class="rail" role="radiogroup" aria-label=label node_ref=rail on:keydown=walk>
            <For each=stages key=|stage| stage.clone() let((stage, positions))>
                <div class="stage">
                    <div class="stage-units">{positions.map(button).collect_view()}</div>
                    <span class="stage-name">{format!("stage {stage}")}</span>
                </div>
            </For>
        </div>
    }
}

fn button_of(rail: &Element, unit: usize) -> Option<HtmlElement> {
    rail.query_selector(&format!("[data-unit='{unit}']")).ok()??.dyn_into().ok()
}

/// Brings a unit into the rail's view, with a bit of its neighbour, and leaves the page where it is.
fn scroll_sideways(rail: &Element, button: &Element) {
    const NEIGHBOUR: f64 = 24.0;
    let (view, unit) = (rail.get_bounding_client_rect(), button.get_bounding_client_rect());
    let beyond = (unit.right() + NEIGHBOUR - view.right()).max(0.0) + (unit.left() - NEIGHBOUR - view.left()).min(0.0);
    rail.set_scroll_left(rail.scroll_left() + beyond.round() as i32);
}
