//! From nothing, or from the ruins of a lost device, to a network that is ready to run.

use std::cell::Cell;
use std::rc::Rc;
use std::sync::Arc;

use leptos::prelude::*;
use leptos::task::spawn_local;
use web_sys::AbortController;

use super::{Inner, Opened};
use crate::app::dom;
use crate::app::failure::Failure;
use crate::app::fetch;
use crate::app::intake::Picture;
use crate::app::model::{MODELS, Model};
use crate::app::state::{Classifier, Host, Life, Notice, Progress, Stage, Tone};
use crate::engine::{self, Network};
use crate::gpu::{Gpu, GpuError};
use crate::weights::Checkpoint;

/// How often in a row a lost device is replaced before the page gives up.
const PATIENCE: usize = 3;

impl Inner {
    pub(super) async fn open(self: &Rc<Self>, position: usize) {
        if let Err(failure) = self.try_open(position).await {
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
        // If so, the worker's next turn recovers.
        if !self.is_lost() {
            self.state.life.set(Life::Failed(failure));
        }
    }

    /// Whether there was a picture to run on, too.
    async fn try_open(self: &Rc<Self>, position: usize) -> Result<bool, Failure> {
        let model = self.model(MODELS[position]).await?;
        self.state.model.set(Some(model.clone()));

        let gpu = self.gpu().await?;
        let file = self.weights_file(&model).await?;
        let network = self.load(&gpu, &model, &file).await?;
        self.state.host.set(Some(Host { adapter: gpu.adapter().clone(), account: network.account() }));
        let classifier = Arc::new(classifier(&network, model.labels.len()));
        self.opened.replace(Some(Rc::new(Opened { network, model, classifier, ran: Cell::new(None) })));
        match self.first_picture().await {
            // The network is ready all the same.
            Err(failure) if failure.is_of_picture() => {
                self.state.life.set(Life::Ready);
                self.tell(Some(failure));
                Ok(false)
            }
            result => {
                let ran = result?;
                self.state.life.set(Life::Ready);
                Ok(ran)
            }
        }
    }

    /// The card and the classes, fetched once.
    async fn model(&self, id: &'static str) -> Result<Arc<Model>, Failure> {
        if let Some(model) = self.models.borrow().get(id) {
            return Ok(model.clone());
        }
        self.stage(Progress::of(Stage::Card));
        let model = Arc::new(Model::fetch(id).await?);
        self.models.borrow_mut().insert(id, model.clone());
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
                session.wake();
            }
        });
        Ok(gpu)
    }

    /// The weights, downloaded once.
    async fn weights_file(&self, model: &Model) -> Result<Rc<Vec<u8>>, Failure> {
        let id = model.variant.id;
        if let Some(file) = self.files.borrow().get(id) {
            return Ok(file.clone());
        }
        self.stage(Progress::of(Stage::Download));
        let controller = AbortController::new().ok();
        let signal = controller.as_ref().map(AbortController::signal);
        self.stop.replace(controller);
        let heard = |done, total| self.stage(Progress { stage: Stage::Download, done, total });
        let bytes = fetch::bytes(&model.weights_path(), signal.as_ref(), heard).await;
        self.stop.replace(None);
        let file = Rc::new(bytes?);
        self.files.borrow_mut().insert(id, file.clone());
        Ok(file)
    }

    async fn load(&self, gpu: &Gpu, model: &Model, file: &[u8]) -> Result<Network, Failure> {
        let checkpoint = Checkpoint::parse(file).inspect_err(|_| {
            // The next try asks the server again.
            self.files.borrow_mut().remove(model.variant.id);
        })?;
        let heard = async |progress: engine::Progress| {
            let stage = match progress.stage {
                engine::Stage::Weights => Stage::Upload,
                engine::Stage::Pipelines => Stage::Pipelines,
                engine::Stage::WarmUp => Stage::WarmUp,
            };
            self.stage(Progress { stage, done: progress.done, total: progress.total });
            dom::pause().await;
        };
        Ok(Network::load(gpu, model.graph(), &checkpoint, heard).await?)
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
        self.opened.borrow().as_ref().is_some_and(|opened| opened.model.preprocess() == picture.preprocess)
    }

    pub(super) fn is_lost(&self) -> bool {
        self.inbox.lost.borrow().is_some()
    }

    /// A new adapter and device, the weights from the cached bytes, the same picture again.
    pub(super) async fn recover(self: &Rc<Self>, why: String) {
        self.gpu.replace(None);
        self.opened.replace(None);
        self.losses.set(self.losses.get() + 1);
        if self.losses.get() > PATIENCE {
            self.losses.set(0);
            self.state.life.set(Life::Failed(Failure::Lost(why)));
            return;
        }
        let position = self.inbox.network.take().unwrap_or_else(|| self.state.network.get_untracked());
        self.state.notice.set(None);
        let ran = match self.try_open(position).await {
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
