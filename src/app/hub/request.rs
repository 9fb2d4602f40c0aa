//! One request to the hub, as a page may send it to another origin without asking first: GET, and at most one
//! simple `Range`.

use leptos::prelude::window;
use wasm_bindgen::JsCast;
use wasm_bindgen_futures::JsFuture;
use web_sys::{AbortSignal, Headers, ReferrerPolicy, RequestCache, RequestCredentials, RequestInit, Response, Url};

use super::trouble::HubError;
use crate::app::dom::message;
use crate::weights::Entry;

/// A hub's address, and the name by which sentences call it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Host {
    /// Without a slash at its end.
    pub base: String,
    pub name: String,
}

impl Host {
    /// Reads an http or https address; what follows `?` or `#` belongs to no base.
    pub fn parse(address: &str) -> Result<Self, HubError> {
        let url = Url::new(address).ok().filter(|url| matches!(url.protocol().as_str(), "http:" | "https:"));
        let url = url.ok_or_else(|| HubError::Base(address.into()))?;
        let base = format!("{}{}", url.origin(), url.pathname().trim_end_matches('/'));
        Ok(Self { base, name: url.host() })
    }

    /// Where people read about a checkpoint.
    pub fn page(&self, entry: &Entry) -> String {
        format!("{}/{}", self.base, entry.repository)
    }

    /// Asks for the bytes from `from` to the end; whatever the answer's status.
    pub async fn get(&self, address: &str, from: usize, stop: &AbortSignal) -> Result<Response, HubError> {
        let init = RequestInit::new();
        init.set_signal(Some(stop));
        init.set_credentials(RequestCredentials::Omit);
        init.set_referrer_policy(ReferrerPolicy::NoReferrer);
        // A file leads to a signed address that expires: a copy under that is of no use to anyone.
        init.set_cache(RequestCache::NoStore);
        let failed = |error| match stop.aborted() {
            true => HubError::Stopped,
            false => HubError::unanswered(&self.name, message(&error)),
        };
        if from > 0 {
            let headers = Headers::new().map_err(failed)?;
            headers.set("Range", &format!("bytes={from}-")).map_err(failed)?;
            init.set_headers_headers(&headers);
        }
        let answer = JsFuture::from(window().fetch_with_str_and_init(address, &init)).await.map_err(failed)?;
        Ok(answer.unchecked_into())
    }

    /// Whether an answer is the file, or part of it.
    pub fn check(&self, response: &Response, repository: &str) -> Result<(), HubError> {
        let (host, repository) = (self.name.clone(), repository.to_string());
        let wait = || header(response, "retry-after").and_then(|seconds| seconds.parse().ok());
        match response.status() {
            200 | 206 => {}
            status @ (401 | 403) => return Err(HubError::Refused { host, repository, status }),
            status @ (404 | 410) => return Err(HubError::Missing { host, repository, status }),
            429 => return Err(HubError::Limited { host, wait: wait() }),
            status => return Err(HubError::Status { host, repository, status }),
        }
        match header(response, "content-type") {
            Some(kind) if kind.starts_with("text/html") => Err(HubError::Page { host, repository }),
            _ => Ok(()),
        }
    }
}

/// A header that this page may read.
pub fn header(response: &Response, name: &str) -> Option<String> {
    response.headers().get(name).ok().flatten()
}
