//! A published checkpoint from end to end: EfficientNet-Lite0 as trained on ImageNet, made by `tools/lite0.py`, gives
//! PyTorch's logits, and the right answers for the sample images. Shows as ignored unless `SPLITLENS_REAL` asks for
//! it, since the weights are downloaded.

mod common;

use std::fs;

use common::adapter::trials;
use common::command::{assert_success, folder, json, numbers, path, splitlens};
use common::{assert_within, repository};
use libtest_mimic::Arguments;
use serde::Deserialize;
use serde_json::Value;

const WEIGHTS: &str = "target/real/tf_efficientnet_lite0.safetensors";

fn main() {
    let tests: Vec<(&str, fn())> = vec![
        ("logits_equal_pytorch", logits_equal_pytorch),
        ("sample_images_get_the_right_answers", sample_images_get_the_right_answers),
    ];
    let mut tests = trials(tests);
    if std::env::var_os("SPLITLENS_REAL").is_none() {
        tests = tests.into_iter().map(|test| test.with_ignored_flag(true)).collect();
    }
    libtest_mimic::run(&Arguments::from_args(), tests).exit();
}

/// `tests/golden/lite0.json`.
#[derive(Deserialize)]
struct Golden {
    images: Vec<Image>,
    samples: Vec<Sample>,
}

#[derive(Deserialize)]
struct Image {
    file: String,
    logits: Vec<f32>,
}

#[derive(Deserialize)]
struct Sample {
    file: String,
    /// Classes that are right.
    answers: Vec<u64>,
    /// Theirs together.
    probability: f64,
}

fn golden() -> Golden {
    serde_json::from_slice(&fs::read(repository("tests/golden/lite0.json")).unwrap()).unwrap()
}

/// What the command writes of an image.
fn report(image: &str) -> Value {
    let out = folder(&format!("real/{image}")).join("reading.json");
    let network = ["run", image, "--network", "tf_efficientnet_lite0"];
    assert_success(&splitlens(&[&network, ["--weights", WEIGHTS, "--json", path(&out)].as_slice()].concat()));
    json(&out)
}

fn logits_equal_pytorch() {
    for Image { file, logits } in golden().images {
        let (least, most) = (logits.iter().copied().reduce(f32::min), logits.iter().copied().reduce(f32::max));
        let found = numbers(&report(&format!("tests/golden/{file}"))["logits"]);
        assert_within(&found, &logits, 1e-3 * (most.unwrap() - least.unwrap()), &file);
    }
}

fn sample_images_get_the_right_answers() {
    for Sample { file, answers, probability } in golden().samples {
        let report = report(&format!("static/samples/{file}"));
        let top = report["top"].as_array().unwrap();
        let right = |class: &&Value| answers.contains(&class["index"].as_u64().unwrap());
        assert!(right(&&top[0]), "{file} is taken for {}", top[0]["label"]);
        let found: f64 = top.iter().filter(right).map(|class| class["probability"].as_f64().unwrap()).sum();
        // Decoders of JPEG differ in the last bit of a pixel.
        assert!((found - probability).abs() < 0.01, "{file}: {found}, expected {probability}");
    }
}
