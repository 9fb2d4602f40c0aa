//! The goldens of `tests/golden/`, read.

use std::collections::BTreeMap;
use std::fs;

use serde::Deserialize;
use splitlens::arch::zoo;
use splitlens::graph::{Graph, Shape, Tensor};
use splitlens::weights::Checkpoint;

use super::repository;

/// One operation on one batch, with what PyTorch made of it.
#[derive(Deserialize)]
pub struct Case {
    pub name: String,
    pub op: String,
    attributes: BTreeMap<String, serde_json::Value>,
    inputs: BTreeMap<String, String>,
    output: String,
    shapes: BTreeMap<String, Vec<usize>>,
    #[serde(skip)]
    tensors: std::rc::Rc<Checkpoint>,
}

impl Case {
    pub fn attribute(&self, name: &str) -> usize {
        self.attributes[name].as_u64().unwrap() as usize
    }

    pub fn number(&self, name: &str) -> f32 {
        self.attributes[name].as_f64().unwrap() as f32
    }

    /// False where the operation has no such attribute.
    pub fn flag(&self, name: &str) -> bool {
        self.attributes.get(name).is_some_and(|value| value.as_bool().unwrap())
    }

    pub fn shape(&self, role: &str) -> &[usize] {
        &self.shapes[role]
    }

    pub fn values(&self, role: &str) -> Vec<f32> {
        self.tensors.values(&self.inputs[role]).to_vec()
    }

    pub fn batch(&self) -> usize {
        self.shape("x")[0]
    }

    /// Image `n` of a batched input.
    pub fn image(&self, role: &str, n: usize) -> Tensor {
        let extents = self.shape(role);
        let extent = |axis: usize| extents.get(axis).copied().unwrap_or(1);
        let shape = Shape::new(extent(1), extent(2), extent(3));
        Tensor::new(shape, self.values(role)[n * shape.elements()..][..shape.elements()].to_vec())
    }

    /// Image `n` of the batched output.
    pub fn output(&self, n: usize) -> Vec<f32> {
        let values = self.tensors.values(&self.output);
        let elements = values.len() / self.batch();
        values[n * elements..][..elements].to_vec()
    }
}

pub fn ops() -> Vec<Case> {
    #[derive(Deserialize)]
    struct File {
        cases: Vec<Case>,
    }
    let tensors = std::rc::Rc::new(checkpoint("tests/golden/ops.safetensors"));
    let mut file: File = json("tests/golden/ops.json");
    for case in &mut file.cases {
        case.tensors = tensors.clone();
    }
    file.cases
}

/// What PyTorch made of one image.
#[derive(Deserialize)]
pub struct ImageGolden {
    /// Relative to `tests/golden`.
    pub file: String,
    pub logits: Vec<f32>,
    pub units: Vec<UnitGolden>,
    pub class_activation: Option<ClassActivation>,
}

#[derive(Deserialize)]
pub struct UnitGolden {
    pub name: String,
    /// `[branches][channels]`
    pub attention: Vec<Vec<f32>>,
    /// `[branches][H][W]`
    pub contribution: Option<Vec<Vec<Vec<f32>>>>,
}

#[derive(Deserialize)]
pub struct ClassActivation {
    pub index: usize,
    /// `[H][W]`
    pub map: Vec<Vec<f32>>,
}

pub fn image_goldens() -> Vec<ImageGolden> {
    #[derive(Deserialize)]
    struct File {
        images: Vec<ImageGolden>,
    }
    json::<File>("tests/golden/resnest_tiny.json").images
}

/// The first golden image as PyTorch saw it: `[3, 64, 64]`, normalised.
pub fn input() -> Tensor {
    let values = checkpoint("tests/golden/resnest_tiny_input.safetensors").values("input").to_vec();
    Tensor::new(Shape::new(3, 64, 64), values)
}

/// The trained network that ships with the page.
pub fn resnest_tiny() -> (Graph, Checkpoint) {
    let graph = zoo::variant("resnest_tiny").unwrap().build(64, 64, 100);
    (graph, checkpoint("static/models/resnest_tiny.safetensors"))
}

fn checkpoint(path: &str) -> Checkpoint {
    Checkpoint::parse(&fs::read(repository(path)).unwrap()).unwrap()
}

fn json<T: serde::de::DeserializeOwned>(path: &str) -> T {
    serde_json::from_slice(&fs::read(repository(path)).unwrap()).unwrap()
}
