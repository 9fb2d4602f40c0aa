//! What several test programs share.

#![allow(dead_code, reason = "each test program uses a part")]

pub mod adapter;
pub mod command;
pub mod golden;

use std::path::PathBuf;

use rand::{RngExt, rngs::SmallRng};
use splitlens::graph::{Shape, Tensor};

/// Values between -1 and 1.
pub fn random(rng: &mut SmallRng, shape: Shape) -> Tensor {
    Tensor::from_fn(shape, |_, _, _| rng.random_range(-1.0..1.0))
}

/// A file of the repository.
pub fn repository(path: &str) -> PathBuf {
    PathBuf::from(env!("CARGO_MANIFEST_DIR")).join(path)
}

/// Fails with the first value that differs by more than `tolerance`.
pub fn assert_within(found: &[f32], expected: &[f32], tolerance: f32, what: &str) {
    assert_eq!(found.len(), expected.len(), "{what}");
    for (index, (a, b)) in found.iter().zip(expected).enumerate() {
        assert!((a - b).abs() <= tolerance, "{what}: value {index} is {a}, expected {b} within {tolerance:e}");
    }
}

/// Fails with the first value that differs by more than `tolerance`, absolute for values below one and
/// relative above.
pub fn assert_close(found: &[f32], expected: &[f32], tolerance: f32, what: &str) {
    assert_eq!(found.len(), expected.len(), "{what}");
    for (index, (a, b)) in found.iter().zip(expected).enumerate() {
        let allowed = tolerance * b.abs().max(1.0);
        assert!((a - b).abs() <= allowed, "{what}: value {index} is {a}, expected {b} within {allowed:e}");
    }
}
