use std::sync::Arc;

use leptos::ev::KeyboardEvent;
use leptos::html::{Canvas, Div};
use leptos::prelude::*;
use wasm_bindgen::JsCast;
use web_sys::HtmlElement;

use crate::app::canvas::{SMALL, draw_map};
use crate::app::features::{GroupMaps, MOST_GROUPS};
use crate::app::lens::Scale;
use crate::app::parts::{Table, TableButton};
use crate::app::session::Session;
use crate::app::state::{State, View};
use crate::app::words::{self, GroupName};
use crate::reading::LayerReading;
use crate::vision::{Map, Range};

/// The chosen layer in full: one small feature map for each group of its channels.
#[component]
pub fn Groups() -> impl IntoView {
    let (state, session) = (expect_context::<State>(), expect_context::<Session>());
    // Group maps are read back from the device only for the layer that is looked at.
    Effect::new(move |_| {
        if state.analysis.with(Option::is_some) {
            session.want_groups(state.unit.get());
        }
    });
    let grid = NodeRef::<Div>::new();
    let layer = Memo::new(move |_| state.with_layer(LayerReading::clone));
    let choices = Memo::new(move |_| state.group_choices());
    let range = Signal::derive(move || match (state.current_groups(), layer.get()) {
        (Some(maps), _) => Some(maps.range),
        (None, Some(layer)) => Some(Range::fitting([&Map::of_channel(&layer.mean, 0)])),
        (None, None) => None,
    });
    let title = move || layer.with(|layer| layer.as_ref().map(|layer| words::place_name(&layer.name)));
    let walk = move |event: KeyboardEvent| {
        let choices = choices.get_untracked();
        let chosen = untrack(|| state.shown_group());
        let position = choices.iter().position(|group| *group == chosen).unwrap_or(0);
        let next = match event.key().as_str() {
            "ArrowLeft" | "ArrowUp" => position.saturating_sub(1),
            "ArrowRight" | "ArrowDown" => (position + 1).min(choices.len() - 1),
            "Home" => 0,
            "End" => choices.len() - 1,
            _ => return,
        };
        event.prevent_default();
        state.choose_group(choices[next]);
        let button = grid.get_untracked().and_then(|grid| grid.children().item(next as u32));
        if let Some(button) = button.and_then(|button| button.dyn_into::<HtmlElement>().ok()) {
            // A button that cannot take the focus leaves it where it was.
            let _ = button.focus();
        }
    };
    view! {
        <section class="panel gates" aria-labelledby="groups-title">
            <header class="panel-head"><h2 id="groups-title">"Feature maps of layer "{title}</h2></header>
            <div class="caption">
                <p class="muted">{move || layer.with(|layer| layer.as_ref().map(caption))}</p>
                <TableButton what="feature maps by group" testid="groups-table"
                    table=move || table(layer.get(), state.current_groups())/>
            </div>
            <div class="groups" role="radiogroup" aria-label="Groups" node_ref=grid on:keydown=walk data-testid="groups">
                <For each=move || choices.get() key=|group| *group let(group)>
                    <GroupButton group layer range/>
                </For>
            </div>
            <p class="muted scale">
                {move || range.get().map(|range| {
                    let what = if choices.with(Vec::len) > 1 { "All on one scale" } else { "Scale" };
                    format!("{what}, {} to {}.", words::number(range.low), words::number(range.high))
                })}
            </p>
        </section>
    }
}

#[component]
fn GroupButton(group: Option<usize>, layer: Memo<Option<LayerReading>>, range: Signal<Option<Range>>) -> impl IntoView {
    let state = expect_context::<State>();
    let canvas = NodeRef::<Canvas>::new();
    Effect::new(move |_| {
        let map = match group {
            None => layer.with(|layer| layer.as_ref().map(|layer| Map::of_channel(&layer.mean, 0))),
            Some(group) => state.current_groups().map(|maps| maps.map(group)),
        };
        if let (Some(canvas), Some(range), Some(map)) = (canvas.get(), range.get(), map) {
            draw_map(&canvas, &map, Scale::of(state, range), state.smooth.get().then_some(SMALL));
        }
    });
    let name = move || layer.with(|layer| layer.as_ref().map(|layer| GroupName::of(layer, group)));
    let is_on = move || state.view.get() == View::Features && state.shown_group() == group;
    // With the class's map over the picture no group is on, but the row can still be reached.
    let is_reached = move || state.shown_group() == group;
    view! {
        <button
            class="group" type="button" role="radio" data-testid="group"
            data-group=group.map_or("mean".into(), |group| group.to_string())
            aria-checked=move || is_on().to_string()
            tabindex=move || if is_reached() { "0" } else { "-1" }
            aria-label=move || name().map(|name| name.long)
            title=move || name().map(|name| name.long)
            on:click=move |_| state.choose_group(group)
        >
            <canvas node_ref=canvas class:cells=move || !state.smooth.get() aria-hidden="true"></canvas>
            <span>{move || name().map(|name| name.short)}</span>
        </button>
    }
}

fn caption(layer: &LayerReading) -> String {
    let LayerReading { groups, channels, .. } = *layer;
    match groups {
        1 => format!("One group: the mean over its {channels} channels. Choose it to lay it over the picture."),
        _ if groups > MOST_GROUPS => {
            let what = if groups == channels { "channels" } else { "groups" };
            format!(
                "Of its {groups} {what} the {MOST_GROUPS} whose answers vary most over the picture, the first the most. \
                 Choose one to lay it over the picture."
            )
        }
        _ => {
            let each = channels / groups;
            format!(
                "Of each of its {groups} groups the mean over {each} channels. Choose one to lay it over the picture."
            )
        }
    }
}

fn table(layer: Option<LayerReading>, maps: Option<Arc<GroupMaps>>) -> Table {
    let (Some(layer), Some(maps)) = (layer, maps) else { return Table::default() };
    let row = |group: usize| {
        let map = maps.map(group);
        let mean = map.values.iter().sum::<f32>() / map.values.len() as f32;
        let Range { low, high } = Range::spanning([&map]);
        vec![GroupName::of(&layer, Some(group)).long, words::number(mean), words::number(low), words::number(high)]
    };
    Table {
        caption: format!("Feature maps of layer {}, over their cells", words::place_name(&layer.name)),
        head: ["Map", "Mean", "Least", "Largest"].map(String::from).to_vec(),
        rows: (0..layer.groups).map(row).collect(),
    }
}
