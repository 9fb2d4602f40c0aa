use super::EngineError;
use crate::gpu::{Buffer, Gpu};
use crate::graph::{ConvStep, Graph, Plan, PoolKind, Step, StepKind, ValueId};
use crate::kernels::{self, ConvLayer, Dispatch};
use crate::weights::{Checkpoint, fold};

/// The dispatches of a run: the plan's steps, then the maps of each unit and layer.
pub(super) fn dispatches(graph: &Graph, plan: &Plan) -> Vec<Dispatch> {
    let steps = plan.steps.iter().map(|step| dispatch(graph, plan, step));
    let maps =
        graph.units.iter().map(|unit| kernels::branch_maps::dispatch(graph.shape(unit.output), unit.kind.branches()));
    let means = graph.layers.iter().map(|layer| kernels::group_maps::dispatch(graph.shape(layer.value), 1));
    steps.chain(maps).chain(means).collect()
}

/// One dispatch for each pipeline.
pub(super) fn distinct(dispatches: &[Dispatch]) -> Vec<&Dispatch> {
    let mut distinct: Vec<&Dispatch> = Vec::new();
    for dispatch in dispatches {
        let same = |other: &&Dispatch| other.kernel == dispatch.kernel && other.overrides == dispatch.overrides;
        if !distinct.iter().any(same) {
            distinct.push(dispatch);
        }
    }
    distinct
}

/// The kernel that computes a step.
fn dispatch(graph: &Graph, plan: &Plan, step: &Step) -> Dispatch {
    let output = graph.shape(step.output);
    let input = graph.shape(step.inputs[0]);
    match &step.kind {
        StepKind::Conv(conv) => conv_layer(graph, plan, step, conv).dispatch(),
        StepKind::Pool(PoolKind::Max, pool) => kernels::max_pool::dispatch(pool, input, output),
        StepKind::Pool(PoolKind::Avg, pool) => kernels::avg_pool::dispatch(pool, input, output),
        StepKind::GlobalAvgPool { radix } => kernels::global_avg_pool::dispatch(input, *radix),
        StepKind::SumSplits { radix } => kernels::sum_splits::dispatch(output, *radix),
        StepKind::RadixSoftmax { radix, cardinality } => {
            kernels::radix_softmax::dispatch(input.channels, *radix, *cardinality)
        }
        StepKind::WeightedSum { radix } => kernels::weighted_sum::dispatch(output, *radix),
        StepKind::Add(activation) => kernels::add::dispatch(output, *activation),
    }
}

pub(super) fn conv_layer(graph: &Graph, plan: &Plan, step: &Step, conv: &ConvStep) -> ConvLayer {
    let first_block = |id| kernels::blocks(plan.storage.place(id).channel);
    ConvLayer {
        conv: conv.conv,
        input: graph.shape(step.inputs[0]),
        output: graph.shape(step.output),
        activation: conv.activation,
        shortcut: conv.shortcut,
        in_first_block: first_block(step.inputs[0]),
        out_first_block: first_block(step.output),
    }
}

/// A convolution's weight and bias as its kernel wants them.
pub(super) struct Packed {
    name: String,
    weight: Vec<f32>,
    bias: Vec<f32>,
}

impl Packed {
    /// Folds and packs a step's weights; nothing for steps that have none.
    pub fn of(
        gpu: &Gpu,
        graph: &Graph,
        plan: &Plan,
        step: &Step,
        checkpoint: &Checkpoint,
    ) -> Result<Option<Self>, EngineError> {
        let StepKind::Conv(conv) = &step.kind else { return Ok(None) };
        let layer = conv_layer(graph, plan, step, conv);
        let folded = fold(checkpoint, conv)?;
        let (weight, bias) = (layer.pack_weight(&folded.weight), kernels::pack_vector(&folded.bias));
        let (bytes, limit) = (size_of_val(&weight[..]) as u64, gpu.max_binding_bytes());
        match bytes > limit {
            true => Err(EngineError::LayerTooLarge { name: conv.name.clone(), bytes, limit }),
            false => Ok(Some(Self { name: conv.name.clone(), weight, bias })),
        }
    }

    /// Weight and bias on the device.
    pub fn upload(&self, gpu: &Gpu) -> [Buffer; 2] {
        [gpu.upload(&self.name, &self.weight), gpu.upload(&self.name, &self.bias)]
    }
}

/// The buffers of a step in the order of its kernel's bindings.
pub(super) fn buffers<'a>(
    plan: &Plan,
    step: &Step,
    weights: Option<&'a [Buffer; 2]>,
    storage: &'a [Buffer],
) -> Vec<&'a Buffer> {
    let at = |id: &ValueId| &storage[plan.storage.place(*id).buffer];
    let mut buffers = vec![at(&step.inputs[0])];
    match weights {
        Some([weight, bias]) => {
            // A convolution without a shortcut still has the binding; its input is as good as any.
            let shortcut = step.inputs.get(1).unwrap_or(&step.inputs[0]);
            buffers.extend([weight, bias, at(shortcut)]);
        }
        None => buffers.extend(step.inputs[1..].iter().map(at)),
    }
    buffers.push(at(&step.output));
    buffers
}
