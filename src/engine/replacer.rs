use super::steps;
use crate::gpu::{Bound, Buffer, Gpu, GpuError, Task, Uniforms};
use crate::graph::{Graph, Plan};
use crate::kernels;
use crate::reading::NewGates;

/// What it takes to replace the gates of any unit in the middle of a run.
pub(super) struct Replacer {
    units: Vec<Unit>,
    /// Held for the units' tasks, which are bound to it.
    _params: Uniforms,
}

struct Unit {
    /// Position of the task that computes the gates.
    task: usize,
    /// `[branches * C]`
    values: Buffer,
    /// Puts `values` in place of the gates.
    write: Task,
    /// Reverses the branches.
    reverse: Task,
}

impl Replacer {
    /// Compiles the kernel and binds it to the gates of every unit. `step_ends`: for each step of the plan the
    /// position after its last task.
    pub async fn new(
        gpu: &Gpu,
        graph: &Graph,
        plan: &Plan,
        step_ends: &[usize],
        storage: &[Buffer],
    ) -> Result<Self, GpuError> {
        let dispatches = Vec::from_iter(graph.units.iter().flat_map(|unit| {
            let (channels, branches) = (graph.shape(unit.output).channels, unit.kind.branches());
            [false, true].map(|reversed| kernels::replace_gates::dispatch(channels, branches, reversed))
        }));
        for dispatch in &dispatches {
            gpu.compile(dispatch).await?;
        }
        let bind = || {
            let params = gpu.uniforms(dispatches.iter().map(|dispatch| dispatch.params.as_slice()));
            let units = graph.units.iter().enumerate().map(|(index, unit)| {
                let step = plan.steps.iter().position(|step| step.output == unit.gates);
                let values = gpu.storage("new gates", graph.shape(unit.gates).channels);
                let gates = steps::room(plan.storage.room(unit.gates), storage);
                let task =
                    |slot: usize| gpu.bind(&dispatches[slot], &params, slot, &[values.whole(), gates].map(Bound::from));
                Unit {
                    task: step_ends[step.expect("a tapped value is some step's output")] - 1,
                    write: task(2 * index),
                    reverse: task(2 * index + 1),
                    values,
                }
            });
            Self { units: units.collect(), _params: params }
        };
        gpu.checked(bind).await
    }

    /// Uploads the new gates of the next run and returns its tasks: `tasks`, and after those that compute replaced
    /// gates those that replace them. `new`: one for each unit.
    pub fn tasks<'a>(&'a self, gpu: &Gpu, new: &[Option<NewGates>], tasks: &'a [Task]) -> Vec<&'a Task> {
        let mut inserted = vec![None; tasks.len()];
        for (unit, new) in self.units.iter().zip(new) {
            inserted[unit.task] = new.as_ref().map(|new| match new {
                NewGates::Reversed => &unit.reverse,
                NewGates::Values(values) => {
                    gpu.write(unit.values.whole(), values);
                    &unit.write
                }
            });
        }
        tasks.iter().zip(inserted).flat_map(|(task, after)| [Some(task), after]).flatten().collect()
    }
}
