//! What components can ask of the session.

use std::cell::{Cell, RefCell};
use std::rc::Rc;
use std::sync::Arc;

use leptos::prelude::*;
use leptos::task::spawn_local;
use web_sys::File;

use super::inbox::Inbox;
use super::{FILES_BYTES, Inner, Session, Wish, budget_bytes};
use crate::app::dom;
use crate::app::hub::{Host, Hub, HubError};
use crate::app::intake::Source;
use crate::app::model::{self, CheckpointFile, Origin};
use crate::app::state::State;
use crate::arch::Variant;
use crate::engine::Shelf;
use crate::gpu::Gpu;
use crate::weights::Entry;

impl Session {
    pub fn new(state: State) -> Self {
        let first = Wish { variant: model::first(), origin: None, agreed: false, side: None };
        Self(StoredValue::new_local(Rc::new(Inner {
            state,
            inbox: Inbox::default(),
            working: Cell::new(false),
            asked: Cell::new(false),
            gpu: RefCell::default(),
            tuning: Cell::new(None),
            opened: RefCell::default(),
            shelf: RefCell::new(Shelf::new(budget_bytes())),
            brought: Cell::new(0),
            opening: Cell::new(None),
            last: RefCell::new(first),
            hub: Hub::from_page(),
            warnings: RefCell::default(),
            origins: RefCell::default(),
            waiting: RefCell::default(),
            models: RefCell::default(),
            files: RefCell::new(Shelf::new(FILES_BYTES)),
            picture: RefCell::default(),
            ahead: RefCell::default(),
            place: Cell::new(None),
            view: Cell::new(None),
            branches: RefCell::default(),
            runs: Cell::new(0),
            losses: Cell::new(0),
            stop: RefCell::default(),
            interruptible: RefCell::default(),
            stopped: Cell::new(false),
            reading: Cell::new(false),
            lose_once: Cell::new(dom::query("lose").as_deref() == Some("1")),
        })))
    }

    /// Opens what was last asked for, then analyses the picture that is wanted or shown.
    pub fn open(&self) {
        let inner = self.0.get_value();
        inner.want(inner.latest());
    }

    /// Opens a network, or offers to load its weights where the page has none.
    pub fn choose(&self, variant: &'static Variant) {
        let inner = self.0.get_value();
        let same_side = inner.state.variant.get_untracked().side == variant.side;
        let side = inner.state.side.get_untracked().filter(|_| same_side);
        // What is on its way already is not begun again.
        if inner.inbox.wish.borrow().is_some() || inner.opening.get().is_none_or(|opening| opening.id != variant.id) {
            inner.want(Wish { variant, origin: None, agreed: false, side });
        }
    }

    /// Opens a network with published weights, as it was offered.
    pub fn load(&self, variant: &'static Variant, entry: Entry) {
        let inner = self.0.get_value();
        let side = inner.state.side.get_untracked();
        inner.want(Wish { variant, origin: Some(Origin::Published(Arc::new(entry))), agreed: true, side });
    }

    /// Offers the published weights of the network at work, in place of those that it has.
    pub fn offer_others(&self) {
        let inner = self.0.get_value();
        spawn_local(async move {
            match inner.catalogue().await {
                Ok(_) => inner.state.offer.set(Some(inner.state.variant.get_untracked())),
                Err(failure) => inner.tell(Some(failure)),
            }
        });
    }

    /// Takes an offer from the screen: the network at work stays.
    pub fn decline(&self) {
        self.0.get_value().show_opened();
    }

    /// Who would be asked for published weights.
    pub fn hub_host(&self) -> Result<Host, HubError> {
        self.0.get_value().hub.host()
    }

    /// Whether a network can be opened without asking the visitor.
    pub fn has(&self, variant: &'static Variant) -> bool {
        self.0.get_value().origin(variant).is_some()
    }

    /// Looks around once there is time: what is published, and which of it is on this machine.
    pub fn survey(&self) {
        let inner = self.0.get_value();
        spawn_local(async move { inner.survey().await });
    }

    /// Opens the network at work for inputs of another side; `None` is the weights' own.
    pub fn resize(&self, side: Option<usize>) {
        let inner = self.0.get_value();
        inner.want(Wish { side, ..inner.latest() });
    }

    /// Finds out which network a checkpoint is of and opens it; a description may lie beside it.
    pub fn take_checkpoint(&self, files: Vec<File>) {
        let inner = self.0.get_value();
        inner.inbox.checkpoint.replace(Some(files));
        inner.hurry();
    }

    /// Opens a network with the weights of a file that fits it.
    pub fn open_file(&self, variant: &'static Variant, file: CheckpointFile) {
        self.0.get_value().want_file(variant, file);
    }

    /// As [`analyse`](Self::analyse), with what the page begins with, unless the visitor has chosen something
    /// meanwhile.
    pub fn begin_with(&self, source: Source) {
        let inner = self.0.get_value();
        if inner.asked.get() {
            return;
        }
        match !inner.working.get() && inner.state.model.with_untracked(Option::is_none) {
            // The network's card did not come: the visitor's next try has the picture too.
            true => drop(inner.waiting.replace(Some(source))),
            false => {
                inner.inbox.picture.replace(Some(source));
                inner.wake();
            }
        }
    }

    /// Reads a picture and runs the network on it.
    pub fn analyse(&self, source: Source) {
        let inner = self.0.get_value();
        inner.asked.set(true);
        inner.inbox.picture.replace(Some(source));
        match inner.reading.get() {
            true => inner.hurry(),
            false => inner.wake(),
        }
    }

    /// Reads back the activations of a unit of the last run; they arrive in [`State::activations`].
    pub fn want_activations(&self, unit: usize) {
        let inner = self.0.get_value();
        inner.inbox.unit.set(Some(unit));
        inner.wake();
    }

    /// Gives up the work at hand, where it can be given up.
    pub fn stop(&self) {
        let inner = self.0.get_value();
        inner.stopped.set(true);
        inner.abort();
    }

    /// The open device.
    pub fn gpu(&self) -> Option<Gpu> {
        self.0.get_value().gpu.borrow().clone()
    }
}
