//! Weights that are named like a published checkpoint, with nothing beside them: the catalogue says how a picture
//! becomes the input, and what the classes are called.

mod common;

use std::fs;
use std::path::PathBuf;
use std::process::Output;

use common::adapter::trials;
use common::command::{assert_success, folder, json, numbers, path, splitlens, text};
use common::{assert_within, repository};
use libtest_mimic::Arguments;
use safetensors::tensor::{Dtype, TensorView, serialize_to_file};
use splitlens::arch::zoo;
use splitlens::weights::hashed;

const NETWORK: &str = "regnetx_002";

fn main() {
    let tests: Vec<(&str, fn())> = vec![
        ("the_catalogue_says_how_a_picture_becomes_the_input", the_catalogue_says_how_a_picture_becomes_the_input),
        ("an_input_that_is_too_large_is_told_what_would_fit", an_input_that_is_too_large_is_told_what_would_fit),
    ];
    libtest_mimic::run(&Arguments::from_args(), trials(tests)).exit();
}

/// The network's made-up weights as a file in the folder `test`.
fn weights(test: &str) -> PathBuf {
    let variant = zoo::variant(NETWORK).unwrap();
    let graph = variant.build(variant.side, variant.side, variant.classes);
    let checkpoint = hashed::checkpoint(&graph);
    let tensors: Vec<_> = graph
        .parameters()
        .into_iter()
        .map(|parameter| {
            let bytes = checkpoint.values(&parameter.name).iter().flat_map(|value| value.to_le_bytes());
            (parameter.name, parameter.shape, bytes.collect::<Vec<u8>>())
        })
        .collect();
    let views =
        tensors.iter().map(|(name, shape, bytes)| (name, TensorView::new(Dtype::F32, shape.clone(), bytes).unwrap()));
    let file = folder(test).join("model.safetensors");
    serialize_to_file(views, None, &file).unwrap();
    file
}

fn run(image: &str, weights: &std::path::Path, more: &[&str]) -> Output {
    splitlens(&[&["run", image, "--network", NETWORK, "--weights", path(weights)], more].concat())
}

/// `tests/golden/picture.json` is timm's answer, on the same weights.
fn the_catalogue_says_how_a_picture_becomes_the_input() {
    let golden: serde_json::Value = json(&repository("tests/golden/picture.json"));
    assert_eq!(golden["network"], NETWORK);
    let weights = weights("published");
    let out = weights.with_file_name("reading.json");
    let image = format!("tests/golden/{}", golden["image"].as_str().unwrap());
    assert_success(&run(&image, &weights, &["--json", path(&out)]));
    let report = json(&out);
    let expected = numbers(&golden["logits"]);
    assert_within(&numbers(&report["logits"]), &expected, 1e-3, "logits");

    let best = (0..expected.len()).max_by(|a, b| expected[*a].total_cmp(&expected[*b])).unwrap();
    let labels = fs::read_to_string(repository("static/models/imagenet.txt")).unwrap();
    let name = labels.lines().nth(best).unwrap().split('\t').nth(1).unwrap();
    assert_eq!(report["top"][0]["label"], name);
}

fn an_input_that_is_too_large_is_told_what_would_fit() {
    let output = run("static/samples/cat.jpg", &weights("large"), &["--size", "4000"]);
    assert!(!output.status.success());
    let (_, side) = text(&output.stderr).split_once("inputs of up to ").expect("a side that fits");
    let side: usize = side.split(' ').next().unwrap().parse().unwrap();
    assert!((1024..4000).contains(&side), "{side}");
}
