//! The networks that this site holds weights for, each with its card and its classes.

use serde::Deserialize;

use super::fetch::{self, FetchError};
use crate::arch::{Variant, zoo};
use crate::graph::Graph;
use crate::graph::cost::{Cost, cost};
use crate::vision::{Label, ModelCard, Preprocess, parse_labels};

/// Ids of the networks whose weights lie beside the page, in the order of the tabs.
pub const MODELS: &[&str] = &["resnest_tiny"];

/// What a card says for people.
#[derive(Clone, Debug, PartialEq, Deserialize)]
pub struct Training {
    /// Share of validation pictures whose first guess is right.
    pub top1: f32,
    /// What it was trained on.
    pub data: String,
}

/// One network, as far as it is known before its weights are.
#[derive(Clone, Debug, PartialEq)]
pub struct Model {
    pub variant: &'static Variant,
    pub card: ModelCard,
    pub training: Training,
    pub labels: Vec<Label>,
}

impl Model {
    /// Reads the card and the classes of the network `id`.
    pub async fn fetch(id: &str) -> Result<Self, FetchError> {
        let path = format!("models/{id}.json");
        let broken = |why: String| FetchError::Content { path: path.clone(), why };
        let json = fetch::text(&path).await?;
        let card = ModelCard::parse(&json).and_then(|card| card.check_name(id).map(|()| card));
        let card = card.map_err(|error| broken(error.to_string()))?;
        let training = serde_json::from_str(&json).map_err(|error| broken(error.to_string()))?;
        let variant = zoo::variant(id).ok_or_else(|| broken(format!("{id} is no network of this program")))?;

        let file = card.classes.as_deref().ok_or_else(|| broken("it names no list of classes".into()))?;
        let path = format!("models/{file}");
        let text = fetch::text(&path).await?;
        // How many there must be is known by the weights, and checked with them.
        let labels = parse_labels(&text, None);
        let labels = labels.map_err(|error| FetchError::Content { path, why: error.to_string() })?;
        Ok(Self { variant, card, training, labels })
    }

    /// Where the weights lie.
    pub fn weights_path(&self) -> String {
        format!("models/{}.safetensors", self.variant.id)
    }

    pub fn graph(&self) -> Graph {
        let [_, height, width] = self.card.input;
        self.variant.build(height, width, self.labels.len())
    }

    pub fn cost(&self) -> Cost {
        cost(&self.graph())
    }

    pub fn preprocess(&self) -> Preprocess {
        self.card.preprocess()
    }

    /// The short name of a class.
    pub fn label(&self, class: usize) -> &str {
        &self.labels[class].short
    }
}
