//! A guard against slow regressions that no load of the machine disturbs: what each network's plan takes, counted
//! without a device, is what `tests/counts.txt` has. A change that means to change a count writes the file anew, and
//! its difference is there to be read: `SPLITLENS_WRITE_COUNTS=1 cargo test --test counts`.

mod common;

use std::fs;

use common::repository;
use splitlens::arch::zoo::VARIANTS;
use splitlens::engine::{Counts, counts};

const FILE: &str = "tests/counts.txt";
/// What processors without subgroups, processors with them, and graphics cards begin with.
const TUNINGS: [&str; 3] = ["wide-wide-winograd-textures", "narrow-wide-winograd-quads", "wide-wide-winograd-sums"];
const HEADER: [&str; 10] = [
    "network",
    "kernels",
    "dispatches",
    "pipelines",
    "buffers",
    "weights_bytes",
    "activations_bytes",
    "peak_live_bytes",
    "moved_bytes",
    "read_back_bytes",
];

/// Every network at its own input size, with each of the tunings.
fn each() -> impl Iterator<Item = (&'static str, &'static str, Counts)> {
    VARIANTS.iter().flat_map(|variant| {
        let graph = variant.build(variant.side, variant.side, variant.classes);
        TUNINGS.map(|tuning| (variant.id, tuning, counts(&graph, tuning.parse().unwrap())))
    })
}

/// The file's line for a network.
fn line(network: &str, tuning: &str, counts: &Counts) -> String {
    let Counts {
        dispatches,
        pipelines,
        buffers,
        weights_bytes,
        activations_bytes,
        peak_live_bytes,
        moved_bytes,
        read_back_bytes,
    } = counts;
    let starts = format!("{dispatches} {pipelines} {buffers}");
    let bytes = format!("{weights_bytes} {activations_bytes} {peak_live_bytes} {moved_bytes} {read_back_bytes}");
    format!("{network} {tuning} {starts} {bytes}")
}

#[test]
fn every_network_takes_what_it_took() {
    let path = repository(FILE);
    let lines = each().map(|(network, tuning, counts)| line(network, tuning, &counts));
    let lines: Vec<String> = [HEADER.join(" ")].into_iter().chain(lines).collect();
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
    for (network, tuning, counts) in each() {
        let share = counts.activations_bytes as f64 / counts.peak_live_bytes as f64;
        assert!((1.0..1.3).contains(&share), "{network} {tuning}: {counts:?}");
        assert!(counts.pipelines <= counts.dispatches, "{network} {tuning}: {counts:?}");
    }
}
