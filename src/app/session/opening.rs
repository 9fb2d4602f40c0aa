//! From nothing, or from the ruins of a lost device, to a network that is ready to run.

use std::cell::Cell;
use std::rc::Rc;
use std::sync::Arc;

use leptos::prelude::*;
use leptos::task::spawn_local;

use super::{Inner, Opened, Wish};
use crate::app::dom;
use crate::app::failure::Failure;
use crate::app::intake::Picture;
use crate::app::model::{Model, Origin};
use crate::app::state::{Classifier, Host, Kept, Life, Notice, Progress, Stage, Tone};
use crate::arch::Variant;
use crate::engine::{self, EngineError, Network};
use crate::gpu::{Gpu, GpuError};
use crate::vision::SIDES;

/// How often in a row a lost device is replaced before the page gives up.
const PATIENCE: usize = 3;

impl Inner {
    pub(super) async fn open(self: &Rc<Self>, wish: Wish) {
        if let Err(failure) = self.try_open(wish).await {
            self.opening_failed(failure).await;
        }
        if self.state.model.with_untracked(Option::is_none) {
            // Without a card no picture can be read: left in the inbox, the wish would open again and again.
            self.waiting.replace(self.inbox.picture.take());
        }
    }

    async fn opening_failed(&self, failure: Failure) {
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
            self.last.replace(Wish { variant, origin, side });
            self.state.variant.set(variant);
            self.state.side.set(side);
            self.state.model.set(Some(opened.model.clone()));
            self.state.life.set(Life::Ready);
        }
    }

    /// Whether there was a picture to run on, too. Without weights the visitor is made an offer.
    async fn try_open(self: &Rc<Self>, wish: Wish) -> Result<bool, Failure> {
        let Wish { variant, side, .. } = wish;
        let origin = match wish.origin.clone() {
            Some(origin) => origin,
            None => match self.at_hand(variant).await? {
                Some(origin) => origin,
                None => {
                    self.offer(variant);
                    return Ok(false);
                }
            },
        };
        self.last.replace(wish);
        let model = self.model(variant, &origin).await?;
        let side = side.unwrap_or(model.own_side());
        self.state.model.set(Some(model.clone()));

        let gpu = self.gpu().await?;
        let opened = match self.opened(&gpu, &model, side, &origin).await {
            Err(failure) if matches!(origin, Origin::Published(_)) && !self.is_overtaken(&failure) => {
                // The next try goes on where this one ended.
                self.opening_failed(failure).await;
                self.offer(variant);
                return Ok(false);
            }
            result => result?,
        };
        self.origins.borrow_mut().insert(variant.id, origin);
        self.report(&gpu, &opened);
        self.opened.replace(Some(opened));
        let ran = match self.first_picture().await {
            // The network is ready all the same.
            Err(failure) if failure.is_of_picture() => {
                self.state.life.set(Life::Ready);
                self.tell(Some(failure));
                return Ok(false);
            }
            result => result?,
        };
        self.state.life.set(Life::Ready);
        self.pass_on_warnings();
        Ok(ran)
    }

    fn offer(&self, variant: &'static Variant) {
        self.state.variant.set(variant);
        self.state.side.set(None);
        self.state.offer.set(Some(variant));
        if self.opened.borrow().is_some() {
            self.state.life.set(Life::Ready);
        }
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

    /// The open device, or a new one.
    async fn gpu(self: &Rc<Self>) -> Result<Gpu, Failure> {
        let open = self.gpu.borrow().clone();
        if let Some(gpu) = open {
            return Ok(gpu);
        }
        self.stage(Progress::of(Stage::Adapter));
        // `?webgpu=off` shows what a browser without WebGPU would.
        if dom::query("webgpu").as_deref() == Some("off") {
            return Err(GpuError::NoWebGpu.into());
        }
        // Asked here, since an engine without an adapter cannot tell the one from the other.
        let offered = js_sys::Reflect::get(&window().navigator(), &"gpu".into()).is_ok_and(|gpu| gpu.is_truthy());
        let gpu = match Gpu::open().await {
            Err(GpuError::NoWebGpu) if offered => return Err(Failure::NoAdapter("none was offered".into())),
            result => result?,
        };
        self.gpu.replace(Some(gpu.clone()));
        let (session, watched) = (self.clone(), gpu.clone());
        spawn_local(async move {
            let why = watched.wait_lost().await;
            // A device that has been replaced already is nobody's loss.
            if session.gpu.borrow().as_ref() == Some(&watched) {
                session.inbox.lost.replace(Some(why));
                session.hurry();
            }
        });
        Ok(gpu)
    }

    /// The network as it stands on the device, or put there now.
    async fn opened(&self, gpu: &Gpu, model: &Arc<Model>, side: usize, origin: &Origin) -> Result<Rc<Opened>, Failure> {
        let key = (model.key.clone(), side);
        let kept = self.shelf.borrow_mut().get(&key);
        if let Some(kept) = kept {
            return Ok(kept);
        }
        let checkpoint = self.checkpoint(model, origin).await?;
        let graph = model.graph(side);
        // Weights, of which there is about one copy on the device, are most of what a network takes.
        self.shelf.borrow_mut().make_room(4 * model.cost(side).parameters);
        let heard = async |progress: engine::Progress| {
            let stage = match progress.stage {
                engine::Stage::Weights => Stage::Upload,
                engine::Stage::Pipelines => Stage::Pipelines,
                engine::Stage::WarmUp => Stage::WarmUp,
            };
            self.stage(Progress { stage, done: progress.done, total: progress.total });
            dom::pause().await;
        };
        let network = match Network::load(gpu, graph, &checkpoint, heard).await {
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
        let bytes = network.account().total_bytes;
        let (model, origin) = (model.clone(), origin.clone());
        let opened = Rc::new(Opened { network, model, origin, side, classifier, ran: Cell::new(None) });
        self.shelf.borrow_mut().put(key, opened.clone(), bytes);
        Ok(opened)
    }

    /// Tells the page what the device holds.
    fn report(&self, gpu: &Gpu, opened: &Opened) {
        let shelf = self.shelf.borrow();
        let kept = Kept { networks: shelf.len(), bytes: shelf.bytes(), budget_bytes: shelf.budget_bytes() };
        self.state.host.set(Some(Host { adapter: gpu.adapter().clone(), account: opened.network.account(), kept }));
    }

    /// Analyses the picture that waits, or else the one on screen; says whether there was one.
    async fn first_picture(self: &Rc<Self>) -> Result<bool, Failure> {
        let shown = self.picture.borrow().clone();
        let ready = shown.clone().filter(|picture| self.fits(picture));
        let source = match (self.inbox.picture.take(), shown) {
            (Some(source), _) => source,
            (None, Some(picture)) if ready.is_none() => picture.source,
            (None, _) => match ready {
                Some(picture) => return self.run(picture, Life::Opening).await.map(|()| true),
                None => return Ok(false),
            },
        };
        match self.read(source, Life::Opening).await {
            Ok(picture) => self.run(picture, Life::Opening).await.map(|()| true),
            Err(failure) => {
                // The device has to hold what the screen still shows.
                if let Some(picture) = ready {
                    self.run(picture, Life::Opening).await?;
                }
                Err(failure)
            }
        }
    }

    /// Whether a picture was read for a network like the one that is open.
    fn fits(&self, picture: &Picture) -> bool {
        let opened = self.opened.borrow();
        opened.as_ref().is_some_and(|opened| opened.model.preprocess(opened.side) == picture.preprocess)
    }

    /// Whether the worker's next turn deals with a failure: it recovers from a loss, and a newer wish has set what
    /// the page shows.
    fn is_overtaken(&self, failure: &Failure) -> bool {
        self.is_lost() || (*failure == Failure::Stopped && self.inbox.has_more_urgent_than_opening())
    }

    pub(super) fn is_lost(&self) -> bool {
        self.inbox.lost.borrow().is_some()
    }

    /// A new adapter and device, the weights from the cached bytes, the same picture again.
    pub(super) async fn recover(self: &Rc<Self>, why: String) {
        self.gpu.replace(None);
        self.opened.replace(None);
        self.shelf.borrow_mut().clear();
        self.losses.set(self.losses.get() + 1);
        if self.losses.get() > PATIENCE {
            self.losses.set(0);
            self.state.life.set(Life::Failed(Failure::Lost(why)));
            return;
        }
        let wish = self.inbox.wish.take().unwrap_or_else(|| self.last.borrow().clone());
        self.state.notice.set(None);
        let ran = match self.try_open(wish).await {
            Ok(ran) => ran,
            Err(failure) => return self.opening_failed(failure).await,
        };
        // What went wrong with a picture meanwhile is the more important news.
        if self.state.notice.with_untracked(Option::is_none) {
            let picture = if ran { " and has read the picture anew" } else { "" };
            let text = format!("The graphics device was lost; the network was set up again on a new one{picture}.");
            self.state.notice.set(Some(Notice { tone: Tone::Recovered, text }));
        }
    }

    pub(super) fn stage(&self, progress: Progress) {
        self.state.life.set(Life::Opening(progress));
    }
}

fn classifier(network: &Network, classes: usize) -> Classifier {
    Classifier {
        weight: (0..classes).flat_map(|class| network.classifier_row(class)).copied().collect(),
        bias: (0..classes).map(|class| network.classifier_bias(class)).collect(),
    }
}
