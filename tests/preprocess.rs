//! Preprocessing equals Pillow's and PyTorch's: every byte of the resized and cropped picture, and the
//! normalised input.

mod common;

use std::fs;

use common::{assert_close, golden, repository};
use serde::Deserialize;
use splitlens::vision::{Filter, Preprocess, Resizer, RgbImage, normalise};

/// What timm's evaluation transform makes of one picture.
#[derive(Deserialize)]
struct Case {
    name: String,
    image: String,
    size: usize,
    crop_pct: f64,
    filter: Filter,
    result: String,
}

impl Case {
    fn preprocess(&self) -> Preprocess {
        let Self { size, crop_pct: crop_fraction, filter, .. } = *self;
        Preprocess { crop_fraction, filter, ..Preprocess::imagenet(size) }
    }
}

fn cases() -> Vec<Case> {
    #[derive(Deserialize)]
    struct File {
        cases: Vec<Case>,
    }
    let json = fs::read(repository("tests/golden/preprocess.json")).unwrap();
    serde_json::from_slice::<File>(&json).unwrap().cases
}

/// Reads a picture and resizes it, `rows` rows at a time.
fn resize(image: &str, preprocess: &Preprocess, rows: usize) -> RgbImage {
    let rgba = image::open(repository("tests/golden").join(image)).unwrap().into_rgba8();
    let (width, height) = (rgba.width() as usize, rgba.height() as usize);
    let mut resizer = Resizer::new(width, height, preprocess).unwrap();
    for strip in rgba.as_raw().chunks(rows * width * 4) {
        resizer.push_rows(strip).unwrap();
    }
    resizer.finish().unwrap()
}

#[test]
fn every_byte_equals_pillows() {
    let cases = cases();
    assert!(cases.len() >= 5);
    for case in cases {
        let expected = image::open(repository("tests/golden").join(&case.result)).unwrap().into_rgb8();
        let found = resize(&case.image, &case.preprocess(), 7);
        assert_eq!((found.width, found.height), (case.size, case.size), "{}", case.name);
        let differences = found.pixels.iter().zip(expected.as_raw()).filter(|(a, b)| a != b).count();
        assert_eq!(differences, 0, "{}: bytes that differ from Pillow's", case.name);
    }
}

#[test]
fn the_normalised_input_equals_pytorchs() {
    let preprocess = Preprocess { crop_fraction: 1.0, ..Preprocess::imagenet(64) };
    let found = normalise(&resize("images/red_panda_197x153.png", &preprocess, 1000), &preprocess);
    let expected = golden::input();
    assert_eq!(found.shape, expected.shape);
    // The last bit of a division and a subtraction in f32.
    assert_close(&found.values, &expected.values, 1e-6, "input");
}

#[test]
fn a_hundred_megapixels_pass_in_strips() {
    const SIDE: usize = 10_000;
    let preprocess = Preprocess { crop_fraction: 1.0, ..Preprocess::imagenet(64) };
    let mut resizer = Resizer::new(SIDE, SIDE, &preprocess).unwrap();
    // Brighter from left to right, one level every 40 pixels: the square shows the mean of each column.
    let row: Vec<u8> = (0..SIDE).flat_map(|x| [(x / 40) as u8, 7, 255, 0]).collect();
    let strip = row.repeat(100);
    for _ in 0..SIDE / 100 {
        resizer.push_rows(&strip).unwrap();
    }
    let square = resizer.finish().unwrap();
    for (index, pixel) in square.pixels.chunks_exact(3).enumerate() {
        let center = (index % 64) as f32 + 0.5;
        let expected = center * SIDE as f32 / 64.0 / 40.0 - 0.5;
        // At the edges the triangle is cut, which moves its mean inwards.
        assert!((f32::from(pixel[0]) - expected).abs() < 1.5, "{pixel:?} at {index}, expected {expected}");
        assert_eq!(pixel[1..], [7, 255]);
    }
}
