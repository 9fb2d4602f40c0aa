//! Every variant of the table on an adapter equals timm: logits, and the gates of every unit, on weights and
//! images that both sides make from hashes (`tests/golden/networks/`, written by `tests/golden/networks.py`);
//! and some of them also with gates replaced (`tests/golden/replaced/`).
//! Without an adapter the tests show as ignored. Large networks run on their odd side alone, which has all
//! that the even one has and remainders too, unless `SPLITLENS_ALL_SIDES` is set.

mod common;

use std::fs;

use common::adapter::{gpu, trials};
use common::repository;
use libtest_mimic::Arguments;
use pollster::block_on;
use safetensors::SafeTensors;
use splitlens::arch::zoo::{self, VARIANTS, Variant};
use splitlens::engine::Network;
use splitlens::graph::cost::cost;
use splitlens::graph::{Graph, Op};
use splitlens::kernels::{Loads, Tuning};
use splitlens::reading::{Reading, Replacements};
use splitlens::weights::{Checkpoint, hashed};

/// How far logits may be from timm's, over timm's largest logit minus its smallest: ten times what rounding
/// was measured to do, and little enough to see a single wrong epsilon.
const LOGITS: f32 = 1e-5;
/// How far gates may be.
const GATES: f32 = 1e-4;
/// Multiply-adds from which on a network is large.
const LARGE: u64 = 2_000_000_000;

/// Networks whose gates are replaced, one or two for each kind of unit, and the side of their image.
const REPLACED: [(&str, usize); 8] = [
    ("resnest_tiny_2s2x", 51),
    ("resnest50d_1s4x24d", 65),
    ("resnest50d_4s2x40d", 65),
    ("sknet_tiny", 51),
    ("skresnet18", 65),
    ("seresnext_tiny", 51),
    ("regnety_002", 65),
    ("efficientnet_b0", 65),
];

fn main() {
    let mut tests = trials(VARIANTS.iter().map(|variant| (variant.id, || equals_timm(variant))).collect());
    let more: Vec<(&str, fn())> = vec![
        ("an_order_that_is_not_timms_is_seen", an_order_that_is_not_timms_is_seen),
        ("replaced_gates_do_what_they_do_in_timm", replaced_gates_do_what_they_do_in_timm),
        ("every_choice_of_kernels_equals_timm", every_choice_of_kernels_equals_timm),
    ];
    tests.extend(trials(more));
    libtest_mimic::run(&Arguments::from_args(), tests).exit();
}

/// What timm made of one image.
struct Golden {
    /// The image's side, or which gates were replaced by what.
    of: String,
    logits: Vec<f32>,
    /// Of all units, one after the other, each branch-major.
    gates: Vec<f32>,
}

impl Golden {
    fn side(&self) -> usize {
        self.of.parse().unwrap()
    }
}

