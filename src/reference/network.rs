use super::{
    activate, add, avg_pool, conv, global_avg_pool, linear, max_pool, radix_softmax, sum_splits, weighted_sum,
};
use crate::graph::{BatchNorm, Graph, Op, Shape, Tensor};

/// Runs a whole graph, node by node and unfused, and returns every node's value.
///
/// `parameter` gives the values of a tensor by its checkpoint name.
pub fn network<'a>(graph: &Graph, parameter: impl Fn(&str) -> &'a [f32], input: &Tensor) -> Vec<Tensor> {
    network_with(graph, parameter, input, |_, value| value)
}

/// The same, where `change(node, value)` is what the nodes that follow get to see of a node's value.
pub fn network_with<'a>(
    graph: &Graph,
    parameter: impl Fn(&str) -> &'a [f32],
    input: &Tensor,
    change: impl Fn(usize, Tensor) -> Tensor,
) -> Vec<Tensor> {
    assert_eq!(input.shape, graph.input_shape());
    let mut values: Vec<Tensor> = Vec::with_capacity(graph.nodes.len());
    for (index, node) in graph.nodes.iter().enumerate() {
        let x = |index: usize| &values[node.inputs[index].index()];
        let own = |suffix: &str| parameter(&format!("{}.{suffix}", node.name));
        let value = match node.op {
            Op::Input => input.clone(),
            Op::Conv(op) => {
                let zero = vec![0.0; op.out_channels];
                conv(x(0), &op, own("weight"), if op.bias { own("bias") } else { &zero })
            }
            Op::BatchNorm(norm) => {
                let parameters = [own("weight"), own("bias"), own("running_mean"), own("running_var")];
                batch_norm(x(0), norm, parameters)
            }
            Op::Activation(activation) => activate(x(0), activation),
            Op::MaxPool(pool) => max_pool(x(0), &pool),
            Op::AvgPool(pool) => avg_pool(x(0), &pool),
            Op::GlobalAvgPool => global_avg_pool(x(0), 1),
            Op::SumSplits { radix } => sum_splits(x(0), radix),
            Op::RadixSoftmax { radix, cardinality } => radix_softmax(x(0), radix, cardinality),
            Op::WeightedSum { radix } => weighted_sum(x(0), x(1), radix),
            Op::Add => add(x(0), x(1)),
            Op::Concat => {
                let parts = (0..node.inputs.len()).flat_map(|index| &x(index).values);
                Tensor::new(node.shape, parts.copied().collect())
            }
            Op::Slice { first, .. } => {
                let start = first * node.shape.pixels();
                Tensor::new(node.shape, x(0).values[start..][..node.shape.elements()].to_vec())
            }
            Op::Linear { .. } => linear(x(0), 1, own("weight"), own("bias")),
        };
        values.push(change(index, value));
    }
    values
}

/// `parameters`: weight, bias, running mean, running variance, each `[C]`.
fn batch_norm(x: &Tensor, norm: BatchNorm, parameters: [&[f32]; 4]) -> Tensor {
    let [weight, bias, mean, variance] = parameters;
    let Shape { channels, .. } = x.shape;
    assert_eq!(weight.len(), channels);
    Tensor::from_fn(x.shape, |c, i, j| {
        (x.at(c, i, j) - mean[c]) / (variance[c] + norm.epsilon).sqrt() * weight[c] + bias[c]
    })
}
