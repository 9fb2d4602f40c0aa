use super::{steps, taps};
use crate::graph::{Graph, Step, StepKind};
use crate::kernels::{self, ConvLayer, Tuning};

/// What one run of a network takes, as its plan says: the same on every device and at every load, unlike times.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Counts {
    /// Kernel starts.
    pub dispatches: usize,
    /// Distinct pipelines among them.
    pub pipelines: usize,
    /// Buffers of activations and maps, which are made once.
    pub buffers: usize,
    /// Bytes of weights and biases as the kernels want them.
    pub weights_bytes: u64,
    /// Bytes of the buffers.
    pub activations_bytes: u64,
    /// Bytes alive at the busiest step.
    pub peak_live_bytes: u64,
    /// Bytes that the plan's steps read and write where each value is touched once: weights, inputs, outputs,
    /// and what the kernels of a step pass on.
    pub moved_bytes: u64,
    /// Bytes that are read back to the processor.
    pub read_back_bytes: u64,
}

/// Counts a run on one image of the graph's input size, with an adapter's kernels.
pub fn counts(graph: &Graph, tuning: Tuning) -> Counts {
    let plan = steps::plan(graph, tuning);
    let dispatches = steps::dispatches(graph, &steps::starts(graph, &plan, tuning));
    let maps: Vec<usize> = taps::maps_elements(graph).collect();
    let layer = |step: &Step| match &step.kind {
        StepKind::Conv(conv) => Some(steps::conv_layer(graph, &plan, step, conv, tuning)),
        _ => None,
    };
    let weights = |layer: ConvLayer| layer.packed_elements() + 4 * kernels::blocks(layer.conv.out_channels) as usize;
    let touched = |step: &Step| {
        let values = step.inputs.iter().chain([&step.output]);
        // Scratch is written by one kernel and read by the next.
        let scratch = layer(step).map_or(0, |layer| 2 * layer.scratch().iter().sum::<usize>());
        values.map(|id| graph.shape(*id).stored_elements()).sum::<usize>() + scratch
    };
    let bytes = |elements: usize| elements as u64 * size_of::<f32>() as u64;
    let weights: usize = plan.steps.iter().filter_map(layer).map(weights).sum();
    Counts {
        dispatches: dispatches.len(),
        pipelines: steps::distinct(&dispatches).len(),
        buffers: plan.storage.buffers.len() + maps.len(),
        weights_bytes: bytes(weights),
        activations_bytes: bytes(plan.storage.buffers.iter().chain(&maps).sum()),
        peak_live_bytes: bytes(plan.storage.peak),
        moved_bytes: bytes(weights + plan.steps.iter().map(touched).sum::<usize>()),
        read_back_bytes: bytes(taps::copied_elements(graph)),
    }
}
