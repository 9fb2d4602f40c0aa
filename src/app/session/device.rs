//! The graphics device: asked for once, watched, and replaced when it is lost.

use std::rc::Rc;

use leptos::prelude::*;
use leptos::task::spawn_local;

use super::Inner;
use super::opening::Outcome;
use crate::app::dom;
use crate::app::failure::Failure;
use crate::app::state::{Life, Notice, Tone};
use crate::gpu::{Gpu, GpuError};

/// How often in a row a lost device is replaced before the page gives up.
const PATIENCE: usize = 3;

impl Inner {
    /// The open device, or a new one.
    pub(super) async fn gpu(self: &Rc<Self>) -> Result<Gpu, Failure> {
        let open = self.gpu.borrow().clone();
        if let Some(gpu) = open {
            return Ok(gpu);
        }
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
        let other = self.gpu.borrow().clone();
        if let Some(other) = other {
            // An opening that failed meanwhile had asked for one too.
            return Ok(other);
        }
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

    pub(super) fn is_lost(&self) -> bool {
        self.inbox.lost.borrow().is_some()
    }

    /// A new adapter and device, the weights from the cached bytes, the same picture again.
    pub(super) async fn recover(self: &Rc<Self>, why: String) {
        self.gpu.replace(None);
        self.opened.replace(None);
        self.shelf.borrow_mut().clear();
        // What was measured, was measured of a device that is gone.
        self.state.measuring.set(false);
        self.state.speed.set(None);
        self.losses.set(self.losses.get() + 1);
        if self.losses.get() > PATIENCE {
            self.losses.set(0);
            self.state.life.set(Life::Failed(Failure::Lost(why)));
            return;
        }
        let wish = self.inbox.wish.take().unwrap_or_else(|| self.last.borrow().clone());
        self.state.notice.set(None);
        let picture = match self.try_open(wish).await {
            Ok(Outcome::Ran) => " and has read the picture anew",
            Ok(Outcome::Ready) => "",
            // There is no network again yet, and the page says why.
            Ok(Outcome::Offered) => return,
            Err(failure) => return self.opening_failed(failure).await,
        };
        // What went wrong with a picture meanwhile is the more important news.
        if self.state.notice.with_untracked(Option::is_none) {
            let text = format!("The graphics device was lost; the network was set up again on a new one{picture}.");
            self.state.notice.set(Some(Notice { tone: Tone::Recovered, text }));
        }
    }
}
