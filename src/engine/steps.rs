use super::EngineError;
use crate::gpu::{Bound, Buffer, Gpu, Slice, Stored};
use crate::graph::{ConvStep, Graph, Plan, PoolKind, Room, Step, StepKind, ValueId};
use crate::kernels::{self, ConvLayer, Dispatch, Operand, Start, Tuning};
use crate::weights::{Checkpoint, fold};

/// The plan of a graph, with the scratch that its kernels want.
pub(super) fn plan(graph: &Graph, tuning: Tuning) -> Plan {
    Plan::with_scratch(graph, |step| match &step.kind {
        StepKind::Conv(conv) => layer(graph, step, conv, tuning, |_| 0).scratch(),
        _ => Vec::new(),
    })
}

/// The dispatches of a run: those of the plan's steps, then the maps of each unit and layer.
///
/// `starts`: those of the plan, see [`starts`].
pub(super) fn dispatches(graph: &Graph, starts: &[Vec<Start>]) -> Vec<Dispatch> {
    let steps = starts.iter().flatten().map(|start| start.dispatch.clone());
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

/// For each of the plan's steps the kernels that compute it, in order.
pub(super) fn starts(graph: &Graph, plan: &Plan, tuning: Tuning) -> Vec<Vec<Start>> {
    plan.steps.iter().map(|step| starts_of(graph, plan, step, tuning)).collect()
}

fn starts_of(graph: &Graph, plan: &Plan, step: &Step, tuning: Tuning) -> Vec<Start> {
    let output = graph.shape(step.output);
    let input = graph.shape(step.inputs[0]);
    let dispatch = match &step.kind {
        StepKind::Conv(conv) => return conv_layer(graph, plan, step, conv, tuning).starts(),
        StepKind::Pool(PoolKind::Max, pool) => kernels::max_pool::dispatch(pool, input, output),
        StepKind::Pool(PoolKind::Avg, pool) => kernels::avg_pool::dispatch(pool, input, output),
        StepKind::GlobalAvgPool { radix } => kernels::global_avg_pool::dispatch(input, *radix, tuning),
        StepKind::SumSplits { radix } => kernels::sum_splits::dispatch(output, *radix),
        StepKind::RadixSoftmax { radix, cardinality } => {
            kernels::radix_softmax::dispatch(input.channels, *radix, *cardinality)
        }
        StepKind::WeightedSum { radix } => kernels::weighted_sum::dispatch(output, *radix),
        StepKind::Add(activation) => kernels::add::dispatch(output, *activation),
    };
    let inputs = (0..step.inputs.len()).map(Operand::Input);
    vec![Start { dispatch, operands: inputs.chain([Operand::Output]).collect() }]
}

pub(super) fn conv_layer(graph: &Graph, plan: &Plan, step: &Step, conv: &ConvStep, tuning: Tuning) -> ConvLayer {
    layer(graph, step, conv, tuning, |id| kernels::blocks(plan.storage.channel(id)))
}

/// `first_block`: where a value begins in its buffer.
fn layer(
    graph: &Graph,
    step: &Step,
    conv: &ConvStep,
    tuning: Tuning,
    first_block: impl Fn(ValueId) -> u32,
) -> ConvLayer {
    ConvLayer {
        conv: conv.conv,
        input: graph.shape(step.inputs[0]),
        output: graph.shape(step.output),
        activation: conv.activation,
        bias: true,
        shortcut: conv.shortcut,
        in_first_block: first_block(step.inputs[0]),
        out_first_block: first_block(step.output),
        tuning,
    }
}

/// A convolution's weight and bias as its kernel wants them.
pub(super) struct Packed {
    name: String,
    weight: Vec<f32>,
    /// Whether the weight's kernel reads a texture.
    sampled: bool,
    bias: Vec<f32>,
}

impl Packed {
    /// Folds and packs a step's weights; nothing for steps that have none.
    pub fn of(
        gpu: &Gpu,
        graph: &Graph,
        plan: &Plan,
        step: &Step,
        tuning: Tuning,
        checkpoint: &Checkpoint,
    ) -> Result<Option<Self>, EngineError> {
        let StepKind::Conv(conv) = &step.kind else { return Ok(None) };
        let layer = conv_layer(graph, plan, step, conv, tuning);
        let folded = fold(checkpoint, conv)?;
        let (weight, bias) = (layer.pack_weight(&folded.weight), kernels::pack_vector(&folded.bias));
        let (bytes, limit) = (size_of_val(&weight[..]) as u64, gpu.max_binding_bytes());
        match bytes > limit {
            true => Err(EngineError::LayerTooLarge { name: conv.name.clone(), bytes, limit }),
            false => Ok(Some(Self { name: conv.name.clone(), weight, sampled: layer.samples_weight(), bias })),
        }
    }

    /// Weight and bias on the device.
    pub fn upload(&self, gpu: &Gpu) -> [Stored; 2] {
        [gpu.store(&self.name, &self.weight, self.sampled), gpu.store(&self.name, &self.bias, false)]
    }
}

/// What lies in a room of the plan's buffers.
pub(super) fn room(room: Room, storage: &[Buffer]) -> Slice<'_> {
    storage[room.buffer].slice(room.first, room.elements)
}

/// What one start of a plan's step is bound to, in the order of its kernel's bindings.
pub(super) fn bound<'a>(
    plan: &Plan,
    step: usize,
    start: &Start,
    weights: Option<&'a [Stored; 2]>,
    storage: &'a [Buffer],
) -> Vec<Bound<'a>> {
    let Step { inputs, output, .. } = &plan.steps[step];
    let at = |id: ValueId| Bound::from(room(plan.storage.room(id), storage));
    let weights = || weights.expect("only convolutions ask for weights, and they have them");
    let bound = |operand: &Operand| match *operand {
        Operand::Input(index) => at(inputs[index]),
        Operand::Weight => weights()[0].whole(),
        Operand::Bias => weights()[1].whole(),
        Operand::Scratch(index) => room(plan.storage.scratch(step)[index], storage).into(),
        Operand::Output => at(*output),
    };
    start.operands.iter().map(bound).collect()
}
