//! Whole networks on an adapter: equal to PyTorch for the trained one, equal to the CPU reference at every
//! tap for every kind of network. Without an adapter the tests show as ignored.

mod common;

use common::adapter::{gpu, trials};
use common::golden::{ImageGolden, image_goldens, input, resnest_tiny};
use common::{assert_close, assert_within, random};
use libtest_mimic::Arguments;
use pollster::block_on;
use rand::{RngExt, SeedableRng, rngs::SmallRng};
use splitlens::arch::zoo;
use splitlens::engine::{Counts, EngineError, Network, Progress, Stage, counts, largest_side};
use splitlens::graph::{Graph, Shape, Tensor, ValueId};
use splitlens::reading::{NewGates, Reading, Replacement, Replacements};
use splitlens::reference;
use splitlens::vision::class_activation_map;
use splitlens::weights::{Checkpoint, hashed};

fn main() {
    let tests: Vec<(&str, fn())> = vec![
        ("the_trained_network_equals_pytorch", the_trained_network_equals_pytorch),
        ("a_class_activation_map_is_exact", a_class_activation_map_is_exact),
        ("runs_repeat_themselves", runs_repeat_themselves),
        ("channels_of_a_unit_can_be_read", channels_of_a_unit_can_be_read),
        ("group_maps_of_a_layer_equal_the_reference", group_maps_of_a_layer_equal_the_reference),
        ("every_kind_of_network_equals_the_reference", every_kind_of_network_equals_the_reference),
        ("replaced_gates_equal_the_reference", replaced_gates_equal_the_reference),
        ("only_replacing_takes_more_than_a_run", only_replacing_takes_more_than_a_run),
        ("a_loaded_network_takes_what_was_counted", a_loaded_network_takes_what_was_counted),
        ("memory_of_the_device_is_given_back", memory_of_the_device_is_given_back),
        ("what_does_not_fit_is_refused", what_does_not_fit_is_refused),
        ("an_answer_that_is_not_finite_is_refused", an_answer_that_is_not_finite_is_refused),
        ("a_lost_device_is_an_error", a_lost_device_is_an_error),
    ];
    libtest_mimic::run(&Arguments::from_args(), trials(tests)).exit();
}

fn load(graph: Graph, checkpoint: &Checkpoint) -> Network {
    block_on(Network::load(&gpu(), graph, checkpoint, async |_| {})).unwrap()
}

fn trained() -> Network {
    let (graph, checkpoint) = resnest_tiny();
    load(graph, &checkpoint)
}

fn assert_equals_golden(reading: &Reading, golden: &ImageGolden) {
    assert_within(&reading.logits, &golden.logits, 1e-3, "logits");
    assert_eq!(reading.units.len(), golden.units.len());
    for (unit, expected) in reading.units.iter().zip(&golden.units) {
        assert_eq!(unit.name, expected.name);
        assert_close(&unit.gates.values, &expected.attention.concat(), 1e-4, &unit.name);
        let residual = unit.residual().relative;
        assert!(residual < 1e-5, "{}: branch maps miss the output by {residual}", unit.name);
        if let Some(contribution) = &expected.contribution {
            let expected: Vec<f32> = contribution.iter().flatten().flatten().copied().collect();
            assert_close(&unit.contribution.values, &expected, 1e-4, &unit.name);
        }
    }
}

fn the_trained_network_equals_pytorch() {
    let reading = block_on(trained().run(&input())).unwrap();
    assert_equals_golden(&reading, &image_goldens()[0]);
}

fn a_class_activation_map_is_exact() {
    let network = trained();
    let golden = &image_goldens()[0];
    let reading = block_on(network.run(&input())).unwrap();
    let expected = golden.class_activation.as_ref().unwrap();
    let map = class_activation_map(&reading.features, network.classifier_row(expected.index));
    assert_close(&map.values, &expected.map.concat(), 1e-3, "map");
    let mean = map.values.iter().sum::<f32>() / map.values.len() as f32;
    let logit = mean + network.classifier_bias(expected.index);
    assert_close(&[logit], &[reading.logits[expected.index]], 1e-5, "mean plus bias is the logit");
}

fn runs_repeat_themselves() {
    let network = trained();
    let first = block_on(network.run(&input())).unwrap();
    let other = Tensor::from_fn(Shape::new(3, 64, 64), |c, y, x| ((c + y * x) % 5) as f32 - 2.0);
    assert_ne!(block_on(network.run(&other)).unwrap().logits, first.logits);
    assert_eq!(block_on(network.run(&input())).unwrap(), first);
}

