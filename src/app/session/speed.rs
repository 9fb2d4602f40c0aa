//! Measuring, one run in a turn of the worker: whatever else the visitor wants comes first.

use std::rc::Rc;
use std::sync::Arc;

use leptos::prelude::*;

use super::{Inner, Opened, Session};
use crate::app::dom;
use crate::app::intake::Picture;
use crate::app::speed::Speed;
use crate::app::state::Analysis;
use crate::engine::EngineError;
use crate::vision::normalise;

/// Runs of which the median counts.
pub const RUNS: usize = 7;

impl Session {
    /// Measures the network at work on the picture that is shown; results arrive in `State::speed`, run by run.
    pub fn measure(&self) {
        let inner = self.0.get_value();
        inner.state.speed.set(None);
        inner.state.measuring.set(true);
        inner.wake();
    }

    /// Measures no further: what the runs until now gave stays.
    pub fn stop_measuring(&self) {
        self.0.get_value().state.measuring.set(false);
    }
}

impl Inner {
    /// Adds a run to what was measured of the network that is shown. Another network, or another size, ends it.
    pub(super) async fn measure_once(self: &Rc<Self>) {
        dom::pause().await;
        let Some((opened, shown, picture)) = self.measurable() else { return self.state.measuring.set(false) };
        let before = self.state.speed.get_untracked();
        let speed = match before {
            Some(before) if !before.is_of(&shown) => return self.state.measuring.set(false),
            Some(before) => (*before).clone(),
            None => Speed::new(&shown, opened.network.parts()),
        };
        match self.with_a_run(speed, &opened, &shown, &picture).await {
            // Meanwhile the visitor may have stopped it.
            Ok(_) if !self.state.measuring.get_untracked() => {}
            Ok(speed) => {
                self.state.measuring.set(speed.runs() < RUNS);
                self.state.speed.set(Some(Arc::new(speed)));
            }
            Err(error) => {
                self.state.measuring.set(false);
                let failure = self.run_failure(error).await;
                self.tell(Some(failure));
            }
        }
    }

    /// The open network, if it is the one whose answer is shown, with that answer and its picture.
    fn measurable(&self) -> Option<(Rc<Opened>, Arc<Analysis>, Picture)> {
        let opened = self.opened.borrow().clone()?;
        let shown = self.state.analysis.get_untracked()?;
        let picture = self.state.picture.get_untracked()?;
        let same = shown.model.key == opened.model.key && shown.side == opened.side;
        same.then_some((opened, shown, picture))
    }

    async fn with_a_run(
        &self,
        mut speed: Speed,
        opened: &Opened,
        shown: &Analysis,
        picture: &Picture,
    ) -> Result<Speed, EngineError> {
        let network = &opened.network;
        let input = normalise(&picture.pixels, &opened.preprocess());
        opened.ran.set(None);
        if let Some(clock) = network.clock().await? {
            let (_, laps) = network.run_timed(&input, &clock).await?;
            speed.timings.push(laps);
        }
        // The run that is shown, so that the device holds its activations again.
        let replacements = shown.what_if.as_ref().map(|what_if| what_if.replacements.clone()).unwrap_or_default();
        let started_ms = dom::now_ms();
        network.run_with(&input, &replacements).await?;
        speed.push_total(dom::now_ms() - started_ms);
        opened.ran.set(Some(shown.run));
        Ok(speed)
    }
}
