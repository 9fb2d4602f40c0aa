//! Checkpoints kept on this machine, in the browser's Cache API, under the address that names their commit.
//!
//! The browser is not asked to keep them for ever (`navigator.storage.persist`): some would ask the visitor in
//! turn, and what is evicted can be loaded again.

use js_sys::{Array, Reflect};
use leptos::prelude::window;
use serde::{Deserialize, Serialize};
use wasm_bindgen::{JsCast, JsValue};
use wasm_bindgen_futures::JsFuture;
use web_sys::{Cache, CacheStorage, Headers, Request, Response, ResponseInit, StorageEstimate};

use super::digest::sha256;
use super::request::header;
use crate::app::dom::message;
use crate::app::fetch::{Body, append};
use crate::order;

const CACHE: &str = "splitlens-checkpoints";

/// The header under which a copy carries its description.
const DESCRIPTION: &str = "x-splitlens-checkpoint";

/// A checkpoint that is kept.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Stored {
    /// Where it came from, with the revision in it: the key.
    pub address: String,
    /// The variant's id.
    pub network: String,
    pub tag: String,
    pub repository: String,
    /// A commit, where the hub named one.
    pub revision: String,
    pub bytes: usize,
    /// SHA-256 in lowercase hexadecimal digits; none if this browser could not make it.
    pub digest: Option<String>,
    /// Milliseconds since 1970.
    pub when_ms: f64,
}

/// Why a copy could not be kept.
pub enum NotKept {
    /// There is no room for it.
    Full,
    /// The browser keeps nothing, or not this.
    Other(String),
}

/// How much the browser lets this site keep, in bytes.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Room {
    pub used: f64,
    pub quota: f64,
}

/// What is kept, the latest first.
pub async fn list() -> Result<Vec<Stored>, String> {
    let cache = open().await?;
    let requests: Array = settle(cache.keys()).await?.unchecked_into();
    let mut list = Vec::new();
    for request in requests {
        let address = request.unchecked_into::<Request>().url();
        if let Some(response) = answer(&cache, &address).await? {
            list.extend(description(&response));
        }
    }
    Ok(order::sorted(list, |one: &Stored, other| other.when_ms.total_cmp(&one.when_ms)))
}

/// Reads a copy into `bytes`, which are empty; the error says in what it is no longer what was stored. `progress`
/// hears the bytes so far and in all.
pub async fn read(stored: &Stored, bytes: &mut Vec<u8>, mut progress: impl FnMut(usize, usize)) -> Result<(), String> {
    let cache = open().await?;
    let response = answer(&cache, &stored.address).await?.ok_or("it is gone")?;
    let body = Body::of(&response);
    while let Some(piece) = body.next().await.map_err(|error| message(&error))? {
        append(bytes, &piece);
        progress(bytes.len(), stored.bytes);
    }
    if bytes.len() != stored.bytes {
        return Err(format!("{} bytes in place of {}", bytes.len(), stored.bytes));
    }
    match &stored.digest {
        Some(digest) if sha256(bytes).await.is_ok_and(|found| found != *digest) => Err("another SHA-256".into()),
        _ => Ok(()),
    }
}

/// Keeps a copy; done only once it is there for good.
pub async fn put(stored: &Stored, bytes: &mut [u8]) -> Result<(), NotKept> {
    let cache = open().await.map_err(NotKept::Other)?;
    let failed = |error: JsValue| {
        let name = Reflect::get(&error, &"name".into()).ok().and_then(|name| name.as_string());
        match name.as_deref() {
            Some("QuotaExceededError") => NotKept::Full,
            _ => NotKept::Other(message(&error)),
        }
    };
    let json = serde_json::to_string(stored).map_err(|error| NotKept::Other(error.to_string()))?;
    let headers = Headers::new().map_err(failed)?;
    headers.set(DESCRIPTION, &json).map_err(failed)?;
    let init = ResponseInit::new();
    init.set_headers_headers(&headers);
    let response = Response::new_with_opt_u8_array_and_init(Some(bytes), &init).map_err(failed)?;
    JsFuture::from(cache.put_with_str(&stored.address, &response)).await.map_err(failed)?;
    Ok(())
}

/// Whether there was such a copy.
pub async fn delete(stored: &Stored) -> Result<bool, String> {
    let cache = open().await?;
    Ok(settle(cache.delete_with_str(&stored.address)).await?.is_truthy())
}

/// What this site uses of what it may use, where the browser says.
pub async fn room() -> Option<Room> {
    let storage = window().navigator().storage();
    let estimate: StorageEstimate = JsFuture::from(storage.estimate().ok()?).await.ok()?.unchecked_into();
    Some(Room { used: estimate.get_usage()?, quota: estimate.get_quota()? })
}

/// The cache, made if need be. Frames of other sites, insecure pages and some private windows have none.
async fn open() -> Result<Cache, String> {
    let caches: CacheStorage = window().caches().map_err(|error| message(&error))?;
    if caches.is_undefined() {
        return Err("it has no cache for sites".into());
    }
    Ok(settle(caches.open(CACHE)).await?.unchecked_into())
}

async fn answer(cache: &Cache, address: &str) -> Result<Option<Response>, String> {
    let found = settle(cache.match_with_str(address)).await?;
    Ok((!found.is_undefined()).then(|| found.unchecked_into()))
}

/// What a copy says of itself; what this program did not put there says nothing.
fn description(response: &Response) -> Option<Stored> {
    serde_json::from_str(&header(response, DESCRIPTION)?).ok()
}

async fn settle(promise: js_sys::Promise) -> Result<JsValue, String> {
    JsFuture::from(promise).await.map_err(|error| message(&error))
}
