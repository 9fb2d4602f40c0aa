//! What is being worked on, over the picture that it is for.

use leptos::prelude::*;

use super::dom;
use super::panels::PICTURE_ID;
use super::session::Session;
use super::state::{Life, Progress, Stage, State};
use super::words;

/// The work at hand with its bar and a way to stop it.
#[component]
pub fn ProgressLine() -> impl IntoView {
    let (state, session) = (expect_context::<State>(), expect_context::<Session>());
    let progress = Memo::new(move |_| state.life.with(Life::progress));
    // A bar that cannot tell how far it is says so by having no value.
    let part = move || progress.get().filter(|p| p.total > 0).map(|p| p.done as f64 / p.total as f64);
    let stage = move || progress.get().map(|progress| format!("{:?}", progress.stage).to_lowercase());
    let stoppable = move || progress.get().is_some_and(|progress| can_be_stopped(progress.stage));
    let stop = move |_| {
        dom::focus(PICTURE_ID);
        session.stop();
    };
    view! {
        <Show when=move || progress.get().is_some()>
            <div class="progress" data-testid="progress" data-stage=stage>
                <span class="progress-text">{move || progress.get().map(describe)}</span>
                <Show when=stoppable>
                    <button class="quiet" type="button" data-testid="stop" on:click=stop>"Stop"</button>
                </Show>
                <div class="progress-bar" role="progressbar" aria-label="Progress" aria-valuemin="0" aria-valuemax="100"
                    aria-valuenow=move || part().map(|part| format!("{:.0}", part * 100.0))
                    class:unknown=move || part().is_none()
                >
                    <span style:width=move || part().map(|part| format!("{:.1}%", part * 100.0))></span>
                </div>
            </div>
        </Show>
    }
}

/// The stages that may last.
fn can_be_stopped(stage: Stage) -> bool {
    matches!(stage, Stage::Card | Stage::Download | Stage::Kernels | Stage::Pipelines | Stage::Upload | Stage::Picture)
}

/// In a few words, with numbers where they are known.
pub fn describe(progress: Progress) -> String {
    let Progress { stage, done, total } = progress;
    let counted = |what: &str| if total > 0 { format!("{what}, {done} of {total}") } else { what.into() };
    match stage {
        Stage::Checkpoint => "Looking at your checkpoint".into(),
        Stage::Card => "Reading about the network".into(),
        Stage::Adapter => "Asking for the graphics device".into(),
        Stage::Download => match total {
            0 if done == 0 => "Loading weights".into(),
            0 => format!("Loading weights, {}", words::megabytes(done as u64)),
            _ => format!("Loading weights, {} of {}", words::megabytes(done as u64), words::megabytes(total as u64)),
        },
        Stage::Kernels => counted("Trying out kernels on this adapter, once"),
        Stage::Pipelines => counted("Compiling shaders"),
        Stage::Upload => counted("Uploading layers"),
        Stage::Picture => match total {
            0 => "Reading the picture".into(),
            _ => format!("Reading the picture, {:.0} %", done as f64 / total as f64 * 100.0),
        },
        Stage::Run => "Running the network".into(),
    }
}
