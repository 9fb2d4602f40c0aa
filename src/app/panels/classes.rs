use leptos::prelude::*;

use crate::app::state::State;
use crate::order;

/// Every class of the network, by name: the map of any of them can be shown.
#[component]
pub fn ClassSelect() -> impl IntoView {
    let state = expect_context::<State>();
    let sorted = Memo::new(move |_| {
        let labels = state.analysis.with(|analysis| analysis.as_ref().map(|analysis| analysis.model.labels.clone()));
        let labels = labels.unwrap_or_default();
        let classes: Vec<(usize, String)> = labels.iter().map(|label| label.short.clone()).enumerate().collect();
        order::sorted(classes, |(_, one), (_, other)| one.to_lowercase().cmp(&other.to_lowercase()))
    });
    // Another network may have another name for the class of the same number, hence both are the key.
    view! {
        <label class="field">
            <span>"Class"</span>
            <select
                data-testid="class"
                on:change=move |event| {
                    if let Ok(class) = event_target_value(&event).parse() {
                        state.choose_class(class);
                    }
                }
            >
                <For each=move || sorted.get() key=Clone::clone let((class, name))>
                    <option value=class.to_string() prop:selected=move || state.shown_class() == Some(class)>{name.clone()}</option>
                </For>
            </select>
        </label>
    }
}
