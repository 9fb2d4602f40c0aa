//! The published checkpoints of the networks: data, read from `static/models/catalogue.json`, which
//! `tools/catalogue.py` writes.

use std::collections::BTreeSet;

use serde::Deserialize;

use crate::vision::{CardError, ModelCard};

/// Where the repositories of the catalogue are.
pub const DEFAULT_HUB: &str = "https://huggingface.co";

/// Why a catalogue cannot be used.
#[derive(Clone, Debug, PartialEq, thiserror::Error)]
pub enum CatalogueError {
    #[error("the catalogue of checkpoints cannot be read: {0}")]
    Json(String),
    #[error("the catalogue's {repository} has an input that makes no sense: {source}")]
    Card { repository: String, source: CardError },
    #[error("the catalogue says {value:?} for `{field}`, which cannot be part of an address")]
    Address { field: &'static str, value: String },
    #[error("the catalogue's {repository} says {value} for `{field}`, but {expected} was expected")]
    Number { repository: String, field: &'static str, value: String, expected: &'static str },
    #[error("the catalogue has {name}.{tag} twice")]
    Twice { name: String, tag: String },
}

/// Published checkpoints, those of a network together and the one to take first in front.
#[derive(Clone, Debug, PartialEq, Deserialize)]
pub struct Catalogue {
    pub entries: Vec<Entry>,
}

/// One published checkpoint.
#[derive(Clone, Debug, PartialEq, Deserialize)]
pub struct Entry {
    /// The variant's id, and how an image becomes the input.
    #[serde(flatten)]
    pub card: ModelCard,
    /// How it was trained, as timm names it: `a1_in1k`.
    pub tag: String,
    /// Owner and name on the hub: `timm/resnet50.a1_in1k`.
    pub repository: String,
    /// Branch or commit.
    pub revision: String,
    /// Path inside the repository.
    pub file: String,
    /// Length of the file as computed from the network's tensors: what the server says may differ by some dozens
    /// of bytes of header, and is right.
    pub bytes: u64,
    /// Published share of right answers on ImageNet's validation set at the card's input and crop, 0 to 1.
    pub top1: Option<f32>,
    /// As the SPDX list names it.
    pub licence: String,
}

impl Catalogue {
    /// Reads the JSON text and holds every entry to what its fields say.
    pub fn parse(json: &str) -> Result<Self, CatalogueError> {
        let catalogue: Self = serde_json::from_str(json).map_err(|error| CatalogueError::Json(error.to_string()))?;
        let mut seen = BTreeSet::new();
        for entry in &catalogue.entries {
            entry.check()?;
            let (name, tag) = (entry.card.name.clone(), entry.tag.clone());
            if !seen.insert((name.clone(), tag.clone())) {
                return Err(CatalogueError::Twice { name, tag });
            }
        }
        Ok(catalogue)
    }

    /// The checkpoint of the variant `id` that a file at this path most likely is, and whence that is known, after
    /// "resized": the one with the longest tag that the path has in it (`ra2_in1k` has `a2_in1k` in it), or else the one to
    /// take first.
    pub fn likely(&self, id: &str, path: &str) -> Option<(&Entry, String)> {
        let named = self.of(id).filter(|entry| path.contains(&entry.tag)).max_by_key(|entry| entry.tag.len());
        let known = named.map(|entry| (entry, format!("as for {}", entry.repository)));
        known.or_else(|| self.of(id).next().map(|entry| (entry, format!("by a guess, as for {}", entry.repository))))
    }

    /// The checkpoints of the variant `id`, the one to take first in front; none if none was published.
    pub fn of(&self, id: &str) -> impl Iterator<Item = &Entry> {
        self.entries.iter().filter(move |entry| entry.card.name == id)
    }
}

/// How pictures become the input for weights of the variant `id` in a file at this path, and whence that is known,
/// after "resized": as they are described, or else as for the checkpoint that they [most likely](Catalogue::likely)
/// are, or else, where none was published or the catalogue is not at hand, as is usual for images of `side` pixels.
pub fn card_of(
    id: &str,
    side: usize,
    path: &str,
    described: Option<ModelCard>,
    catalogue: Option<&Catalogue>,
) -> (ModelCard, String) {
    if let Some(card) = described {
        return (card, "as the description beside the weights says".into());
    }
    match catalogue.and_then(|catalogue| catalogue.likely(id, path)) {
        Some((entry, how)) => (entry.card.clone(), how),
        None => (ModelCard::usual(id, side), "by a guess: a crop of 0.875, bilinear".into()),
    }
}

impl Entry {
    /// Where the file lies on the hub `base`, at a branch or commit.
    pub fn address(&self, base: &str, revision: &str) -> String {
        let Self { repository, file, .. } = self;
        format!("{}/{repository}/resolve/{revision}/{file}", base.trim_end_matches('/'))
    }

    /// Where the hub `base` tells the repository's commit and its files with lengths and digests.
    pub fn api(&self, base: &str) -> String {
        format!("{}/api/models/{}?blobs=true", base.trim_end_matches('/'), self.repository)
    }

