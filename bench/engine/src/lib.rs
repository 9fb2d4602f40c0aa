//! The engine without the page, as JavaScript calls it: a network's graph, and its runs. For a browser alone.

#![cfg(target_arch = "wasm32")]

mod describe;

use splitlens::arch::zoo::{self, Variant};
use splitlens::engine::Network;
use splitlens::gpu::Gpu;
use splitlens::graph::{Graph, Tensor};
use splitlens::weights::Checkpoint;
use wasm_bindgen::prelude::*;

#[wasm_bindgen(start)]
fn start() {
    console_error_panic_hook::set_once();
}

/// The network's operations as JSON; see [`describe::graph`].
#[wasm_bindgen]
pub fn graph(id: &str, side: usize) -> Result<String, JsError> {
    Ok(describe::graph(&build(id, side)?).to_string())
}

/// A network on a device of its own.
#[wasm_bindgen]
pub struct Engine(Network);

#[wasm_bindgen]
impl Engine {
    /// Opens a device and loads the network, for images of `side` x `side` pixels, from a safetensors file.
    pub async fn load(id: String, side: usize, weights: Vec<u8>) -> Result<Engine, JsError> {
        let graph = build(&id, side)?;
        let checkpoint = Checkpoint::parse(&weights)?;
        drop(weights);
        let gpu = Gpu::open().await?;
        Ok(Self(Network::load(&gpu, graph, &checkpoint, async |_| {}).await?))
    }

    /// Runs on a normalised image `[3, side, side]` and reads back what the page shows; returns the logits, then the
    /// gates of all units in the order of the forward pass, each branch-major.
    pub async fn run(&self, image: Vec<f32>) -> Result<Vec<f32>, JsError> {
        let shape = self.0.graph().input_shape();
        if image.len() != shape.elements() {
            return Err(JsError::new(&format!("an image of {} values, expected {}", image.len(), shape.elements())));
        }
        let reading = self.0.run(&Tensor::new(shape, image)).await?;
        let gates = reading.units.into_iter().flat_map(|unit| unit.gates.values);
        Ok(reading.logits.into_iter().chain(gates).collect())
    }

    /// Values of a run that are logits.
    pub fn classes(&self) -> usize {
        self.0.graph().shape(self.0.graph().logits).channels
    }

    /// What the network takes, as JSON with the names of the engine's `Account`.
    pub fn account(&self) -> String {
        serde_json::json!(self.0.account()).to_string()
    }
}

fn build(id: &str, side: usize) -> Result<Graph, JsError> {
    let unknown = || JsError::new(&format!("{id} is not in the table of networks"));
    let variant: &Variant = zoo::variant(id).ok_or_else(unknown)?;
    Ok(variant.build(side, side, variant.classes))
}
