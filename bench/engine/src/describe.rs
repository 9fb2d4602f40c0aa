//! Graphs as JSON, for those who run the same network by other means.

use serde_json::{Value, json};
use splitlens::graph::cost::cost;
use splitlens::graph::{Activation, Graph, Node, Op, Padding, Pool};

/// `{ macs, logits, nodes }`: multiply-adds of one run; the node that computes the logits; and every operation in order,
/// `{ op, inputs, shape: [C, H, W], name, .. }` with inputs as indices of nodes, and what PyTorch would call its arguments.
pub fn graph(graph: &Graph) -> Value {
    json!({
        "macs": cost(graph).macs,
        "logits": graph.logits.index(),
        "nodes": graph.nodes.iter().map(node).collect::<Vec<_>>(),
    })
}

fn node(node: &Node) -> Value {
    let mut value = operation(&node.op);
    let shape = node.shape;
    value["inputs"] = node.inputs.iter().map(|input| input.index()).collect();
    value["shape"] = json!([shape.channels, shape.height, shape.width]);
    value["name"] = node.name.as_str().into();
    value
}

fn operation(op: &Op) -> Value {
    match *op {
        Op::Input => json!({ "op": "input" }),
        Op::Conv(conv) => json!({
            "op": "conv", "kernel": conv.kernel, "stride": conv.stride, "dilation": conv.dilation, "groups": conv.groups,
            "bias": conv.bias, "padding": padding(conv.padding),
        }),
        Op::BatchNorm(norm) => json!({ "op": "batch_norm", "epsilon": norm.epsilon }),
        Op::Activation(activation) => json!({ "op": activation_name(activation) }),
        Op::MaxPool(pool) => window("max_pool", pool),
        Op::AvgPool(pool) => window("avg_pool", pool),
        Op::GlobalAvgPool => json!({ "op": "global_avg_pool" }),
        Op::SumSplits { radix } => json!({ "op": "sum_splits", "radix": radix }),
        Op::RadixSoftmax { radix, cardinality } => {
            json!({ "op": "radix_softmax", "radix": radix, "cardinality": cardinality })
        }
        Op::WeightedSum { radix } => json!({ "op": "weighted_sum", "radix": radix }),
        Op::Add => json!({ "op": "add" }),
        Op::Concat => json!({ "op": "concat" }),
        Op::Slice { first, count } => json!({ "op": "slice", "first": first, "count": count }),
        Op::Linear { .. } => json!({ "op": "linear" }),
    }
}

/// Zeros on every side, or `null` for TensorFlow's 'SAME'.
fn padding(padding: Padding) -> Value {
    match padding {
        Padding::Each(zeros) => zeros.into(),
        Padding::Same => Value::Null,
    }
}

fn window(op: &str, pool: Pool) -> Value {
    json!({
        "op": op, "kernel": pool.kernel, "stride": pool.stride, "padding": pool.padding, "ceil_mode": pool.ceil_mode,
        "count_include_pad": pool.count_include_pad,
    })
}

fn activation_name(activation: Activation) -> &'static str {
    match activation {
        Activation::Identity => "identity",
        Activation::Relu => "relu",
        Activation::Relu6 => "relu6",
        Activation::Silu => "silu",
        Activation::Sigmoid => "sigmoid",
    }
}