    fn check(&self) -> Result<(), CatalogueError> {
        let repository = || self.repository.clone();
        self.card.check().map_err(|source| CatalogueError::Card { repository: repository(), source })?;
        for (field, value) in [("repository", &self.repository), ("revision", &self.revision), ("file", &self.file)] {
            if !is_path(value) {
                return Err(CatalogueError::Address { field, value: value.clone() });
            }
        }
        let number =
            |field, value, expected| Err(CatalogueError::Number { repository: repository(), field, value, expected });
        match (self.bytes, self.top1) {
            (0, _) => number("bytes", "0".into(), "a number above 0"),
            (_, Some(top1)) if !(0.0..=1.0).contains(&top1) => number("top1", top1.to_string(), "a share from 0 to 1"),
            _ => Ok(()),
        }
    }
}

/// Whether a text can stand in an address as it is: names of letters, digits, `.`, `-` and `_`, none of dots alone.
fn is_path(text: &str) -> bool {
    let known = |c: char| c.is_ascii_alphanumeric() || ".-_".contains(c);
    text.split('/').all(|name| name.chars().all(known) && name.chars().any(|c| c != '.'))
}

#[cfg(test)]
mod tests {
    use super::*;

    const ONE: &str = r#"{"entries": [{"name": "resnest50d", "tag": "in1k", "repository": "timm/resnest50d.in1k",
        "revision": "main", "file": "model.safetensors", "bytes": 110235840, "top1": 0.80974, "licence": "apache-2.0",
        "input": [3, 224, 224], "crop_fraction": 0.875, "filter": "bilinear", "mean": [0.485, 0.456, 0.406],
        "std": [0.229, 0.224, 0.225], "classes": "imagenet.txt"}]}"#;

    #[test]
    fn an_entry_says_where_its_file_is() {
        let catalogue = Catalogue::parse(ONE).unwrap();
        let entry = catalogue.of("resnest50d").next().unwrap();
        assert_eq!(entry.card.preprocess().crop_fraction, 0.875);
        let file = "https://huggingface.co/timm/resnest50d.in1k/resolve/main/model.safetensors";
        assert_eq!(entry.address(DEFAULT_HUB, &entry.revision), file);
        let at_commit = "http://localhost/timm/resnest50d.in1k/resolve/1a2b/model.safetensors";
        assert_eq!(entry.address("http://localhost/", "1a2b"), at_commit);
        assert_eq!(entry.api("http://localhost"), "http://localhost/api/models/timm/resnest50d.in1k?blobs=true");
        assert_eq!(catalogue.of("resnest14d").next(), None);
    }

    #[test]
    fn a_description_is_believed_before_the_catalogue_and_that_before_a_guess() {
        let catalogue = Catalogue::parse(ONE).unwrap();
        let published = catalogue.entries[0].card.clone();
        let described = ModelCard { crop_fraction: 1.0, ..published.clone() };
        let of = |id, described, catalogue| card_of(id, 96, "in1k/model.safetensors", described, catalogue);
        let (card, how) = of("resnest50d", Some(described.clone()), Some(&catalogue));
        assert_eq!((card, how.as_str()), (described, "as the description beside the weights says"));
        let (card, how) = of("resnest50d", None, Some(&catalogue));
        assert_eq!((card, how.as_str()), (published, "as for timm/resnest50d.in1k"));
        for (id, catalogue) in [("resnest14d", Some(&catalogue)), ("resnest50d", None)] {
            let (card, how) = of(id, None, catalogue);
            assert_eq!((card.input, card.crop_fraction), ([3, 96, 96], 0.875));
            assert_eq!(how, "by a guess: a crop of 0.875, bilinear");
        }
    }

    #[test]
    fn says_what_is_wrong_with_a_catalogue() {
        let error = |from: &str, to: &str| Catalogue::parse(&ONE.replace(from, to)).unwrap_err().to_string();
        let cases = [
            ("\"licence\"", "\"license\"", "missing field `licence`"),
            ("110235840", "-1", "invalid value"),
            ("110235840", "0", "says 0 for `bytes`, but a number above 0"),
            ("0.80974", "80.974", "says 80.974 for `top1`, but a share"),
            ("bilinear", "nearest", "unknown variant `nearest`"),
            ("224, 224", "224, 0", "timm/resnest50d.in1k has an input that makes no sense"),
            ("timm/resnest50d.in1k", "timm/../secret", "\"timm/../secret\" for `repository`"),
            ("\"main\"", "\"main?x=\"", "\"main?x=\" for `revision`"),
            ("model.safetensors", "", "\"\" for `file`"),
        ];
        for (from, to, expected) in cases {
            let text = error(from, to);
            assert!(text.contains(expected), "{text}");
        }
        let entry = &ONE[ONE.find("{\"name").unwrap()..ONE.len() - 2];
        let twice = Catalogue::parse(&format!("{{\"entries\": [{entry}, {entry}]}}")).unwrap_err();
        assert_eq!(twice.to_string(), "the catalogue has resnest50d.in1k twice");
    }
}
