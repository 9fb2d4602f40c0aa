//! Files of the page's own site, by addresses relative to the page, so that the site runs under any path.

use js_sys::{Reflect, Uint8Array};
use leptos::prelude::window;
use wasm_bindgen::{JsCast, JsValue};
use wasm_bindgen_futures::JsFuture;
use web_sys::{AbortSignal, Blob, ReadableStreamDefaultReader, RequestInit, Response};

use super::dom::message;

/// Why a file did not arrive.
#[derive(Clone, Debug, PartialEq, thiserror::Error)]
pub enum FetchError {
    #[error("{path} could not be reached ({why})")]
    Unreachable { path: String, why: String },
    #[error("the server answered {status} for {path}")]
    Status { path: String, status: u16 },
    #[error("{path} is not what it should be: {why}")]
    Content { path: String, why: String },
    #[error("loading was stopped")]
    Stopped,
}

/// A whole file. `progress` hears the bytes so far and the bytes to expect, 0 where the server does not say.
pub async fn bytes(
    path: &str,
    stop: Option<&AbortSignal>,
    mut progress: impl FnMut(usize, usize),
) -> Result<Vec<u8>, FetchError> {
    let failed = |error: JsValue| broken(path, stop, &error);
    let response = request(path, stop).await?;
    let total = expected_bytes(&response);
    let mut bytes = Vec::new();
    bytes.try_reserve_exact(total).map_err(|_| FetchError::Content {
        path: path.into(),
        why: format!("the server announces {total} bytes, more than the page can hold"),
    })?;
    let body = Body::of(&response);
    while let Some(piece) = body.next().await.map_err(failed)? {
        append(&mut bytes, &piece);
        progress(bytes.len(), total.max(bytes.len()) * usize::from(total > 0));
    }
    Ok(bytes)
}

/// What an answer brings, piece by piece as it arrives.
pub struct Body(Option<ReadableStreamDefaultReader>);

impl Body {
    pub fn of(response: &Response) -> Self {
        Self(response.body().map(|body| body.get_reader().unchecked_into()))
    }

    /// The next piece, a `Uint8Array`; `None` at the end.
    pub async fn next(&self) -> Result<Option<Uint8Array>, JsValue> {
        let Some(reader) = &self.0 else { return Ok(None) };
        let piece = JsFuture::from(reader.read()).await?;
        match Reflect::get(&piece, &"done".into())?.is_truthy() {
            true => Ok(None),
            false => Ok(Some(Uint8Array::new(&Reflect::get(&piece, &"value".into())?))),
        }
    }

    /// Closes the connection: nobody wants the rest.
    pub async fn cancel(self) {
        if let Some(reader) = self.0 {
            // A connection that is broken already need not be closed.
            let _ = JsFuture::from(reader.cancel()).await;
        }
    }
}

/// Copies a piece of a body behind `bytes`.
pub fn append(bytes: &mut Vec<u8>, piece: &Uint8Array) {
    let start = bytes.len();
    bytes.resize(start + piece.length() as usize, 0);
    piece.copy_to(&mut bytes[start..]);
}

/// A file as text.
pub async fn text(path: &str) -> Result<String, FetchError> {
    let bytes = bytes(path, None, |_, _| ()).await?;
    String::from_utf8(bytes).map_err(|error| FetchError::Content { path: path.into(), why: error.to_string() })
}

/// A file as the browser's own bytes, for its image decoder.
pub async fn blob(path: &str, stop: &AbortSignal) -> Result<Blob, FetchError> {
    let failed = |error: JsValue| broken(path, Some(stop), &error);
    let promise = request(path, Some(stop)).await?.blob().map_err(failed)?;
    Ok(JsFuture::from(promise).await.map_err(failed)?.unchecked_into())
}

/// Why an answer ended before its end, or never came.
fn broken(path: &str, stop: Option<&AbortSignal>, error: &JsValue) -> FetchError {
    match stop.is_some_and(AbortSignal::aborted) {
        true => FetchError::Stopped,
        false => FetchError::Unreachable { path: path.into(), why: message(error) },
    }
}

async fn request(path: &str, stop: Option<&AbortSignal>) -> Result<Response, FetchError> {
    let init = RequestInit::new();
    init.set_signal(stop);
    let answer = JsFuture::from(window().fetch_with_str_and_init(path, &init)).await;
    let response: Response = answer.map_err(|error| broken(path, stop, &error))?.unchecked_into();
    match response.ok() {
        true => Ok(response),
        false => Err(FetchError::Status { path: path.into(), status: response.status() }),
    }
}

/// What the server announces; of a compressed answer it announces the compressed length, which is no use here.
fn expected_bytes(response: &Response) -> usize {
    let header = |name: &str| response.headers().get(name).ok().flatten();
    match header("content-encoding") {
        Some(_) => 0,
        None => header("content-length").and_then(|length| length.parse().ok()).unwrap_or(0),
    }
}
