use leptos::prelude::*;

use crate::app::canvas::gradient;
use crate::app::lens::{Lens, Shown};
use crate::app::state::{State, View};
use crate::app::words;

/// The colour scale with its numbers, and where on it the value under the pointer lies.
#[component]
pub fn Legend() -> impl IntoView {
    let (state, shown) = (expect_context::<State>(), expect_context::<Shown>().0);
    let read = move |read: fn(&Lens) -> String| shown.with(|lens| lens.as_deref().map(read).unwrap_or_default());
    let ends = move || match (state.view.get(), state.branches()) {
        (View::Difference, 2) => {
            let branch = state.branch.get();
            [format!("branch {} more", 2 - branch), format!("branch {} more", branch + 1)]
        }
        (View::Difference, _) => ["the others more".into(), format!("branch {} more", state.branch.get() + 1)],
        (View::Class, _) => ["lowers the logit".into(), "raises the logit".into()],
        _ => Default::default(),
    };
    let marker = move || {
        let (x, y) = state.cell.get()?;
        shown.with(|lens| {
            let lens = lens.as_deref()?;
            let position = lens.scale.range.position(lens.map.at(x, y))?;
            Some(format!("{:.1}%", position * 100.0))
        })
    };
    view! {
        <div class="legend" data-testid="legend" role="group" aria-label="Colour scale">
            <div class="legend-bar" style:background=move || read(|lens| gradient(lens.scale))>
                <Show when=move || marker().is_some()>
                    <span class="legend-marker" style:left=marker></span>
                </Show>
            </div>
            <div class="legend-numbers">
                <span data-testid="legend-low">{move || read(|lens| words::number(lens.scale.range.low))}</span>
                <span class="legend-end">{move || { let [low, _] = ends(); low }}</span>
                <span class="legend-middle">
                    {move || read(|lens| words::number((lens.scale.range.low + lens.scale.range.high) / 2.0))}
                </span>
                <span class="legend-end">{move || { let [_, high] = ends(); high }}</span>
                <span data-testid="legend-high">{move || read(|lens| words::number(lens.scale.range.high))}</span>
            </div>
        </div>
    }
}