/// All of a file in `tests/golden/`, the shortest first.
fn goldens(file: &str) -> Vec<Golden> {
    let path = repository(&format!("tests/golden/{file}.safetensors"));
    let bytes = fs::read(&path).unwrap_or_else(|error| panic!("{}: {error}", path.display()));
    let file = SafeTensors::deserialize(&bytes).unwrap();
    let mut all: Vec<&str> = file.names().into_iter().filter_map(|name| name.strip_suffix("/logits")).collect();
    all.sort_unstable_by_key(|of| (of.len(), *of));
    let golden = |of: &str| {
        let bytes = |what: &str| file.tensor(&format!("{of}/{what}")).map_or(&[][..], |tensor| tensor.data());
        let logits = bytes("logits").chunks_exact(4).map(|b| f32::from_le_bytes([b[0], b[1], b[2], b[3]]));
        let gates = bytes("gates").chunks_exact(2).map(|b| f32::from(u16::from_le_bytes([b[0], b[1]])) / 65535.0);
        Golden { of: of.into(), logits: logits.collect(), gates: gates.collect() }
    };
    all.into_iter().map(golden).collect()
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

fn load(graph: Graph, checkpoint: &Checkpoint) -> Network {
    block_on(Network::load(&gpu(), graph, checkpoint, async |_| {})).unwrap()
}

/// Runs the graph on the golden's image.
fn run(graph: Graph, checkpoint: &Checkpoint, golden: &Golden) -> Reading {
    block_on(load(graph, checkpoint).run(&hashed::image(golden.side()))).unwrap()
}

fn misses(reading: Reading, golden: &Golden) -> Misses {
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

fn assert_equals(reading: Reading, golden: &Golden, what: &str) {
    let Misses { logits, gates, unit } = misses(reading, golden);
    println!("{what}: logits within {logits:.1e} of their spread, gates within {gates:.1e}");
    assert!(gates <= GATES, "{what}: a gate of {unit} is off by {gates:e}");
    assert!(logits <= LOGITS, "{what}: a logit is off by {logits:e} of the spread");
}

fn equals_timm(variant: &Variant) {
    let build = |side| variant.build(side, side, variant.classes);
    let designed = build(variant.side);
    let checkpoint = hashed::checkpoint(&designed);
    let only_odd = cost(&designed).macs > LARGE && std::env::var_os("SPLITLENS_ALL_SIDES").is_none();
    let goldens = goldens(&format!("networks/{}", variant.id));
    let chosen = goldens.iter().filter(|golden| golden.side() % 2 == 1 || !only_odd);
    assert!(chosen.clone().count() > 0, "{} has no golden of a side that is run", variant.id);
    for golden in chosen {
        let reading = run(build(golden.side()), &checkpoint, golden);
        assert_equals(reading, golden, &format!("{} at {}", variant.id, golden.of));
    }
}

/// Every choice of kernels that an adapter may be given, on two networks between whose convolutions all kernels have
/// some: large ones, narrow groups, dilated ones.
fn every_choice_of_kernels_equals_timm() {
    let gpu = gpu();
    let before = gpu.tuning();
    for id in ["resnest14d", "sknet_tiny"] {
        let variant = zoo::variant(id).unwrap();
        let golden = &goldens(&format!("networks/{id}")).into_iter().max_by_key(Golden::side).unwrap();
        let graph = variant.build(golden.side(), golden.side(), variant.classes);
        let checkpoint = hashed::checkpoint(&graph);
        for tuning in Tuning::all() {
            // Nobody gives quads to an adapter without.
            if tuning.loads == Loads::Quads && !gpu.has_quads() {
                continue;
            }
            gpu.set_tuning(tuning);
            assert_equals(run(graph.clone(), &checkpoint, golden), golden, &format!("{id}, {tuning}"));
        }
    }
    gpu.set_tuning(before);
}

/// timm's softmax reads logits as `[cardinality, radix, C']` and writes gates as `[radix, cardinality, C']`;
/// a softmax with the two swapped, or one that reads radix-major, is far off.
fn an_order_that_is_not_timms_is_seen() {
    let variant = zoo::variant("resnest50d_4s2x40d").unwrap();
    let golden = &goldens("networks/resnest50d_4s2x40d")[0];
    let graph = variant.build(golden.side(), golden.side(), variant.classes);
    let checkpoint = hashed::checkpoint(&graph);
    for (radix, cardinality) in [(2, 4), (4, 1)] {
        let mut wrong = graph.clone();
        for node in &mut wrong.nodes {
            if matches!(node.op, Op::RadixSoftmax { .. }) {
                node.op = Op::RadixSoftmax { radix, cardinality };
            }
        }
        let Misses { logits, gates, .. } = misses(run(wrong, &checkpoint, golden), golden);
        assert!(gates > 1000.0 * GATES && logits > 10.0 * LOGITS, "gates {gates:e}, logits {logits:e}");
    }
}

fn replaced_gates_do_what_they_do_in_timm() {
    for (id, side) in REPLACED {
        let variant = zoo::variant(id).unwrap();
        let graph = variant.build(side, side, variant.classes);
        let checkpoint = hashed::checkpoint(&graph);
        let network = load(graph, &checkpoint);
        let image = hashed::image(side);
        let untouched = block_on(network.run(&image)).unwrap();
        let goldens = goldens(&format!("replaced/{id}"));
        assert!(goldens.len() >= 4, "{id}: {} goldens", goldens.len());
        for golden in &goldens {
            let what = format!("{id}: {}", golden.of);
            let (unit, how) = golden.of.split_once('=').unwrap();
            let how = how.parse().unwrap();
            let replacements = if unit == "all" { Replacements::all(how) } else { Replacements::unit(unit, how) };
            assert_equals(block_on(network.run_with(&image, &replacements)).unwrap(), golden, &what);
            assert!(
                misses(untouched.clone(), golden).logits > 100.0 * LOGITS,
                "{what}: that nothing was replaced would not be seen"
            );
        }
    }
}
