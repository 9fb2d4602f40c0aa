use std::cell::OnceCell;

use serde::Serialize;

use super::replacer::Replacer;
use super::steps::{self, Packed};
use super::{EngineError, limits, taps};
use crate::gpu::{Bound, Buffer, Gpu, Slice, Staging, Stored, Task, Uniforms};
use crate::graph::{Graph, Plan, Tensor, ValueId};
use crate::kernels::{self, Dispatch, pack_activation, unpack_activation};
use crate::reading::{Reading, Replacements};
use crate::weights::Checkpoint;

/// What loading is busy with.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Stage {
    /// The driver compiles shaders.
    Pipelines,
    /// Batch norm is folded, weights are packed and uploaded.
    Weights,
}

/// How far loading has come.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Progress {
    pub stage: Stage,
    pub done: usize,
    pub total: usize,
}

/// What a loaded network takes; serialised, for what is measured beside it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
pub struct Account {
    /// Weights and biases as the kernels want them.
    pub weights_bytes: u64,
    /// Activations, in buffers that are reused.
    pub activations_bytes: u64,
    /// Activations alive at the busiest step, what stays readable included: reuse can do no better.
    pub peak_live_bytes: u64,
    /// All of the device's memory that goes with the network: the above, parameters, and staging.
    pub total_bytes: u64,
    /// Kernel starts of one run.
    pub dispatches: usize,
    /// Distinct pipelines among them.
    pub pipelines: usize,
}

/// A network on a device, ready to run.
pub struct Network {
    pub(super) gpu: Gpu,
    pub(super) graph: Graph,
    pub(super) plan: Plan,
    /// Held for the tasks, which are bound to it; so are the parameters.
    _weights: Vec<Option<[Stored; 2]>>,
    storage: Vec<Buffer>,
    maps: Vec<Buffer>,
    _params: Uniforms,
    pub(super) tasks: Vec<Task>,
    /// For each of the plan's steps, the position after its last task.
    pub(super) step_ends: Vec<usize>,
    pub(super) staging: Staging,
    classifier: Classifier,
    account: Account,
    /// Made when a run first replaces gates.
    replacer: OnceCell<Replacer>,
}

/// The last linear layer, kept for class activation maps.
struct Classifier {
    /// `[classes, features]`
    weight: Vec<f32>,
    bias: Vec<f32>,
}

/// Compiles the pipelines of a graph that are not there yet. [`Network::load`] does it too: this is for whoever has
/// the graph before the weights, and need not wait for them. `progress` is awaited between pipelines.
pub async fn compile(gpu: &Gpu, graph: &Graph, progress: impl AsyncFnMut(Progress)) -> Result<(), EngineError> {
    let tuning = gpu.tuning();
    let plan = steps::plan(graph, tuning);
    let dispatches = limits::dispatches(gpu, graph, &plan, &steps::starts(graph, &plan, tuning))?;
    compile_all(gpu, &steps::distinct(&dispatches), progress).await
}

async fn compile_all(
    gpu: &Gpu,
    distinct: &[&Dispatch],
    mut progress: impl AsyncFnMut(Progress),
) -> Result<(), EngineError> {
    let missing: Vec<_> = distinct.iter().filter(|dispatch| !gpu.has_compiled(dispatch)).collect();
    for (done, dispatch) in missing.iter().enumerate() {
        progress(Progress { stage: Stage::Pipelines, done, total: missing.len() }).await;
        gpu.compile(dispatch).await?;
    }
    Ok(())
}

