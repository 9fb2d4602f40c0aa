use leptos::ev::{KeyboardEvent, PointerEvent};
use leptos::html::{Canvas, Div};
use leptos::prelude::*;

use super::Readout;
use crate::app::canvas::{LARGE, draw_map, draw_picture};
use crate::app::lens::Shown;
use crate::app::progress::ProgressLine;
use crate::app::state::{State, View};
use crate::app::words::{self, GroupName};
use crate::reading::LayerReading;

/// Of the element around the picture, which is given the focus where what had it goes. It has no keys of its own.
pub const PICTURE_ID: &str = "picture";

/// The square that the network sees, and the map over it; the pointer, a finger or the arrow keys read
/// the map's cells.
#[component]
pub fn PictureView() -> impl IntoView {
    let (state, shown) = (expect_context::<State>(), expect_context::<Shown>().0);
    let (picture, heat, frame) = (NodeRef::<Canvas>::new(), NodeRef::<Canvas>::new(), NodeRef::<Div>::new());

    Effect::new(move |_| {
        let Some(canvas) = picture.get() else { return };
        state.picture.with(|picture| {
            if let Some(picture) = picture {
                draw_picture(&canvas, &picture.square);
            }
        });
    });
    Effect::new(move |_| {
        if let (Some(canvas), Some(lens)) = (heat.get(), shown.get()) {
            draw_map(&canvas, &lens.map, lens.scale, state.smooth.get().then_some(LARGE));
        }
    });

    let extent = Memo::new(move |_| shown.with(|lens| lens.as_ref().map(|lens| (lens.map.width, lens.map.height))));
    let point = move |event: PointerEvent| {
        let (Some(frame), Some((width, height))) = (frame.get_untracked(), extent.get_untracked()) else { return };
        let bounds = frame.get_bounding_client_rect();
        let cell = |offset: f64, length: f64, cells: usize| {
            ((offset / length * cells as f64).max(0.0) as usize).min(cells - 1)
        };
        let x = cell(f64::from(event.client_x()) - bounds.left(), bounds.width(), width);
        let y = cell(f64::from(event.client_y()) - bounds.top(), bounds.height(), height);
        if state.cell.get_untracked() != Some((x, y)) {
            state.cell.set(Some((x, y)));
        }
    };
    // A finger covers what it points at: what it read stays until the next tap.
    let leave = move |event: PointerEvent| {
        if event.pointer_type() == "mouse" {
            state.cell.set(None);
        }
    };
    let walk = move |event: KeyboardEvent| {
        let Some((width, height)) = extent.get_untracked() else { return };
        let (x, y) = state.cell.get_untracked().unwrap_or((width / 2, height / 2));
        let cell = match event.key().as_str() {
            "ArrowLeft" => (x.saturating_sub(1), y),
            "ArrowRight" => ((x + 1).min(width - 1), y),
            "ArrowUp" => (x, y.saturating_sub(1)),
            "ArrowDown" => (x, (y + 1).min(height - 1)),
            _ => return,
        };
        event.prevent_default();
        state.cell.set(Some(cell));
    };
    let mark = move || {
        let ((x, y), (width, height)) = (state.cell.get()?, extent.get()?);
        let part = |value: usize, of: usize| value as f64 / of as f64 * 100.0;
        let (left, top) = (part(x, width), part(y, height));
        Some(format!("left:{left}%;top:{top}%;width:{}%;height:{}%", part(1, width), part(1, height)))
    };
    let alt = move || state.picture.with(|picture| picture.as_ref().map(|picture| picture.alt.clone()));
    let replaced = move || {
        let told = state.with_what_if(|what_if| format!("; gates replaced: {}", what_if.told()));
        told.unwrap_or_default()
    };
    let has_map = move || shown.with(Option::is_some);
    let greyed = move || has_map() && !state.colourful.get() && state.opacity.get() > 0;

    view! {
        <div id=PICTURE_ID tabindex="-1" role="tabpanel" aria-label="Picture and map">
            <div
                class="frame" node_ref=frame tabindex="0" role="application"
                aria-roledescription="picture with a heat map"
                aria-label=move || format!("{}{}. Arrow keys read the map's cells.", describe(state, alt()), replaced())
                data-testid="frame"
                on:pointermove=point on:pointerdown=point on:pointerleave=leave on:keydown=walk
            >
                <canvas
                    node_ref=picture class="layer" data-testid="picture" aria-hidden="true"
                    class:grey=greyed
                ></canvas>
                <canvas
                    node_ref=heat class="layer heat" data-testid="heatmap" aria-hidden="true"
                    class:cells=move || !state.smooth.get()
                    hidden=move || !has_map()
                    style:opacity=move || format!("{}%", state.opacity.get())
                ></canvas>
                <Show when=move || mark().is_some()><span class="cell-mark" style=mark></span></Show>
                <ProgressLine/>
            </div>
            <div class="picture-caption"><Readout/></div>
        </div>
    }
}

/// The picture and the map in words.
fn describe(state: State, alt: Option<String>) -> String {
    let alt = alt.unwrap_or_else(|| "No picture yet".into());
    let unit = state.with_unit(words::unit_name);
    match (state.view.get(), unit) {
        (View::Class, _) => format!("{alt}, with the class activation map"),
        (View::Features, _) => {
            let map = |layer: &LayerReading| {
                let name = GroupName::of(layer, state.shown_group()).long;
                format!("{alt}, with the feature map of {name} of layer {}", words::place_name(&layer.name))
            };
            state.with_layer(map).unwrap_or_else(|| alt.clone())
        }
        (view, Some(unit)) => {
            let (view, branch) = (view.title().to_lowercase(), state.branch.get() + 1);
            format!("{alt}, with the {view} of branch {branch} of unit {unit}")
        }
        (_, None) => alt,
    }
}