fn channels_of_a_unit_can_be_read() {
    let network = trained();
    let reading = block_on(network.run(&input())).unwrap();
    let branches = block_on(network.unit_branches(2)).unwrap();
    let unit = &reading.units[2];
    let gates = Tensor::vector(unit.gates.values.clone());
    let output = reference::weighted_sum(&branches, &gates, 2);
    let maps = reference::branch_maps(&branches, &gates, &output, 2);
    assert_close(&maps.values[..unit.contribution.values.len()], &unit.contribution.values, 1e-5, "contribution");
}

/// A bottleneck's groups, RegNet's, and depthwise ones, whose groups are channels.
fn group_maps_of_a_layer_equal_the_reference() {
    for id in ["resnext_tiny", "regnetx_tiny", "regnetz_relu_tiny"] {
        let graph = zoo::variant(id).unwrap().build(64, 64, 100);
        let checkpoint = hashed::checkpoint(&graph);
        let image = hashed::image(64);
        let values = reference::network(&graph, |name| checkpoint.values(name), &image);
        let network = load(graph.clone(), &checkpoint);
        let reading = block_on(network.run(&image)).unwrap();
        assert_eq!((reading.units.len(), reading.layers.len()), (0, graph.layers.len()), "{id}");
        for (position, (layer, found)) in graph.layers.iter().zip(&reading.layers).enumerate() {
            let what = format!("{id} {}", layer.name);
            let value = &values[layer.value.index()];
            assert_eq!((&found.name, found.groups, found.channels), (&layer.name, layer.groups, value.shape.channels));
            assert_close(&found.mean.values, &reference::group_maps(value, 1).values, 1e-4, &what);
            let groups = block_on(network.layer_groups(position)).unwrap();
            assert_close(&groups.values, &reference::group_maps(value, layer.groups).values, 1e-4, &what);
        }
    }
}

/// Weights that keep signals alive: uniform, scaled by the fan-in; batch norm near the identity.
fn random_checkpoint(graph: &Graph, seed: u64) -> Checkpoint {
    let mut rng = SmallRng::seed_from_u64(seed);
    Checkpoint::from_tensors(graph.parameters().into_iter().map(|parameter| {
        let count: usize = parameter.shape.iter().product();
        let fan_in: usize = parameter.shape[1..].iter().product();
        let (centre, spread) = match parameter.shape.len() {
            1 if parameter.name.ends_with("weight") || parameter.name.ends_with("var") => (1.0, 0.3),
            1 => (0.0, 0.2),
            _ => (0.0, (3.0 / fan_in as f32).sqrt()),
        };
        let values = (0..count).map(|_| centre + spread * rng.random_range(-1.0..1.0f32)).collect();
        (parameter.name, parameter.shape, values)
    }))
}

/// One variant for each way that a network can be put together.
const KINDS: [&str; 15] = [
    "resnet18",
    "resnet50d",
    "resnext50_32x4d",
    "seresnext26d_32x4d",
    "skresnet18",
    "skresnext50_32x4d",
    "resnest_tiny",
    "resnest14d",
    "resnest50d_1s4x24d",
    "resnest50d_4s2x40d",
    "regnetx_002",
    "regnety_002",
    "regnetz_005",
    "efficientnet_b0",
    "tf_efficientnet_lite0",
];

fn every_kind_of_network_equals_the_reference() {
    for variant in KINDS.map(|id| zoo::variant(id).unwrap()) {
        // Odd, so that padding, ceil_mode and tiles that do not divide the map all count.
        let graph = variant.build(41, 35, 10);
        let checkpoint = random_checkpoint(&graph, 1);
        let image = random(&mut SmallRng::seed_from_u64(2), graph.input_shape());
        let values = reference::network(&graph, |name| checkpoint.values(name), &image);
        let value = |id: ValueId| &values[id.index()].values;
        let reading = block_on(load(graph.clone(), &checkpoint).run(&image)).unwrap();
        assert_close(&reading.logits, value(graph.logits), 1e-3, variant.id);
        assert_close(&reading.features.values, value(graph.features), 1e-3, variant.id);
        for (unit, found) in graph.units.iter().zip(&reading.units) {
            let what = format!("{} {}", variant.id, unit.name);
            assert_close(&found.gates.values, value(unit.gates), 1e-4, &what);
            assert!(found.residual().relative < 1e-4, "{what}: {:?}", found.residual());
        }
    }
}

/// Every way to replace gates that the unit's kind allows.
fn every_replacement(branches: usize, channels: usize) -> Vec<Replacement> {
    let weight = |index: usize| (index % 7) as f32 / 7.0;
    let mut every = vec![
        Replacement::Uniform,
        Replacement::Branch(branches),
        Replacement::ByHand((0..branches).map(weight).collect()),
        Replacement::ByHand((0..branches * channels).map(weight).collect()),
    ];
    if branches > 1 {
        every.push(Replacement::Swap);
    }
    every
}

