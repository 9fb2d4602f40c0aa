use leptos::html::Canvas;
use leptos::prelude::*;

use super::explain_features::Why;
use super::rail::{Rail, Stop};
use crate::app::canvas::{SMALL, draw_map};
use crate::app::lens::Scale;
use crate::app::parts::{Table, TableButton};
use crate::app::state::State;
use crate::app::words;
use crate::reading::LayerReading;
use crate::vision::{Map, Range};

/// What the rail shows of one layer.
#[derive(Clone, PartialEq)]
struct Mean {
    stop: Stop,
    channels: usize,
    groups: usize,
    map: Map,
    /// Over the map's cells.
    mean: f32,
}

impl Mean {
    fn new(layer: &LayerReading) -> Self {
        let map = Map::of_channel(&layer.mean, 0);
        let mean = map.values.iter().sum::<f32>() / map.values.len() as f32;
        let stop = Stop::new(&layer.name, layer.mean.shape, |name, cells| {
            format!(
                "Layer {name}, {cells} cells, {}: mean activation {}",
                words::grouped(layer.channels, layer.groups),
                words::number(mean)
            )
        });
        Self { stop, channels: layer.channels, groups: layer.groups, map, mean }
    }
}

/// The depth of a network without units as a rail of layers, each with the mean of its feature maps.
#[component]
pub fn Layers() -> impl IntoView {
    let state = expect_context::<State>();
    let layers = Memo::new(move |_| {
        state.analysis.with(|analysis| {
            let layers = analysis.as_ref().map(|analysis| analysis.reading.layers.iter().map(Mean::new));
            layers.map(Iterator::collect::<Vec<_>>).unwrap_or_default()
        })
    });
    let stops = Memo::new(move |_| layers.with(|all| all.iter().map(|layer| layer.stop.clone()).collect::<Vec<_>>()));
    let picture = move |position: usize| {
        let map = Memo::new(move |_| layers.with(|layers| layers.get(position).map(|layer| layer.map.clone())));
        view! { <LayerMap map/> }
    };
    view! {
        <section class="panel depth" aria-labelledby="layers-title">
            <header class="panel-head"><h2 id="layers-title">"Through the depth"</h2></header>
            <Why/>
            <div class="caption">
                <p class="muted">
                    "Mean of each layer’s feature maps, block by block, each on a scale of its own from dark to bright, or from \
                     zero to both sides where values are below it."
                </p>
                <TableButton what="mean activations by layer" testid="layers-table" table=move || table(&layers.get())/>
            </div>
            <Rail label="Layers" testid="layer" stops picture/>
        </section>
    }
}

/// A layer's mean, as small as a unit's bar is wide.
#[component]
fn LayerMap(map: Memo<Option<Map>>) -> impl IntoView {
    let state = expect_context::<State>();
    let canvas = NodeRef::<Canvas>::new();
    Effect::new(move |_| {
        if let (Some(canvas), Some(map)) = (canvas.get(), map.get()) {
            draw_map(&canvas, &map, Scale::of(state, Range::fitting([&map])), state.smooth.get().then_some(SMALL));
        }
    });
    view! {
        <canvas class="layer-map" node_ref=canvas class:cells=move || !state.smooth.get() data-testid="layer-map"
            aria-hidden="true"></canvas>
    }
}

fn table(layers: &[Mean]) -> Table {
    let row = |layer: &Mean| {
        let counts = [layer.channels.to_string(), layer.groups.to_string(), words::number(layer.mean)];
        layer.stop.row().into_iter().chain(counts).collect()
    };
    Table {
        caption: "Layers, and the mean of their activations over channels and cells".into(),
        head: ["Layer", "Module", "Cells", "Channels", "Groups", "Mean"].map(String::from).to_vec(),
        rows: layers.iter().map(row).collect(),
    }
}
