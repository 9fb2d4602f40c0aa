use std::sync::Arc;

use leptos::html::Canvas;
use leptos::prelude::*;

use crate::app::canvas::{SMALL, draw_map};
use crate::app::lens::Scale;
use crate::app::session::Session;
use crate::app::state::{Activations, State};
use crate::app::words;
use crate::reading::Gates;
use crate::vision::{Map, Range};

/// One channel in full: gate times feature map, branch by branch, adds up to the unit's output.
#[component]
pub fn Channel(channel: Memo<Option<usize>>, gates: Memo<Option<Gates>>) -> impl IntoView {
    let (state, session) = (expect_context::<State>(), expect_context::<Session>());
    // Feature maps are read back from the device only for the unit that is looked at.
    Effect::new(move |_| {
        if state.analysis.with(Option::is_some) {
            session.want_activations(state.unit.get());
        }
    });
    let parts = Memo::new(move |_| {
        let gates = gates.get()?;
        let channel = channel.get().filter(|channel| *channel < gates.channels)?;
        Some(Parts::new(&gates, channel, state.current_activations()))
    });
    let read = move |read: fn(&Parts) -> Option<Map>| {
        Signal::derive(move || parts.with(|parts| parts.as_ref().and_then(read)))
    };
    let range = Signal::derive(move || parts.with(|parts| parts.as_ref().map(Parts::range)));
    let branches = move || parts.with(|parts| parts.as_ref().map_or(0, |parts| parts.gates.len()));
    view! {
        <div class="channel" data-testid="channel" data-channel=move || channel.get().map(|channel| channel.to_string())>
            <h3>{move || channel.get().map(|channel| format!("Channel {channel}"))}</h3>
            <div class="equation">
                <For each=move || 0..branches() key=|branch| *branch let(branch)>
                    <span class="product">
                    {(branch > 0).then(|| view! { <span class="sign">"+"</span> })}
                    <span class="factor">
                        <span class=format!("swatch branch-{branch}")></span>
                        <span data-testid="gate" data-branch=branch.to_string()>
                            {move || parts.with(|parts| {
                                parts.as_ref().and_then(|parts| parts.gates.get(branch).copied()).map(words::gate)
                            })}
                        </span>
                    </span>
                    <span class="sign">"×"</span>
                    <Thumbnail
                        name=format!("branch {}", branch + 1)
                        range
                        map=Signal::derive(move || parts.with(|parts| parts.as_ref()?.maps.get(branch).cloned()))
                    />
                    </span>
                </For>
                <span class="product">
                    <span class="sign">"="</span>
                    <Thumbnail name="output".to_string() range map=read(|parts| parts.sum.clone())/>
                </span>
            </div>
            <p class="muted scale">
                {move || range.get().map(|range| {
                    format!("All on one scale, {} to {}.", words::number(range.low), words::number(range.high))
                })}
            </p>
        </div>
    }
}

/// One channel of all branches.
#[derive(Clone, PartialEq)]
struct Parts {
    gates: Vec<f32>,
    /// Activations per branch; empty until they have been read back.
    maps: Vec<Map>,
    /// Gate times activation, summed over branches.
    sum: Option<Map>,
}

impl Parts {
    fn new(gates: &Gates, channel: usize, activations: Option<Arc<Activations>>) -> Self {
        let gates_of: Vec<f32> = (0..gates.branches).map(|branch| gates.at(branch, channel)).collect();
        let map = |activations: &Activations, branch: usize| {
            Map::of_channel(&activations.tensor, branch * gates.channels + channel)
        };
        let maps: Vec<Map> = match activations {
            Some(activations) => (0..gates.branches).map(|branch| map(&activations, branch)).collect(),
            None => Vec::new(),
        };
        let sum = maps.first().map(|first| {
            let at = |pixel: usize| gates_of.iter().zip(&maps).map(|(gate, map)| gate * map.values[pixel]).sum();
            Map { values: (0..first.values.len()).map(at).collect(), ..*first }
        });
        Self { gates: gates_of, maps, sum }
    }

    fn range(&self) -> Range {
        Range::fitting(self.maps.iter().chain(&self.sum))
    }
}

/// A small feature map.
#[component]
fn Thumbnail(name: String, range: Signal<Option<Range>>, map: Signal<Option<Map>>) -> impl IntoView {
    let state = expect_context::<State>();
    let canvas = NodeRef::<Canvas>::new();
    Effect::new(move |_| {
        if let (Some(canvas), Some(range), Some(map)) = (canvas.get(), range.get(), map.get()) {
            draw_map(&canvas, &map, Scale::of(state, range), state.smooth.get().then_some(SMALL));
        }
    });
    view! {
        <figure class="thumbnail">
            <canvas node_ref=canvas class:cells=move || !state.smooth.get() data-testid="feature-map"
                role="img" aria-label=format!("Feature map, {name}")></canvas>
            <figcaption>{name}</figcaption>
        </figure>
    }
}
