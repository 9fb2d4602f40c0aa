//! The browser's odds and ends in one place: parameters of the address, pauses, the clock.

use futures_channel::oneshot;
use js_sys::{Function, Promise};
use leptos::prelude::{document, window};
use leptos::task::spawn_local;
use wasm_bindgen::{JsCast, JsValue};
use wasm_bindgen_futures::JsFuture;
use web_sys::{AbortSignal, HtmlElement, Storage, UrlSearchParams};

/// The value of a parameter of the page's address, for example of `?debug=1`.
pub fn query(name: &str) -> Option<String> {
    let search = window().location().search().ok()?;
    UrlSearchParams::new_with_str(&search).ok()?.get(name)
}

/// What the browser keeps between visits; none where the visitor forbids it.
pub fn storage() -> Option<Storage> {
    window().local_storage().ok().flatten()
}

/// Moves the focus to the element with this id, before the one that has it goes.
pub fn focus(id: &str) {
    let element: Option<HtmlElement> = document().get_element_by_id(id).and_then(|element| element.dyn_into().ok());
    if let Some(element) = element {
        // What cannot have it leaves it where it is.
        let _ = element.focus();
    }
}

/// Lets the browser paint and handle input before the caller goes on.
pub async fn pause() {
    wait(0, None).await;
}

/// Runs a task beside the caller, who may wait for its result; it goes on if nobody does.
pub fn beside<T: 'static>(task: impl Future<Output = T> + 'static) -> oneshot::Receiver<T> {
    let (result, wait) = oneshot::channel();
    spawn_local(async move {
        // Nobody may be waiting any more.
        let _ = result.send(task.await);
    });
    wait
}

/// Waits so many milliseconds, or until `stop` says that nobody waits for the caller any more.
pub async fn wait(ms: i32, stop: Option<&AbortSignal>) {
    let wait = |resolve: Function, _: Function| {
        if let Some(stop) = stop {
            // A signal that cannot be heard is looked at when the time is over.
            let _ = stop.add_event_listener_with_callback("abort", &resolve);
        }
        // Without a timer there is nothing to wait for.
        if window().set_timeout_with_callback_and_timeout_and_arguments_0(&resolve, ms).is_err() {
            let _ = resolve.call0(&JsValue::NULL);
        }
    };
    let _ = JsFuture::from(Promise::new(&mut { wait })).await;
}

/// Milliseconds since the page was opened.
pub fn now_ms() -> f64 {
    window().performance().map_or(0.0, |performance| performance.now())
}

/// What a JavaScript error says.
pub fn message(error: &JsValue) -> String {
    match error.dyn_ref::<js_sys::Error>() {
        Some(error) => error.message().into(),
        None => error.as_string().unwrap_or_else(|| format!("{error:?}")),
    }
}
