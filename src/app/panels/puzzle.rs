use leptos::prelude::*;

use super::networks::NETWORK_ID;
use crate::app::dom;
use crate::app::model::CheckpointFile;
use crate::app::session::Session;
use crate::app::state::{Puzzle, State, Unknown};
use crate::arch::Variant;
use crate::graph::Mismatch;

/// Names that a list shows; a file may have hundreds of thousands.
const MOST_NAMES: usize = 200;

/// A visitor's checkpoint that fits several networks, or none.
#[component]
pub fn PuzzleCard() -> impl IntoView {
    let state = expect_context::<State>();
    let leave = move |_| {
        dom::focus(NETWORK_ID);
        state.puzzle.set(None);
    };
    view! {
        <div aria-live="polite">
            {move || state.puzzle.get().map(|puzzle| view! {
                <section class="panel puzzle" data-testid="puzzle">
                    {match puzzle {
                        Puzzle::Ambiguous { file, fits } => view! { <Ambiguous file fits/> }.into_any(),
                        Puzzle::Unknown(unknown) => view! { <Differences unknown/> }.into_any(),
                    }}
                    <button class="quiet" type="button" data-testid="puzzle-close"
                        on:click=leave>"Leave it"</button>
                </section>
            })}
        </div>
    }
}

/// Which of the networks that it fits is meant.
#[component]
fn Ambiguous(file: CheckpointFile, fits: Vec<&'static Variant>) -> impl IntoView {
    let (state, session) = (expect_context::<State>(), expect_context::<Session>());
    let name = file.name.clone();
    let file = StoredValue::new_local(file);
    let choose = move |variant| {
        dom::focus(NETWORK_ID);
        state.puzzle.set(None);
        session.open_file(variant, file.get_value());
    };
    let button = |variant: &'static Variant| {
        view! {
            <button class="primary" type="button" data-testid="puzzle-choice" data-value=variant.id
                on:click=move |_| choose(variant)>{variant.title}</button>
        }
    };
    view! {
        <h2>{format!("Which network is ‘{name}’ of?")}</h2>
        <p>
            "These networks have the same tensors and differ in what they do with them, which a file of weights does "
            "not say."
        </p>
        <div class="choices">{fits.into_iter().map(button).collect_view()}</div>
    }
}

/// What does not fit the network that it is most like.
#[component]
fn Differences(unknown: Unknown) -> impl IntoView {
    let Unknown { file, nearest, mismatch: Mismatch { missing, unexpected, misshapen } } = unknown;
    let lists = [("Missing", missing), ("Unexpected", unexpected), ("Of another shape", misshapen)];
    let list = |(what, names): (&'static str, Vec<String>)| {
        let count = names.len();
        let more = count.checked_sub(MOST_NAMES).filter(|more| *more > 0);
        let names = names.into_iter().take(MOST_NAMES);
        view! {
            <details>
                <summary>{format!("{what}: {count}")}</summary>
                <ul class="names">
                    {names.map(|name| view! { <li>{name}</li> }).collect_view()}
                    {more.map(|more| view! { <li>{format!("and {more} more")}</li> })}
                </ul>
            </details>
        }
    };
    view! {
        <h2>{format!("‘{file}’ fits no network of this page")}</h2>
        <p>
            "It is most like "<strong>{nearest.title}</strong>", from which its tensors differ as follows. What is on "
            "screen stays."
        </p>
        {lists.into_iter().filter(|(_, names)| !names.is_empty()).map(list).collect_view()}
    }
}
