use std::collections::BTreeSet;

use super::storage::{Storage, allocate};
use super::{Activation, BatchNorm, Conv, Graph, Op, Pool, Shape, ValueId};
use crate::order;

/// A convolution (or linear layer: a 1x1 convolution of a vector) with all that follows it folded in:
/// `activation(norm(conv(x)) + shortcut)`.
#[derive(Clone, Debug, PartialEq)]
pub struct ConvStep {
    pub conv: Conv,
    /// Module path of the weight and bias.
    pub name: String,
    /// Module path and definition of the batch norm to fold into the weight.
    pub norm: Option<(String, BatchNorm)>,
    pub activation: Activation,
    /// Whether the step's second input is added before the activation.
    pub shortcut: bool,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum PoolKind {
    Max,
    Avg,
}

/// What one step computes, in one dispatch or several.
#[derive(Clone, Debug, PartialEq)]
pub enum StepKind {
    Conv(ConvStep),
    Pool(PoolKind, Pool),
    /// Mean over the pixels of the sum over `radix` splits; radix 1 is plain global pooling.
    GlobalAvgPool {
        radix: usize,
    },
    SumSplits {
        radix: usize,
    },
    RadixSoftmax {
        radix: usize,
        cardinality: usize,
    },
    WeightedSum {
        radix: usize,
    },
    Add(Activation),
}

/// One fused operation: reads `inputs`, writes `output`.
#[derive(Clone, Debug, PartialEq)]
pub struct Step {
    pub kind: StepKind,
    pub inputs: Vec<ValueId>,
    pub output: ValueId,
}

/// A graph made ready to run: fused steps in order, and storage by liveness.
#[derive(Clone, Debug, PartialEq)]
pub struct Plan {
    pub steps: Vec<Step>,
    pub storage: Storage,
}

impl Plan {
    /// Fuses and lays out a graph. Tapped values are never fused away nor overwritten.
    ///
    /// Panics where an architecture asks for what no kernel does: a batch norm or activation with
    /// nothing to fold into.
    pub fn new(graph: &Graph) -> Self {
        Self::with_scratch(graph, |_| Vec::new())
    }

    /// The same where steps need memory of their own while they run: `scratch` gives the elements of each
    /// buffer that a step's kernels pass on among themselves.
    pub fn with_scratch(graph: &Graph, scratch: impl Fn(&Step) -> Vec<usize>) -> Self {
        let steps = Fusion::new(graph).steps();
        for step in &steps {
            if let StepKind::GlobalAvgPool { radix } | StepKind::SumSplits { radix } | StepKind::WeightedSum { radix } =
                step.kind
            {
                let channels = graph.shape(step.inputs[0]).channels / radix;
                assert!(
                    radix == 1 || channels.is_multiple_of(4),
                    "splits of {channels} channels do not start at whole blocks of four"
                );
            }
        }
        let storage = allocate(graph, &steps, scratch);
        Self { steps, storage }
    }
}

struct Fusion<'a> {
    graph: &'a Graph,
    consumers: Vec<Vec<usize>>,
    tapped: BTreeSet<ValueId>,
    /// Nodes that some step already computes.
    taken: Vec<bool>,
}

impl<'a> Fusion<'a> {
    fn new(graph: &'a Graph) -> Self {
        let mut consumers = vec![Vec::new(); graph.nodes.len()];
        for (index, node) in graph.nodes.iter().enumerate() {
            for input in &node.inputs {
                consumers[input.0].push(index);
            }
        }
        let taken = vec![false; graph.nodes.len()];
        Self { graph, consumers, tapped: graph.taps().into_iter().collect(), taken }
    }

    fn steps(mut self) -> Vec<Step> {
        let mut steps = Vec::new();
        for index in 0..self.graph.nodes.len() {
            if !self.taken[index] {
                steps.extend(self.step(index));
            }
        }
        // A chain runs where it ends: by then everything that it reads has been computed.
        order::sorted(steps, |one, other| one.output.cmp(&other.output))
    }

    fn step(&mut self, index: usize) -> Option<Step> {
        let node = &self.graph.nodes[index];
        let (kind, output) = match node.op {
            Op::Input | Op::Concat | Op::Slice { .. } => return None,
            Op::Conv(conv) => return Some(self.conv(index, conv)),
            Op::Linear { out_features } => return Some(self.conv(index, Conv::new(1, out_features).bias())),
            Op::Add => {
                let (activation, output) = self.activation_after(index);
                (StepKind::Add(activation), output)
            }
            Op::SumSplits { radix } => match self.next(index) {
                Some((pool, Op::GlobalAvgPool)) => {
                    self.taken[pool] = true;
                    (StepKind::GlobalAvgPool { radix }, pool)
                }
                _ => (StepKind::SumSplits { radix }, index),
            },
            Op::MaxPool(pool) => (StepKind::Pool(PoolKind::Max, pool), index),
            Op::AvgPool(pool) => (StepKind::Pool(PoolKind::Avg, pool), index),
            Op::GlobalAvgPool => (StepKind::GlobalAvgPool { radix: 1 }, index),
            Op::RadixSoftmax { radix, cardinality } => (StepKind::RadixSoftmax { radix, cardinality }, index),
            Op::WeightedSum { radix } => (StepKind::WeightedSum { radix }, index),
            Op::BatchNorm(_) | Op::Activation(_) => {
                panic!("{}: {:?} follows nothing that it could be folded into", node.name, node.op)
            }
        };
        Some(Step { kind, inputs: node.inputs.clone(), output: ValueId(output) })
    }

