//! Knows the engine on behalf of the page: one worker that opens networks, reads pictures, runs them and
//! recovers from a lost device, one thing at a time.
//!
//! Whoever wants something leaves it in the [`Inbox`]; a newer wish of the same kind replaces the older one,
//! so that a visitor in a hurry gets the last thing asked for.

mod analysis;
mod opening;

use std::cell::{Cell, RefCell};
use std::collections::HashMap;
use std::rc::Rc;
use std::sync::Arc;

use leptos::prelude::*;
use leptos::task::spawn_local;
use web_sys::AbortController;

use super::intake::{Picture, Source};
use super::model::Model;
use super::state::{Classifier, State};
use crate::engine::Network;
use crate::gpu::Gpu;
use crate::graph::Tensor;

/// What waits to be done, the most urgent first.
#[derive(Default)]
struct Inbox {
    /// Why the device was lost.
    lost: RefCell<Option<String>>,
    /// Position of a network to open.
    network: Cell<Option<usize>>,
    picture: RefCell<Option<Source>>,
    /// A unit whose activations are to be read back.
    unit: Cell<Option<usize>>,
}

impl Inbox {
    /// Whether reading a picture is no longer worth the while.
    fn has_more_urgent_than_reading(&self) -> bool {
        self.lost.borrow().is_some() || self.network.get().is_some() || self.picture.borrow().is_some()
    }
}

/// A network that is ready to run.
struct Opened {
    network: Network,
    model: Arc<Model>,
    classifier: Arc<Classifier>,
    /// The run whose activations the device holds; none while another is at work or has failed.
    ran: Cell<Option<u64>>,
}

struct Inner {
    state: State,
    inbox: Inbox,
    working: Cell<bool>,
    /// Whether a network has been asked for.
    begun: Cell<bool>,
    gpu: RefCell<Option<Gpu>>,
    opened: RefCell<Option<Rc<Opened>>>,
    /// A picture that was asked for before the network's card arrived: it waits for the visitor's next try.
    waiting: RefCell<Option<Source>>,
    /// Cards and classes by network, kept for recovery without a server.
    models: RefCell<HashMap<&'static str, Arc<Model>>>,
    /// Weights files by network, kept for recovery and for coming back to a network.
    files: RefCell<HashMap<&'static str, Rc<Vec<u8>>>>,
    /// The picture last run or about to be: what a recovery analyses anew.
    picture: RefCell<Option<Picture>>,
    /// Activations of the units of the last run, as far as they were looked at.
    branches: RefCell<HashMap<usize, Arc<Tensor>>>,
    runs: Cell<u64>,
    /// Losses of the device since a run last went well.
    losses: Cell<usize>,
    stop: RefCell<Option<AbortController>>,
    stopped: Cell<bool>,
    /// `?lose=1`: lose the device once, after the first analysis.
    lose_once: Cell<bool>,
}

/// A handle for components.
#[derive(Clone, Copy)]
pub struct Session(StoredValue<Rc<Inner>, LocalStorage>);

impl Session {
    pub fn new(state: State) -> Self {
        Self(StoredValue::new_local(Rc::new(Inner {
            state,
            inbox: Inbox::default(),
            working: Cell::new(false),
            begun: Cell::new(false),
            gpu: RefCell::default(),
            opened: RefCell::default(),
            waiting: RefCell::default(),
            models: RefCell::default(),
            files: RefCell::default(),
            picture: RefCell::default(),
            branches: RefCell::default(),
            runs: Cell::new(0),
            losses: Cell::new(0),
            stop: RefCell::default(),
            stopped: Cell::new(false),
            lose_once: Cell::new(super::dom::query("lose").as_deref() == Some("1")),
        })))
    }

    /// Opens the chosen network, then analyses the picture that is wanted or shown.
    pub fn open(&self) {
        let inner = self.0.get_value();
        inner.inbox.network.set(Some(inner.state.network.get_untracked()));
        if let Some(source) = inner.waiting.take() {
            inner.inbox.picture.borrow_mut().get_or_insert(source);
        }
        inner.begun.set(true);
        inner.wake();
    }

    /// As [`analyse`](Self::analyse), with what the page begins with: whatever the visitor has chosen meanwhile
    /// comes before it.
    pub fn begin_with(&self, source: Source) {
        self.0.get_value().inbox.picture.borrow_mut().get_or_insert(source);
    }

    /// Reads a picture and runs the network on it.
    pub fn analyse(&self, source: Source) {
        let inner = self.0.get_value();
        inner.inbox.picture.replace(Some(source));
        // What comes before the page has begun is found by the first opening.
        if inner.begun.get() {
            inner.wake();
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
        if let Some(controller) = inner.stop.borrow().as_ref() {
            controller.abort();
        }
    }

    /// The open device.
    pub fn gpu(&self) -> Option<Gpu> {
        self.0.get_value().gpu.borrow().clone()
    }
}

impl Inner {
    /// Starts the worker unless it is at work.
    fn wake(self: &Rc<Self>) {
        if !self.working.replace(true) {
            let worker = self.clone();
            spawn_local(async move { worker.work().await });
        }
    }

    async fn work(self: Rc<Self>) {
        loop {
            self.stopped.set(false);
            let lost = self.inbox.lost.take();
            if let Some(why) = lost {
                self.recover(why).await;
            } else if let Some(network) = self.inbox.network.take() {
                self.open(network).await;
            } else if let Some(source) = self.inbox.picture.take() {
                self.analyse(source).await;
            } else if let Some(unit) = self.inbox.unit.take() {
                self.read_activations(unit).await;
            } else {
                break;
            }
        }
        self.working.set(false);
    }
}
