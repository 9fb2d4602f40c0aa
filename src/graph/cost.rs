//! What a network costs, counted as the papers count.

use super::{Graph, Op};

/// Parameters, multiply-adds and activations of one graph.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Cost {
    /// Learnt values: weights, biases, batch norm's scale and shift.
    pub parameters: u64,
    /// Multiply-adds of convolutions and linear layers.
    pub macs: u64,
    /// Output values of all convolutions, as RegNet's authors count them (Radosavovic et al. 2020,
    /// section 3.1; pycls).
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
        let elements = node.shape.elements() as u64;
        match node.op {
            Op::Conv(conv) => {
                let in_channels = graph.shape(node.inputs[0]).channels / conv.groups;
                cost.macs += elements * (in_channels * conv.kernel * conv.kernel) as u64;
                cost.activations += elements;
            }
            Op::Linear { .. } => cost.macs += elements * graph.shape(node.inputs[0]).channels as u64,
            _ => {}
        }
    }
    cost
}
