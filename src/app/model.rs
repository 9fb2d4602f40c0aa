//! Networks with the weights that the page can get for them: their cards, classes and provenance.

use std::sync::Arc;

use serde::Deserialize;
use web_sys::Blob;

use super::fetch::{self, FetchError};
use crate::arch::{Variant, zoo};
use crate::graph::Graph;
use crate::graph::cost::{Cost, cost};
use crate::vision::{Label, ModelCard, Preprocess, parse_labels};
use crate::weights::{Catalogue, Entry, card_of};

/// Ids of the networks whose weights lie beside the page, in the order of the table of variants.
pub const SHIPPED: &[&str] = &[
    "resnet_tiny",
    "resnext_tiny",
    "seresnext_tiny",
    "sknet_tiny",
    "resnest_tiny",
    "resnest_tiny_2s2x",
    "regnetx_tiny",
    "regnety_tiny",
    "regnetz_relu_tiny",
    "regnetz_swish_tiny",
];

/// The shipped network that the page opens with; index.html asks for its files before the program runs.
const FIRST: &str = "resnest_tiny";

/// Where a network's weights come from.
#[derive(Clone)]
pub enum Origin {
    /// They lie beside the page.
    Shipped,
    /// A row of the catalogue.
    Published(Arc<Entry>),
    /// A file of the visitor's.
    File(CheckpointFile),
}

impl Origin {
    /// No two networks, nor two sets of weights of one, have the same.
    pub fn key(&self, variant: &Variant) -> String {
        match self {
            Origin::Shipped => variant.id.into(),
            Origin::Published(entry) => entry.repository.clone(),
            Origin::File(file) => format!("{}, file {}", variant.id, file.number),
        }
    }
}

/// A safetensors file that the visitor chose. The browser keeps it readable for as long as the page lives.
#[derive(Clone)]
pub struct CheckpointFile {
    /// Counts files, since names may repeat.
    pub number: usize,
    pub name: String,
    pub blob: Blob,
    /// Classes of its classifier.
    pub classes: usize,
    /// A description that came with it.
    pub card: Option<ModelCard>,
}

/// What a shipped network's card says for people.
#[derive(Clone, Debug, PartialEq, Deserialize)]
struct Training {
    top1: f32,
    data: String,
}

/// One network with one set of weights, as far as it is known before the weights are.
#[derive(Clone, Debug, PartialEq)]
pub struct Model {
    /// See [`Origin::key`].
    pub key: String,
    pub variant: &'static Variant,
    pub card: ModelCard,
    /// Share of validation pictures whose first guess is right, at the card's size; where it is known.
    pub top1: Option<f32>,
    /// Where the weights come from, as a sentence.
    pub provenance: String,
    /// One per class.
    pub labels: Arc<[Label]>,
}

impl Model {
    /// Reads about the weights of `variant`. Of a visitor's file the catalogue says the usual preprocessing.
    pub async fn describe(
        variant: &'static Variant,
        origin: &Origin,
        catalogue: Option<&Catalogue>,
    ) -> Result<Self, FetchError> {
        let key = origin.key(variant);
        match origin {
            Origin::Shipped => Self::shipped(key, variant).await,
            Origin::Published(entry) => Self::published(key, variant, entry).await,
            Origin::File(file) => Self::of_file(key, variant, file, catalogue).await,
        }
    }

    async fn shipped(key: String, variant: &'static Variant) -> Result<Self, FetchError> {
        let path = format!("models/{}.json", variant.id);
        let broken = |why: String| FetchError::Content { path: path.clone(), why };
        let json = fetch::text(&path).await?;
        let card = ModelCard::parse(&json).and_then(|card| card.check_name(variant.id).map(|()| card));
        let card = card.map_err(|error| broken(error.to_string()))?;
        let Training { top1, data } = serde_json::from_str(&json).map_err(|error| broken(error.to_string()))?;
        let file = card.classes.as_deref().ok_or_else(|| broken("it names no list of classes".into()))?;
        // How many there must be is known by the weights, and checked with them.
        let labels = labels(file, None).await?;
        let provenance = format!("Trained on {data}.");
        Ok(Self { key, variant, card, top1: Some(top1), provenance, labels })
    }

