use std::sync::atomic::{AtomicUsize, Ordering};

use leptos::prelude::*;

/// Counts terms, so that each has a name by which its explanation is found.
static NEXT: AtomicUsize = AtomicUsize::new(0);

/// Hides the explanation that is shown, which may cover what it is about, until the next is asked for.
pub fn hide_terms(hide: bool) {
    if let Some(root) = document().document_element() {
        // Only a name that is no name fails.
        let _ = root.toggle_attribute_with_force("data-terms-hidden", hide);
    }
}

/// A word of the papers, explained on hover, focus or tap.
#[component]
pub fn Term(#[prop(into)] word: String, #[prop(into)] meaning: Signal<String>) -> impl IntoView {
    let id = format!("term-{}", NEXT.fetch_add(1, Ordering::Relaxed));
    view! {
        <span class="term" on:pointerenter=|_| hide_terms(false) on:focusin=|_| hide_terms(false)>
            <button type="button" class="term-word" aria-describedby=id.clone()>{word}</button>
            <span class="term-meaning" role="tooltip" id=id>{move || meaning.get()}</span>
        </span>
    }
}
