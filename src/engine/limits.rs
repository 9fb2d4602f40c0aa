use std::ops::Range;

use super::{EngineError, steps};
use crate::gpu::Gpu;
use crate::graph::{Graph, Plan};
use crate::kernels::{Dispatch, Start};

/// Workgroups along one axis that every WebGPU device starts.
const MAX_WORKGROUPS: u32 = 65535;

/// The dispatches of a run. Refused where the device cannot hold or start one. `starts`: those of the plan.
pub(super) fn dispatches(
    gpu: &Gpu,
    graph: &Graph,
    plan: &Plan,
    starts: &[Vec<Start>],
) -> Result<Vec<Dispatch>, EngineError> {
    fits(gpu, graph, plan)?;
    let dispatches = steps::dispatches(graph, starts);
    startable(graph, &dispatches)?;
    Ok(dispatches)
}

/// The largest side of `sides` whose graph this device can hold and start; needs grow with the side.
pub fn largest_side(gpu: &Gpu, sides: Range<usize>, build: impl Fn(usize) -> Graph) -> Option<usize> {
    let tuning = gpu.tuning();
    let holds = |side: usize| {
        let graph = build(side);
        let plan = steps::plan(&graph, tuning);
        dispatches(gpu, &graph, &plan, &steps::starts(&graph, &plan, tuning)).is_ok()
    };
    let Range { start, end } = sides;
    // The first side that is too large, by halving: sides below `low` hold, those from `high` on do not.
    let (mut low, mut high) = (start, end);
    while low < high {
        let middle = low + (high - low) / 2;
        match holds(middle) {
            true => low = middle + 1,
            false => high = middle,
        }
    }
    low.checked_sub(1).filter(|side| *side >= start)
}

/// Whether every dispatch is one that a device starts.
pub(super) fn startable(graph: &Graph, dispatches: &[Dispatch]) -> Result<(), EngineError> {
    match dispatches.iter().find(|dispatch| dispatch.workgroups > MAX_WORKGROUPS) {
        Some(dispatch) => {
            Err(EngineError::TooManyWorkgroups { kernel: dispatch.kernel.name, input: graph.input_shape() })
        }
        None => Ok(()),
    }
}

/// Whether every activation can be bound on this device.
fn fits(gpu: &Gpu, graph: &Graph, plan: &Plan) -> Result<(), EngineError> {
    let limit = gpu.max_binding_bytes();
    let input = graph.input_shape();
    let largest = plan.storage.buffers.iter().max().copied().unwrap_or(0);
    let bytes = largest as u64 * size_of::<f32>() as u64;
    match bytes > limit {
        true => Err(EngineError::InputTooLarge { input, bytes, limit }),
        false => Ok(()),
    }
}