fn replaced_gates_equal_the_reference() {
    for variant in ["resnest_tiny_2s2x", "skresnet18", "regnety_002", "efficientnet_b0"] {
        let variant = zoo::variant(variant).unwrap();
        let graph = variant.build(41, 35, 10);
        // In the middle: units before it stay as they are, units after it do not.
        let unit = &graph.units[graph.units.len() / 2];
        let checkpoint = random_checkpoint(&graph, 1);
        let image = random(&mut SmallRng::seed_from_u64(2), graph.input_shape());
        let network = load(graph.clone(), &checkpoint);
        let untouched = block_on(network.run(&image)).unwrap();
        for replacement in every_replacement(unit.kind.branches(), graph.shape(unit.output).channels) {
            let what = format!("{} {}={replacement:.40}", variant.id, unit.name);
            let replacements = Replacements::unit(&unit.name, replacement);
            let new = replacements.resolve(&graph).unwrap();
            let change = |node: usize, value: Tensor| {
                let replaced = graph.units.iter().zip(&new).find(|(unit, _)| unit.gates.index() == node);
                match replaced.and_then(|(unit, new)| Some((unit.kind.branches(), new.as_ref()?))) {
                    Some((branches, NewGates::Reversed)) => reference::replace_gates(&value, branches, None),
                    Some((branches, NewGates::Values(new))) => reference::replace_gates(&value, branches, Some(new)),
                    None => value,
                }
            };
            let values = reference::network_with(&graph, |name| checkpoint.values(name), &image, change);
            let reading = block_on(network.run_with(&image, &replacements)).unwrap();
            assert_close(&reading.logits, &values[graph.logits.index()].values, 1e-3, &what);
            for (unit, found) in graph.units.iter().zip(&reading.units) {
                assert_close(&found.gates.values, &values[unit.gates.index()].values, 1e-4, &what);
                assert!(found.residual().relative < 1e-4, "{what}: {:?}", found.residual());
            }
            assert_ne!(reading.logits, untouched.logits, "{what}");
        }
        assert_eq!(block_on(network.run(&image)).unwrap(), untouched, "{}: nothing stays replaced", variant.id);
    }
}

fn only_replacing_takes_more_than_a_run() {
    let (graph, checkpoint) = resnest_tiny();
    block_on(async {
        let gpu = splitlens::gpu::Gpu::open().await.unwrap();
        let network = Network::load(&gpu, graph, &checkpoint, async |_| {}).await.unwrap();
        let untouched = network.run_with(&input(), &Replacements::default()).await.unwrap();
        assert_eq!(network.run(&input()).await.unwrap(), untouched);
        assert_eq!(gpu.pipelines(), network.account().pipelines);
        for replacement in [Replacement::Uniform, Replacement::Swap] {
            network.run_with(&input(), &Replacements::all(replacement)).await.unwrap();
            assert_eq!(gpu.pipelines(), network.account().pipelines + 1);
        }
    });
}

/// What `tests/counts.rs` holds networks to is what they take.
fn a_loaded_network_takes_what_was_counted() {
    for id in ["resnest_tiny", "sknet_tiny", "regnetz_swish_tiny"] {
        let graph = zoo::variant(id).unwrap().build(51, 51, 100);
        let counted = counts(&graph, gpu().tuning());
        let account = load(graph.clone(), &hashed::checkpoint(&graph)).account();
        let Counts { dispatches, pipelines, weights_bytes, activations_bytes, peak_live_bytes, .. } = counted;
        assert_eq!((dispatches, pipelines), (account.dispatches, account.pipelines), "{id}");
        assert_eq!(
            [weights_bytes, activations_bytes, peak_live_bytes],
            [account.weights_bytes, account.activations_bytes, account.peak_live_bytes],
            "{id}"
        );
    }
}

