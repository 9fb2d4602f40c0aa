use leptos::prelude::*;
use web_sys::HtmlInputElement;

/// A box to tick, with its label.
#[component]
pub fn Check(
    label: &'static str,
    testid: &'static str,
    #[prop(into)] on: Signal<bool>,
    choose: impl Fn(bool) + 'static,
) -> impl IntoView {
    view! {
        <label class="check">
            <input type="checkbox" data-testid=testid prop:checked=move || on.get()
                on:change=move |event| {
                    choose(event_target_checked(&event));
                    // What cannot be chosen is not ticked.
                    event_target::<HtmlInputElement>(&event).set_checked(on.get_untracked());
                }/>
            <span>{label}</span>
        </label>
    }
}
