//! From a wish to a network that is ready to run.

use std::cell::Cell;
use std::future::poll_fn;
use std::pin::pin;
use std::rc::Rc;
use std::sync::Arc;
use std::task::{Context, Poll};

use futures_channel::oneshot;
use leptos::prelude::*;

use super::{Inner, Opened, Wish};
use crate::app::dom;
use crate::app::failure::Failure;
use crate::app::intake::{self, Picture, Source};
use crate::app::model::{Model, Origin};
use crate::app::state::{Analysis, Classifier, Host, Kept, Life, Progress, Stage};
use crate::arch::Variant;
use crate::engine::{self, EngineError, Network};
use crate::gpu::Gpu;
use crate::graph::Graph;
use crate::vision::{Preprocess, SIDES};

/// What became of a wish that did not fail.
pub(super) enum Outcome {
    /// The network is open and has looked at a picture.
    Ran,
    /// It is open, and there was no picture.
    Ready,
    /// Its weights have to be asked for first, or once more.
    Offered,
}

impl Inner {
    pub(super) async fn open(self: &Rc<Self>, wish: Wish) {
        self.opening.set(Some(wish.variant));
        if let Err(failure) = self.try_open(wish).await {
            self.opening_failed(failure).await;
        }
        self.opening.set(None);
        if self.state.model.with_untracked(Option::is_none) {
            // Without a card no picture can be read: left in the inbox, the wish would open again and again.
            let picture = self.inbox.picture.take();
            let waiting = picture.or_else(|| self.waiting.take());
            self.waiting.replace(waiting);
        }
    }

    pub(super) async fn opening_failed(&self, failure: Failure) {
        // A loss may be heard of just after the failure that it caused.
        dom::pause().await;
        if self.is_overtaken(&failure) {
            return;
        }
        match self.opened.borrow().is_some() {
            // The network before is still there and goes on.
            true => {
                self.show_opened();
                self.tell(Some(failure));
            }
            false => self.state.life.set(Life::Failed(failure)),
        }
    }

    /// What was chosen and did not come gives way to what is open.
    pub(super) fn show_opened(&self) {
        self.state.offer.set(None);
        let opened = self.opened.borrow().clone();
        if let Some(opened) = opened {
            let (variant, origin) = (opened.model.variant, Some(opened.origin.clone()));
            let side = Some(opened.side).filter(|side| *side != opened.model.own_side());
            self.last.replace(Wish { variant, origin, agreed: false, side });
            self.state.variant.set(variant);
            self.state.side.set(side);
            self.state.model.set(Some(opened.model.clone()));
            self.keep(&opened);
        }
        if self.state.life.with_untracked(|life| matches!(life, Life::Opening(_))) {
            self.state.life.set(Life::Ready);
        }
    }

    /// Opens a network and analyses the picture with it. Without weights the visitor is made an offer.
    pub(super) async fn try_open(self: &Rc<Self>, wish: Wish) -> Result<Outcome, Failure> {
        let Wish { variant, side, .. } = wish;
        self.announce(&wish);
        self.last.replace(wish.clone());
        let at_hand = self.unless_stopped(self.at_hand(&wish)).await??;
        let Some(origin) = at_hand else {
            self.offer(variant, wish.side);
            return Ok(Outcome::Offered);
        };
        // Neither needs the other.
        let session = self.clone();
        let gpu = dom::beside(async move { session.gpu().await });
        let model = self.unless_stopped(self.model(variant, &origin)).await??;
        let side = side.unwrap_or(model.own_side());
        self.state.model.set(Some(model.clone()));

        if self.gpu.borrow().is_none() {
            self.stage(Progress::of(Stage::Adapter));
        }
        let gpu = gpu.await.map_err(|_| Failure::Stopped)??;
        self.go_on()?;
        let opened = match self.opened(&gpu, &model, side, &origin).await {
            Err(failure) if matches!(origin, Origin::Published(_)) && !self.is_overtaken(&failure) => {
                // The next try goes on where this one ended.
                self.opening_failed(failure).await;
                self.offer(variant, wish.side);
                return Ok(Outcome::Offered);
            }
            result => result?,
        };
        self.origins.borrow_mut().insert(variant.id, origin);
        self.last.borrow_mut().agreed = false;
        let before = self.opened.replace(Some(opened.clone()));
        self.keep(&opened);
        let ran = match self.first_picture().await {
            Err(failure) if before.is_some() && !self.is_shown(&opened) => {
                // The screen still shows what the network before made of the picture.
                self.opened.replace(before);
                return Err(failure);
            }
            // The network is ready all the same.
            Err(failure) if failure.is_of_picture() => {
                self.state.life.set(Life::Ready);
                self.tell(Some(failure));
                return Ok(Outcome::Ready);
            }
            result => result?,
        };
        self.state.life.set(Life::Ready);
        self.pass_on_warnings();
        Ok(if ran { Outcome::Ran } else { Outcome::Ready })
    }