impl Network {
    /// Checks the weights against the graph, compiles and uploads. `progress` is awaited between steps, so that a
    /// page can paint.
    pub async fn load(
        gpu: &Gpu,
        graph: Graph,
        checkpoint: &Checkpoint,
        mut progress: impl AsyncFnMut(Progress),
    ) -> Result<Self, EngineError> {
        checkpoint.check(&graph.parameters())?;
        // Read once: another may be set while this waits.
        let tuning = gpu.tuning();
        let plan = steps::plan(&graph, tuning);
        let starts = steps::starts(&graph, &plan, tuning);
        let dispatches = limits::dispatches(gpu, &graph, &plan, &starts)?;
        let distinct = steps::distinct(&dispatches);
        compile_all(gpu, &distinct, &mut progress).await?;

        let allocate = || {
            let storage = plan.storage.buffers.iter().map(|&elements| gpu.storage("activations", elements));
            let maps = taps::maps_elements(&graph).map(|elements| gpu.storage("maps", elements));
            (storage.collect::<Vec<_>>(), maps.collect::<Vec<_>>())
        };
        let (storage, maps) = gpu.checked(allocate).await?;
        let mut weights = Vec::with_capacity(plan.steps.len());
        for (done, step) in plan.steps.iter().enumerate() {
            if done % STEPS_BETWEEN_PAINTS == 0 {
                progress(Progress { stage: Stage::Weights, done, total: plan.steps.len() }).await;
            }
            let packed = Packed::of(gpu, &graph, &plan, step, tuning, checkpoint)?;
            weights.push(gpu.checked(|| packed.map(|packed| packed.upload(gpu))).await?);
        }
        progress(Progress { stage: Stage::Weights, done: plan.steps.len(), total: plan.steps.len() }).await;

        let copied = taps::copied_elements(&graph);
        let bind = || {
            let params = gpu.uniforms(dispatches.iter().map(|dispatch| dispatch.params.as_slice()));
            let mut tasks = Vec::with_capacity(dispatches.len());
            let mut step_ends = Vec::with_capacity(plan.steps.len());
            for (step, (starts, weights)) in starts.iter().zip(&weights).enumerate() {
                for start in starts {
                    let bound = steps::bound(&plan, step, start, weights.as_ref(), &storage);
                    tasks.push(gpu.bind(&start.dispatch, &params, tasks.len(), &bound));
                }
                step_ends.push(tasks.len());
            }
            let at = |id| steps::room(plan.storage.room(id), &storage);
            for (unit, maps) in graph.units.iter().zip(&maps) {
                let bound = [at(unit.branches), at(unit.gates), at(unit.output), maps.whole()].map(Bound::from);
                tasks.push(gpu.bind(&dispatches[tasks.len()], &params, tasks.len(), &bound));
            }
            for (layer, mean) in graph.layers.iter().zip(&maps[graph.units.len()..]) {
                let bound = [at(layer.value), mean.whole()].map(Bound::from);
                tasks.push(gpu.bind(&dispatches[tasks.len()], &params, tasks.len(), &bound));
            }
            (params, tasks, step_ends, gpu.staging(copied))
        };
        let (params, tasks, step_ends, staging) = gpu.checked(bind).await?;
        let weights_bytes = weights.iter().flatten().flatten().map(Stored::bytes).sum();
        let activations_bytes = storage.iter().chain(&maps).map(Buffer::bytes).sum();
        let account = Account {
            weights_bytes,
            activations_bytes,
            peak_live_bytes: plan.storage.peak as u64 * size_of::<f32>() as u64,
            total_bytes: weights_bytes + activations_bytes + params.bytes() + staging.bytes(),
            dispatches: tasks.len(),
            pipelines: distinct.len(),
        };
        let parameter = |suffix: &str| checkpoint.values(&format!("{}.{suffix}", graph.classifier)).to_vec();
        let classifier = Classifier { weight: parameter("weight"), bias: parameter("bias") };
        let (gpu, replacer) = (gpu.clone(), OnceCell::new());
        Ok(Self {
            gpu,
            graph,
            plan,
            _weights: weights,
            storage,
            maps,
            _params: params,
            tasks,
            step_ends,
            staging,
            classifier,
            account,
            replacer,
        })
    }

    pub fn graph(&self) -> &Graph {
        &self.graph
    }

    pub fn account(&self) -> Account {
        self.account
    }

    /// Runs the network on a normalised image `[3, H, W]`. Runs of one network must not overlap.
    pub async fn run(&self, image: &Tensor) -> Result<Reading, EngineError> {
        self.compute(image, &self.tasks).await
    }

