use leptos::prelude::*;

use crate::app::lens::Shown;
use crate::app::parts::{Check, Choice, Role, Segments};
use crate::app::state::{State, View};
use crate::vision::{ColourMap, RangeScope};

/// How the map is drawn: opacity, colours, what shares its scale.
#[component]
pub fn Display() -> impl IntoView {
    let (state, shown) = (expect_context::<State>(), expect_context::<Shown>().0);
    let scopes = Signal::derive(move || {
        let choice = |value, id: &str, label: &str| Choice { value, id: id.into(), label: label.into() };
        match state.view.get() {
            View::Class => {
                vec![choice(RangeScope::Map, "map", "This map"), choice(RangeScope::Unit, "unit", "Top five")]
            }
            View::Features => {
                vec![choice(RangeScope::Map, "map", "This map"), choice(RangeScope::Unit, "unit", "Layer")]
            }
            _ => vec![
                choice(RangeScope::Map, "map", "This map"),
                choice(RangeScope::Unit, "unit", "Unit"),
                choice(RangeScope::Network, "network", "Network"),
            ],
        }
    });
    // Of a class the whole network says no more than the list; layers are not on one scale.
    let scope = Signal::derive(move || match (state.view.get(), state.scope.get()) {
        (View::Class | View::Features, RangeScope::Network) => RangeScope::Unit,
        (_, scope) => scope,
    });
    let diverges =
        Memo::new(move |_| shown.with(|lens| lens.as_ref().is_some_and(|lens| lens.scale.colours.diverges())));
    // For comparison: the next picture, network, unit or gates are painted as these are.
    let is_held = Signal::derive(move || state.held.get().is_some_and(|(view, _)| view == state.view.get()));
    let hold = move |on: bool| {
        let range = shown.with_untracked(|lens| lens.as_ref().map(|lens| lens.scale.range));
        // On a scale without extent all others would look alike.
        let range = range.filter(|range| on && range.low < range.high);
        state.held.set(range.map(|range| (state.view.get_untracked(), range)));
    };
    view! {
        <div class="display" role="group" aria-label="How the map is drawn">
            <label class="field opacity">
                <span>"Opacity "<span>{move || format!("{} %", state.opacity.get())}</span></span>
                <input type="range" min="0" max="100" step="5" aria-label="Opacity" data-testid="opacity"
                    prop:value=move || state.opacity.get().to_string()
                    on:input=move |event| {
                        if let Ok(opacity) = event_target_value(&event).parse() {
                            state.opacity.set(opacity);
                        }
                    }/>
            </label>
            <label class="field">
                <span>"Colours"</span>
                {move || match diverges.get() {
                    true => colour_select(&ColourMap::ALL_DIVERGING, state.diverging).into_any(),
                    false => colour_select(&ColourMap::ALL_SEQUENTIAL, state.sequential).into_any(),
                }}
            </label>
            <div class="field">
                <span>"Scale shared by"</span>
                <Show when=move || state.view.get() != View::Share
                    fallback=|| view! { <span class="fixed">"A share is always 0 to 1."</span> }
                >
                    <Segments label="Scale shared by" testid="scope" role=Role::Options choices=scopes chosen=scope
                        choose=move |scope| {
                            // Who asks for another scale gets it.
                            if is_held.get_untracked() {
                                state.held.set(None);
                            }
                            state.scope.set(scope);
                        }/>
                    <Check label="Hold this scale" testid="hold" on=is_held choose=hold/>
                </Show>
            </div>
            <div class="field checks">
                <Check label="Smooth" testid="smooth" on=state.smooth choose=move |on| state.smooth.set(on)/>
                <Check label="Picture in colour" testid="colourful" on=state.colourful
                    choose=move |on| state.colourful.set(on)/>
            </div>
            <p class="muted drawn">
                "Below 100 % the picture shows through the legend’s colours. Smooth maps are interpolated between cells; the \
                 numbers are the cells’ own."
                {move || is_held.get().then_some(" The scale is held: values beyond it have the colours of its ends.")}
            </p>
        </div>
    }
}

fn colour_select(all: &'static [ColourMap], chosen: RwSignal<ColourMap>) -> impl IntoView {
    let position = move || all.iter().position(|colours| *colours == chosen.get()).unwrap_or(0);
    let option = |(index, colours): (usize, &ColourMap)| {
        view! { <option value=index.to_string() prop:selected=move || position() == index>{colours.name()}</option> }
    };
    view! {
        <select data-testid="colours" on:change=move |event| {
            let index = event_target_value(&event).parse().ok();
            if let Some(colours) = index.and_then(|index: usize| all.get(index)) {
                chosen.set(*colours);
            }
        }>
            {all.iter().enumerate().map(option).collect_view()}
        </select>
    }
}
