use leptos::prelude::*;

use super::legend_of_branches;
use super::rail::{Note, Rail, Stop};
use crate::app::parts::{Table, TableButton};
use crate::app::state::{Analysis, State};
use crate::app::what_if::WhatIf;
use crate::app::words;
use crate::reading::UnitReading;
use crate::vision::{Statistics, branch_statistics, mean_change};

/// What the rail shows of one unit.
#[derive(Clone, PartialEq)]
struct Gates {
    stop: Stop,
    branches: Vec<Statistics>,
    /// Where gates were replaced, of this unit or of another.
    against: Option<Against>,
}

/// A unit's gates set against those of the untouched run.
#[derive(Clone, PartialEq)]
struct Against {
    /// What stands in place of the unit's own gates.
    replaced: Option<String>,
    branches: Vec<Statistics>,
    /// See [`mean_change`].
    change: f32,
}

impl Against {
    fn new(what_if: &WhatIf, unit: &UnitReading) -> Option<Self> {
        let untouched = what_if.untouched_unit(&unit.name)?;
        Some(Self {
            replaced: what_if.told_of(unit),
            branches: branch_statistics(&untouched.gates),
            change: mean_change(&untouched.gates, &unit.gates)?,
        })
    }

    fn note(&self) -> Note {
        let text = match (&self.replaced, self.change) {
            (Some(_), _) => "replaced".into(),
            (None, 0.0) => "same".into(),
            (None, change) => format!("Δ {}", words::small(change)),
        };
        Note { text, is_cause: self.replaced.is_some() }
    }

    fn says(&self) -> String {
        match (&self.replaced, self.change) {
            (Some(how), change) => format!("replaced: {how}; on average {} from its own", words::small(change)),
            (None, 0.0) => "the same as untouched".into(),
            (None, change) => format!("on average {} from untouched", words::small(change)),
        }
    }
}

impl Gates {
    fn all(analysis: &Analysis) -> Vec<Self> {
        let what_if = analysis.what_if.as_ref();
        analysis.reading.units.iter().map(|unit| Self::new(unit, what_if)).collect()
    }

    fn new(unit: &UnitReading, what_if: Option<&WhatIf>) -> Self {
        let branches = branch_statistics(&unit.gates);
        let against = what_if.and_then(|what_if| Against::new(what_if, unit));
        let branch =
            |(branch, gates): (usize, &Statistics)| format!("branch {} {}", branch + 1, mean_and_spread(gates));
        let all: Vec<String> = branches.iter().enumerate().map(branch).collect();
        let mut stop = Stop::new(&unit.name, unit.output.shape, |name, cells| {
            let change = against.as_ref().map(|against| format!("; {}", against.says()));
            format!("Unit {name}, {cells} cells: mean gates {}{}", all.join(", "), change.unwrap_or_default())
        });
        stop.note = against.as_ref().map(Against::note);
        Self { stop, branches, against }
    }
}

/// The network's depth as a rail of units, each with the mean and spread of its branches' gates.
#[component]
pub fn Depth() -> impl IntoView {
    let state = expect_context::<State>();
    let units =
        Memo::new(move |_| state.analysis.with(|analysis| analysis.as_deref().map(Gates::all).unwrap_or_default()));
    let stops = Memo::new(move |_| units.with(|units| units.iter().map(|unit| unit.stop.clone()).collect::<Vec<_>>()));
    let picture = move |position: usize| move || units.with(|units| units.get(position).map(bar));
    let about = move || match state.with_what_if(|_| ()).is_some() {
        true => "Mean gate of each branch; dashed: in the untouched run. Δ: how far gates moved, on average.",
        false => "Mean gate of each branch, unit by unit; whiskers: one standard deviation over the channels.",
    };
    view! {
        <section class="panel depth" aria-labelledby="depth-title">
            <header class="panel-head">
                <h2 id="depth-title">"Through the depth"</h2>
                {move || legend_of_branches(state.branches())}
            </header>
            <div class="caption">
                <p class="muted">{about}</p>
                <TableButton what="mean gates by unit" testid="depth-table" table=move || table(&units.get())/>
            </div>
            <Rail label="Units" testid="unit" stops picture/>
        </section>
    }
}

/// Mean gates stacked from below, each boundary with its whisker; those of the untouched run as lines.
fn bar(gates: &Gates) -> impl IntoView + use<> {
    const WIDTH: f32 = 28.0;
    const HEIGHT: f32 = 72.0;
    let y = |value: f32| HEIGHT * (1.0 - value.clamp(0.0, 1.0));
    let mut below = 0.0;
    let mut boundaries = Vec::new();
    let mut blocks = Vec::new();
    for (branch, gates) in gates.branches.iter().enumerate() {
        let above = below + gates.mean;
        blocks.push(view! {
            <rect class=format!("branch-{branch}") x="0" y=y(above) width=WIDTH height=y(below) - y(above)></rect>
        });
        boundaries.push((above, gates.standard_deviation));
        below = above;
    }
    // Gates that add up to one have no boundary at the top, those that are all alike no spread.
    let is_open = |at: f32| at < 0.999;
    let open = boundaries.into_iter().filter(|(at, spread)| is_open(*at) && *spread > 0.0);
    let untouched = gates.against.iter().flat_map(|against| {
        let stacked = against.branches.iter().scan(0.0, |below, gates| {
            *below += gates.mean;
            Some(*below)
        });
        stacked.filter(|at| is_open(*at)).collect::<Vec<f32>>()
    });
    let line = |at: f32| {
        let line = format!("M0 {}H{WIDTH}", y(at));
        view! { <path class="untouched-halo" d=line.clone()></path><path class="untouched" d=line></path> }
    };
    let untouched = untouched.map(line).collect_view();
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
            {untouched}
        </svg>
    }
}

fn mean_and_spread(gates: &Statistics) -> String {
    format!("{} ± {}", words::gate(gates.mean), words::gate(gates.standard_deviation))
}

fn table(units: &[Gates]) -> Table {
    let branches = units.iter().map(|unit| unit.branches.len()).max().unwrap_or(0);
    let is_compared = units.iter().any(|unit| unit.against.is_some());
    let column = |untouched: &str| {
        let column = move |branch: usize| format!("Branch {branch}, {untouched}mean ± deviation");
        (1..=branches).map(column).collect::<Vec<String>>()
    };
    let mut head = ["Unit", "Module", "Cells"].map(String::from).to_vec();
    head.extend(column(""));
    if is_compared {
        head.extend(column("untouched "));
        head.extend(["Mean |change|", "Replaced"].map(String::from));
    }
    let row = |unit: &Gates| {
        let mut row = unit.stop.row().to_vec();
        row.extend(unit.branches.iter().map(mean_and_spread));
        if let Some(against) = &unit.against {
            row.extend(against.branches.iter().map(mean_and_spread));
            row.push(words::number(against.change));
            row.push(against.replaced.clone().unwrap_or_else(|| "no".into()));
        }
        row
    };
    Table { caption: "Gates by unit, over its channels".into(), head, rows: units.iter().map(row).collect() }
}
