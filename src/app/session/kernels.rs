//! Which kernels the networks get on the visitor's adapter.

use leptos::prelude::*;

use super::{Inner, Session};
use crate::app::dom;
use crate::app::failure::Failure;
use crate::app::state::{Notice, Progress, Stage, Tone};
use crate::app::tuning::{self, Asked};
use crate::engine::{self, Tried};
use crate::gpu::Gpu;
use crate::graph::Graph;
use crate::graph::cost::cost;

/// Multiply-adds from which on trying the kernels out, which takes a second or two, is soon worth it.
const LARGE: u64 = 300_000_000;

impl Session {
    /// Forgets which kernels were found to be the fastest on this adapter.
    pub fn forget_kernels(&self) {
        let inner = self.0.get_value();
        inner.tuning.set(None);
        if let Some(gpu) = inner.gpu.borrow().as_ref() {
            tuning::forget(gpu.adapter());
        }
        let text = "Forgotten. The kernels are tried out anew before a large network is loaded the next time.".into();
        inner.state.notice.set(Some(Notice { tone: Tone::Note, text }));
        // What is remembered is read where the host is shown.
        inner.state.host.notify();
    }
}

impl Inner {
    /// Before a network is loaded: the kernels that were found to be the fastest, or, before the first large
    /// network, a trial of them. On a processor nothing is tried, since there the default was measured.
    pub(super) async fn choose_kernels(&self, gpu: &Gpu, graph: &Graph) -> Result<(), Failure> {
        let adapter = gpu.adapter();
        let asked = tuning::asked();
        let known = match asked {
            Some(Asked::Kernels(tuning)) => Some(tuning),
            Some(Asked::Measure) => self.tuning.get(),
            None => self.tuning.get().or_else(|| tuning::remembered(adapter)),
        };
        let worth = asked.is_some() || !adapter.software && cost(graph).macs >= LARGE;
        let tuning = match known {
            Some(tuning) => tuning,
            None if worth => {
                let heard = async |Tried { done, total }| {
                    self.stage(Progress { stage: Stage::Kernels, done, total });
                    dom::pause().await;
                };
                let tuning = self.unless_stopped(engine::tune(gpu, || dom::now_ms() / 1e3, heard)).await??;
                tuning::remember(adapter, tuning);
                tuning
            }
            None => return Ok(()),
        };
        self.tuning.set(Some(tuning));
        gpu.set_tuning(tuning);
        self.go_on()
    }
}
