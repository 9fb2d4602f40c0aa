//! What the hub's API says of a file before it is loaded: its commit, its length, its digest.

use serde::Deserialize;
use wasm_bindgen_futures::JsFuture;
use web_sys::AbortSignal;

use super::request::Host;
use super::trouble::HubError;
use crate::weights::Entry;

/// A file at one revision, as far as it is known before it is loaded.
#[derive(Clone, Debug, PartialEq)]
pub struct Pin {
    pub repository: String,
    /// A commit, or the entry's own revision where the API names none.
    pub revision: String,
    /// Where it lies, with that revision in it.
    pub address: String,
    pub bytes: usize,
    /// By how much that may be wrong: the catalogue knows the tensors, but not how the header is spelled.
    pub slack: usize,
    /// SHA-256 in lowercase hexadecimal digits, or why it is not known.
    pub digest: Result<String, String>,
}

/// The part of the API's answer that matters here.
#[derive(Default, Deserialize)]
struct Answer {
    sha: Option<String>,
    #[serde(default)]
    siblings: Vec<File>,
}

#[derive(Deserialize)]
struct File {
    rfilename: String,
    size: Option<usize>,
    lfs: Option<Lfs>,
}

#[derive(Deserialize)]
struct Lfs {
    sha256: Option<String>,
}

/// Spaces and metadata that a safetensors header may well have, in bytes.
const HEADER_SLACK: usize = 1 << 12;

impl Pin {
    /// Asks the API. Without its answer the file can be loaded all the same, at the entry's own revision and length:
    /// the only error is to have been stopped.
    pub async fn ask(host: &Host, entry: &Entry, stop: &AbortSignal) -> Result<Self, HubError> {
        let (answer, silence) = match ask(host, &entry.api(&host.base), stop).await {
            Ok(answer) => (answer, None),
            Err(_) if stop.aborted() => return Err(HubError::Stopped),
            Err(why) => (Answer::default(), Some(why)),
        };
        let commit = answer.sha.filter(|sha| is_commit(sha));
        let file = answer.siblings.into_iter().find(|file| file.rfilename == entry.file);
        let (bytes, slack) = match file.as_ref().and_then(|file| file.size) {
            Some(size) => (size, 0),
            None => (usize::try_from(entry.bytes).unwrap_or(usize::MAX), HEADER_SLACK),
        };
        let digest = file.and_then(|file| file.lfs?.sha256).filter(|digest| is_hexadecimal(digest, 64));
        let why = || silence.unwrap_or_else(|| format!("the API of {} names none", host.name));
        let revision = commit.unwrap_or_else(|| entry.revision.clone());
        Ok(Self {
            repository: entry.repository.clone(),
            address: entry.address(&host.base, &revision),
            revision,
            bytes,
            slack,
            digest: digest.map(|digest| digest.to_lowercase()).ok_or_else(why),
        })
    }

    pub fn fewest_bytes(&self) -> usize {
        self.bytes.saturating_sub(self.slack)
    }

    pub fn most_bytes(&self) -> usize {
        self.bytes.saturating_add(self.slack)
    }
}

/// The API's answer, or why there is none, as a clause.
async fn ask(host: &Host, address: &str, stop: &AbortSignal) -> Result<Answer, String> {
    let silent = || format!("the API of {} did not answer", host.name);
    let response = host.get(address, 0, stop).await.map_err(|_| silent())?;
    if !response.ok() {
        return Err(format!("the API of {} answered {}", host.name, response.status()));
    }
    let text = JsFuture::from(response.text().map_err(|_| silent())?).await.map_err(|_| silent())?;
    let answer = serde_json::from_str(&text.as_string().unwrap_or_default());
    answer.map_err(|error| format!("the API of {} answered something else ({error})", host.name))
}

/// Whether a revision is the name of a commit, which never moves.
pub fn is_commit(revision: &str) -> bool {
    is_hexadecimal(revision, 40)
}

fn is_hexadecimal(text: &str, digits: usize) -> bool {
    text.len() == digits && text.bytes().all(|byte| byte.is_ascii_hexdigit())
}
