use leptos::prelude::*;

use super::legend_of_branches;
use super::rail::{Rail, Stop};
use crate::app::parts::{Table, TableButton};
use crate::app::state::State;
use crate::app::words;
use crate::reading::UnitReading;
use crate::vision::{Statistics, branch_statistics};

/// What the rail shows of one unit.
#[derive(Clone, PartialEq)]
struct Gates {
    stop: Stop,
    branches: Vec<Statistics>,
}

impl Gates {
    fn new(unit: &UnitReading) -> Self {
        let branches = branch_statistics(&unit.gates);
        let branch = |(branch, gates): (usize, &Statistics)| {
            let (mean, spread) = (words::gate(gates.mean), words::gate(gates.standard_deviation));
            format!("branch {} {mean} ± {spread}", branch + 1)
        };
        let all: Vec<String> = branches.iter().enumerate().map(branch).collect();
        let stop = Stop::new(&unit.name, unit.output.shape, |name, cells| {
            format!("Unit {name}, {cells} cells: mean gates {}", all.join(", "))
        });
        Self { stop, branches }
    }
}

/// The network's depth as a rail of units, each with the mean and spread of its branches' gates.
#[component]
pub fn Depth() -> impl IntoView {
    let state = expect_context::<State>();
    let units = Memo::new(move |_| {
        state.analysis.with(|analysis| {
            let units = analysis.as_ref().map(|analysis| analysis.reading.units.iter().map(Gates::new));
            units.map(Iterator::collect::<Vec<_>>).unwrap_or_default()
        })
    });
    let stops = Memo::new(move |_| units.with(|units| units.iter().map(|unit| unit.stop.clone()).collect::<Vec<_>>()));
    let picture =
        move |position: usize| move || units.with(|units| units.get(position).map(|unit| bar(&unit.branches)));
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
                <TableButton what="mean gates by unit" testid="depth-table" table=move || table(&units.get())/>
            </div>
            <Rail label="Units" testid="unit" stops picture/>
        </section>
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

fn table(units: &[Gates]) -> Table {
    let branches = units.iter().map(|unit| unit.branches.len()).max().unwrap_or(0);
    let head = (1..=branches).map(|branch| format!("Branch {branch}, mean ± deviation"));
    let cell = |gates: &Statistics| format!("{} ± {}", words::gate(gates.mean), words::gate(gates.standard_deviation));
    let row = |unit: &Gates| unit.stop.row().into_iter().chain(unit.branches.iter().map(cell)).collect();
    Table {
        caption: "Gates by unit, over its channels".into(),
        head: ["Unit", "Module", "Cells"].map(String::from).into_iter().chain(head).collect(),
        rows: units.iter().map(row).collect(),
    }
}