    /// Whether what was wished for is open.
    pub(super) fn is_open(&self, wish: &Wish) -> bool {
        self.opened.borrow().as_ref().is_some_and(|opened| {
            let (variant, model) = (wish.variant, &opened.model);
            let same_weights = wish.origin.as_ref().is_none_or(|origin| origin.key(variant) == model.key);
            variant.id == model.variant.id && same_weights && wish.side.unwrap_or(model.own_side()) == opened.side
        })
    }

    /// Whether the analysis on the screen is this network's.
    fn is_shown(&self, opened: &Opened) -> bool {
        let same = |analysis: &Arc<Analysis>| analysis.model.key == opened.model.key && analysis.side == opened.side;
        self.state.analysis.with_untracked(|analysis| analysis.as_ref().is_some_and(same))
    }

    /// Goes on with the work at hand, unless the visitor has stopped it or wants something else by now.
    pub(super) fn go_on(&self) -> Result<(), Failure> {
        match self.stopped.get() || self.inbox.has_more_urgent_than_opening() {
            true => Err(Failure::Stopped),
            false => Ok(()),
        }
    }

    /// `work`, unless the visitor stops it or wants something else: then it is dropped, whatever it waits for.
    pub(super) async fn unless_stopped<T>(&self, work: impl Future<Output = T>) -> Result<T, Failure> {
        let mut work = pin!(work);
        let step = |context: &mut Context<'_>| {
            if let Err(stopped) = self.go_on() {
                return Poll::Ready(Err(stopped));
            }
            let mut wakers = self.interruptible.borrow_mut();
            if !wakers.iter().any(|waker| waker.will_wake(context.waker())) {
                wakers.push(context.waker().clone());
            }
            drop(wakers);
            work.as_mut().poll(context).map(Ok)
        };
        poll_fn(step).await
    }

    /// Offers to load the weights of a variant, for inputs of this side; what is open stays at work.
    pub(super) fn offer(&self, variant: &'static Variant, side: Option<usize>) {
        self.last.borrow_mut().agreed = false;
        self.show_opened();
        self.state.variant.set(variant);
        self.state.side.set(side);
        self.state.offer.set(Some(variant));
    }

    /// The card and the classes, fetched once.
    async fn model(&self, variant: &'static Variant, origin: &Origin) -> Result<Arc<Model>, Failure> {
        let key = origin.key(variant);
        let known = self.models.borrow().get(&key).cloned();
        if let Some(model) = known {
            return Ok(model);
        }
        self.stage(Progress::of(Stage::Card));
        let catalogue = match origin {
            Origin::File(_) => Some(self.catalogue().await?),
            Origin::Shipped | Origin::Published(_) => None,
        };
        let model = Arc::new(Model::describe(variant, origin, catalogue.as_deref()).await?);
        self.models.borrow_mut().insert(key, model.clone());
        Ok(model)
    }

    /// The network as it stands on the device, or put there now.
    async fn opened(
        self: &Rc<Self>,
        gpu: &Gpu,
        model: &Arc<Model>,
        side: usize,
        origin: &Origin,
    ) -> Result<Rc<Opened>, Failure> {
        let key = (model.key.clone(), side);
        // The one at work may have had to leave the shelf.
        let at_work = self.opened.borrow().clone().filter(|opened| opened.key() == key);
        let kept = at_work.or_else(|| self.shelf.borrow_mut().get(&key));
        if let Some(kept) = kept {
            return Ok(kept);
        }
        let graph = model.graph(side);
        self.choose_kernels(gpu, &graph).await?;
        let ahead = self.compile_ahead(gpu, &graph);
        let checkpoint = self.checkpoint(model, origin).await?;
        self.go_on()?;
        ahead.is_awaited.set(true);
        self.read_ahead(&model.preprocess(side)).await;
        ahead.finish().await;
        self.go_on()?;
        // Weights are most of what a network takes.
        self.shelf.borrow_mut().make_room(engine::counts(&graph, gpu.tuning()).weights_bytes);
        let heard = async |progress: engine::Progress| {
            self.stage(shown(progress));
            dom::pause().await;
        };
        let network = match self.unless_stopped(Network::load(gpu, graph, &checkpoint, heard)).await? {
            Err(error) if error.is_of_size() => {
                let largest = engine::largest_side(gpu, *SIDES.start()..side, |side| model.graph(side));
                return Err(Failure::Size { why: error.to_string(), largest });
            }
            Err(EngineError::Weights(error)) if matches!(origin, Origin::File(_)) => {
                return Err(Failure::Checkpoint(error.to_string()));
            }
            result => result?,
        };
        let classifier = Arc::new(classifier(&network, model.labels.len()));
        let (model, origin) = (model.clone(), origin.clone());
        Ok(Rc::new(Opened { network, model, origin, side, classifier, ran: Cell::new(None) }))
    }

    /// Compiles what the graph needs while its weights are on their way, which takes about as long for a small network.
    fn compile_ahead(self: &Rc<Self>, gpu: &Gpu, graph: &Graph) -> Ahead {
        let is_awaited = Rc::new(Cell::new(false));
        let (session, gpu, graph, awaited) = (self.clone(), gpu.clone(), graph.clone(), is_awaited.clone());
        let wait = dom::beside(async move {
            let heard = async |progress| {
                if awaited.get() {
                    session.stage(shown(progress));
                }
                dom::pause().await;
            };
            // What fails here fails in loading too, which says so.
            let _ = session.unless_stopped(engine::compile(&gpu, &graph, heard)).await;
        });
        Ahead { is_awaited, wait }
    }

    /// Reads the sample that the page begins with while shaders are compiled. What else waits is read in its turn.
    async fn read_ahead(&self, preprocess: &Preprocess) {
        let Some(source @ Source::Sample(_)) = self.inbox.picture.borrow().clone() else { return };
        let overtaken = || self.go_on().is_err();
        let Ok(stoppable) = self.begin_reading() else { return };
        // What fails here fails in its turn too, and is told then.
        let picture = intake::read(source, preprocess, &stoppable.signal, |_, _| (), overtaken).await.ok();
        self.ahead.replace(picture);
    }

    /// Keeps the network at work on the shelf, and tells the page what the device holds.
    fn keep(&self, opened: &Rc<Opened>) {
        let account = opened.network.account();
        let mut shelf = self.shelf.borrow_mut();
        shelf.put(opened.key(), opened.clone(), account.total_bytes);
        let kept = Kept { networks: shelf.len(), bytes: shelf.bytes(), budget_bytes: shelf.budget_bytes() };
        let gpu = self.gpu.borrow().as_ref().map(|gpu| (gpu.adapter().clone(), gpu.tuning()));
        let pipelines = opened.network.pipelines();
        self.state.host.set(gpu.map(|(adapter, tuning)| Host { adapter, tuning, account, pipelines, kept }));
    }

    /// Analyses the picture that waits, or else the one on screen; says whether there was one.
    async fn first_picture(self: &Rc<Self>) -> Result<bool, Failure> {
        let shown = self.picture.borrow().clone();
        let ready = shown.clone().filter(|picture| self.fits(picture));
        let wanted = self.inbox.picture.take().or_else(|| self.waiting.take());
        let mut source = match (wanted, shown) {
            (Some(source), _) => source,
            (None, Some(picture)) if ready.is_none() => picture.source,
            (None, _) => match ready {
                Some(picture) => return self.run(picture, Life::Opening).await.map(|()| true),
                None => return Ok(false),
            },
        };
        let read = loop {
            match self.read(source.clone(), Life::Opening).await {
                // The network stays wanted, though another picture is by now.
                Err(Failure::Stopped) if self.go_on().is_ok() => match self.inbox.picture.take() {
                    Some(newer) => source = newer,
                    None => break Err(Failure::Stopped),
                },
                read => break read,
            }
        };
        match read {
            Ok(picture) => self.run(picture, Life::Opening).await.map(|()| true),
            Err(failure) => {
                if self.is_overtaken(&failure) {
                    // What is more urgent takes nothing away.
                    self.waiting.replace(Some(source));
                }
                // The device has to hold what the screen still shows.
                if let Some(picture) = ready {
                    self.run(picture, Life::Opening).await?;
                }
                Err(failure)
            }
        }
    }

    /// Whether a picture was resized as the open network wants it; mean and deviation are no matter of pixels.
    fn fits(&self, picture: &Picture) -> bool {
        let Preprocess { mean, std, .. } = picture.preprocess;
        let opened = self.opened.borrow();
        opened.as_ref().is_some_and(|opened| Preprocess { mean, std, ..opened.preprocess() } == picture.preprocess)
    }

    /// Whether the worker's next turn deals with a failure: it recovers from a loss, and a newer wish has set what
    /// the page shows.
    fn is_overtaken(&self, failure: &Failure) -> bool {
        self.is_lost() || (*failure == Failure::Stopped && self.inbox.has_more_urgent_than_opening())
    }

    pub(super) fn stage(&self, progress: Progress) {
        self.state.life.set(Life::Opening(progress));
    }
}

/// Pipelines being compiled in the background.
struct Ahead {
    /// Whether the page has nothing else to wait for, and shows how far this is.
    is_awaited: Rc<Cell<bool>>,
    wait: oneshot::Receiver<()>,
}

impl Ahead {
    async fn finish(self) {
        // A task that was dropped has nothing more to say.
        let _ = self.wait.await;
    }
}

fn shown(progress: engine::Progress) -> Progress {
    let stage = match progress.stage {
        engine::Stage::Weights => Stage::Upload,
        engine::Stage::Pipelines => Stage::Pipelines,
    };
    Progress { stage, done: progress.done, total: progress.total }
}

fn classifier(network: &Network, classes: usize) -> Classifier {
    Classifier {
        weight: (0..classes).flat_map(|class| network.classifier_row(class)).copied().collect(),
        bias: (0..classes).map(|class| network.classifier_bias(class)).collect(),
    }
}
