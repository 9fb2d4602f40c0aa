use super::{Activation, BatchNorm, Block, Conv, Layer, Op, Pool, Shape, Unit, UnitKind};

/// Names one node of a graph and the value it computes.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct ValueId(pub(super) usize);

impl ValueId {
    /// Position in [`Graph::nodes`].
    pub fn index(self) -> usize {
        self.0
    }
}

/// One operation with its inputs, its output's shape and the module path of its parameters.
#[derive(Clone, Debug, PartialEq)]
pub struct Node {
    pub op: Op,
    pub inputs: Vec<ValueId>,
    pub shape: Shape,
    /// timm's module path, for example `layer1.0.conv2.fc1`; empty where there are no parameters.
    pub name: String,
}

/// A named tensor that a checkpoint must hold, shape as PyTorch stores it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Parameter {
    pub name: String,
    pub shape: Vec<usize>,
    /// Learnt by gradient; running statistics of batch norm are not, and are not counted.
    pub trainable: bool,
}

/// A finished network for one input size.
#[derive(Clone, Debug, PartialEq)]
pub struct Graph {
    /// In an order in which every node comes after its inputs; the first is the input.
    pub nodes: Vec<Node>,
    pub units: Vec<Unit>,
    /// Empty where there are units.
    pub layers: Vec<Layer>,
    /// In order; what comes before the first is the stem, what comes after the last the head.
    pub blocks: Vec<Block>,
    /// The last feature map `[C, H, W]`, before global pooling.
    pub features: ValueId,
    /// `[classes, 1, 1]`
    pub logits: ValueId,
    /// Module path of the classifier that turns pooled features into logits.
    pub classifier: String,
}

impl Graph {
    pub fn node(&self, id: ValueId) -> &Node {
        &self.nodes[id.0]
    }

    pub fn shape(&self, id: ValueId) -> Shape {
        self.node(id).shape
    }

    /// The image's value.
    pub fn input(&self) -> ValueId {
        ValueId(0)
    }

    pub fn input_shape(&self) -> Shape {
        self.nodes[0].shape
    }

    /// Values that stay readable after a run: what units or layers show, the features and the logits.
    pub fn taps(&self) -> Vec<ValueId> {
        let units = self.units.iter().flat_map(|unit| [unit.branches, unit.gates, unit.output]);
        let layers = self.layers.iter().map(|layer| layer.value);
        units.chain(layers).chain([self.features, self.logits]).collect()
    }

    /// Every tensor a checkpoint must hold, in the order of timm's modules' use.
    pub fn parameters(&self) -> Vec<Parameter> {
        self.nodes.iter().flat_map(|node| node_parameters(node, self)).collect()
    }
}

fn node_parameters(node: &Node, graph: &Graph) -> Vec<Parameter> {
    let tensor = |suffix: &str, shape: &[usize], trainable| Parameter {
        name: format!("{}.{suffix}", node.name),
        shape: shape.to_vec(),
        trainable,
    };
    match node.op {
        Op::Conv(conv) => {
            let in_channels = graph.shape(node.inputs[0]).channels;
            let shape = [conv.out_channels, in_channels / conv.groups, conv.kernel, conv.kernel];
            let mut parameters = vec![tensor("weight", &shape, true)];
            if conv.bias {
                parameters.push(tensor("bias", &[conv.out_channels], true));
            }
            parameters
        }
        Op::BatchNorm(_) => {
            let shape = [node.shape.channels];
            vec![
                tensor("weight", &shape, true),
                tensor("bias", &shape, true),
                tensor("running_mean", &shape, false),
                tensor("running_var", &shape, false),
            ]
        }
        Op::Linear { out_features } => {
            let in_features = graph.shape(node.inputs[0]).channels;
            vec![tensor("weight", &[out_features, in_features], true), tensor("bias", &[out_features], true)]
        }
        _ => Vec::new(),
    }
}

/// Writes a graph operation by operation, as a module's `forward` would run it.
///
/// A shape that does not fit is a mistake in the architecture, not in the data: it panics with the
/// layer's path.
pub struct Net {
    nodes: Vec<Node>,
    path: Vec<String>,
    units: Vec<Unit>,
    layers: Vec<Layer>,
    blocks: Vec<Block>,
}

impl Net {
    /// A net whose input has the given shape, and the input's value.
    pub fn new(input: Shape) -> (Self, ValueId) {
        let node = Node { op: Op::Input, inputs: Vec::new(), shape: input, name: String::new() };
        let (path, units, layers, blocks) = Default::default();
        (Self { nodes: vec![node], path, units, layers, blocks }, ValueId(0))
    }

    /// Runs `body` inside the module `name`, whose parameters' names it prefixes.
    pub fn scope<T>(&mut self, name: impl ToString, body: impl FnOnce(&mut Self) -> T) -> T {
        self.path.push(name.to_string());
        let out = body(self);
        self.path.pop();
        out
    }

    /// Runs `body` inside the module `name`, which is one of the blocks that the network repeats through its depth.
    pub fn block(&mut self, name: impl ToString, body: impl FnOnce(&mut Self) -> ValueId) -> ValueId {
        let first = self.nodes.len();
        self.scope(name, |net| {
            let out = body(net);
            net.blocks.push(Block { name: net.path.join("."), nodes: first..net.nodes.len() });
            out
        })
    }

    pub fn shape(&self, id: ValueId) -> Shape {
        self.nodes[id.0].shape
    }

    pub fn conv(&mut self, name: &str, x: ValueId, conv: Conv) -> ValueId {
        self.push(Op::Conv(conv), &[x], name)
    }