fn memory_of_the_device_is_given_back() {
    block_on(async {
        let gpu = splitlens::gpu::Gpu::open().await.unwrap();
        let graph = zoo::variant("resnest_tiny").unwrap().build(64, 64, 100);
        let network = Network::load(&gpu, graph.clone(), &hashed::checkpoint(&graph), async |_| {}).await.unwrap();
        let total = network.account().total_bytes;
        assert_eq!(gpu.allocated_bytes(), total);
        network.run(&input()).await.unwrap();
        network.unit_branches(0).await.unwrap();
        assert_eq!(gpu.allocated_bytes(), total, "reading back leaves nothing");

        let uniform = Replacements::all(Replacement::Uniform);
        network.run_with(&input(), &uniform).await.unwrap();
        let replacing = gpu.allocated_bytes();
        assert!(replacing > total, "the replacer's buffers");
        network.run_with(&input(), &uniform).await.unwrap();
        assert_eq!(gpu.allocated_bytes(), replacing, "they are made once");
        drop(network);
        assert_eq!(gpu.allocated_bytes(), 0);

        let layered = zoo::variant("regnetx_tiny").unwrap().build(64, 64, 100);
        let network = Network::load(&gpu, layered.clone(), &hashed::checkpoint(&layered), async |_| {}).await.unwrap();
        network.layer_groups(0).await.unwrap();
        assert_eq!(gpu.allocated_bytes(), network.account().total_bytes, "nor does a layer");
        drop(network);

        // Refused in the middle, when nearly all is on the device.
        let mut most = 0;
        let lose = async |progress: Progress| {
            most = gpu.allocated_bytes();
            if progress.stage == Stage::Weights && progress.done == progress.total {
                gpu.lose();
            }
        };
        let refused = Network::load(&gpu, graph.clone(), &hashed::checkpoint(&graph), lose).await;
        assert!(matches!(refused, Err(EngineError::Gpu(_))));
        assert!(most > total / 2, "{most} of {total} bytes");
        assert_eq!(gpu.allocated_bytes(), 0);
    });
}

fn what_does_not_fit_is_refused() {
    let (graph, checkpoint) = resnest_tiny();
    let network = load(graph.clone(), &checkpoint);
    let small = Tensor::from_fn(Shape::new(3, 32, 32), |_, _, _| 0.0);
    let error = block_on(network.run(&small)).unwrap_err();
    assert_eq!(error.to_string(), "the network was made for an input of 3x64x64, but got 3x32x32");

    let nowhere = Replacements::unit("layer9.0.conv2", Replacement::Uniform);
    let error = block_on(network.run_with(&input(), &nowhere)).unwrap_err();
    assert!(error.to_string().contains("no unit `layer9.0.conv2`; its units are layer1.0.conv2, "), "{error}");

    let other = zoo::variant("resnest14d").unwrap().build(64, 64, 100);
    let refused = block_on(Network::load(&gpu(), other, &checkpoint, async |_| {}));
    assert!(matches!(refused, Err(EngineError::Weights(_))));

    let huge = zoo::variant("resnest_tiny").unwrap().build(8192, 8192, 100);
    let refused = block_on(Network::load(&gpu(), huge, &checkpoint, async |_| {}));
    assert!(matches!(refused, Err(EngineError::InputTooLarge { .. })));
    // The first stage's 64 channels at half the side: 128 MiB are 1448 x 1448 pixels of input.
    let build = |side| zoo::variant("resnest_tiny").unwrap().build(side, side, 100);
    assert_eq!(largest_side(&gpu(), 32..8192, build), Some(1448));
    assert_eq!(largest_side(&gpu(), 4096..8192, build), None);

    // Its shortcut's sum is small enough to bind, but takes too many workgroups.
    let wide = zoo::variant("seresnet50").unwrap().build(1200, 1200, 10);
    let weights = random_checkpoint(&wide, 1);
    let refused = block_on(Network::load(&gpu(), wide, &weights, async |_| {}));
    assert!(matches!(refused, Err(EngineError::TooManyWorkgroups { .. })));

    let mut stages = Vec::new();
    let fresh = block_on(splitlens::gpu::Gpu::open()).unwrap();
    let mut load = |gpu| {
        stages.clear();
        let heard = async |progress: Progress| stages.push(progress.stage);
        block_on(Network::load(gpu, graph.clone(), &checkpoint, heard)).unwrap();
        stages.dedup();
        stages.clone()
    };
    assert_eq!(load(&fresh), [Stage::Pipelines, Stage::Weights]);
    assert_eq!(load(&fresh), [Stage::Weights], "pipelines are there already");
}

fn an_answer_that_is_not_finite_is_refused() {
    let graph = zoo::variant("resnet_tiny").unwrap().build(32, 32, 4);
    let usual = hashed::checkpoint(&graph);
    let tensors = graph.parameters().into_iter().map(|parameter| {
        let mut values = usual.values(&parameter.name).to_vec();
        if parameter.name == "fc.weight" {
            values.fill(f32::MAX);
        }
        (parameter.name, parameter.shape, values)
    });
    let network = load(graph, &Checkpoint::from_tensors(tensors));
    assert!(matches!(block_on(network.run(&hashed::image(32))), Err(EngineError::NotFinite)));
}

fn a_lost_device_is_an_error() {
    let (graph, checkpoint) = resnest_tiny();
    block_on(async {
        let gpu = splitlens::gpu::Gpu::open().await.unwrap();
        let network = Network::load(&gpu, graph, &checkpoint, async |_| {}).await.unwrap();
        gpu.lose();
        assert!(matches!(network.run(&input()).await, Err(EngineError::Gpu(_))));
    });
}
