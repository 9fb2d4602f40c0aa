//! From files that the visitor chose to a network with their weights.

use std::rc::Rc;

use leptos::prelude::*;
use wasm_bindgen::JsCast;
use web_sys::{Blob, File};

use super::Inner;
use super::weights::read;
use crate::app::arrivals::is_checkpoint;
use crate::app::dom;
use crate::app::failure::Failure;
use crate::app::model::CheckpointFile;
use crate::app::state::{Life, Progress, Puzzle, Stage, Unknown};
use crate::arch::{Recognition, Variant, recognise};
use crate::vision::{CardError, ModelCard};
use crate::weights::{Header, WeightsError};

/// The header's length stands in a file's first bytes.
const PREFIX_BYTES: f64 = 8.0;

impl Inner {
    /// Opens the network that a checkpoint is of, or asks the visitor, or says what does not fit.
    pub(super) async fn recognise(self: &Rc<Self>, files: Vec<File>) {
        let before = self.state.life.get_untracked();
        self.state.puzzle.set(None);
        self.state.life.set(Life::Analysing(Progress::of(Stage::Checkpoint)));
        let result = self.try_recognise(files).await;
        self.state.life.set(match before {
            Life::Failed(_) => before,
            _ => Life::Ready,
        });
        if let Err(failure) = result {
            self.tell(Some(failure));
        }
        if self.inbox.wish.borrow().is_some() {
            return;
        }
        // What the page was at when the file came.
        let last = self.last.borrow().clone();
        if !self.is_open(&last) {
            self.inbox.wish.replace(Some(last));
        } else if self.inbox.picture.borrow().is_none() {
            self.inbox.picture.replace(self.waiting.take());
        }
    }

    async fn try_recognise(self: &Rc<Self>, files: Vec<File>) -> Result<(), Failure> {
        let Some(file) = files.iter().find(|file| is_checkpoint(file)) else { return Ok(()) };
        let name = file.name();
        let header = header(file).await?;
        match recognise(&header.shapes()) {
            Recognition::Fits { variants, classes } => {
                let card = card(&files, &name).await?;
                let described = card.as_ref().map(|card| described(card, &variants)).transpose();
                let described = described.map_err(|why| Failure::Checkpoint(format!("‘{name}’: {why}")))?;
                let number = self.brought.replace(self.brought.get() + 1);
                let file = CheckpointFile { number, name, blob: file.clone().unchecked_into(), classes, card };
                match (variants.as_slice(), described) {
                    (_, Some(variant)) | (&[variant], None) => self.want_file(variant, file),
                    (_, None) => self.state.puzzle.set(Some(Puzzle::Ambiguous { file, fits: variants })),
                }
            }
            Recognition::Nearest { variant, mismatch, .. } => {
                self.state.puzzle.set(Some(Puzzle::Unknown(Unknown { file: name, nearest: variant, mismatch })));
            }
        }
        Ok(())
    }
}

/// Of the variants that fit the tensors, the one that the description beside them is of.
fn described(card: &ModelCard, fits: &[&'static Variant]) -> Result<&'static Variant, CardError> {
    let ids = || fits.iter().map(|variant| variant.id).collect::<Vec<_>>().join(" or ");
    let described = fits.iter().find(|variant| variant.id == card.name).copied();
    described.ok_or_else(|| CardError::Name { expected: ids(), found: card.name.clone() })
}

/// What a checkpoint says of its tensors; only its beginning is read.
async fn header(file: &File) -> Result<Header, Failure> {
    let unusable = |why: WeightsError| Failure::Checkpoint(format!("‘{}’: {why}", file.name()));
    let bytes = file.size() as u64;
    let prefix = start(file, PREFIX_BYTES).await?;
    let extent = Header::extent(&prefix, bytes).map_err(unusable)?;
    Header::parse(&start(file, extent as f64).await?, bytes).map_err(unusable)
}

/// The first bytes of a file.
async fn start(file: &File, bytes: f64) -> Result<Vec<u8>, Failure> {
    let unreadable = |why: String| Failure::unreadable(&file.name(), &why);
    let slice: Result<Blob, _> = file.slice_with_f64_and_f64(0.0, bytes);
    read(&slice.map_err(|error| unreadable(dom::message(&error)))?).await.map_err(unreadable)
}

/// The description beside a checkpoint: a `.json` file among those that came with it, if there is one.
async fn card(files: &[File], checkpoint: &str) -> Result<Option<ModelCard>, Failure> {
    let Some(file) = files.iter().find(|file| file.name().to_lowercase().ends_with(".json")) else { return Ok(None) };
    let name = file.name();
    let bytes = read(file).await.map_err(|why| Failure::unreadable(&name, &why))?;
    let card = ModelCard::parse(&String::from_utf8_lossy(&bytes));
    card.map(Some).map_err(|error| Failure::Checkpoint(format!("‘{name}’ beside ‘{checkpoint}’: {error}")))
}
