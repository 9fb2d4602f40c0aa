//! Sentences for the visitor: what went wrong and what to do, announced to who does not see them.

use leptos::prelude::*;

use super::dom;
use super::panels::{NETWORK_ID, PICTURE_ID};
use super::progress::describe;
use super::session::Session;
use super::state::{Life, Progress, State, Tone};

/// What happened beside the main matter; stays until it is dismissed or a picture has been analysed.
#[component]
pub fn Notices() -> impl IntoView {
    let state = expect_context::<State>();
    let tone = move || {
        state.notice.with(|notice| {
            notice.as_ref().map(|notice| match notice.tone {
                Tone::Error => "error",
                Tone::Recovered => "recovered",
                Tone::Note => "note",
            })
        })
    };
    let text = move || state.notice.with(|notice| notice.as_ref().map(|notice| notice.text.clone()));
    let dismiss = move |_| {
        dom::focus(PICTURE_ID);
        state.notice.set(None);
    };
    view! {
        <div class="notices" aria-live="polite">
            <Show when=move || tone().is_some()>
                <div class="notice" data-testid="notice" data-tone=tone>
                    <p>{text}</p>
                    <button class="quiet" type="button" aria-label="Dismiss" on:click=dismiss>
                        "×"
                    </button>
                </div>
            </Show>
        </div>
    }
}

/// Why there is no network, in place of what it would have shown.
#[component]
pub fn FailureCard() -> impl IntoView {
    let (state, session) = (expect_context::<State>(), expect_context::<Session>());
    let failure = move || match state.life.get() {
        Life::Failed(failure) => Some(failure),
        _ => None,
    };
    view! {
        <div role="alert">
            {move || failure().map(|failure| view! {
                <div class="failure" data-testid="failure">
                    <p><strong>{failure.what()}</strong></p>
                    <p>{failure.next_step()}</p>
                    {failure.worth_retrying().then(|| view! {
                        <button class="primary" type="button" data-testid="retry" on:click=move |_| {
                            // The button goes with the failure.
                            dom::focus(NETWORK_ID);
                            session.open();
                        }>
                            "Try again"
                        </button>
                    })}
                </div>
            })}
        </div>
    }
}

/// The page's life in a few words, for screen readers and tests.
#[component]
pub fn Status() -> impl IntoView {
    let state = expect_context::<State>();
    let text = move || match state.life.get() {
        Life::Opening(Progress { stage, .. }) | Life::Analysing(Progress { stage, .. }) => {
            describe(Progress::of(stage))
        }
        Life::Failed(failure) => failure.what(),
        Life::Ready => state.analysis.with(|analysis| match analysis {
            None => "Ready for a picture.".into(),
            Some(analysis) => match analysis.top.first() {
                Some(first) => {
                    let name = analysis.model.label(first.index);
                    let how = analysis.what_if.as_ref().map(|_| " with gates replaced").unwrap_or_default();
                    format!("Analysed{how}: {name}, {:.0} percent.", first.probability * 100.0)
                }
                None => "Analysed.".into(),
            },
        }),
    };
    view! { <p class="visually-hidden" role="status" data-testid="status">{text}</p> }
}