    /// Follows a convolution through batch norm, addition and activation.
    fn conv(&mut self, index: usize, conv: Conv) -> Step {
        let node = &self.graph.nodes[index];
        let mut step =
            ConvStep { conv, name: node.name.clone(), norm: None, activation: Activation::Identity, shortcut: false };
        let mut inputs = node.inputs.clone();
        let mut last = index;
        if let Some((next, Op::BatchNorm(norm))) = self.next(last) {
            step.norm = Some((self.graph.nodes[next].name.clone(), norm));
            self.taken[next] = true;
            last = next;
        }
        if let Some((next, Op::Add)) = self.next(last) {
            let operands = &self.graph.nodes[next].inputs;
            // `x + x` has one consumer twice; then the sum is not a shortcut of this convolution.
            if let Some(other) = operands.iter().find(|operand| operand.0 != last) {
                inputs.push(*other);
                step.shortcut = true;
                self.taken[next] = true;
                last = next;
            }
        }
        let (activation, output) = self.activation_after(last);
        step.activation = activation;
        Step { kind: StepKind::Conv(step), inputs, output: ValueId(output) }
    }

    fn activation_after(&mut self, index: usize) -> (Activation, usize) {
        match self.next(index) {
            Some((next, Op::Activation(activation))) => {
                self.taken[next] = true;
                (activation, next)
            }
            _ => (Activation::Identity, index),
        }
    }

    /// The only reader of a value that nobody else needs, unless a step already has it.
    fn next(&self, index: usize) -> Option<(usize, Op)> {
        match self.consumers[index][..] {
            [next] if !self.tapped.contains(&ValueId(index)) && !self.taken[next] => {
                Some((next, self.graph.nodes[next].op))
            }
            _ => None,
        }
    }
}

impl Shape {
    /// Values that an activation takes in memory: channels are stored in blocks of four.
    pub const fn stored_elements(&self) -> usize {
        self.channels.next_multiple_of(4) * self.pixels()
    }
}

#[cfg(test)]
mod tests {
    use super::super::{Net, UnitKind};
    use super::*;

    fn residual_block() -> Graph {
        let (mut net, x) = Net::new(Shape::new(4, 8, 8));
        let y = net.conv_bn("conv1", "bn1", x, Conv::new(1, 4));
        let y = net.relu(y);
        let y = net.conv_bn("conv2", "bn2", y, Conv::new(3, 8));
        let shortcut = net.conv_bn("downsample.0", "downsample.1", x, Conv::new(1, 8));
        let y = net.add(y, shortcut);
        let y = net.relu(y);
        net.finish(y, "fc", 3)
    }

    #[test]
    fn folds_norm_shortcut_and_activation_into_the_convolution() {
        let plan = Plan::new(&residual_block());
        let kinds: Vec<_> = plan.steps.iter().map(|step| &step.kind).collect();
        assert_eq!(kinds.len(), 5, "conv1, downsample, conv2 + add, pool, fc: {kinds:?}");
        let StepKind::Conv(last) = kinds[2] else { panic!("{kinds:?}") };
        assert_eq!((last.name.as_str(), last.shortcut, last.activation), ("conv2", true, Activation::Relu));
        assert_eq!(plan.steps[2].inputs[1], plan.steps[1].output, "the shortcut is computed before it is added");
    }

    #[test]
    fn taps_survive_fusion() {
        let (mut net, x) = Net::new(Shape::new(8, 4, 4));
        let splits = net.conv("conv", x, Conv::new(3, 8));
        let logits = net.global_avg_pool(splits);
        let gates = net.radix_softmax(logits, 2, 1);
        let output = net.weighted_sum(splits, gates, 2);
        net.unit(UnitKind::SplitAttention { radix: 2, cardinality: 1 }, splits, gates, output);
        let after = net.relu(splits);
        let joined = net.concat(&[after, output]);
        // The rectifier reads a tapped value, so it cannot be folded into the convolution.
        let graph = net.finish(joined, "fc", 3);
        assert!(std::panic::catch_unwind(|| Plan::new(&graph)).is_err());
    }
}
