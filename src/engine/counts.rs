use super::{steps, taps};
use crate::graph::{Graph, Plan, Step, StepKind};
use crate::kernels;

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
    /// Bytes that the plan's steps read and write where each value is touched once: weights, inputs, outputs.
    pub moved_bytes: u64,
    /// Bytes that are read back to the processor.
    pub read_back_bytes: u64,
}

/// Counts a run on one image of the graph's input size.
pub fn counts(graph: &Graph) -> Counts {
    let plan = Plan::new(graph);
    let dispatches = steps::dispatches(graph, &plan);
    let maps: Vec<usize> = taps::maps_elements(graph).collect();
    let weights = |step: &Step| match &step.kind {
        StepKind::Conv(conv) => {
            let bias = 4 * kernels::blocks(conv.conv.out_channels) as usize;
            steps::conv_layer(graph, &plan, step, conv).packed_elements() + bias
        }
        _ => 0,
    };
    let touched = |step: &Step| {
        let values = step.inputs.iter().chain([&step.output]);
        values.map(|id| graph.shape(*id).stored_elements()).sum::<usize>()
    };
    let bytes = |elements: usize| (elements * size_of::<f32>()) as u64;
    let weights: usize = plan.steps.iter().map(weights).sum();
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
