//! From a picture to what the network makes of it.

use std::rc::Rc;
use std::sync::Arc;

use leptos::prelude::*;

use super::{Inner, Opened};
use crate::app::dom;
use crate::app::failure::Failure;
use crate::app::intake::{self, Picture, Source};
use crate::app::lens;
use crate::app::state::{Activations, Analysis, Life, Notice, Progress, Stage, Tone, View};
use crate::app::telling;
use crate::engine::{EngineError, Network};
use crate::gpu::GpuError;
use crate::graph::Tensor;
use crate::reading::Replacements;
use crate::vision::{normalise, softmax, top_k};

/// Rows of the list of predictions.
const TOP: usize = 5;

impl Inner {
    pub(super) async fn analyse(self: &Rc<Self>, source: Source) {
        if self.state.model.with_untracked(Option::is_none) {
            // Not even the network's card has arrived: another try, with this picture.
            self.inbox.picture.replace(Some(source));
            let wish = self.last.borrow().clone();
            return self.open(wish).await;
        }
        let before = self.state.life.get_untracked();
        let result = match self.read(source, Life::Analysing).await {
            Ok(picture) if self.opened.borrow().is_none() => {
                // Without a network there is still a picture to look at.
                self.state.analysis.set(None);
                self.picture.replace(Some(picture.clone()));
                self.state.picture.set(Some(picture));
                self.state.life.set(before);
                return;
            }
            Ok(picture) => self.run(picture, Life::Analysing).await,
            Err(failure) => Err(failure),
        };
        let Err(failure) = result else { return };
        // The picture before, or the trouble before, is still what the page shows.
        self.state.life.set(match before {
            Life::Failed(_) => before,
            _ => Life::Ready,
        });
        self.tell(Some(failure));
    }

    /// Tells the visitor of a failure; not of a wish that a newer one overtook, nor of what a recovery will mend.
    pub(super) fn tell(&self, failure: Option<Failure>) {
        let overtaken = failure == Some(Failure::Stopped) && !self.stopped.get();
        if let Some(failure) = failure.filter(|_| !overtaken && !self.is_lost()) {
            let picture_stays = self.state.picture.with_untracked(Option::is_some);
            self.state.notice.set(Some(notice_of(&failure, picture_stays)));
        }
    }

    /// `life` says whether the page is still opening or has something to show already.
    pub(super) async fn read(&self, source: Source, life: fn(Progress) -> Life) -> Result<Picture, Failure> {
        let stage = |done, total| self.state.life.set(life(Progress { stage: Stage::Picture, done, total }));
        stage(0, 0);
        let opened = self.opened.borrow().as_ref().map(|opened| opened.preprocess());
        let described = || self.state.model.get_untracked().map(|model| model.preprocess(model.own_side()));
        let preprocess = opened.or_else(described).ok_or(Failure::Stopped)?;
        let same = |picture: &Picture| picture.is_sample(&source) && picture.preprocess == preprocess;
        if let Some(picture) = self.ahead.take().filter(same) {
            return Ok(picture);
        }
        let overtaken = || self.stopped.get() || self.inbox.has_more_urgent_than_reading();
        let stoppable = self.begin_reading()?;
        Ok(intake::read(source, &preprocess, &stoppable.signal, stage, overtaken).await?)
    }

    pub(super) async fn run(self: &Rc<Self>, picture: Picture, life: fn(Progress) -> Life) -> Result<(), Failure> {
        self.picture.replace(Some(picture.clone()));
        let opened = self.opened.borrow().clone().ok_or(Failure::Stopped)?;
        self.state.life.set(life(Progress::of(Stage::Run)));
        dom::pause().await;

        let input = normalise(&picture.pixels, &opened.preprocess());
        let untouched = self.run_with(&opened, &input, &Replacements::default()).await?;
        // Asked only now: the visitor may have changed their mind meanwhile.
        let (replacements, dropped) = self.replacements_for(&opened);
        let analysis = self.what_if(&opened, &input, Arc::new(untouched), &replacements).await?;
        self.show(picture, analysis);
        self.settle(replacements);
        if let Some(text) = dropped {
            self.state.notice.set(Some(Notice { tone: Tone::Note, text }));
        }
        if self.lose_once.replace(false) {
            self.lose_device().await;
        }
        Ok(())
    }

