//! Group maps of a layer, read back when it is looked at.

use std::rc::Rc;
use std::sync::Arc;

use leptos::prelude::*;

use super::{Inner, Session};
use crate::app::features::GroupMaps;

impl Session {
    /// Reads back the group maps of a layer of the last run; they arrive in `State::groups`.
    pub fn want_groups(&self, layer: usize) {
        let inner = self.0.get_value();
        inner.inbox.layer.set(Some(layer));
        inner.wake();
    }
}

impl Inner {
    pub(super) async fn read_groups(self: &Rc<Self>, layer: usize) {
        let run = self.runs.get();
        let opened = self.opened.borrow().clone();
        // Another picture's maps, or another network's, must not be shown as this run's.
        let Some(opened) = opened.filter(|opened| opened.ran.get() == Some(run)) else { return };
        if layer >= opened.network.graph().layers.len() {
            return;
        }
        match opened.network.layer_groups(layer).await {
            Ok(tensor) => self.state.groups.set(Some(Arc::new(GroupMaps::new(run, layer, tensor)))),
            Err(error) => {
                let failure = self.run_failure(error).await;
                self.tell(Some(failure));
            }
        }
    }
}
