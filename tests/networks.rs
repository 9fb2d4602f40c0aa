//! Every variant of the table on an adapter equals timm: logits, and the gates of every unit, on weights and
//! images that both sides make from hashes (`tests/golden/networks/`, written by `tests/golden/networks.py`).
//! Without an adapter the tests show as ignored. Large networks run on their odd side alone, which has all
//! that the even one has and remainders too, unless `SPLITLENS_ALL_SIDES` is set.

mod common;

use std::fs;

use common::adapter::{gpu, trials};
use common::{hashed, repository};
use libtest_mimic::Arguments;
use pollster::block_on;
use safetensors::SafeTensors;
use splitlens::arch::zoo::{self, VARIANTS, Variant};
use splitlens::engine::Network;
use splitlens::graph::cost::cost;
use splitlens::graph::{Graph, Op};
use splitlens::weights::Checkpoint;

/// How far logits may be from timm's, over timm's largest logit minus its smallest: ten times what rounding
/// was measured to do, and little enough to see a single wrong epsilon.
const LOGITS: f32 = 1e-5;
/// How far gates may be.
const GATES: f32 = 1e-4;
/// Multiply-adds from which on a network is large.
const LARGE: u64 = 2_000_000_000;

fn main() {
    let mut tests = trials(VARIANTS.iter().map(|variant| (variant.id, || equals_timm(variant))).collect());
    tests.extend(trials(vec![("an_order_that_is_not_timms_is_seen", an_order_that_is_not_timms_is_seen)]));
    libtest_mimic::run(&Arguments::from_args(), tests).exit();
}

/// What timm made of the image with this side.
struct Golden {
    side: usize,
    logits: Vec<f32>,
    /// Of all units, one after the other, each branch-major.
    gates: Vec<f32>,
}

/// One for each side, the smallest first.
fn goldens(variant: &Variant) -> Vec<Golden> {
    let path = repository(&format!("tests/golden/networks/{}.safetensors", variant.id));
    let bytes = fs::read(&path).unwrap_or_else(|error| panic!("{}: {error}", path.display()));
    let file = SafeTensors::deserialize(&bytes).unwrap();
    let mut sides: Vec<usize> =
        file.names().iter().filter_map(|name| name.strip_suffix("/logits")?.parse().ok()).collect();
    sides.sort_unstable();
    let golden = |side| {
        let bytes = |what: &str| file.tensor(&format!("{side}/{what}")).map_or(&[][..], |tensor| tensor.data());
        let logits = bytes("logits").chunks_exact(4).map(|b| f32::from_le_bytes([b[0], b[1], b[2], b[3]]));
        let gates = bytes("gates").chunks_exact(2).map(|b| f32::from(u16::from_le_bytes([b[0], b[1]])) / 65535.0);
        Golden { side, logits: logits.collect(), gates: gates.collect() }
    };
    sides.into_iter().map(golden).collect()
}

/// Largest differences from timm.
struct Misses {
    /// Over the spread of the logits.
    logits: f32,
    gates: f32,
    /// The unit with that gate.
    unit: String,
}

/// Largest difference of two lists; not a number if one of theirs is not.
fn farthest(found: &[f32], expected: &[f32]) -> f32 {
    assert_eq!(found.len(), expected.len());
    found.iter().zip(expected).map(|(a, b)| (a - b).abs()).max_by(f32::total_cmp).unwrap_or(0.0)
}

/// Runs the graph on the golden's image.
fn misses(graph: Graph, checkpoint: &Checkpoint, golden: &Golden) -> Misses {
    let network = block_on(Network::load(&gpu(), graph, checkpoint, async |_| {})).unwrap();
    let reading = block_on(network.run(&hashed::image(golden.side))).unwrap();
    let ordered = |pick: fn(f32, f32) -> f32| golden.logits.iter().copied().reduce(pick).unwrap();
    let spread = ordered(f32::max) - ordered(f32::min);
    let mut misses =
        Misses { logits: farthest(&reading.logits, &golden.logits) / spread, gates: 0.0, unit: String::new() };
    let mut rest = golden.gates.as_slice();
    for unit in reading.units {
        let (expected, later) = rest.split_at(unit.gates.values.len());
        let miss = farthest(&unit.gates.values, expected);
        if miss.total_cmp(&misses.gates).is_gt() {
            (misses.gates, misses.unit) = (miss, unit.name);
        }
        rest = later;
    }
    assert!(rest.is_empty(), "timm has {} more gates", rest.len());
    misses
}

fn equals_timm(variant: &Variant) {
    let build = |side| variant.build(side, side, variant.classes);
    let designed = build(variant.side);
    let checkpoint = hashed::checkpoint(&designed);
    let only_odd = cost(&designed).macs > LARGE && std::env::var_os("SPLITLENS_ALL_SIDES").is_none();
    for golden in goldens(variant).into_iter().filter(|golden| golden.side % 2 == 1 || !only_odd) {
        let Misses { logits, gates, unit } = misses(build(golden.side), &checkpoint, &golden);
        let what = format!("{} at {}", variant.id, golden.side);
        assert!(gates <= GATES, "{what}: a gate of {unit} is off by {gates:e}");
        assert!(logits <= LOGITS, "{what}: a logit is off by {logits:e} of the spread");
    }
}

/// timm's softmax reads logits as `[cardinality, radix, C']` and writes gates as `[radix, cardinality, C']`;
/// a softmax with the two swapped, or one that reads radix-major, is far off.
fn an_order_that_is_not_timms_is_seen() {
    let variant = zoo::variant("resnest50d_4s2x40d").unwrap();
    let golden = &goldens(variant)[0];
    let graph = variant.build(golden.side, golden.side, variant.classes);
    let checkpoint = hashed::checkpoint(&graph);
    for (radix, cardinality) in [(2, 4), (4, 1)] {
        let mut wrong = graph.clone();
        for node in &mut wrong.nodes {
            if matches!(node.op, Op::RadixSoftmax { .. }) {
                node.op = Op::RadixSoftmax { radix, cardinality };
            }
        }
        let Misses { logits, gates, .. } = misses(wrong, &checkpoint, golden);
        assert!(gates > 1000.0 * GATES && logits > 10.0 * LOGITS, "gates {gates:e}, logits {logits:e}");
    }
}
