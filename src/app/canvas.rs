//! Maps and bars on canvases.

use leptos::prelude::*;
use wasm_bindgen::{Clamped, JsCast, JsValue};
use web_sys::{CanvasRenderingContext2d, HtmlCanvasElement, ImageData};

use super::lens::Scale;
use crate::vision::{Map, upsample};

/// Pixels across a large map and a thumbnail when drawn smoothly: far more than there are cells, and quick to paint.
pub const LARGE: usize = 512;
pub const SMALL: usize = 160;

/// A canvas's pen; `None` where the browser has none left to give.
pub fn pen(canvas: &HtmlCanvasElement) -> Option<CanvasRenderingContext2d> {
    canvas.get_context("2d").ok()??.dyn_into().ok()
}

/// Paints a map onto a canvas that styles stretch to its place: interpolated to `smooth` pixels across, or one
/// pixel a cell.
pub fn draw_map(canvas: &HtmlCanvasElement, map: &Map, scale: Scale, smooth: Option<usize>) {
    let (rgba, width, height) = match smooth {
        Some(edge) => (scale.paint(&upsample(map, edge, edge, true)), edge, edge),
        None => (scale.paint(map), map.width, map.height),
    };
    canvas.set_width(width as u32);
    canvas.set_height(height as u32);
    let image = ImageData::new_with_u8_clamped_array_and_sh(Clamped(&rgba), width as u32, height as u32);
    if let (Ok(image), Some(pen)) = (image, pen(canvas)) {
        report(pen.put_image_data(&image, 0.0, 0.0));
    }
}

/// Copies a picture onto a canvas, taking over its size.
pub fn draw_picture(canvas: &HtmlCanvasElement, picture: &HtmlCanvasElement) {
    canvas.set_width(picture.width());
    canvas.set_height(picture.height());
    if let Some(pen) = pen(canvas) {
        report(pen.draw_image_with_html_canvas_element(picture, 0.0, 0.0));
    }
}

/// A colour scale from its low end to its high one, as a style.
pub fn gradient(scale: Scale) -> String {
    const STOPS: usize = 16;
    let stop = |index: usize| {
        let [red, green, blue] = scale.colour(index as f32 / STOPS as f32);
        format!("rgb({red} {green} {blue})")
    };
    let stops: Vec<String> = (0..=STOPS).map(stop).collect();
    format!("linear-gradient(to right, {})", stops.join(", "))
}

/// The value of a style variable, for what is drawn instead of styled.
pub fn style_variable(element: &HtmlCanvasElement, name: &str) -> String {
    let style = window().get_computed_style(element).ok().flatten();
    style.and_then(|style| style.get_property_value(name).ok()).unwrap_or_default()
}

/// A canvas that cannot be drawn on is a gap in the page, not the end of it.
fn report(result: Result<(), JsValue>) {
    if let Err(error) = result {
        leptos::logging::error!("drawing failed: {}", super::dom::message(&error));
    }
}