    async fn published(key: String, variant: &'static Variant, entry: &Entry) -> Result<Self, FetchError> {
        let Entry { card, top1, repository, licence, .. } = entry;
        let labels = names(variant, card, variant.classes).await?;
        let provenance = format!("Weights {repository}, licence {licence}.");
        Ok(Self { key, variant, card: card.clone(), top1: *top1, provenance, labels })
    }

    async fn of_file(
        key: String,
        variant: &'static Variant,
        file: &CheckpointFile,
        catalogue: Option<&Catalogue>,
    ) -> Result<Self, FetchError> {
        let CheckpointFile { name, classes, card, .. } = file;
        let (card, how) = card_of(variant.id, variant.side, name, card.clone(), catalogue);
        let labels = names(variant, &card, *classes).await?;
        let provenance = format!("Weights of your file {name}; pictures are resized {how}.");
        Ok(Self { key, variant, card, top1: None, provenance, labels })
    }

    /// Where shipped weights lie.
    pub fn weights_path(&self) -> String {
        format!("models/{}.safetensors", self.variant.id)
    }

    /// Side in pixels of the images that the weights were made for.
    pub fn own_side(&self) -> usize {
        self.card.input[1]
    }

    pub fn graph(&self, side: usize) -> Graph {
        self.variant.build(side, side, self.labels.len())
    }

    pub fn cost(&self, side: usize) -> Cost {
        cost(&self.graph(side))
    }

    /// How a picture becomes the input of this side.
    pub fn preprocess(&self, side: usize) -> Preprocess {
        Preprocess { size: side, ..self.card.preprocess() }
    }

    /// The short name of a class.
    pub fn label(&self, class: usize) -> &str {
        &self.labels[class].short
    }
}

/// Whether the weights of a network lie beside the page.
pub fn is_shipped(variant: &Variant) -> bool {
    SHIPPED.contains(&variant.id)
}

/// What is published.
pub async fn catalogue() -> Result<Catalogue, FetchError> {
    let path = "models/catalogue.json";
    let json = fetch::text(path).await?;
    Catalogue::parse(&json).map_err(|error| FetchError::Content { path: path.into(), why: error.to_string() })
}

/// What the page opens with.
pub fn first() -> &'static Variant {
    zoo::variant(FIRST).expect("a network that is in the table")
}

/// The list of classes that the network was designed for, if there are as many.
fn usual_classes(variant: &Variant, classes: usize) -> Option<&'static str> {
    match classes {
        _ if classes != variant.classes => None,
        zoo::IMAGENET_CLASSES => Some("imagenet.txt"),
        _ => Some("classes.txt"),
    }
}

/// What the classes are called: as the card's list says or else the network's usual one, if it has as many.
async fn names(variant: &Variant, card: &ModelCard, classes: usize) -> Result<Arc<[Label]>, FetchError> {
    let list = card.classes.as_deref().filter(|_| classes == variant.classes);
    match list.or(usual_classes(variant, classes)) {
        Some(list) => labels(list, Some(classes)).await,
        None => Ok(numbered(classes)),
    }
}

async fn labels(file: &str, classes: Option<usize>) -> Result<Arc<[Label]>, FetchError> {
    let path = format!("models/{file}");
    let text = fetch::text(&path).await?;
    let labels = parse_labels(&text, classes);
    labels.map(Arc::from).map_err(|error| FetchError::Content { path, why: error.to_string() })
}

fn numbered(classes: usize) -> Arc<[Label]> {
    let label = |class: usize| Label { id: String::new(), short: format!("class {class}"), long: String::new() };
    (0..classes).map(label).collect()
}
