use std::ops::Range;

use super::{EngineError, Network, taps};
use crate::gpu::{Clock, Laps, Task};
use crate::graph::cost::macs;
use crate::graph::{Graph, Plan, Step, StepKind, Tensor};
use crate::reading::Reading;

/// A part of a run whose time is told by itself: the stem, a block, the head, or the maps for the reading.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Part {
    /// timm's module path of a block, for example `layer1.0`; else `stem`, `head` or `maps`.
    pub name: String,
    /// Multiply-adds of its convolutions and linear layers, as they are written.
    pub macs: u64,
    /// Positions of its dispatches in the run.
    pub dispatches: Range<usize>,
}

impl Network {
    /// The parts of a run, in order: every dispatch is in one of them.
    pub fn parts(&self) -> Vec<Part> {
        parts(&self.graph, &self.plan, &self.step_ends, self.tasks.len())
    }

    /// The clock that [`run_timed`](Self::run_timed) takes; none where the device has none to be read.
    pub async fn clock(&self) -> Result<Option<Clock>, EngineError> {
        Ok(self.gpu.clock(self.parts().len()).await?)
    }

    /// As [`run`](Self::run), with how long each of the [`parts`](Self::parts) took on the device.
    pub async fn run_timed(&self, image: &Tensor, clock: &Clock) -> Result<(Reading, Laps), EngineError> {
        let copies = self.feed(image)?;
        let groups = Vec::from_iter(self.parts().into_iter().map(|part| &self.tasks[part.dispatches]));
        let (values, laps) = clock.run(&groups, &copies, &self.staging).await?;
        Ok((taps::reading(&self.graph, &values)?, laps))
    }

    /// The pipelines of a run by name, each with its dispatches, in the order of first use.
    pub fn pipelines(&self) -> Vec<(String, usize)> {
        let mut pipelines: Vec<(String, usize)> = Vec::new();
        for name in self.tasks.iter().map(Task::pipeline_name) {
            match pipelines.iter_mut().find(|(known, _)| *known == name) {
                Some((_, dispatches)) => *dispatches += 1,
                None => pipelines.push((name, 1)),
            }
        }
        pipelines
    }
}

/// Groups the `dispatches` of a run: those of each step of the plan, which end at `step_ends`, then the maps.
fn parts(graph: &Graph, plan: &Plan, step_ends: &[usize], dispatches: usize) -> Vec<Part> {
    let mut parts: Vec<Part> = Vec::new();
    let mut first = 0;
    for (step, end) in plan.steps.iter().zip(step_ends) {
        let name = name_at(graph, begins_at(graph, step));
        match parts.last_mut() {
            Some(part) if part.name == name => part.dispatches.end = *end,
            _ => parts.push(Part { name: name.into(), macs: 0, dispatches: first..*end }),
        }
        first = *end;
    }
    for (position, node) in graph.nodes.iter().enumerate() {
        let name = name_at(graph, position);
        if let Some(part) = parts.iter_mut().find(|part| part.name == name) {
            part.macs += macs(graph, node);
        }
    }
    let maps = first..dispatches;
    if !maps.is_empty() {
        parts.push(Part { name: "maps".into(), macs: 0, dispatches: maps });
    }
    parts
}

/// Position of the node that a step begins with. What is folded into a convolution may be another part's: the
/// activation behind RegNetZ's last block.
fn begins_at(graph: &Graph, step: &Step) -> usize {
    let conv = match &step.kind {
        StepKind::Conv(conv) => graph.nodes.iter().position(|node| node.name == conv.name),
        _ => None,
    };
    conv.unwrap_or(step.output.index())
}

/// The part that a node belongs to.
fn name_at(graph: &Graph, position: usize) -> &str {
    match graph.blocks.iter().find(|block| position < block.nodes.end) {
        Some(block) if block.nodes.contains(&position) => &block.name,
        // Nothing stands between two blocks.
        Some(_) => "stem",
        None => "head",
    }
}
