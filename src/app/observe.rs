//! Signals of what styles decide: an element's width, light or dark.

use js_sys::Function;
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
    let observer = heard.with_value(|heard| ResizeObserver::new(heard.as_ref().unchecked_ref()).ok());
    let observer = StoredValue::new_local(observer);
    Effect::new(move |_| {
        let Some(canvas) = canvas.get() else { return };
        observer.with_value(|observer| match observer {
            Some(observer) => observer.observe(&canvas),
            None => measure(),
        });
    });
    // An observer that outlives the canvas would call what is gone.
    on_cleanup(move || {
        if let Some(observer) = observer.try_get_value().flatten() {
            observer.disconnect();
        }
    });
    width.into()
}

/// Changes when the visitor's system goes from light to dark or back.
pub fn use_scheme() -> Trigger {
    let changed = Trigger::new();
    let query: Option<MediaQueryList> = window().match_media("(prefers-color-scheme: dark)").ok().flatten();
    let query = StoredValue::new_local(query);
    let heard = StoredValue::new_local(Closure::<dyn Fn()>::new(move || changed.notify()));
    let hear = move |heard: Option<&Function>| {
        if let Some(query) = query.try_get_value().flatten() {
            query.set_onchange(heard);
        }
    };
    heard.with_value(|heard| hear(Some(heard.as_ref().unchecked_ref())));
    on_cleanup(move || hear(None));
    changed
}