    /// Runs the open network; what the device holds is then this run's.
    pub(super) async fn run_with(
        &self,
        opened: &Opened,
        input: &Tensor,
        replacements: &Replacements,
    ) -> Result<Analysis, Failure> {
        let started_ms = dom::now_ms();
        opened.ran.set(None);
        let reading = match opened.network.run_with(input, replacements).await {
            Ok(reading) => reading,
            Err(error) => return Err(self.run_failure(error).await),
        };
        let run_ms = dom::now_ms() - started_ms;

        self.losses.set(0);
        self.runs.set(self.runs.get() + 1);
        opened.ran.set(Some(self.runs.get()));
        self.branches.borrow_mut().clear();
        Ok(Analysis {
            run: self.runs.get(),
            probabilities: softmax(&reading.logits),
            top: top_k(&reading.logits, TOP),
            model: opened.model.clone(),
            side: opened.side,
            classifier: opened.classifier.clone(),
            reading,
            run_ms,
            what_if: None,
        })
    }

    fn show(&self, picture: Picture, analysis: Arc<Analysis>) {
        let state = self.state;
        let before = state.analysis.get_untracked();
        let same_network = before.as_ref().is_some_and(|before| before.model == analysis.model);
        let place = before.and_then(|before| telling::place(&before.reading, state.unit.get_untracked()));
        self.place.set(place.or(self.place.get()));
        let unit = match self.place.get() {
            Some(place) => telling::comparable(place, &analysis.reading),
            None => telling::unit(&analysis.reading),
        };
        state.picture.set(Some(picture));
        state.activations.set(None);
        state.analysis.set(Some(analysis));
        state.class.set(None);
        state.channel.set(None);
        state.cell.set(None);
        if !same_network {
            state.move_to_unit(unit);
            // A view that this network has not waits for one that has it, unless the visitor chooses another.
            let now = state.view.get_untracked();
            let wished = self.view.take().filter(|_| now == View::Features).unwrap_or(now);
            let views = untrack(|| lens::views(state));
            if !views.contains(&wished) {
                self.view.set(Some(wished));
            }
            state.choose_view(if views.contains(&wished) { wished } else { views[0] });
        }
        state.notice.set(None);
        state.life.set(Life::Ready);
    }

    /// Lets the visitor see the analysis before the device goes.
    async fn lose_device(&self) {
        dom::pause().await;
        if let Some(gpu) = self.gpu.borrow().as_ref() {
            gpu.lose();
        }
    }

    /// A lost device is a matter for the worker's next turn, whoever hears of it first.
    pub(super) async fn run_failure(&self, error: EngineError) -> Failure {
        // A loss may be heard of just after the failure that it caused.
        dom::pause().await;
        if let EngineError::Gpu(GpuError::Lost(why)) = &error {
            self.inbox.lost.borrow_mut().get_or_insert_with(|| why.clone());
        }
        error.into()
    }

    pub(super) async fn read_activations(&self, unit: usize) {
        let cached = self.branches.borrow().get(&unit).cloned();
        let run = self.runs.get();
        let opened = self.opened.borrow().clone();
        let tensor = match (cached, opened) {
            (Some(tensor), _) => tensor,
            // Another picture's activations, or an empty one's, must not be shown as this run's.
            (None, Some(opened)) if opened.ran.get() != Some(run) => return,
            // It was asked for while a network with fewer units was on its way.
            (None, Some(opened)) if unit >= opened.network.graph().units.len() => return,
            (None, Some(opened)) => match self.fetch_activations(&opened.network, unit).await {
                Ok(tensor) => tensor,
                Err(failure) => return self.tell(Some(failure)),
            },
            (None, None) => return,
        };
        self.state.activations.set(Some(Arc::new(Activations { run, unit, tensor })));
    }

    async fn fetch_activations(&self, network: &Network, unit: usize) -> Result<Arc<Tensor>, Failure> {
        let tensor = match network.unit_branches(unit).await {
            Ok(tensor) => Arc::new(tensor),
            Err(error) => return Err(self.run_failure(error).await),
        };
        self.branches.borrow_mut().insert(unit, tensor.clone());
        Ok(tensor)
    }
}

fn notice_of(failure: &Failure, picture_stays: bool) -> Notice {
    let picture_stays = picture_stays && !matches!(failure, Failure::Gates(_));
    let stays = if picture_stays { " The picture before it stays." } else { "" };
    match failure {
        Failure::Stopped => Notice { tone: Tone::Note, text: format!("Stopped.{stays}") },
        failure => Notice { tone: Tone::Error, text: format!("{} {}{stays}", failure.what(), failure.next_step()) },
    }
}
