use leptos::prelude::*;

use crate::app::help::HelpButton;
use crate::app::model::{MODELS, Model};
use crate::app::parts::{Choice, Role, Segments};
use crate::app::samples::{Credit, Sample};
use crate::app::session::Session;
use crate::app::state::State;
use crate::app::words;
use crate::arch::zoo;

/// The page's name, the network, the adapter.
#[component]
pub fn Header() -> impl IntoView {
    let state = expect_context::<State>();
    view! {
        <header class="masthead">
            <h1>"SplitLens"</h1>
            <div class="network">
                <Networks/>
                <p class="muted facts" data-testid="network">
                    {move || state.model.with(|model| model.as_deref().map(describe))}
                </p>
            </div>
            <Adapter/>
            <HelpButton/>
        </header>
    }
}

/// The networks to choose from, or the only one's name.
#[component]
fn Networks() -> impl IntoView {
    let (state, session) = (expect_context::<State>(), expect_context::<Session>());
    let title = |id: &str| zoo::variant(id).map_or_else(|| id.to_string(), |variant| variant.title.to_string());
    match MODELS {
        [id] => view! { <p class="network-name">{title(id)}</p> }.into_any(),
        _ => {
            let choice = |(value, id): (usize, &&str)| Choice { value, id: (*id).into(), label: title(id) };
            let choices: Vec<Choice<usize>> = MODELS.iter().enumerate().map(choice).collect();
            let choose = move |position| {
                state.network.set(position);
                session.open();
            };
            view! {
                <Segments label="Network" testid="networks" role=Role::Tabs choices=Signal::stored(choices)
                    chosen=state.network choose=choose/>
            }
            .into_any()
        }
    }
}

fn describe(model: &Model) -> String {
    let (cost, [_, height, width]) = (model.cost(), model.card.input);
    format!(
        "{} parameters · {} multiply-adds · {width} × {height} pixels in · first guess right on {}",
        words::count(cost.parameters),
        words::count(cost.macs),
        words::percent(model.training.top1),
    )
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
                "On the device: {} of weights, {} of activations, {} dispatches of {} pipelines.",
                words::megabytes(account.weights_bytes),
                words::megabytes(account.activations_bytes),
                account.dispatches,
                account.pipelines
            ))
        })
    };
    let time = move || {
        state.analysis.with(|analysis| {
            analysis.as_ref().map(|analysis| format!(" This picture took {}.", words::milliseconds(analysis.run_ms)))
        })
    };
    let trained = move || {
        let data = state.model.with(|model| model.as_ref().map(|model| model.training.data.clone()));
        data.map(|data| format!("Trained on {data}."))
    };
    view! {
        <footer class="foot muted">
            <p>"Every layer runs in WebGPU compute shaders on your machine; your pictures never leave it."</p>
            <p data-testid="account">{account}{time}</p>
            <p>{trained}</p>
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
