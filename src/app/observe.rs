//! Signals of what styles decide: an element's width, light or dark.

use leptos::html::Canvas;
use leptos::prelude::*;
use wasm_bindgen::JsCast;
use wasm_bindgen::prelude::Closure;
use web_sys::{MediaQueryList, ResizeObserver};

/// The width of a canvas's place on the page in pixels of the screen.
pub fn use_width(canvas: NodeRef<Canvas>) -> Signal<u32> {
    let width = RwSignal::new(1);
    let measure = move || {
        if let Some(canvas) = canvas.get_untracked() {
            width.set((f64::from(canvas.client_width()) * window().device_pixel_ratio()).round() as u32);
        }
    };
    let heard = StoredValue::new_local(Closure::<dyn Fn()>::new(measure));
    Effect::new(move |_| {
        let Some(canvas) = canvas.get() else { return };
        let observer = heard.with_value(|heard| ResizeObserver::new(heard.as_ref().unchecked_ref()));
        match observer {
            Ok(observer) => observer.observe(&canvas),
            Err(_) => measure(),
        }
    });
    width.into()
}

/// Changes when the visitor's system goes from light to dark or back.
pub fn use_scheme() -> Trigger {
    let changed = Trigger::new();
    let query: Option<MediaQueryList> = window().match_media("(prefers-color-scheme: dark)").ok().flatten();
    if let Some(query) = query {
        let heard = StoredValue::new_local(Closure::<dyn Fn()>::new(move || changed.notify()));
        heard.with_value(|heard| query.set_onchange(Some(heard.as_ref().unchecked_ref())));
        // Both live as long as the page does.
        std::mem::forget(query);
    }
    changed
}
