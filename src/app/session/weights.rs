//! Weights from wherever they are kept.

use std::rc::Rc;
use std::sync::Arc;

use js_sys::Uint8Array;
use leptos::prelude::*;
use wasm_bindgen_futures::JsFuture;
use web_sys::{AbortController, AbortSignal, Blob};

use super::{Inner, Wish};
use crate::app::dom;
use crate::app::failure::Failure;
use crate::app::fetch::{self, append};
use crate::app::hub::{Loaded, Warning};
use crate::app::model::{self, Model, Origin};
use crate::app::state::{Notice, Progress, Stage, Tone};
use crate::arch::zoo;
use crate::weights::{Catalogue, Checkpoint, Entry};

impl Inner {
    /// The weights of a network, read and checked as far as they can be without it.
    pub(super) async fn checkpoint(&self, model: &Model, origin: &Origin) -> Result<Checkpoint, Failure> {
        self.stage(Progress::of(Stage::Download));
        match origin {
            Origin::Shipped => {
                let file = self.shipped(model).await?;
                Checkpoint::parse(&file).map_err(|error| {
                    // The next try asks the server again.
                    self.files.borrow_mut().remove(&model.key);
                    error.into()
                })
            }
            Origin::Published(entry) => self.published(model, entry).await,
            Origin::File(file) => {
                let bytes = read(&file.blob).await.map_err(|why| Failure::unreadable(&file.name, &why))?;
                Checkpoint::parse(&bytes).map_err(|error| Failure::Checkpoint(error.to_string()))
            }
        }
    }

    /// Downloads shipped weights once.
    async fn shipped(&self, model: &Model) -> Result<Rc<Vec<u8>>, Failure> {
        let known = self.files.borrow_mut().get(&model.key);
        if let Some(file) = known {
            return Ok(file);
        }
        let heard = |done, total| self.stage(Progress { stage: Stage::Download, done, total });
        let stoppable = self.begin_stoppable()?;
        let file = Rc::new(fetch::bytes(&model.weights_path(), Some(&stoppable.signal), heard).await?);
        self.remember(model, file.clone());
        Ok(file)
    }

    /// Brings published weights from this machine or the hub.
    async fn published(&self, model: &Model, entry: &Entry) -> Result<Checkpoint, Failure> {
        let parameters = model.graph(model.own_side()).parameters();
        let check = |bytes: &[u8]| {
            let checkpoint = Checkpoint::parse(bytes)?;
            checkpoint.check(&parameters).map(|()| checkpoint)
        };
        let in_memory = self.files.borrow_mut().get(&model.key);
        if let Some(bytes) = in_memory {
            return Ok(check(&bytes)?);
        }
        let heard = |done, total| self.stage(Progress { stage: Stage::Download, done, total });
        let stoppable = self.begin_stoppable()?;
        let result = self.hub.load(entry, &stoppable.signal, heard, check).await;
        self.state.checkpoints.notify();
        let Loaded { bytes, checked, warnings, .. } = result?;
        if warnings.iter().any(Warning::is_not_kept) {
            self.remember(model, Rc::new(bytes));
        }
        self.warnings.borrow_mut().extend(warnings);
        Ok(checked)
    }

    fn remember(&self, model: &Model, file: Rc<Vec<u8>>) {
        let bytes = file.len() as u64;
        self.files.borrow_mut().put(model.key.clone(), file, bytes);
    }

    /// What a checkpoint that was loaded all the same has to say, once there is something to see.
    pub(super) fn pass_on_warnings(&self) {
        let warnings = self.warnings.take();
        if !warnings.is_empty() {
            let text = warnings.iter().map(Warning::to_string).collect::<Vec<_>>().join(" ");
            self.state.notice.set(Some(Notice { tone: Tone::Note, text }));
        }
    }

