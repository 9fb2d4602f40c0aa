//! What a network costs, counted as the papers count.

use super::{Graph, Node, Op};

/// Parameters, multiply-adds and activations of one graph.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Cost {
    /// Learnt values: weights, biases, batch norm's scale and shift.
    pub parameters: u64,
    /// Multiply-adds of convolutions and linear layers.
    pub macs: u64,
    /// Output values of all convolutions, as RegNet's authors count them (Radosavovic et al. 2020, section 4; pycls).
    pub activations: u64,
}

/// Counts one run on one image of the graph's input size.
pub fn cost(graph: &Graph) -> Cost {
    let parameters = graph.parameters();
    let trainable = parameters.iter().filter(|parameter| parameter.trainable);
    let mut cost = Cost {
        parameters: trainable.map(|parameter| parameter.shape.iter().product::<usize>() as u64).sum(),
        macs: 0,
        activations: 0,
    };
    for node in &graph.nodes {
        cost.macs += macs(graph, node);
        if let Op::Conv(_) = node.op {
            cost.activations += node.shape.elements() as u64;
        }
    }
    cost
}

/// Multiply-adds of one node.
pub fn macs(graph: &Graph, node: &Node) -> u64 {
    let in_channels = || graph.shape(node.inputs[0]).channels;
    let of_one_element = match node.op {
        Op::Conv(conv) => in_channels() / conv.groups * conv.kernel * conv.kernel,
        Op::Linear { .. } => in_channels(),
        _ => 0,
    };
    node.shape.elements() as u64 * of_one_element as u64
}
