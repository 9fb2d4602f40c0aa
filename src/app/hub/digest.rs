//! SHA-256 by the browser: native code off the main thread, and there wherever WebGPU is, since both are for
//! secure contexts alone. A crate would hash on the page's own thread, several times slower.

use js_sys::Uint8Array;
use leptos::prelude::window;
use wasm_bindgen_futures::JsFuture;

use crate::app::dom::message;

/// SHA-256 of `bytes` in lowercase hexadecimal digits; the error is the browser's.
pub async fn sha256(bytes: &[u8]) -> Result<String, String> {
    let crypto = window().crypto().map_err(|error| message(&error))?;
    let promise = crypto.subtle().digest_with_str_and_u8_array("SHA-256", bytes).map_err(|error| message(&error))?;
    let digest = JsFuture::from(promise).await.map_err(|error| message(&error))?;
    Ok(Uint8Array::new(&digest).to_vec().iter().map(|byte| format!("{byte:02x}")).collect())
}
