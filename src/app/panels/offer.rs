use std::sync::Arc;

use leptos::prelude::*;

use super::networks::NETWORK_ID;
use crate::app::dom;
use crate::app::hub::{Host, HubError};
use crate::app::session::Session;
use crate::app::state::State;
use crate::app::words;
use crate::arch::Variant;
use crate::vision::{Filter, Preprocess};
use crate::weights::{Catalogue, Entry};

/// The offer to load the weights of the chosen network, where there is one to make.
#[component]
pub fn Offers() -> impl IntoView {
    let (state, session) = (expect_context::<State>(), expect_context::<Session>());
    let offered = Memo::new(move |_| state.offer.get());
    view! {
        <div aria-live="polite">
            {move || offered.get().map(|network| {
                let entries = Signal::derive(move || {
                    let of_network = |catalogue: &Arc<Catalogue>| catalogue.of(network.id).cloned().collect();
                    state.catalogue.with(|catalogue| catalogue.as_ref().map(of_network).unwrap_or_default())
                });
                view! {
                    <Offer network entries host=session.hub_host()
                        on_load=move |entry| session.load(network, entry)
                        at_work=Signal::derive(move || state.at_work()) on_decline=move |()| session.decline()/>
                }
            })}
        </div>
    }
}

/// A network whose weights are not here yet: the published checkpoints to choose from, and a button that loads one.
#[component]
pub fn Offer(
    network: &'static Variant,
    /// The network's checkpoints, the one to take first in front.
    #[prop(into)]
    entries: Signal<Vec<Entry>>,
    /// Who would be asked, see [`Hub::host`](crate::app::hub::Hub::host).
    host: Result<Host, HubError>,
    #[prop(into)] on_load: Callback<Entry>,
    /// The network whose maps are on the screen meanwhile.
    #[prop(into)]
    at_work: Signal<Option<&'static Variant>>,
    /// It is to stay.
    #[prop(into)]
    on_decline: Callback<()>,
) -> impl IntoView {
    let chosen = RwSignal::new(0_usize);
    let decline = move |_| {
        dom::focus(NETWORK_ID);
        on_decline.run(());
    };
    let entry = Memo::new(move |_| entries.with(|entries| entries.get(chosen.get()).or(entries.first()).cloned()));
    let host = StoredValue::new(host);
    let body = move || match (entry.get(), host.get_value()) {
        (_, Err(error)) => {
            view! { <p data-testid="offer-trouble">{error.to_string()}" "{error.next_step()}</p> }.into_any()
        }
        (None, Ok(_)) => view! {
            <p data-testid="offer-none">
                "No checkpoint of this network is published that this page knows of. A file of your own can be dropped "
                "anywhere."
            </p>
        }
        .into_any(),
        (Some(entry), Ok(host)) => view! { <Checkpoint entry host on_load/> }.into_any(),
    };
    view! {
        <section class="panel offer" data-testid="offer" aria-labelledby="offer-title">
            <header class="panel-head">
                <h2 id="offer-title">{format!("Weights of {}", network.title)}</h2>
                <p class="muted">
                    {move || match at_work.get().is_some_and(|at_work| at_work.id == network.id) {
                        true => "They take the place of those at work.",
                        false => "None are loaded yet.",
                    }}
                </p>
            </header>
            <Show when=move || entries.with(|entries| entries.len() > 1)>
                <label class="field">
                    <span>"Published checkpoint"</span>
                    <select data-testid="offer-tag" on:change=move |event| {
                        if let Ok(position) = event_target_value(&event).parse() {
                            chosen.set(position);
                        }
                    }>
                        <For each=move || entries.get().into_iter().enumerate() key=|(_, entry)| entry.repository.clone()
                            let((position, entry))
                        >
                            <option value=position.to_string() prop:selected=move || chosen.get() == position>
                                {choice(&entry)}
                            </option>
                        </For>
                    </select>
                </label>
            </Show>
            {body}
            {move || at_work.get().map(|at_work| view! {
                <button class="quiet" type="button" data-testid="offer-decline" on:click=decline>
                    {format!("Stay with {}", at_work.title)}
                </button>
            })}
        </section>
    }
}

/// For example `a1h_in1k: 80.1 % at 224 × 224`.
fn choice(Entry { tag, top1, card, .. }: &Entry) -> String {
    let [_, height, width] = card.input;
    match top1 {
        Some(top1) => format!("{tag}: {} at {width} × {height}", words::percent(*top1)),
        None => format!("{tag}: {width} × {height}"),
    }
}

/// What is known of one checkpoint, and the way to get it.
#[component]
fn Checkpoint(entry: Entry, host: Host, on_load: Callback<Entry>) -> impl IntoView {
    let Preprocess { size, crop_fraction, filter, .. } = entry.card.preprocess();
    let filter = match filter {
        Filter::Bilinear => "bilinear",
        Filter::Bicubic => "bicubic",
    };
    let input = format!(
        "the middle of the picture, {} of its shorter side, as {size} × {size} pixels ({filter})",
        words::percent(crop_fraction as f32)
    );
    let top1 =
        entry.top1.map(|top1| format!("{} of ImageNet’s validation pictures, as published", words::percent(top1)));
    let label = format!("Load ({}, {})", words::megabytes(entry.bytes), entry.repository);
    let page = host.page(&entry);
    let (licence, repository) = (entry.licence.clone(), entry.repository.clone());
    let load = move |_| {
        dom::focus(NETWORK_ID);
        on_load.run(entry.clone());
    };
    view! {
        <dl class="properties">
            {top1.map(|top1| view! { <dt>"First guess right"</dt><dd data-testid="offer-top1">{top1}</dd> })}
            <dt>"Sees"</dt><dd>{input}</dd>
            <dt>"Licence"</dt><dd data-testid="offer-licence">{licence}</dd>
            <dt>"Source"</dt>
            <dd><a href=page data-testid="offer-source" target="_blank" rel="noopener noreferrer">{repository}</a></dd>
        </dl>
        <button class="primary" type="button" data-testid="offer-load" on:click=load>{label}</button>
        <p class="muted">
            "The request goes to "<strong>{host.name}</strong>", which learns which network you load and may pass the "
            "request on to its file servers. Your pictures stay on this machine, and so does the file, for the next visit."
        </p>
    }
}
