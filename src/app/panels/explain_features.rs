use leptos::prelude::*;

use crate::app::parts::Term;
use crate::app::state::State;
use crate::app::words::{self, GroupName};
use crate::reading::LayerReading;

/// How a layer's convolution divides its channels.
#[derive(Clone, Copy, PartialEq)]
enum Division {
    /// One group.
    None,
    Groups(usize),
    /// As many groups as channels.
    Depthwise,
}

impl Division {
    fn of(layer: &LayerReading) -> Self {
        match layer.groups {
            1 => Division::None,
            groups if groups == layer.channels => Division::Depthwise,
            groups => Division::Groups(groups),
        }
    }
}

/// Why a network has no attention to show, and what is shown in its place.
#[component]
pub fn Why() -> impl IntoView {
    let state = expect_context::<State>();
    let division = Memo::new(move |_| state.with_layer(Division::of));
    let title = Memo::new(move |_| {
        state.analysis.with(|analysis| analysis.as_ref().map(|analysis| analysis.model.variant.title))
    });
    let attention = "Weighing features by numbers that the network computes from the picture itself: gates.";
    let gate = "A number between 0 and 1 for one channel: how much of it is kept on this picture.";
    view! {
        <div class="why" data-testid="why">
            <p>
                {title}" has no "<Term word="attention" meaning=attention.to_string()/>
                ": what its layers find is mixed with weights that are the same for every picture, and no "
                <Term word="gate" meaning=gate.to_string()/>" decides on this one what counts. "
                {move || division.get().map(of_division)}
            </p>
        </div>
    }
}

fn of_division(division: Division) -> AnyView {
    let group = "Channels of a convolution that read the same channels before them, and no others.";
    match division {
        Division::None => view! {
            "Its 3 × 3 convolutions have one "<Term word="group" meaning=group.to_string()/>
            ": every channel reads all channels before it. So there are no branches to compare; the page shows what each \
             layer found, and where the evidence for a class lies."
        }
        .into_any(),
        Division::Groups(groups) => {
            let cardinality = "The number of groups of a convolution, as the ResNeXt paper calls it.";
            view! {
                "This layer’s "<Term word="cardinality" meaning=cardinality.to_string()/>
                {format!(" is {groups}: its ")}<Term word="groups" meaning=group.to_string()/>
                " are branches too, each reading channels of its own, but they are set side by side, not weighed \
                 against each other. So the page shows what each group found, and where the evidence for a class lies."
            }
            .into_any()
        }
        Division::Depthwise => {
            let depthwise = "With as many groups as channels: each channel is filtered on its own.";
            view! {
                "Its spatial convolutions are "<Term word="depthwise" meaning=depthwise.to_string()/>
                ": a group is a single channel. So the page shows what single channels found, and where the evidence \
                 for a class lies."
            }
            .into_any()
        }
    }
}

/// One plain sentence on the feature map that lies over the picture.
pub fn of_features(state: State) -> impl IntoView {
    let layer = Memo::new(move |_| state.with_layer(LayerReading::clone));
    let name = move || layer.with(|layer| layer.as_ref().map(|layer| GroupName::of(layer, state.shown_group())));
    let activation = "What one channel answers at one place of the picture: how strongly it found what it looks for.";
    let place = move || layer.with(|layer| layer.as_ref().map(|layer| words::place_name(&layer.name)));
    let is_mean = move || {
        layer.with(|layer| {
            layer.as_ref().is_some_and(|layer| state.shown_group().is_none() || layer.groups < layer.channels)
        })
    };
    let structure = move || {
        layer.with(|layer| {
            layer.as_ref().map(|layer| format!("{}: {}.", layer.name, words::grouped(layer.channels, layer.groups)))
        })
    };
    view! {
        <p>
            <strong>{move || name().map(|name| words::capitalised(&name.long))}</strong>" of layer "{place}": "
            {move || if is_mean() { "the mean " } else { "the " }}
            <Term word="activation" meaning=activation.to_string()/>
            ", cell by cell, after the convolution’s norm and activation function."
        </p>
        <p class="muted">{structure}</p>
    }
}
