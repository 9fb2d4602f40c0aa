use std::fs;
use std::io;
use std::path::{self, Path};

use super::error::CliError;
use crate::arch::Variant;
use crate::arch::zoo::IMAGENET_CLASSES;
use crate::vision::{Label, ModelCard, Preprocess, parse_labels};
use crate::weights::{Catalogue, Checkpoint, card_of};

/// Weights with what lies beside them.
pub struct Model {
    pub checkpoint: Checkpoint,
    pub classes: usize,
    /// How an image becomes the input.
    pub preprocess: Preprocess,
    /// Whence that is known, after "resized".
    pub resized: String,
    /// One per class, or none where no list was found.
    pub labels: Vec<Label>,
}

impl Model {
    /// Reads the weights, the description beside them (`NAME.json` for `NAME.safetensors`), or else what the
    /// catalogue says of the published checkpoint that they most likely are; and the labels: of the file given, or
    /// else of the one that the description names.
    pub fn read(variant: &Variant, weights: &Path, labels: Option<&Path>) -> Result<Self, CliError> {
        let bytes = fs::read(weights).map_err(CliError::read(weights))?;
        let checkpoint = Checkpoint::parse(&bytes);
        let checkpoint = checkpoint.map_err(|source| CliError::Weights { path: weights.into(), source })?;
        // Weights without a classifier are refused later, when they are held against the graph.
        let classes = classes(variant, &checkpoint).unwrap_or(variant.classes);

        let card = read_card(&weights.with_extension("json"))?;
        if let Some(card) = &card {
            let named = card.check_name(variant.id);
            named.map_err(|source| CliError::Card { path: weights.with_extension("json"), source })?;
        }
        let named = card.as_ref().and_then(|card| card.classes.as_deref());
        let labels = match (labels, named) {
            (Some(path), _) => read_labels(path, classes)?,
            (None, Some(name)) => read_labels(&weights.with_file_name(name), classes)?,
            (None, None) if [classes, variant.classes] == [IMAGENET_CLASSES; 2] => imagenet(),
            (None, None) => Vec::new(),
        };
        // The hub has all under the same file name, in folders that tell them apart.
        let place = path::absolute(weights).map_err(CliError::read(weights))?.to_string_lossy().into_owned();
        let (card, resized) = card_of(variant.id, variant.side, &place, card, Some(&catalogue()));
        Ok(Self { checkpoint, classes, preprocess: card.preprocess(), resized, labels })
    }

    /// The short name of a class, where it is known.
    pub fn label(&self, class: usize) -> Option<&str> {
        self.labels.get(class).map(|label| label.short.as_str())
    }
}

fn catalogue() -> Catalogue {
    let catalogue = Catalogue::parse(include_str!("../../static/models/catalogue.json"));
    catalogue.expect("a catalogue that the tests have read")
}

fn imagenet() -> Vec<Label> {
    let labels = parse_labels(include_str!("../../static/models/imagenet.txt"), Some(IMAGENET_CLASSES));
    labels.expect("a list of classes that the tests have read")
}

/// The number of classes that the classifier was trained for.
fn classes(variant: &Variant, checkpoint: &Checkpoint) -> Option<usize> {
    let bias = format!("{}.bias", variant.build(variant.side, variant.side, variant.classes).classifier);
    let classes = checkpoint.shapes().get(&bias)?.first().copied();
    classes.filter(|classes| *classes > 0)
}

/// `None` where there is no such file.
fn read_card(path: &Path) -> Result<Option<ModelCard>, CliError> {
    match fs::read_to_string(path) {
        Ok(json) => match ModelCard::parse(&json) {
            Ok(card) => Ok(Some(card)),
            Err(source) => Err(CliError::Card { path: path.into(), source }),
        },
        Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(None),
        Err(error) => Err(CliError::read(path)(error)),
    }
}

fn read_labels(path: &Path, classes: usize) -> Result<Vec<Label>, CliError> {
    let text = fs::read_to_string(path).map_err(CliError::read(path))?;
    parse_labels(&text, Some(classes)).map_err(|source| CliError::Card { path: path.into(), source })
}
