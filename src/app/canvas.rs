//! Maps and bars on canvases.

use leptos::prelude::*;
use wasm_bindgen::{Clamped, JsCast, JsValue};
use web_sys::{CanvasRenderingContext2d, HtmlCanvasElement, ImageData};

use crate::vision::{ColourMap, Map, Range, paint, upsample};

/// Pixels across a smoothly drawn map: far more than it has cells, and quick to paint.
const SMOOTH_EDGE: usize = 512;

/// A canvas's pen; `None` where the browser has none left to give.
pub fn pen(canvas: &HtmlCanvasElement) -> Option<CanvasRenderingContext2d> {
    canvas.get_context("2d").ok()??.dyn_into().ok()
}

/// Paints a map onto a canvas that styles stretch to its place: interpolated, or one pixel a cell.
pub fn draw_map(canvas: &HtmlCanvasElement, map: &Map, range: Range, colours: ColourMap, smooth: bool) {
    let rgba = match smooth {
        true => paint(&upsample(map, SMOOTH_EDGE, SMOOTH_EDGE, true), range, colours),
        false => paint(map, range, colours),
    };
    let (width, height) = if smooth { (SMOOTH_EDGE, SMOOTH_EDGE) } else { (map.width, map.height) };
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

/// A colour scale from left to right, as a style.
pub fn gradient(colours: ColourMap) -> String {
    const STOPS: usize = 16;
    let stop = |index: usize| {
        let [red, green, blue] = colours.sample(index as f32 / STOPS as f32);
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
