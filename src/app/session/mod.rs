//! Knows the engine on behalf of the page: one worker that opens networks, reads pictures, runs them and
//! recovers from a lost device, one thing at a time.
//!
//! Whoever wants something leaves it in the [`Inbox`]; a newer wish of the same kind replaces the older one,
//! so that a visitor in a hurry gets the last thing asked for.

mod analysis;
mod checkpoint;
mod features;
mod gates;
mod opening;
mod weights;

use std::cell::{Cell, RefCell};
use std::collections::HashMap;
use std::rc::Rc;
use std::sync::Arc;

use leptos::prelude::*;
use leptos::task::spawn_local;
use web_sys::{AbortController, File};

use super::dom;
use super::hub::{Host, Hub, HubError, Warning};
use super::intake::{Picture, Source};
use super::model::{self, CheckpointFile, Model, Origin};
use super::state::{Classifier, State, View};
use super::telling::Place;
use crate::arch::Variant;
use crate::engine::{Network, Shelf};
use crate::gpu::Gpu;
use crate::graph::Tensor;
use crate::weights::Entry;

/// Memory of the device for networks that are not at work but may be wanted again.
const BUDGET_BYTES: u64 = 1 << 30;

/// A network with its weights, to be opened.
#[derive(Clone)]
struct Wish {
    variant: &'static Variant,
    /// Where the weights come from; `None` is from wherever the page can have them without asking.
    origin: Option<Origin>,
    /// Of the input, in pixels; `None` is the one that the weights were made for.
    side: Option<usize>,
}

/// What waits to be done, the most urgent first.
#[derive(Default)]
struct Inbox {
    /// Why the device was lost.
    lost: RefCell<Option<String>>,
    /// Files of which one is a checkpoint, to find out which network it is of.
    checkpoint: RefCell<Option<Vec<File>>>,
    wish: RefCell<Option<Wish>>,
    picture: RefCell<Option<Source>>,
    /// Whether other gates are wanted, see [`State::replacements`].
    gates: Cell<bool>,
    /// A unit whose activations are to be read back.
    unit: Cell<Option<usize>>,
    /// A layer whose group maps are to be read back.
    layer: Cell<Option<usize>>,
}

impl Inbox {
    /// Whether reading a picture is no longer worth the while.
    fn has_more_urgent_than_reading(&self) -> bool {
        self.has_more_urgent_than_opening() || self.picture.borrow().is_some()
    }

    /// Whether fetching a network's weights is no longer worth the while.
    fn has_more_urgent_than_opening(&self) -> bool {
        self.lost.borrow().is_some() || self.checkpoint.borrow().is_some() || self.wish.borrow().is_some()
    }
}

/// What tells one network on the device from another: its model, and the side of its input.
type Key = (String, usize);

