//! What lies in `static/models/` for the page: every network of the tiny family, with a sheet that is true of its
//! weights, keeps the family's promises and stands in the README's table.

mod common;

use std::collections::{BTreeMap, BTreeSet};
use std::fs;

use common::repository;
use serde::Deserialize;
use splitlens::arch::zoo::VARIANTS;
use splitlens::arch::{Recognition, Variant, recognise};
use splitlens::graph::UnitKind;
use splitlens::graph::cost::{Cost, cost};
use splitlens::weights::Checkpoint;

const CLASSES: usize = 100;

#[derive(Deserialize)]
struct Sheet {
    name: String,
    parameters: u64,
    mmacs: f64,
    mactivations: f64,
    top1: f64,
    top1_f16: f64,
    ece: f64,
    /// By the side of the images in pixels.
    accuracy: BTreeMap<String, Accuracy>,
    /// By unit.
    gates: BTreeMap<String, Spread>,
}

#[derive(Deserialize)]
struct Accuracy {
    top1: f64,
    top5: f64,
}

/// Standard deviation of the last branch's gates, mean over channels.
#[derive(Deserialize)]
struct Spread {
    images: f64,
    classes: f64,
}

fn family() -> impl Iterator<Item = (&'static Variant, Sheet)> {
    VARIANTS.iter().filter(|variant| variant.classes == CLASSES).map(|variant| {
        let path = repository(&format!("static/models/{}.json", variant.id));
        let json = fs::read_to_string(&path).unwrap_or_else(|error| panic!("{}: {error}", path.display()));
        (variant, serde_json::from_str(&json).unwrap())
    })
}

#[test]
fn the_family_lies_there_and_nothing_else() {
    let files = fs::read_dir(repository("static/models")).unwrap().map(|entry| entry.unwrap().path());
    let weights = files.filter(|path| path.extension().is_some_and(|extension| extension == "safetensors"));
    let found: BTreeSet<String> = weights.map(|path| path.file_stem().unwrap().to_str().unwrap().into()).collect();
    assert_eq!(found, family().map(|(variant, _)| variant.id.into()).collect());
    assert_eq!(found.len(), 10);
}

#[test]
fn sheets_are_true_of_the_weights() {
    for (variant, sheet) in family() {
        let graph = variant.build(variant.side, variant.side, CLASSES);
        let bytes = fs::read(repository(&format!("static/models/{}.safetensors", variant.id))).unwrap();
        let checkpoint = Checkpoint::parse(&bytes).unwrap();
        checkpoint.check(&graph.parameters()).unwrap();
        let Recognition::Fits { variants, classes } = recognise(&checkpoint.shapes()) else { panic!("{}", variant.id) };
        assert!(variants.contains(&variant) && classes == CLASSES, "{}", variant.id);
        let Cost { parameters, macs, activations } = cost(&graph);
        assert_eq!((sheet.name.as_str(), sheet.parameters), (variant.id, parameters));
        assert!((sheet.mmacs - macs as f64 / 1e6).abs() <= 0.051, "{}: {macs} multiply-adds", variant.id);
        assert!((sheet.mactivations - activations as f64 / 1e6).abs() <= 0.00051, "{}: {activations}", variant.id);
        let units: BTreeSet<&str> = graph.units.iter().map(|unit| unit.name.as_str()).collect();
        assert_eq!(sheet.gates.keys().map(String::as_str).collect::<BTreeSet<_>>(), units, "{}", variant.id);
    }
}

#[test]
fn the_family_keeps_its_promises() {
    let mut best: f64 = 0.0;
    for (variant, sheet) in family() {
        let graph = variant.build(variant.side, variant.side, CLASSES);
        let at = |side: &str| sheet.accuracy[side].top1;
        best = best.max(at("64"));
        assert_eq!(sheet.top1, at("64"), "{}", variant.id);
        assert!((sheet.top1_f16 - at("64")).abs() <= 0.002, "{}: f16 changes the accuracy", variant.id);
        assert!(at("64") - at("128") <= 0.10, "{}: enlarged images lose too much", variant.id);
        assert!(graph.units.is_empty() || at("64") >= 0.62, "{}: attention that did not pay", variant.id);
        for unit in &graph.units {
            let Spread { images, classes } = sheet.gates[&unit.name];
            // RegNetY's table row tells of gates that stayed at one half; branches that compete have to.
            let competes = !matches!(unit.kind, UnitKind::SqueezeExcite);
            assert!(!competes || images > 0.03 && classes > 0.01, "{} {} has not learnt", variant.id, unit.name);
        }
    }
    assert!(best >= 0.66, "the best is right on {best}");
}

#[test]
fn the_readme_has_the_sheets_numbers() {
    let readme = fs::read_to_string(repository("README.md")).unwrap();
    for (_, sheet) in family() {
        let right = |side: &str| {
            let Accuracy { top1, top5 } = sheet.accuracy[side];
            format!("{:.1} % ({:.1})", 100.0 * top1, 100.0 * top5)
        };
        let (ece, parameters) = (100.0 * sheet.ece, sheet.parameters as f64 / 1e6);
        let (mmacs, mactivations) = (sheet.mmacs, sheet.mactivations);
        let row = format!(
            "| `{}` | {} | {} | {} | {ece:.1} |{}| {parameters:.2} M | {mmacs} M | {mactivations:.2} M |",
            sheet.name,
            right("64"),
            right("96"),
            right("128"),
            spread(&sheet.gates)
        );
        assert!(readme.lines().any(|line| line == row), "the README's table lacks\n{row}");
    }
}

/// Least and largest spread of the units; a blank for networks that have none.
fn spread(gates: &BTreeMap<String, Spread>) -> String {
    let images = || gates.values().map(|spread| spread.images);
    let digits = |value: f64| if value < 0.0095 { format!("{value:.3}") } else { format!("{value:.2}") };
    match gates.is_empty() {
        true => " ".into(),
        false => {
            let (least, largest) = (images().fold(f64::INFINITY, f64::min), images().fold(0.0, f64::max));
            format!(" {} to {} ", digits(least), digits(largest))
        }
    }
}
