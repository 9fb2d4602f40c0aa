//! Knows the document, and is alone in that: the page's state, panels, canvases, files of the site and of
//! the visitor. Owns no maths: it asks the engine and [`crate::vision`].
//!
//! [`session`] is the one worker between page and engine; [`state`] is what it leaves for the panels to
//! show; [`lens`] is the map that lies over the picture.

mod analysis;
mod arrivals;
mod canvas;
mod debug;
mod dom;
mod failure;
mod features;
mod fetch;
mod help;
mod hub;
mod intake;
mod keys;
mod lens;
mod model;
mod notice;
mod observe;
mod page;
mod panels;
mod parts;
mod progress;
mod samples;
mod session;
mod speed;
mod state;
mod telling;
mod tuning;
mod view;
mod what_if;
mod words;

use leptos::mount::mount_to;
use leptos::prelude::*;
use wasm_bindgen::JsCast;
use web_sys::HtmlElement;

/// Puts the page into the document.
pub fn start() {
    std::panic::set_hook(Box::new(|info| {
        console_error_panic_hook::hook(info);
        show_crash(&info.to_string());
    }));
    let Some(place) = document().get_element_by_id("app") else { return };
    let place: HtmlElement = place.unchecked_into();
    mount_to(place.clone(), move || page::begin(place)).forget();
}

/// The last thing the program does: the page's own markup holds the sentence.
fn show_crash(why: &str) {
    if let Some(place) = document().get_element_by_id("crash-why") {
        place.set_text_content(Some(why));
    }
    if let Some(crash) = document().get_element_by_id("crash") {
        // The program is at its end: there is nobody left to tell if this fails.
        let _ = crash.remove_attribute("hidden");
    }
    if let Some(root) = document().document_element() {
        let _ = root.set_attribute("data-phase", "failed");
    }
}
