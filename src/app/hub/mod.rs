//! Knows published checkpoints on behalf of the page: asks a hub for them, checks them, keeps them.
//!
//! A hub is the Hugging Face hub or whatever answers like it; `?hub=` in the page's address names another. A
//! checkpoint is asked for once: [`store`] keeps it on this machine.

mod digest;
mod download;
mod pin;
mod request;
pub mod store;
mod trouble;

use std::cell::RefCell;

use js_sys::Date;
use web_sys::AbortSignal;

use self::digest::sha256;
use self::download::Partial;
use self::pin::Pin;
pub use self::request::Host;
use self::store::{NotKept, Stored};
pub use self::trouble::{HubError, Warning};
use super::dom;
use crate::weights::{DEFAULT_HUB, Entry, WeightsError};

/// One hub, with the download that was last given up.
pub struct Hub {
    host: Result<Host, HubError>,
    partial: RefCell<Option<Partial>>,
    /// Of loads that were given up since; the next one that succeeds passes them on.
    warnings: RefCell<Vec<Warning>>,
}

/// A checkpoint that has arrived and stood every check.
pub struct Loaded<T> {
    pub bytes: Vec<u8>,
    /// What the caller's check made of them.
    pub checked: T,
    /// Sentences that the visitor should read.
    pub warnings: Vec<Warning>,
}

impl Hub {
    /// The hub that the page's address names, or else the usual one. Nothing is asked yet, not even whether it is
    /// one.
    pub fn from_page() -> Self {
        let base = dom::query("hub");
        Self {
            host: Host::parse(base.as_deref().unwrap_or(DEFAULT_HUB)),
            partial: RefCell::default(),
            warnings: RefCell::default(),
        }
    }

    /// Who would be asked.
    pub fn host(&self) -> Result<Host, HubError> {
        self.host.clone()
    }

    /// Those of the entries that this machine keeps a copy of, the last one first.
    pub async fn kept<'a>(&self, entries: impl Iterator<Item = &'a Entry> + Clone) -> Vec<Entry> {
        let Ok(host) = &self.host else { return Vec::new() };
        // Without a store there is no copy.
        let list = store::list().await.unwrap_or_default();
        let entry = |stored: &Stored| entries.clone().find(|entry| is_copy(host, entry, stored)).cloned();
        list.iter().filter_map(entry).collect()
    }

    /// Brings a checkpoint from this machine or else from the hub. `check` reads it as the network's; what it accepts
    /// is kept. `progress` hears the bytes so far and in all.
    ///
    /// After a broken connection or a stop, what has arrived waits in memory for the next call with the same entry.
    pub async fn load<T>(
        &self,
        entry: &Entry,
        stop: &AbortSignal,
        mut progress: impl FnMut(usize, usize),
        check: impl Fn(&[u8]) -> Result<T, WeightsError>,
    ) -> Result<Loaded<T>, HubError> {
        let host = self.host.as_ref().map_err(HubError::clone)?;
        if let Some(stored) = find(host, entry).await {
            let mut bytes = Vec::new();
            reserve(&mut bytes, stored.bytes)?;
            match reread(&stored, &mut bytes, &mut progress, &check).await {
                _ if stop.aborted() => return Err(HubError::Stopped),
                Ok(checked) => return Ok(Loaded { bytes, checked, warnings: self.warnings.take() }),
                Err(why) => {
                    // If it cannot be deleted, it is at least replaced.
                    let _ = store::delete(&stored).await;
                    self.warnings.borrow_mut().push(Warning::Damaged { repository: entry.repository.clone(), why });
                }
            }
        }
        let (mut bytes, pin, digest) = self.download(host, entry, stop, progress).await?;
        let unusable = |why| HubError::Weights { repository: entry.repository.clone(), why };
        let checked = check(&bytes).map_err(unusable)?;
        let mut warnings = self.warnings.take();
        if let Err(why) = pin.digest {
            warnings.push(Warning::Unchecked { repository: entry.repository.clone(), why });
        }
        let stored = Stored {
            address: pin.address,
            network: entry.card.name.clone(),
            tag: entry.tag.clone(),
            repository: pin.repository,
            revision: pin.revision,
            bytes: bytes.len(),
            digest,
            when_ms: Date::now(),
        };
        warnings.extend(keep(&stored, &mut bytes).await);
        Ok(Loaded { bytes, checked, warnings })
    }

    /// The whole file, what was known of it before, and its digest.
    async fn download(
        &self,
        host: &Host,
        entry: &Entry,
        stop: &AbortSignal,
        progress: impl FnMut(usize, usize),
    ) -> Result<(Vec<u8>, Pin, Option<String>), HubError> {
        let begun = self.partial.take().filter(|partial| is_of(partial, host, entry));
        let mut partial = match begun {
            Some(partial) => partial,
            None => Partial::new(Pin::ask(host, entry, stop).await?),
        };
        if let Err(error) = partial.complete(host, stop, progress).await {
            self.partial.replace(Some(partial).filter(|partial| !partial.bytes.is_empty()));
            return Err(error);
        }
        let Partial { mut pin, bytes } = partial;
        let found = sha256(&bytes).await;
        match (&pin.digest, &found) {
            (Ok(expected), Ok(found)) if expected != found => {
                let (expected, found) = (expected.clone(), found.clone());
                Err(HubError::Digest { repository: pin.repository, found, expected })
            }
            _ => {
                if let Err(why) = &found {
                    pin.digest = Err(format!("this browser could not make it ({why})"));
                }
                Ok((bytes, pin, found.ok()))
            }
        }
    }
}

/// Makes room for a file of `total` bytes, of which some may be there already: a browser may have none.
fn reserve(bytes: &mut Vec<u8>, total: usize) -> Result<(), HubError> {
    let missing = total.saturating_sub(bytes.len());
    bytes.try_reserve_exact(missing).map_err(|_| HubError::Memory { bytes: total })
}

fn is_of(partial: &Partial, host: &Host, entry: &Entry) -> bool {
    partial.pin.address == entry.address(&host.base, &partial.pin.revision)
}

/// The copy of an entry on this machine. Without a store there is none, which is said when there is one to keep.
async fn find(host: &Host, entry: &Entry) -> Option<Stored> {
    store::list().await.ok()?.into_iter().find(|stored| is_copy(host, entry, stored))
}

/// Whether a copy is of this entry: of any commit, unless the entry asks for one.
fn is_copy(host: &Host, entry: &Entry, stored: &Stored) -> bool {
    let is_wanted = stored.revision == entry.revision || !pin::is_commit(&entry.revision);
    is_wanted && stored.address == entry.address(&host.base, &stored.revision)
}

/// Reads a copy into `bytes` and checks it; the error says what is wrong with it.
async fn reread<T>(
    stored: &Stored,
    bytes: &mut Vec<u8>,
    progress: impl FnMut(usize, usize),
    check: impl Fn(&[u8]) -> Result<T, WeightsError>,
) -> Result<T, String> {
    store::read(stored, bytes, progress).await?;
    check(bytes).map_err(|why| why.to_string())
}

/// Keeps what has been checked; says so if it cannot be.
async fn keep(stored: &Stored, bytes: &mut [u8]) -> Option<Warning> {
    let repository = stored.repository.clone();
    match store::put(stored, bytes).await {
        Ok(()) => None,
        Err(NotKept::Full) => Some(Warning::Full { repository, bytes: bytes.len() }),
        Err(NotKept::Other(why)) => Some(Warning::NotKept { repository, why }),
    }
}