    pub fn batch_norm(&mut self, name: &str, x: ValueId, norm: BatchNorm) -> ValueId {
        self.push(Op::BatchNorm(norm), &[x], name)
    }

    /// A convolution followed by batch normalisation with PyTorch's default epsilon.
    pub fn conv_bn(&mut self, conv_name: &str, norm_name: &str, x: ValueId, conv: Conv) -> ValueId {
        let x = self.conv(conv_name, x, conv);
        self.batch_norm(norm_name, x, BatchNorm::default())
    }

    pub fn activation(&mut self, x: ValueId, activation: Activation) -> ValueId {
        self.push(Op::Activation(activation), &[x], "")
    }

    pub fn relu(&mut self, x: ValueId) -> ValueId {
        self.activation(x, Activation::Relu)
    }

    pub fn max_pool(&mut self, x: ValueId, pool: Pool) -> ValueId {
        self.push(Op::MaxPool(pool), &[x], "")
    }

    pub fn avg_pool(&mut self, x: ValueId, pool: Pool) -> ValueId {
        self.push(Op::AvgPool(pool), &[x], "")
    }

    pub fn global_avg_pool(&mut self, x: ValueId) -> ValueId {
        self.push(Op::GlobalAvgPool, &[x], "")
    }

    pub fn sum_splits(&mut self, x: ValueId, radix: usize) -> ValueId {
        self.push(Op::SumSplits { radix }, &[x], "")
    }

    pub fn radix_softmax(&mut self, logits: ValueId, radix: usize, cardinality: usize) -> ValueId {
        self.push(Op::RadixSoftmax { radix, cardinality }, &[logits], "")
    }

    pub fn weighted_sum(&mut self, splits: ValueId, gates: ValueId, radix: usize) -> ValueId {
        self.push(Op::WeightedSum { radix }, &[splits, gates], "")
    }

    pub fn add(&mut self, a: ValueId, b: ValueId) -> ValueId {
        self.push(Op::Add, &[a, b], "")
    }

    pub fn concat(&mut self, parts: &[ValueId]) -> ValueId {
        self.push(Op::Concat, parts, "")
    }

    pub fn slice(&mut self, x: ValueId, first: usize, count: usize) -> ValueId {
        self.push(Op::Slice { first, count }, &[x], "")
    }

    pub fn linear(&mut self, name: &str, x: ValueId, out_features: usize) -> ValueId {
        self.push(Op::Linear { out_features }, &[x], name)
    }

    /// Declares the current module to be a unit of attention.
    pub fn unit(&mut self, kind: UnitKind, branches: ValueId, gates: ValueId, output: ValueId) {
        self.units.push(Unit { name: self.path.join("."), kind, branches, gates, output });
    }

    /// Declares `value` to be the output of the spatial convolution `name` of the current module, in `groups` groups.
    /// It is shown where no unit is: [`finish`](Self::finish) drops the layers of a network that has units.
    pub fn layer(&mut self, name: &str, value: ValueId, groups: usize) {
        let channels = self.shape(value).channels;
        let name = self.path_of(name);
        assert!(channels.is_multiple_of(groups), "{name}: {groups} groups do not divide {channels} channels");
        self.layers.push(Layer { name, value, groups });
    }

    /// Pools `features` and classifies them: `classifier` is the linear layer's module path.
    pub fn finish(mut self, features: ValueId, classifier: &str, classes: usize) -> Graph {
        let pooled = self.global_avg_pool(features);
        let logits = self.linear(classifier, pooled, classes);
        let layers = if self.units.is_empty() { self.layers } else { Vec::new() };
        let Self { nodes, units, blocks, .. } = self;
        Graph { nodes, units, layers, blocks, features, logits, classifier: classifier.to_string() }
    }

    fn push(&mut self, op: Op, inputs: &[ValueId], name: &str) -> ValueId {
        let path = self.path_of(name);
        let shapes: Vec<Shape> = inputs.iter().map(|id| self.shape(*id)).collect();
        let shape = op.infer(&shapes).unwrap_or_else(|why| panic!("{path}: {op:?} {why}"));
        let name = if name.is_empty() { String::new() } else { path };
        self.nodes.push(Node { op, inputs: inputs.to_vec(), shape, name });
        ValueId(self.nodes.len() - 1)
    }

    /// The path of a module inside the current one; the current one's where `name` is empty.
    fn path_of(&self, name: &str) -> String {
        match (self.path.join("."), name) {
            (scope, "") => scope,
            (scope, name) if scope.is_empty() => name.to_string(),
            (scope, name) => format!("{scope}.{name}"),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_parameters_by_path() {
        let (mut net, x) = Net::new(Shape::new(4, 8, 8));
        let y = net.scope("layer1", |net| {
            net.scope(0, |net| net.conv_bn("conv1", "bn1", x, Conv::new(1, 8).groups(2).bias()))
        });
        let graph = net.finish(y, "fc", 3);
        let names: Vec<String> = graph.parameters().into_iter().map(|p| p.name).collect();
        assert_eq!(names[..3], ["layer1.0.conv1.weight", "layer1.0.conv1.bias", "layer1.0.bn1.weight"]);
        assert_eq!(graph.parameters()[0].shape, [8, 2, 1, 1]);
        assert_eq!(graph.parameters().last().unwrap().name, "fc.bias");
    }

    #[test]
    #[should_panic(expected = "layer1.conv1")]
    fn a_shape_that_does_not_fit_names_the_layer() {
        let (mut net, x) = Net::new(Shape::new(4, 8, 8));
        net.scope("layer1", |net| net.conv("conv1", x, Conv::new(1, 8).groups(3)));
    }
}
