//! A guard against slow regressions that no load of the machine disturbs: what each network's plan takes, counted
//! without a device, is what `tests/counts.txt` has. A change that means to change a count writes the file anew, and
//! its difference is there to be read: `SPLITLENS_WRITE_COUNTS=1 cargo test --test counts`.

mod common;

use std::fs;

use common::repository;
use splitlens::arch::zoo::{VARIANTS, Variant};
use splitlens::engine::{Counts, counts};
use splitlens::kernels::Tuning;

const FILE: &str = "tests/counts.txt";
const HEADER: [&str; 9] = [
    "network",
    "dispatches",
    "pipelines",
    "buffers",
    "weights_bytes",
    "activations_bytes",
    "peak_live_bytes",
    "moved_bytes",
    "read_back_bytes",
];

fn counts_of(variant: &Variant) -> Counts {
    counts(&variant.build(variant.side, variant.side, variant.classes), Tuning::default())
}

/// The file's line for a network, at its own input size.
fn line(variant: &Variant) -> String {
    let Counts {
        dispatches,
        pipelines,
        buffers,
        weights_bytes,
        activations_bytes,
        peak_live_bytes,
        moved_bytes,
        read_back_bytes,
    } = counts_of(variant);
    let starts = format!("{dispatches} {pipelines} {buffers}");
    let bytes = format!("{weights_bytes} {activations_bytes} {peak_live_bytes} {moved_bytes} {read_back_bytes}");
    format!("{} {starts} {bytes}", variant.id)
}

#[test]
fn every_network_takes_what_it_took() {
    let path = repository(FILE);
    let lines: Vec<String> = [HEADER.join(" ")].into_iter().chain(VARIANTS.iter().map(line)).collect();
    if std::env::var_os("SPLITLENS_WRITE_COUNTS").is_some() {
        fs::write(&path, lines.join("\n") + "\n").unwrap();
    }
    let kept = fs::read_to_string(&path).unwrap_or_else(|error| panic!("{FILE}: {error}"));
    let kept: Vec<&str> = kept.lines().collect();
    let changed: Vec<String> = (lines.iter().zip(&kept))
        .filter(|(now, kept)| now != *kept)
        .map(|(now, kept)| format!("was {kept}\nis  {now}"))
        .collect();
    assert!(changed.is_empty(), "{}\n{}", HEADER.join(" "), changed.join("\n"));
    assert_eq!(lines.len(), kept.len(), "networks in {FILE}");
}

#[test]
fn the_buffers_hold_what_is_alive() {
    for variant in VARIANTS {
        let counts = counts_of(variant);
        let share = counts.activations_bytes as f64 / counts.peak_live_bytes as f64;
        assert!((1.0..1.3).contains(&share), "{}: {counts:?}", variant.id);
        assert!(counts.pipelines <= counts.dispatches, "{}: {counts:?}", variant.id);
    }
}