/// A network that is ready to run.
struct Opened {
    network: Network,
    model: Arc<Model>,
    origin: Origin,
    /// Of the input, in pixels.
    side: usize,
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
    /// Networks on the device, the one at work among them.
    shelf: RefCell<Shelf<Key, Rc<Opened>>>,
    /// What is at work or was tried last: what a recovery or another try opens.
    last: RefCell<Wish>,
    hub: Hub,
    /// Of the hub, to be told once the network has looked at a picture.
    warnings: RefCell<Vec<Warning>>,
    /// Where the visitor last took a variant's weights from.
    origins: RefCell<HashMap<&'static str, Origin>>,
    /// A picture that was asked for before the network's card arrived: it waits for the visitor's next try.
    waiting: RefCell<Option<Source>>,
    /// Cards and classes, kept for recovery without a server.
    models: RefCell<HashMap<String, Arc<Model>>>,
    /// Weights that are kept nowhere else on this machine, for recovery and for other sizes of the input.
    files: RefCell<HashMap<String, Rc<Vec<u8>>>>,
    /// The picture last run or about to be: what a recovery analyses anew.
    picture: RefCell<Option<Picture>>,
    /// Where in the depth the visitor last looked.
    place: Cell<Option<Place>>,
    /// The view before a network came that has it not.
    view: Cell<Option<View>>,
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
        let first = Wish { variant: model::first(), origin: None, side: None };
        Self(StoredValue::new_local(Rc::new(Inner {
            state,
            inbox: Inbox::default(),
            working: Cell::new(false),
            begun: Cell::new(false),
            gpu: RefCell::default(),
            opened: RefCell::default(),
            shelf: RefCell::new(Shelf::new(budget_bytes())),
            last: RefCell::new(first),
            hub: Hub::from_page(),
            warnings: RefCell::default(),
            origins: RefCell::default(),
            waiting: RefCell::default(),
            models: RefCell::default(),
            files: RefCell::default(),
            picture: RefCell::default(),
            place: Cell::new(None),
            view: Cell::new(None),
            branches: RefCell::default(),
            runs: Cell::new(0),
            losses: Cell::new(0),
            stop: RefCell::default(),
            stopped: Cell::new(false),
            lose_once: Cell::new(dom::query("lose").as_deref() == Some("1")),
        })))
    }

    /// Opens what was last asked for, then analyses the picture that is wanted or shown.
    pub fn open(&self) {
        let inner = self.0.get_value();
        let wish = inner.last.borrow().clone();
        if let Some(source) = inner.waiting.take() {
            inner.inbox.picture.borrow_mut().get_or_insert(source);
        }
        inner.begun.set(true);
        inner.want(wish);
    }

    /// Opens a network, or offers to load its weights where the page has none.
    pub fn choose(&self, variant: &'static Variant) {
        let inner = self.0.get_value();
        let same_side = inner.state.variant.get_untracked().side == variant.side;
        let side = inner.state.side.get_untracked().filter(|_| same_side);
        inner.state.variant.set(variant);
        inner.state.side.set(side);
        inner.want(Wish { variant, origin: None, side });
    }

    /// Opens a network with published weights.
    pub fn load(&self, variant: &'static Variant, entry: Entry) {
        let inner = self.0.get_value();
        inner.state.variant.set(variant);
        inner.want(Wish { variant, origin: Some(Origin::Published(Arc::new(entry))), side: None });
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
        inner.state.side.set(side);
        let wish = Wish { side, ..inner.last.borrow().clone() };
        inner.want(wish);
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
        inner.abort();
    }

    /// The open device.
    pub fn gpu(&self) -> Option<Gpu> {
        self.0.get_value().gpu.borrow().clone()
    }
}

impl Inner {
    /// Where the weights of a variant can be had from without asking.
    fn origin(&self, variant: &Variant) -> Option<Origin> {
        let known = self.origins.borrow().get(variant.id).cloned();
        known.or_else(|| model::is_shipped(variant).then_some(Origin::Shipped))
    }

    fn want(self: &Rc<Self>, wish: Wish) {
        self.state.offer.set(None);
        self.inbox.wish.replace(Some(wish));
        self.hurry();
    }

    fn want_file(self: &Rc<Self>, variant: &'static Variant, file: CheckpointFile) {
        self.state.variant.set(variant);
        self.state.side.set(None);
        self.want(Wish { variant, origin: Some(Origin::File(file)), side: None });
    }

    /// Wakes the worker; what it downloads for an older wish is given up.
    fn hurry(self: &Rc<Self>) {
        self.abort();
        self.wake();
    }

    fn abort(&self) {
        if let Some(controller) = self.stop.borrow().as_ref() {
            controller.abort();
        }
    }

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
            } else if let Some(files) = self.inbox.checkpoint.take() {
                self.recognise(files).await;
            } else if let Some(wish) = self.inbox.wish.take() {
                self.open(wish).await;
            } else if let Some(source) = self.inbox.picture.take() {
                self.analyse(source).await;
            } else if self.inbox.gates.take() {
                self.run_again().await;
            } else if let Some(unit) = self.inbox.unit.take() {
                self.read_activations(unit).await;
            } else if let Some(layer) = self.inbox.layer.take() {
                self.read_groups(layer).await;
            } else {
                break;
            }
        }
        self.working.set(false);
    }
}

/// `?memory=256` sets the budget in megabytes.
fn budget_bytes() -> u64 {
    let asked: Option<u64> = dom::query("memory").and_then(|megabytes| megabytes.parse().ok());
    asked.map_or(BUDGET_BYTES, |megabytes| megabytes.saturating_mul(1_000_000))
}
