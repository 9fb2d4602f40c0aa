//! Knows the engine on behalf of the page: one worker that opens networks, reads pictures, runs them and
//! recovers from a lost device, one thing at a time.
//!
//! Whoever wants something leaves it in the [`Inbox`]; a newer wish of the same kind replaces the older one,
//! so that a visitor in a hurry gets the last thing asked for.

mod analysis;
mod checkpoint;
mod device;
mod features;
mod gates;
mod handle;
mod inbox;
mod kernels;
mod opening;
mod speed;
mod weights;

pub use self::speed::RUNS;

use std::cell::{Cell, RefCell};
use std::collections::HashMap;
use std::rc::Rc;
use std::sync::Arc;
use std::task::Waker;

use leptos::prelude::*;
use leptos::task::spawn_local;
use web_sys::AbortController;

use self::inbox::Inbox;
use super::dom;
use super::hub::{Hub, Warning};
use super::intake::{Picture, Source};
use super::model::{self, CheckpointFile, Model, Origin};
use super::state::{Classifier, State, View};
use super::telling::Place;
use crate::arch::Variant;
use crate::engine::{Network, Shelf};
use crate::gpu::Gpu;
use crate::graph::Tensor;
use crate::kernels::Tuning;
use crate::vision::Preprocess;

/// Memory of the device for the network at work and those that may be wanted again.
const BUDGET_BYTES: u64 = 1 << 30;
/// Files of weights that the program keeps in its own memory, of which a browser gives it 4 GB at most.
const FILES_BYTES: u64 = 512 << 20;

/// A network with its weights, to be opened.
#[derive(Clone)]
struct Wish {
    variant: &'static Variant,
    /// Where the weights come from; `None` is from wherever the page can have them without asking.
    origin: Option<Origin>,
    /// Whether the visitor has agreed to download published weights for this.
    agreed: bool,
    /// Of the input, in pixels; `None` is the one that the weights were made for.
    side: Option<usize>,
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

impl Opened {
    fn key(&self) -> Key {
        (self.model.key.clone(), self.side)
    }

    /// How a picture becomes its input.
    fn preprocess(&self) -> Preprocess {
        self.model.preprocess(self.side)
    }
}

struct Inner {
    state: State,
    inbox: Inbox,
    working: Cell<bool>,
    /// Whether the visitor has asked for a picture.
    asked: Cell<bool>,
    gpu: RefCell<Option<Gpu>>,
    /// The kernels that are fastest on the adapter, once that is known.
    tuning: Cell<Option<Tuning>>,
    opened: RefCell<Option<Rc<Opened>>>,
    /// Networks on the device, the one at work among them.
    shelf: RefCell<Shelf<Key, Rc<Opened>>>,
    /// Files of weights that the visitor has brought.
    brought: Cell<usize>,
    /// What is being opened right now.
    opening: Cell<Option<&'static Variant>>,
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
    /// Weights that are kept nowhere else on this machine, for recovery and for other sizes of the input. What had to
    /// leave is asked for anew.
    files: RefCell<Shelf<String, Rc<Vec<u8>>>>,
    /// The picture last run or about to be: what a recovery analyses anew.
    picture: RefCell<Option<Picture>>,
    /// A sample that was read while its network was on its way.
    ahead: RefCell<Option<Picture>>,
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
    /// Tasks to be woken when the visitor stops the work at hand, see `unless_stopped`.
    interruptible: RefCell<Vec<Waker>>,
    stopped: Cell<bool>,
    /// Whether a picture is being read, which a newer one puts an end to.
    reading: Cell<bool>,
    /// `?lose=1`: lose the device once, after the first analysis.
    lose_once: Cell<bool>,
}

/// A handle for components.
#[derive(Clone, Copy)]
pub struct Session(StoredValue<Rc<Inner>, LocalStorage>);

impl Inner {
    /// Where the weights of a variant can be had from without asking.
    fn origin(&self, variant: &Variant) -> Option<Origin> {
        let known = self.origins.borrow().get(variant.id).cloned();
        known.or_else(|| model::is_shipped(variant).then_some(Origin::Shipped))
    }

    /// What waits to be opened, or is at work or was tried last.
    fn latest(&self) -> Wish {
        let waiting = self.inbox.wish.borrow().clone();
        waiting.unwrap_or_else(|| self.last.borrow().clone())
    }

    fn want(self: &Rc<Self>, wish: Wish) {
        self.announce(&wish);
        self.inbox.wish.replace(Some(wish));
        self.hurry();
    }

    /// Shows which network is asked for; an offer of another one is over.
    fn announce(&self, wish: &Wish) {
        self.state.variant.set(wish.variant);
        self.state.side.set(wish.side);
        self.state.offer.set(None);
    }

    fn want_file(self: &Rc<Self>, variant: &'static Variant, file: CheckpointFile) {
        self.want(Wish { variant, origin: Some(Origin::File(file)), agreed: false, side: None });
    }

    /// Wakes the worker; what it does for an older wish is given up.
    fn hurry(self: &Rc<Self>) {
        self.abort();
        self.wake();
    }

    fn abort(&self) {
        if let Some(controller) = self.stop.borrow().as_ref() {
            controller.abort();
        }
        self.interruptible.take().into_iter().for_each(Waker::wake);
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
            } else if self.state.measuring.get_untracked() {
                self.measure_once().await;
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
