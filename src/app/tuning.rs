//! The kernels that an adapter was found to be fastest with, remembered between visits.

use leptos::prelude::window;

use super::dom;
use crate::gpu::AdapterInfo;
use crate::kernels::Tuning;

/// What `?tuning=` asks for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Asked {
    /// To try the kernels out on any adapter, whatever is remembered: `measure`.
    Measure,
    /// These kernels, for example `shared-narrow-direct`.
    Kernels(Tuning),
}

/// What the address asks for, where it makes sense.
pub fn asked() -> Option<Asked> {
    let value = dom::query("tuning")?;
    match &*value {
        "measure" => Some(Asked::Measure),
        name => name.parse().ok().map(Asked::Kernels),
    }
}

/// What an earlier visit found, if it was with this adapter, browser and these kernels.
pub fn remembered(adapter: &AdapterInfo) -> Option<Tuning> {
    let kept = dom::storage()?.get_item(&key(adapter)).ok()??;
    let (tuning, measured_with) = kept.split_once(' ')?;
    tuning.parse().ok().filter(|_| measured_with == circumstances())
}

/// Keeps it for later visits. A browser that keeps nothing will have it measured again.
pub fn remember(adapter: &AdapterInfo, tuning: Tuning) {
    if let Some(storage) = dom::storage() {
        let _ = storage.set_item(&key(adapter), &format!("{tuning} {}", circumstances()));
    }
}

pub fn forget(adapter: &AdapterInfo) {
    if let Some(storage) = dom::storage() {
        let _ = storage.remove_item(&key(adapter));
    }
}

fn key(adapter: &AdapterInfo) -> String {
    format!("splitlens kernels {}", adapter.name)
}

/// What it was measured with: the kernels' sources, and the browser, whose name holds its version, which the driver's
/// compiler goes with.
fn circumstances() -> String {
    let browser = window().navigator().user_agent().unwrap_or_default();
    format!("{} {browser}", env!("SPLITLENS_KERNELS"))
}
