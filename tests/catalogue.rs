//! The catalogue of published checkpoints that ships with the page: of networks of the table, and of a size that
//! their tensors can have. And the names of their classes.

use std::collections::BTreeSet;
use std::fs;

use splitlens::arch::zoo::{VARIANTS, variant};
use splitlens::vision::parse_labels;
use splitlens::weights::{Catalogue, Entry};

fn shipped(file: &str) -> String {
    fs::read_to_string(format!("{}/static/models/{file}", env!("CARGO_MANIFEST_DIR"))).unwrap()
}

fn catalogue() -> Catalogue {
    Catalogue::parse(&shipped("catalogue.json")).unwrap()
}

/// Bytes of a network's f32 tensors and of the i64 counter of every batch norm, and how many tensors that is.
fn data(entry: &Entry) -> (u64, u64) {
    let parameters = variant(&entry.card.name).unwrap().build(64, 64, 1000).parameters();
    let floats: usize = parameters.iter().map(|parameter| parameter.shape.iter().product::<usize>()).sum();
    let norms = parameters.iter().filter(|parameter| parameter.name.ends_with(".running_var")).count();
    ((4 * floats + 8 * norms) as u64, (parameters.len() + norms) as u64)
}

#[test]
fn every_entry_has_the_size_of_its_network() {
    for entry in catalogue().entries {
        let (data, tensors) = data(&entry);
        // What is left is the header: name, type, shape and offsets of every tensor as JSON.
        let header = entry.bytes.checked_sub(data).unwrap_or_else(|| panic!("{}", entry.repository));
        assert!((60 * tensors..120 * tensors).contains(&header), "{}: {header} for {tensors}", entry.repository);
    }
}

#[test]
fn every_network_of_imagenet_has_an_entry_if_it_was_published() {
    let catalogue = catalogue();
    let without: Vec<&str> = VARIANTS.iter().map(|v| v.id).filter(|id| catalogue.of(id).next().is_none()).collect();
    let (tiny, unpublished): (Vec<&str>, _) = without.into_iter().partition(|id| id.contains("tiny"));
    assert_eq!(tiny.len(), VARIANTS.iter().filter(|variant| variant.side == 64).count());
    assert_eq!(unpublished, ["skresnet50", "regnetz_005"]);
}

#[test]
fn entries_are_of_imagenet_at_the_side_that_networks_compare_at() {
    for entry in catalogue().entries {
        assert_eq!(entry.repository, format!("timm/{}.{}", entry.card.name, entry.tag));
        assert_eq!(entry.card.classes.as_deref(), Some("imagenet.txt"));
        assert!(entry.top1.is_some_and(|top1| (0.65..0.85).contains(&top1)), "{}", entry.repository);
        let side = match entry.card.name.as_str() {
            "resnest101e" => 256,
            "resnest200e" => 320,
            "resnest269e" => 416,
            _ => 224,
        };
        assert_eq!(entry.card.input, [3, side, side], "{}", entry.repository);
    }
}

#[test]
fn a_file_is_known_by_its_tag() {
    let catalogue = catalogue();
    for entry in &catalogue.entries {
        let file = format!("{}.{}.safetensors", entry.card.name, entry.tag);
        let known = format!("as for {}", entry.repository);
        assert_eq!(catalogue.likely(&entry.card.name, &file), Some((entry, known)), "{file}");
    }
    let first = catalogue.of("resnet50").next().unwrap();
    let guess = format!("by a guess, as for {}", first.repository);
    assert_eq!(catalogue.likely("resnet50", "mine.safetensors"), Some((first, guess)));
}

#[test]
fn labels_of_imagenet_are_distinct_and_agree_with_the_tiny_ones() {
    let labels = parse_labels(&shipped("imagenet.txt"), Some(1000)).unwrap();
    // Synsets in the order of their offsets is the order of the logits.
    assert!(labels.is_sorted_by(|a, b| a.id < b.id));
    let names: BTreeSet<String> = labels.iter().map(|label| label.short.to_lowercase()).collect();
    assert_eq!(names.len(), labels.len(), "a short name stands twice");
    for tiny in parse_labels(&shipped("classes.txt"), Some(100)).unwrap() {
        assert!(labels.contains(&tiny), "{tiny:?}");
    }
}
