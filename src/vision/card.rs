//! The description that lies beside a file of weights.

use serde::Deserialize;

use super::{Filter, ImageError, Preprocess};

/// Why a description or a list of labels cannot be used.
#[derive(Clone, Debug, PartialEq, thiserror::Error)]
pub enum CardError {
    #[error("the description of the weights cannot be read: {0}")]
    Json(String),
    #[error("the description says {0:?} for `input`, but only square pictures of 3 channels are known: [3, N, N]")]
    Input([usize; 3]),
    #[error("the description beside the weights is of {found}, not of {expected}")]
    Name { expected: String, found: String },
    #[error(transparent)]
    Preprocess(#[from] ImageError),
    #[error("line {line} of the labels has {columns} columns; id, short and long name were expected, or one name")]
    Label { line: usize, columns: usize },
    #[error("there are {labels} labels, but the network has {classes} classes")]
    LabelCount { labels: usize, classes: usize },
}

/// What has to be known about a checkpoint to use it: `NAME.json` beside `NAME.safetensors`.
#[derive(Clone, Debug, PartialEq, Deserialize)]
pub struct ModelCard {
    /// The variant's id.
    pub name: String,
    /// Channels, height and width of the input.
    pub input: [usize; 3],
    /// Red, green, blue, on a scale where white is 1.
    pub mean: [f32; 3],
    /// Red, green, blue, on a scale where white is 1.
    pub std: [f32; 3],
    /// See [`Preprocess::crop_fraction`]; the whole shorter side where nothing is said.
    #[serde(default = "whole")]
    pub crop_fraction: f64,
    #[serde(default)]
    pub filter: Filter,
    /// Name of the file of labels, beside the description.
    pub classes: Option<String>,
}

fn whole() -> f64 {
    1.0
}

impl ModelCard {
    /// What is usual for a network that learnt from ImageNet, of images of `side` pixels.
    pub fn usual(name: &str, side: usize) -> Self {
        let Preprocess { size, crop_fraction, filter, mean, std } = Preprocess::imagenet(side);
        Self { name: name.into(), input: [3, size, size], mean, std, crop_fraction, filter, classes: None }
    }

    /// Reads the JSON text; fields that are not listed here are for people and passed over.
    pub fn parse(json: &str) -> Result<Self, CardError> {
        let card: Self =
            serde_json::from_str(without_mark(json)).map_err(|error| CardError::Json(error.to_string()))?;
        card.check().map(|()| card)
    }

    /// Whether the numbers make an input, wherever they were read.
    pub fn check(&self) -> Result<(), CardError> {
        match self.input {
            [3, height, width] if height == width => Ok(self.preprocess().check()?),
            input => Err(CardError::Input(input)),
        }
    }

    /// Whether it describes the variant `id`: two variants may have the same tensors and yet differ.
    pub fn check_name(&self, id: &str) -> Result<(), CardError> {
        match self.name == id {
            true => Ok(()),
            false => Err(CardError::Name { expected: id.into(), found: self.name.clone() }),
        }
    }

    pub fn preprocess(&self) -> Preprocess {
        let Self { input: [_, size, _], crop_fraction, filter, mean, std, .. } = *self;
        Preprocess { size, crop_fraction, filter, mean, std }
    }
}

/// The text without the byte-order mark that some editors put in front.
fn without_mark(text: &str) -> &str {
    text.strip_prefix('\u{feff}').unwrap_or(text)
}

/// What a class is called.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Label {
    /// WordNet's id, for example `n02123045`; empty where the file has none.
    pub id: String,
    /// For example `tabby cat`.
    pub short: String,
    /// With synonyms.
    pub long: String,
}

/// Reads a list of labels, a class per line in the order of the logits: `id<TAB>short<TAB>long`, or one
/// name alone. Where the number of classes is given, there must be as many labels.
pub fn parse_labels(text: &str, classes: Option<usize>) -> Result<Vec<Label>, CardError> {
    let lines = without_mark(text).trim_end().lines().enumerate();
    let label = |(index, line): (usize, &str)| match line.split('\t').collect::<Vec<_>>()[..] {
        [id, short, long] => Ok(Label { id: id.into(), short: short.into(), long: long.into() }),
        [name] => Ok(Label { id: String::new(), short: name.into(), long: name.into() }),
        ref columns => Err(CardError::Label { line: index + 1, columns: columns.len() }),
    };
    let labels = lines.map(label).collect::<Result<Vec<Label>, CardError>>()?;
    match classes {
        Some(classes) if classes != labels.len() => Err(CardError::LabelCount { labels: labels.len(), classes }),
        _ => Ok(labels),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const TINY: &str = r#"{"name": "resnest_tiny", "input": [3, 64, 64], "mean": [0.5, 0.25, 0], "std": [1, 1, 2],
        "classes": "classes.txt", "recipe": "SGD"}"#;

    #[test]
    fn reads_a_card_and_fills_in_what_it_leaves_out() {
        let card = ModelCard::parse(TINY).unwrap();
        assert_eq!((card.name.as_str(), card.classes.as_deref()), ("resnest_tiny", Some("classes.txt")));
        let expected = Preprocess {
            size: 64,
            crop_fraction: 1.0,
            filter: Filter::Bilinear,
            mean: [0.5, 0.25, 0.0],
            std: [1.0, 1.0, 2.0],
        };
        assert_eq!(card.preprocess(), expected);
        let full = TINY.replace("\"recipe\": \"SGD\"", "\"crop_fraction\": 0.95, \"filter\": \"bicubic\"");
        let full = ModelCard::parse(&full).unwrap().preprocess();
        assert_eq!((full.crop_fraction, full.filter), (0.95, Filter::Bicubic));
    }

    #[test]
    fn says_what_is_wrong_with_a_card() {
        let error = |from: &str, to: &str| ModelCard::parse(&TINY.replace(from, to)).unwrap_err();
        assert_eq!(error("64, 64", "64, 32"), CardError::Input([3, 64, 32]));
        assert_eq!(error("[3,", "[1,"), CardError::Input([1, 64, 64]));
        assert!(matches!(error("64, 64", "0, 0"), CardError::Preprocess(_)));
        assert!(matches!(error("[1, 1, 2]", "[1, 1, 0]"), CardError::Preprocess(_)));
        assert!(error("\"mean\"", "\"means\"").to_string().contains("mean"));
        assert!(matches!(error("{", ""), CardError::Json(_)));
        let card = ModelCard::parse(TINY).unwrap();
        assert_eq!(card.check_name("resnest_tiny"), Ok(()));
        assert!(card.check_name("sknet_tiny").unwrap_err().to_string().contains("of resnest_tiny, not of sknet_tiny"));
    }

    #[test]
    fn reads_both_kinds_of_labels() {
        let labels = parse_labels("n1\tcat\tcat, feline\r\nn2\tdog\tdog, canine\n", None).unwrap();
        let dog = Label { id: "n2".into(), short: "dog".into(), long: "dog, canine".into() };
        assert_eq!(labels[1], dog);
        assert_eq!(labels[0].long, "cat, feline");
        assert_eq!(parse_labels("tabby cat\n", Some(1)).unwrap()[0].short, "tabby cat");
        assert_eq!(parse_labels("cat\nn2\tdog", None), Err(CardError::Label { line: 2, columns: 2 }));
        assert_eq!(parse_labels("cat\ndog", Some(3)), Err(CardError::LabelCount { labels: 2, classes: 3 }));
    }
}
