use leptos::prelude::*;

use crate::app::lens::Shown;
use crate::app::parts::{Table, TableButton};
use crate::app::state::{State, View};
use crate::app::words;
use crate::reading::UnitReading;

/// The raw value of the map's cell under the pointer, and how the branches make up the output there.
#[component]
pub fn Readout() -> impl IntoView {
    let (state, shown) = (expect_context::<State>(), expect_context::<Shown>().0);
    let value = move || {
        let (x, y) = state.cell.get()?;
        shown.with(|lens| Some(words::number(lens.as_ref()?.map.at(x, y))))
    };
    let place = move || {
        let (x, y) = state.cell.get()?;
        let (width, height) = shown.with(|lens| lens.as_ref().map(|lens| (lens.map.width, lens.map.height)))?;
        Some(format!("row {}, column {} of {height} × {width}", y + 1, x + 1))
    };
    let sum = move || {
        let (x, y) = state.cell.get()?;
        match state.view.get() {
            View::Class => None,
            _ => state.with_unit(|unit| sum_at(unit, y * unit.output.shape.width + x)),
        }
    };
    let hint = move || match shown.with(Option::is_some) {
        true => "Point at the picture, or tap it, to read the map’s numbers.",
        false => "",
    };
    view! {
        <div class="readout" data-testid="readout" aria-live="polite" aria-atomic="true">
            <Show when=move || value().is_some() fallback=move || view! { <span class="muted">{hint}</span> }>
                <strong data-testid="value">{value}</strong>
                <span class="muted">{place}</span>
                <span class="muted sum">{sum}</span>
            </Show>
        </div>
        <Show when=move || shown.with(Option::is_some)>
            <TableButton what="the map’s values" testid="map-table" table=move || map_table(shown)/>
        </Show>
    }
}

/// For example `0.41 + 0.12 = 0.53, the unit's output`.
fn sum_at(unit: &UnitReading, pixel: usize) -> String {
    let parts = (0..unit.branches()).map(|branch| words::number(unit.contribution.channel(branch)[pixel]));
    let parts: Vec<String> = parts.collect();
    format!("{} = {}, the unit’s output", parts.join(" + "), words::number(unit.output.values[pixel]))
}

fn map_table(shown: Memo<Option<std::sync::Arc<crate::app::lens::Lens>>>) -> Table {
    shown.with(|lens| {
        let Some(lens) = lens else { return Table::default() };
        let columns = (1..=lens.map.width).map(|column| column.to_string());
        let row = |y: usize| {
            let values = (0..lens.map.width).map(|x| words::number(lens.map.at(x, y)));
            std::iter::once((y + 1).to_string()).chain(values).collect()
        };
        Table {
            caption: "The map’s values, row by row".into(),
            head: std::iter::once("Row".to_string()).chain(columns).collect(),
            rows: (0..lens.map.height).map(row).collect(),
        }
    })
}
