use leptos::ev::KeyboardEvent;
use leptos::html::Div;
use leptos::prelude::*;
use wasm_bindgen::JsCast;
use web_sys::{Element, HtmlElement};

use super::legend_of_branches;
use crate::app::parts::{Table, TableButton};
use crate::app::state::State;
use crate::app::words;
use crate::reading::UnitReading;
use crate::vision::{Statistics, branch_statistics};

/// One unit of the rail.
#[derive(Clone, PartialEq)]
struct Stop {
    position: usize,
    name: String,
    module: String,
    stage: usize,
    cells: String,
    branches: Vec<Statistics>,
}

impl Stop {
    fn new((position, unit): (usize, &UnitReading)) -> Self {
        let (stage, _) = words::unit_place(unit);
        let shape = unit.output.shape;
        Self {
            position,
            name: words::unit_name(unit),
            module: unit.name.clone(),
            stage,
            cells: format!("{} × {}", shape.height, shape.width),
            branches: branch_statistics(&unit.gates),
        }
    }

    fn describe(&self) -> String {
        let branch = |(branch, gates): (usize, &Statistics)| {
            let (mean, spread) = (words::gate(gates.mean), words::gate(gates.standard_deviation));
            format!("branch {} {mean} ± {spread}", branch + 1)
        };
        let branches: Vec<String> = self.branches.iter().enumerate().map(branch).collect();
        format!("Unit {}, {} cells: mean gates {}", self.name, self.cells, branches.join(", "))
    }
}

/// The network's depth as a rail of units, each with the mean and spread of its branches' gates.
#[component]
pub fn Depth() -> impl IntoView {
    let state = expect_context::<State>();
    let rail = NodeRef::<Div>::new();
    let stops = Memo::new(move |_| {
        state.analysis.with(|analysis| {
            let units = analysis.as_ref().map(|analysis| analysis.reading.units.iter().enumerate().map(Stop::new));
            units.map(Iterator::collect::<Vec<_>>).unwrap_or_default()
        })
    });
    let stages = move || {
        let stops = stops.get();
        stops.chunk_by(|a, b| a.stage == b.stage).map(|stage| (stage[0].stage, stage.to_vec())).collect::<Vec<_>>()
    };
    Effect::new(move |_| {
        let unit = state.unit.get();
        let Some(rail) = rail.get() else { return };
        if let Some(button) = button_of(&rail, unit) {
            scroll_sideways(&rail, &button);
        }
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
    view! {
        <section class="panel depth" aria-labelledby="depth-title">
            <header class="panel-head">
                <h2 id="depth-title">"Through the depth"</h2>
                {move || legend_of_branches(state.branches())}
            </header>
            <div class="caption">
                <p class="muted">
                    "Mean gate of each branch, unit by unit; whiskers: one standard deviation over the channels."
                </p>
                <TableButton what="mean gates by unit" testid="depth-table" table=move || table(&stops.get())/>
            </div>
            <div class="rail" role="radiogroup" aria-label="Units" node_ref=rail on:keydown=walk>
                <For each=stages key=|(stage, stops)| (*stage, stops.len()) let((stage, _))>
                    <div class="stage">
                        <div class="stage-units">
                            <For
                                each=move || of_stage(&stops.get(), stage) key=|stop| stop.position let(stop)
                            >
                                <UnitButton position=stop.position stops/>
                            </For>
                        </div>
                        <span class="stage-name">{format!("stage {stage}")}</span>
                    </div>
                </For>
            </div>
        </section>
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

fn of_stage(stops: &[Stop], stage: usize) -> Vec<Stop> {
    stops.iter().filter(|stop| stop.stage == stage).cloned().collect()
}

#[component]
fn UnitButton(position: usize, stops: Memo<Vec<Stop>>) -> impl IntoView {
    let state = expect_context::<State>();
    let read = move |read: fn(&Stop) -> String| stops.with(|stops| stops.get(position).map(read).unwrap_or_default());
    let is_on = move || state.unit.get() == position;
    view! {
        <button
            class="unit" type="button" role="radio" data-testid="unit" data-unit=position.to_string()
            data-name=move || read(|stop| stop.module.clone())
            aria-checked=move || is_on().to_string()
            tabindex=move || if is_on() { "0" } else { "-1" }
            aria-label=move || read(Stop::describe)
            title=move || read(Stop::describe)
            on:click=move |_| state.choose_unit(position)
        >
            {move || stops.with(|stops| stops.get(position).map(|stop| bar(&stop.branches)))}
            <span class="unit-name">{move || read(|stop| stop.name.clone())}</span>
            <span class="unit-cells">{move || read(|stop| stop.cells.clone())}</span>
        </button>
    }
}

/// Mean gates stacked from below, each boundary with its whisker.
fn bar(branches: &[Statistics]) -> impl IntoView + use<> {
    const WIDTH: f32 = 28.0;
    const HEIGHT: f32 = 72.0;
    let y = |value: f32| HEIGHT * (1.0 - value.clamp(0.0, 1.0));
    let mut below = 0.0;
    let mut boundaries = Vec::new();
    let mut blocks = Vec::new();
    for (branch, gates) in branches.iter().enumerate() {
        let above = below + gates.mean;
        blocks.push(view! {
            <rect class=format!("branch-{branch}") x="0" y=y(above) width=WIDTH height=y(below) - y(above)></rect>
        });
        boundaries.push((above, gates.standard_deviation));
        below = above;
    }
    // Gates that add up to one have no boundary at the top.
    let open = boundaries.into_iter().filter(|(at, _)| *at < 0.999);
    let whisker = |(at, spread): (f32, f32)| {
        let (low, high) = (y(at - spread), y(at + spread));
        let middle = WIDTH / 2.0;
        let line = format!("M{middle} {low}V{high}M{} {low}h8M{} {high}h8", middle - 4.0, middle - 4.0);
        view! { <path class="whisker-halo" d=line.clone()></path><path class="whisker" d=line></path> }
    };
    view! {
        <svg class="unit-bar" viewBox=format!("0 0 {WIDTH} {HEIGHT}") aria-hidden="true">
            {blocks}
            <path class="middle" d=format!("M0 {}H{WIDTH}", HEIGHT / 2.0)></path>
            {open.map(whisker).collect_view()}
        </svg>
    }
}

fn table(stops: &[Stop]) -> Table {
    let branches = stops.iter().map(|stop| stop.branches.len()).max().unwrap_or(0);
    let head = (1..=branches).map(|branch| format!("Branch {branch}, mean ± deviation"));
    let cell = |gates: &Statistics| format!("{} ± {}", words::gate(gates.mean), words::gate(gates.standard_deviation));
    let row = |stop: &Stop| {
        let fixed = [stop.name.clone(), stop.module.clone(), stop.cells.clone()];
        fixed.into_iter().chain(stop.branches.iter().map(cell)).collect()
    };
    Table {
        caption: "Gates by unit, over its channels".into(),
        head: ["Unit", "Module", "Cells"].map(String::from).into_iter().chain(head).collect(),
        rows: stops.iter().map(row).collect(),
    }
}
