//! The CPU reference equals PyTorch: every operation on awkward shapes, and the trained network with all
//! its attention (`tests/golden/`, written by its `generate.py`).

mod common;

use common::golden::{Case, image_goldens, input, ops, resnest_tiny};
use splitlens::graph::{Activation, Conv, Padding, Pool, Shape, Tensor, ValueId};
use splitlens::reference;

/// Rounding of f32 sums in another order.
const TOLERANCE: f32 = 2e-5;

fn conv_of(case: &Case) -> Conv {
    let attribute = |name: &str| case.attribute(name);
    Conv {
        out_channels: case.shape("weight")[0],
        kernel: attribute("kernel"),
        stride: attribute("stride"),
        padding: Padding::Each(attribute("padding")),
        dilation: attribute("dilation"),
        groups: attribute("groups"),
        bias: case.flag("bias"),
    }
}

fn pool_of(case: &Case) -> Pool {
    Pool {
        kernel: case.attribute("kernel"),
        stride: case.attribute("stride"),
        padding: case.attribute("padding"),
        ceil_mode: case.flag("ceil_mode"),
        count_include_pad: case.flag("count_include_pad"),
    }
}

/// The case's operation on image `n` of its batch.
fn compute(case: &Case, n: usize) -> Tensor {
    let x = case.image("x", n);
    let bias = |out: usize| if case.flag("bias") { case.values("bias") } else { vec![0.0; out] };
    let activation = |activation| reference::activate(&x, activation);
    match case.op.as_str() {
        "conv2d" => {
            let conv = conv_of(case);
            let y = reference::conv(&x, &conv, &case.values("weight"), &bias(conv.out_channels));
            if conv.kernel == 1 && conv.groups == 1 && conv.padding == Padding::Each(0) {
                let twin = reference::pointwise(&x, conv.stride, &case.values("weight"), &bias(conv.out_channels));
                assert_eq!(twin, y, "{}", case.name);
            }
            y
        }
        "conv2d_batch_norm" => {
            let conv = conv_of(case);
            let y = reference::conv(&x, &conv, &case.values("weight"), &bias(conv.out_channels));
            let [weight, bias, mean, variance] =
                ["bn_weight", "bn_bias", "bn_running_mean", "bn_running_var"].map(|role| case.values(role));
            let epsilon = case.number("eps");
            Tensor::from_fn(y.shape, |c, i, j| {
                (y.at(c, i, j) - mean[c]) / (variance[c] + epsilon).sqrt() * weight[c] + bias[c]
            })
        }
        "relu" => activation(Activation::Relu),
        "relu6" => activation(Activation::Relu6),
        "silu" => activation(Activation::Silu),
        "sigmoid" => activation(Activation::Sigmoid),
        "max_pool2d" => reference::max_pool(&x, &pool_of(case)),
        "avg_pool2d" => reference::avg_pool(&x, &pool_of(case)),
        "global_avg_pool" => reference::global_avg_pool(&x, 1),
        "radix_softmax" => reference::radix_softmax(&x, case.attribute("radix"), case.attribute("cardinality")),
        "sum_splits" => reference::sum_splits(&x, case.attribute("radix")),
        "weighted_sum" => reference::weighted_sum(&x, &case.image("attention", n), case.attribute("radix")),
        "linear" => reference::linear(&x, 1, &case.values("weight"), &case.values("bias")),
        "add_relu" => reference::activate(&reference::add(&x, &case.image("y", n)), Activation::Relu),
        other => panic!("{}: no reference for {other}", case.name),
    }
}

#[test]
fn operations_equal_pytorch() {
    let cases = ops();
    assert!(cases.len() > 50, "{} cases", cases.len());
    for case in &cases {
        for n in 0..case.batch() {
            let (found, expected) = (compute(case, n), case.output(n));
            common::assert_close(&found.values, &expected, TOLERANCE, &case.name);
        }
    }
}

#[test]
fn a_softmax_over_the_wrong_axis_would_be_seen() {
    let case = ops().into_iter().find(|case| case.op == "radix_softmax" && case.attribute("cardinality") > 1).unwrap();
    let (radix, cardinality) = (case.attribute("radix"), case.attribute("cardinality"));
    let swapped = reference::radix_softmax(&case.image("x", 0), cardinality, radix);
    let distance = swapped.values.iter().zip(case.output(0)).map(|(a, b)| (a - b).abs()).fold(0.0, f32::max);
    assert!(distance > 0.1, "{distance}");
}

#[test]
fn the_trained_network_equals_pytorch() {
    let (graph, checkpoint) = resnest_tiny();
    let golden = &image_goldens()[0];
    let values = reference::network(&graph, |name| checkpoint.values(name), &input());
    let value = |id: ValueId| &values[id.index()];
    common::assert_within(&value(graph.logits).values, &golden.logits, 1e-3, "logits");
    for (unit, expected) in graph.units.iter().zip(&golden.units) {
        assert_eq!(unit.name, expected.name);
        let gates = value(unit.gates);
        common::assert_close(&gates.values, &expected.attention.concat(), 1e-4, &unit.name);
        let maps = reference::branch_maps(value(unit.branches), gates, value(unit.output), 2);
        let shape = Shape { channels: 2, ..maps.shape };
        let contribution: Vec<f32> =
            expected.contribution.as_ref().unwrap().iter().flatten().flatten().copied().collect();
        common::assert_close(&maps.values[..shape.elements()], &contribution, 1e-4, &unit.name);
    }
}
