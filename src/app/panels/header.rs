use leptos::prelude::*;

use super::networks::Networks;
use crate::app::help::HelpButton;
use crate::app::samples::{Credit, Sample};
use crate::app::state::State;
use crate::app::words;

/// The page's name, the network, the adapter.
#[component]
pub fn Header() -> impl IntoView {
    view! {
        <header class="masthead">
            <h1>"SplitLens"</h1>
            <Networks/>
            <Adapter/>
            <HelpButton/>
        </header>
    }
}

#[component]
fn Adapter() -> impl IntoView {
    let state = expect_context::<State>();
    let name = move || state.host.with(|host| host.as_ref().map(|host| host.adapter.name.clone()));
    let software = move || state.host.with(|host| host.as_ref().is_some_and(|host| host.adapter.software));
    view! {
        <p class="adapter" data-testid="adapter" data-software=move || software().to_string()>
            {move || name().map(|name| format!("Runs on {name}"))}
            <Show when=software>
                <span class="muted">"This is the processor, in place of a graphics card: it is slow."</span>
            </Show>
        </p>
    }
}

/// Credits, and what the engine uses.
#[component]
pub fn Footer(samples: RwSignal<Vec<Sample>>) -> impl IntoView {
    let state = expect_context::<State>();
    let account = move || {
        state.host.with(|host| {
            let account = host.as_ref()?.account;
            Some(format!(
                "This network on the device: {} of weights, {} of activations, {} dispatches of {} pipelines.",
                words::megabytes(account.weights_bytes),
                words::megabytes(account.activations_bytes),
                account.dispatches,
                account.pipelines
            ))
        })
    };
    let kept = move || {
        state.host.with(|host| {
            let kept = host.as_ref()?.kept;
            let networks = if kept.networks == 1 { "network" } else { "networks" };
            Some(format!(
                "Kept on the device for an immediate return: {} {networks}, {} of at most {}.",
                kept.networks,
                words::megabytes(kept.bytes),
                words::megabytes(kept.budget_bytes)
            ))
        })
    };
    let time = move || {
        state.analysis.with(|analysis| {
            analysis.as_ref().map(|analysis| format!(" This picture took {}.", words::milliseconds(analysis.run_ms)))
        })
    };
    let provenance = move || state.model.with(|model| model.as_ref().map(|model| model.provenance.clone()));
    view! {
        <footer class="foot muted">
            <p>"Every layer runs in WebGPU compute shaders on your machine; your pictures never leave it."</p>
            <p data-testid="account">{account}{time}</p>
            <p data-testid="shelf">{kept}</p>
            <p data-testid="provenance">{provenance}</p>
            <details>
                <summary>"Credits of the sample pictures"</summary>
                <ul>
                    <For each=move || samples.get() key=|sample| sample.file.clone() let(sample)>
                        <li><Credit sample/></li>
                    </For>
                </ul>
            </details>
        </footer>
    }
}