    /// Where the weights for a wish can be had from without asking, or as the visitor has agreed.
    pub(super) async fn at_hand(&self, wish: &Wish) -> Result<Option<Origin>, Failure> {
        let Wish { variant, origin, agreed, side } = wish;
        let entries = match origin.clone().or_else(|| self.origin(variant)) {
            // Its copy may have been deleted since.
            Some(Origin::Published(entry)) if !agreed && !self.is_in_memory(&entry, *side) => {
                vec![Entry::clone(&entry)]
            }
            Some(origin) => return Ok(Some(origin)),
            None => self.catalogue().await?.of(variant.id).cloned().collect(),
        };
        let kept = self.hub.kept(entries.iter()).await;
        Ok(kept.into_iter().next().map(|entry| Origin::Published(Arc::new(entry))))
    }

    /// Whether a network with published weights is on the device, or they are in memory for want of another place.
    fn is_in_memory(&self, entry: &Entry, side: Option<usize>) -> bool {
        let side = side.unwrap_or(entry.card.input[1]);
        let on_device = self.shelf.borrow().keys().any(|key| key.0 == entry.repository && key.1 == side);
        on_device || self.files.borrow().keys().any(|model| *model == entry.repository)
    }

    /// What is published, fetched once.
    pub(super) async fn catalogue(&self) -> Result<Arc<Catalogue>, Failure> {
        if let Some(catalogue) = self.state.catalogue.get_untracked() {
            return Ok(catalogue);
        }
        let catalogue = Arc::new(model::catalogue().await?);
        self.state.catalogue.set(Some(catalogue.clone()));
        Ok(catalogue)
    }

    /// Finds out how often each shipped network is right, what is published, and what of it is on this machine.
    /// What does not arrive is told of when its network is chosen.
    pub(super) async fn survey(&self) {
        for variant in model::SHIPPED.iter().filter_map(|id| zoo::variant(id)) {
            // What the page opened with has been described.
            let known = self.models.borrow().get(&Origin::Shipped.key(variant)).map(|model| model.top1);
            let top1 = match known {
                Some(top1) => top1,
                None => Model::describe(variant, &Origin::Shipped, None).await.ok().and_then(|model| model.top1),
            };
            if let Some(top1) = top1 {
                self.state.accuracy.update(|accuracy| _ = accuracy.insert(variant.id, top1));
            }
        }
        let Ok(catalogue) = self.catalogue().await else { return };
        for entry in self.hub.kept(catalogue.entries.iter()).await {
            if let Some(variant) = zoo::variant(&entry.card.name) {
                self.origins.borrow_mut().entry(variant.id).or_insert(Origin::Published(Arc::new(entry)));
            }
        }
        self.state.checkpoints.notify();
    }

    /// Begins work that the visitor can stop, until what this returns is dropped.
    pub(super) fn begin_stoppable(&self) -> Result<Stoppable<'_>, Failure> {
        let controller = AbortController::new().map_err(|error| Failure::Device(dom::message(&error)))?;
        let signal = controller.signal();
        self.stop.replace(Some(controller));
        Ok(Stoppable { signal, session: self })
    }

    /// As [`begin_stoppable`](Self::begin_stoppable), for a picture: a newer one stops it too.
    pub(super) fn begin_reading(&self) -> Result<Stoppable<'_>, Failure> {
        let stoppable = self.begin_stoppable()?;
        self.reading.set(true);
        Ok(stoppable)
    }
}

/// Work that can be stopped for as long as this lives.
pub(super) struct Stoppable<'a> {
    /// What hears of it.
    pub signal: AbortSignal,
    session: &'a Inner,
}

impl Drop for Stoppable<'_> {
    fn drop(&mut self) {
        self.session.stop.replace(None);
        self.session.reading.set(false);
    }
}

/// The bytes of a file, or why the browser does not give them.
pub(super) async fn read(blob: &Blob) -> Result<Vec<u8>, String> {
    let buffer = JsFuture::from(blob.array_buffer()).await.map_err(|error| dom::message(&error))?;
    let array = Uint8Array::new(&buffer);
    let mut bytes = Vec::new();
    let length = array.length() as usize;
    bytes.try_reserve_exact(length).map_err(|_| format!("the browser has no memory for its {length} bytes"))?;
    append(&mut bytes, &array);
    Ok(bytes)
}
