use std::time::{Duration, Instant};

use clap::Args;

use super::choice::variants;
use super::error::CliError;
use super::table::aligned;
use crate::arch::{Variant, zoo};
use crate::engine::{Account, EngineError, Network};
use crate::gpu::{AdapterInfo, Gpu};
use crate::graph::cost::cost;
use crate::weights::hashed;

/// What is timed unless networks are named: of each family one or two.
const NETWORKS: [&str; 9] = [
    "resnest_tiny",
    "regnetx_002",
    "regnety_016",
    "resnest14d",
    "resnet50",
    "resnext50_32x4d",
    "seresnet50",
    "skresnext50_32x4d",
    "resnest50d",
];

#[derive(Args)]
pub struct Arguments {
    /// Networks to time, each on an image of its own size; weights are made up
    #[arg(value_name = "NETWORK", value_parser = variants(), hide_possible_values = true)]
    networks: Vec<&'static Variant>,
    /// Runs of which the median counts
    #[arg(long, value_name = "N", default_value_t = 9, value_parser = clap::value_parser!(u32).range(1..))]
    runs: u32,
}

/// Times the networks one after the other and returns the table.
pub fn run(arguments: &Arguments) -> Result<String, CliError> {
    let default = || NETWORKS.iter().filter_map(|id| zoo::variant(id)).collect();
    let networks = if arguments.networks.is_empty() { default() } else { arguments.networks.clone() };
    let timings = networks.iter().map(|variant| pollster::block_on(time(variant, arguments.runs)));
    let timings = timings.collect::<Result<Vec<Timing>, EngineError>>()?;
    let header = ["network", "pixels", "cold", "warm", "GFLOP/s", "starts", "memory"];
    let rows: Vec<[String; 7]> =
        [header.map(String::from)].into_iter().chain(timings.iter().map(Timing::row)).collect();
    let adapter = timings.first().map(|timing| &timing.adapter);
    let adapter = adapter.map(|AdapterInfo { name, backend, .. }| format!("{name} ({backend})")).unwrap_or_default();
    Ok(format!("{adapter}; warm is the median of {}\n{}", arguments.runs, aligned(&rows, 1)))
}

/// How long one network took.
struct Timing {
    variant: &'static Variant,
    adapter: AdapterInfo,
    account: Account,
    /// From no device to the first answer: pipelines are compiled and weights uploaded.
    cold: Duration,
    /// From the image to logits, gates and maps, median.
    warm: Duration,
}

impl Timing {
    fn row(&self) -> [String; 7] {
        let Variant { id, side, classes, .. } = *self.variant;
        // Two operations for each multiply-add of the layers as they are written.
        let operations = 2.0 * cost(&self.variant.build(side, side, classes)).macs as f64;
        let milliseconds = |time: Duration| format!("{:.1} ms", time.as_secs_f64() * 1e3);
        let rate = format!("{:.1}", operations / self.warm.as_secs_f64() / 1e9);
        let memory = format!("{:.1} MB", self.account.total_bytes as f64 / 1e6);
        let (cold, warm) = (milliseconds(self.cold), milliseconds(self.warm));
        [id.into(), side.to_string(), cold, warm, rate, self.account.dispatches.to_string(), memory]
    }
}

/// Times a network on a device of its own, so that nothing is compiled yet.
async fn time(variant: &'static Variant, runs: u32) -> Result<Timing, EngineError> {
    let graph = variant.build(variant.side, variant.side, variant.classes);
    let checkpoint = hashed::checkpoint(&graph);
    let image = hashed::image(variant.side);
    let started = Instant::now();
    let gpu = Gpu::open().await?;
    let network = Network::load(&gpu, graph, &checkpoint, async |_| {}).await?;
    network.run(&image).await?;
    let cold = started.elapsed();
    let mut times = Vec::new();
    for _ in 0..runs {
        let started = Instant::now();
        network.run(&image).await?;
        times.push(started.elapsed());
    }
    times.sort_unstable();
    let warm = times[times.len() / 2];
    Ok(Timing { variant, adapter: gpu.adapter().clone(), account: network.account(), cold, warm })
}