    /// Runs the network with some gates replaced before the unit and all that follows it go on from them; the
    /// reading has the new gates and what came of them. The first such run compiles one more kernel and takes a
    /// buffer of a few KiB for each unit, which the account leaves out.
    pub async fn run_with(&self, image: &Tensor, replacements: &Replacements) -> Result<Reading, EngineError> {
        let new = replacements.resolve(&self.graph)?;
        if replacements.is_empty() {
            return self.run(image).await;
        }
        let replacer = match self.replacer.get() {
            Some(replacer) => replacer,
            None => {
                let made = Replacer::new(&self.gpu, &self.graph, &self.plan, &self.step_ends, &self.storage).await?;
                self.replacer.get_or_init(|| made)
            }
        };
        self.compute(image, replacer.tasks(&self.gpu, &new, &self.tasks)).await
    }

    async fn compute<'a>(
        &self,
        image: &Tensor,
        tasks: impl IntoIterator<Item = &'a Task>,
    ) -> Result<Reading, EngineError> {
        let copies = self.feed(image)?;
        let values = self.gpu.run(tasks, &copies, &self.staging).await?;
        taps::reading(&self.graph, &values)
    }

    /// Uploads the image, and says what to read back once the network has run on it.
    pub(super) fn feed(&self, image: &Tensor) -> Result<Vec<Slice<'_>>, EngineError> {
        let expected = self.graph.input_shape();
        if image.shape != expected {
            return Err(EngineError::Input { expected, got: image.shape });
        }
        self.gpu.write(self.value(self.graph.input()), &pack_activation(image));
        Ok(taps::copies(&self.graph, &self.plan, &self.storage, &self.maps))
    }

    /// Where a value lies that stays until the end of a run.
    fn value(&self, id: ValueId) -> Slice<'_> {
        steps::room(self.plan.storage.room(id), &self.storage)
    }

    /// Activations of the last run in all branches of a unit, `[branches * C, H, W]`, for the feature
    /// maps of single channels.
    pub async fn unit_branches(&self, unit: usize) -> Result<Tensor, EngineError> {
        let id = self.graph.units[unit].branches;
        let value = self.value(id);
        let staging = self.gpu.checked(|| self.gpu.staging(value.elements)).await?;
        let values = self.gpu.run(&[], &[value], &staging).await?;
        Ok(unpack_activation(&values, self.graph.shape(id)))
    }

    /// Maps of the last run of a layer's groups, each the mean over the group's channels: `[groups, H, W]`.
    pub async fn layer_groups(&self, layer: usize) -> Result<Tensor, EngineError> {
        let layer = &self.graph.layers[layer];
        let shape = self.graph.shape(layer.value);
        let dispatch = kernels::group_maps::dispatch(shape, layer.groups);
        limits::startable(&self.graph, std::slice::from_ref(&dispatch))?;
        let maps = shape.with_channels(layer.groups);
        let elements = maps.elements();
        let prepare = || {
            let params = self.gpu.uniforms([dispatch.params.as_slice()]);
            let output = self.gpu.storage("maps", elements);
            let task =
                self.gpu.bind(&dispatch, &params, 0, &[self.value(layer.value), output.whole()].map(Bound::from));
            (params, task, output, self.gpu.staging(elements))
        };
        let (_params, task, output, staging) = self.gpu.checked(prepare).await?;
        let values = self.gpu.run(&[task], &[output.slice(0, elements)], &staging).await?;
        Ok(Tensor::new(maps, values))
    }

    /// The classifier's weights for one class, one per channel of the features.
    pub fn classifier_row(&self, class: usize) -> &[f32] {
        let features = self.classifier.weight.len() / self.classifier.bias.len();
        &self.classifier.weight[class * features..][..features]
    }

    pub fn classifier_bias(&self, class: usize) -> f32 {
        self.classifier.bias[class]
    }
}

/// Packing a few layers takes a few milliseconds.
const STEPS_BETWEEN_PAINTS: usize = 8;
