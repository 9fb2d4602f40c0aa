//! Runs with other gates than the network's own, each set against the run without.

use std::rc::Rc;
use std::sync::Arc;

use leptos::prelude::*;

use super::{Inner, Opened, Session};
use crate::app::dom;
use crate::app::failure::Failure;
use crate::app::state::{Analysis, Life, Progress, Stage};
use crate::app::what_if::WhatIf;
use crate::engine::EngineError;
use crate::graph::Tensor;
use crate::reading::Replacements;
use crate::vision::normalise;

impl Session {
    /// Runs the network on the picture with these gates replaced; of wishes that come while it runs the last counts.
    pub fn replace(&self, replacements: Replacements) {
        let inner = self.0.get_value();
        inner.state.replacements.set(replacements);
        inner.inbox.gates.set(true);
        // Before anything is shown the first run finds what is wanted.
        if inner.state.analysis.with_untracked(Option::is_some) {
            inner.wake();
        }
    }

    /// Gives every unit its own gates back.
    pub fn give_back(&self) {
        self.replace(Replacements::default());
    }
}

impl Inner {
    /// Runs the network on the picture that is shown, with the gates that are wanted now.
    pub(super) async fn run_again(self: &Rc<Self>) {
        let shown = self.state.analysis.get_untracked();
        let picture = self.state.picture.get_untracked();
        let opened = self.opened.borrow().clone();
        // Without a network the wish waits for one.
        let (Some(shown), Some(picture), Some(opened)) = (shown, picture, opened) else { return };
        if shown.model.key != opened.model.key || shown.side != opened.side {
            // What is shown is another network's: the open one has yet to see the picture.
            self.inbox.picture.borrow_mut().get_or_insert(picture.source);
            return;
        }
        let before = self.state.life.get_untracked();
        self.state.life.set(Life::Analysing(Progress::of(Stage::Run)));
        dom::pause().await;
        let wanted = self.wanted();
        let input = normalise(&picture.pixels, &opened.preprocess());
        let result = match wanted.is_empty() {
            true => self.run_with(&opened, &input, &wanted).await.map(Arc::new),
            false => {
                let untouched = shown.what_if.as_ref().map_or(shown.clone(), |what_if| what_if.untouched.clone());
                self.what_if(&opened, &input, untouched, &wanted).await
            }
        };
        self.state.life.set(match before {
            Life::Failed(_) => before,
            _ => Life::Ready,
        });
        match result {
            Ok(analysis) => {
                self.state.activations.set(None);
                self.state.notice.set(None);
                self.state.analysis.set(Some(analysis));
            }
            // What was asked for is run on the next device.
            Err(_) if self.is_lost() => {}
            Err(failure) => {
                let replaced = shown.what_if.as_ref().map(|what_if| what_if.replacements.clone());
                self.settle(replaced.unwrap_or_default());
                self.tell(Some(failure));
            }
        }
    }

    /// The untouched run, or another beside it where there is something to replace.
    pub(super) async fn what_if(
        &self,
        opened: &Opened,
        input: &Tensor,
        untouched: Arc<Analysis>,
        replacements: &Replacements,
    ) -> Result<Arc<Analysis>, Failure> {
        if replacements.is_empty() {
            return Ok(untouched);
        }
        // Refused before the device forgets the run that is shown.
        replacements.resolve(opened.network.graph()).map_err(EngineError::from)?;
        let replaced = self.run_with(opened, input, replacements).await?;
        let what_if = Some(WhatIf { replacements: replacements.clone(), untouched });
        Ok(Arc::new(Analysis { what_if, ..replaced }))
    }

    /// What the visitor wants replaced; the wish is met from here on.
    fn wanted(&self) -> Replacements {
        self.inbox.gates.set(false);
        self.state.replacements.get_untracked()
    }

    /// What is wanted as far as it means something to a network, and a sentence on what does not.
    pub(super) fn replacements_for(&self, opened: &Opened) -> (Replacements, Option<String>) {
        let wanted = self.wanted();
        let shown = self.state.analysis.get_untracked();
        let same = shown.is_some_and(|shown| shown.model.key == opened.model.key);
        let kept = if same { wanted.clone() } else { wanted.of_all() };
        if let Err(error) = kept.resolve(opened.network.graph()) {
            return (Replacements::default(), Some(format!("No gates are replaced any more: {error}.")));
        }
        let dropped = (kept != wanted)
            .then(|| "Gates that were replaced unit by unit stay behind with the network before.".to_string());
        (kept, dropped)
    }

    /// Takes what was run for what is wanted, unless the visitor wants something else by now.
    pub(super) fn settle(&self, replacements: Replacements) {
        if !self.inbox.gates.get() && self.state.replacements.with_untracked(|wanted| *wanted != replacements) {
            self.state.replacements.set(replacements);
        }
    }
}
