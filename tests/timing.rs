//! Runs that tell how long each part took: on an adapter, what is told is about that run and no other. No time is
//! compared with another one. Without an adapter the tests show as ignored.

mod common;

use common::adapter::{gpu, trials};
use libtest_mimic::Arguments;
use pollster::block_on;
use splitlens::arch::zoo;
use splitlens::engine::{Network, Part, Timings};
use splitlens::graph::cost::cost;
use splitlens::weights::hashed;

/// With attention and without; stems, heads and numbers of blocks of every skeleton.
const NETWORKS: [&str; 5] = ["resnest_tiny", "resnet18", "regnetx_tiny", "regnetz_relu_tiny", "efficientnet_b0"];
const SIDE: usize = 64;

fn main() {
    let tests: Vec<(&str, fn())> = vec![
        ("every_dispatch_is_in_one_part", every_dispatch_is_in_one_part),
        ("parts_are_called_as_timm_calls_them", parts_are_called_as_timm_calls_them),
        ("a_timed_run_gives_the_same_answer", a_timed_run_gives_the_same_answer),
        ("what_a_clock_takes_is_given_back", what_a_clock_takes_is_given_back),
    ];
    libtest_mimic::run(&Arguments::from_args(), trials(tests)).exit();
}

fn load(id: &str) -> Network {
    let graph = zoo::variant(id).unwrap().build(SIDE, SIDE, 10);
    let checkpoint = hashed::checkpoint(&graph);
    block_on(Network::load(&gpu(), graph, &checkpoint, async |_| {})).unwrap()
}

fn every_dispatch_is_in_one_part() {
    for id in NETWORKS {
        let network = load(id);
        let parts = network.parts();
        let dispatches: Vec<usize> = parts.iter().flat_map(|part| part.dispatches.clone()).collect();
        let account = network.account();
        assert_eq!(dispatches, (0..account.dispatches).collect::<Vec<_>>(), "{id}");
        assert_eq!(parts.iter().map(|part| part.macs).sum::<u64>(), cost(network.graph()).macs, "{id}");
        let mut names: Vec<&String> = parts.iter().map(|part| &part.name).collect();
        names.sort_unstable();
        names.dedup();
        assert_eq!(names.len(), parts.len(), "{id}: each name once in {parts:?}");
        let pipelines = network.pipelines();
        assert_eq!(pipelines.len(), account.pipelines, "{id}");
        assert_eq!(pipelines.iter().map(|(_, count)| count).sum::<usize>(), account.dispatches, "{id}");
    }
}

fn parts_are_called_as_timm_calls_them() {
    let names = |id| load(id).parts().into_iter().map(|part| part.name).collect::<Vec<String>>().join(" ");
    let layers = "layer1.0 layer1.1 layer2.0 layer2.1 layer3.0 layer3.1 layer4.0 layer4.1";
    assert_eq!(names("resnet18"), format!("stem {layers} head maps"));
    let regnet = names("regnetz_relu_tiny");
    assert!(regnet.starts_with("stem s1.b1 ") && regnet.ends_with(" head maps"), "{regnet}");
    let efficientnet = names("efficientnet_b0");
    assert!(efficientnet.starts_with("stem blocks.0.0 blocks.1.0 blocks.1.1 "), "{efficientnet}");
    assert!(efficientnet.ends_with(" blocks.6.0 head maps"), "{efficientnet}");
}

fn a_timed_run_gives_the_same_answer() {
    for id in NETWORKS {
        let network = load(id);
        let image = hashed::image(SIDE);
        let Some(clock) = block_on(network.clock()).unwrap() else {
            assert!(!gpu().adapter().timestamps);
            return;
        };
        let expected = block_on(network.run(&image)).unwrap();
        let mut timings = Timings::default();
        for _ in 0..3 {
            let (reading, laps) = block_on(network.run_timed(&image, &clock)).unwrap();
            assert_eq!(reading, expected, "{id}");
            timings.push(laps);
        }
        let parts = network.parts();
        for (position, Part { name, .. }) in parts.iter().enumerate() {
            let took = timings.milliseconds(position).unwrap_or_else(|| panic!("{id}: no time of {name}"));
            assert!(took.is_finite() && took >= 0.0, "{id}: {name} took {took} ms");
        }
        assert_eq!((timings.runs(), timings.milliseconds(parts.len())), (3, None));
        assert!(timings.total_milliseconds().unwrap() > 0.0, "{id}");
    }
}

fn what_a_clock_takes_is_given_back() {
    let network = load("regnetx_tiny");
    let before = gpu().allocated_bytes();
    let clock = block_on(network.clock()).unwrap();
    assert_eq!(clock.is_some(), gpu().allocated_bytes() > before);
    drop(clock);
    assert_eq!(gpu().allocated_bytes(), before);
}
