use leptos::prelude::*;

/// A box to tick, with its label.
#[component]
pub fn Check(label: &'static str, testid: &'static str, on: RwSignal<bool>) -> impl IntoView {
    view! {
        <label class="check">
            <input type="checkbox" data-testid=testid prop:checked=move || on.get()
                on:change=move |event| on.set(event_target_checked(&event))/>
            <span>{label}</span>
        </label>
    }
}
