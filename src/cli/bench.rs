use std::time::{Duration, Instant};

use clap::Args;

use super::blocks;
use super::choice::{side, variants};
use super::error::CliError;
use super::table::aligned;
use crate::arch::{Variant, zoo};
use crate::engine::{self, Account, EngineError, Network, gigaflops};
use crate::gpu::{AdapterInfo, Gpu};
use crate::graph::cost::cost;
use crate::kernels::Tuning;
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
    /// Side of the square input in pixels, once for each that is wanted; the network's own if left out
    #[arg(long = "side", value_name = "PIXELS", value_parser = side)]
    sides: Vec<usize>,
    /// Try the kernels that compute the same first, and take the fastest
    #[arg(long)]
    tune: bool,
    /// Runs of which the median counts
    #[arg(long, value_name = "N", default_value_t = 9, value_parser = clap::value_parser!(u32).range(1..))]
    runs: u32,
    /// Tell where the time goes as well, block by block, by the device's own clock
    #[arg(long)]
    blocks: bool,
}

/// Times the networks one after the other and returns the table.
pub fn run(arguments: &Arguments) -> Result<String, CliError> {
    let default = || NETWORKS.iter().filter_map(|id| zoo::variant(id)).collect();
    let networks = if arguments.networks.is_empty() { default() } else { arguments.networks.clone() };
    let timings = pollster::block_on(async {
        let tuning = tuning(arguments.tune).await?;
        let mut timings = Vec::new();
        for variant in networks {
            let sides = if arguments.sides.is_empty() { vec![variant.side] } else { arguments.sides.clone() };
            for side in sides {
                timings.push(time(variant, side, arguments, tuning).await?);
            }
        }
        Ok::<_, EngineError>(timings)
    })?;
    let header = ["network", "pixels", "cold", "warm", "GFLOP/s", "starts", "memory"];
    let rows: Vec<[String; 7]> =
        [header.map(String::from)].into_iter().chain(timings.iter().map(Timing::row)).collect();
    let used = timings.first().map(|Timing { adapter: AdapterInfo { name, backend, .. }, tuning, .. }| {
        format!("{name} ({backend}), kernels {tuning}")
    });
    let blocks: String = timings.iter().flat_map(|timing| &timing.blocks).map(|table| format!("\n{table}")).collect();
    let (used, table) = (used.unwrap_or_default(), aligned(&rows, 1));
    Ok(format!("{used}; warm is the median of {}\n{table}{blocks}", arguments.runs))
}

/// The default kernels, or the fastest after a trial.
async fn tuning(tune: bool) -> Result<Tuning, EngineError> {
    if !tune {
        return Ok(Tuning::default());
    }
    let (gpu, started) = (Gpu::open().await?, Instant::now());
    Ok(engine::tune(&gpu, || started.elapsed().as_secs_f64(), async |_| {}).await?)
}

/// How long one network took.
struct Timing {
    variant: &'static Variant,
    /// Of the input, in pixels.
    side: usize,
    adapter: AdapterInfo,
    tuning: Tuning,
    account: Account,
    /// From no device to the first answer: pipelines are compiled and weights uploaded.
    cold: Duration,
    /// From the image to logits, gates and maps, median.
    warm: Duration,
    /// The table of the blocks, if it was asked for.
    blocks: Option<String>,
}

impl Timing {
    fn row(&self) -> [String; 7] {
        let (Variant { id, classes, .. }, side) = (*self.variant, self.side);
        // Two operations for each multiply-add of the layers as they are written.
        let macs = cost(&self.variant.build(side, side, classes)).macs;
        let milliseconds = |time: Duration| format!("{:.1} ms", time.as_secs_f64() * 1e3);
        let rate = gigaflops(macs, self.warm.as_secs_f64() * 1e3).unwrap_or(0.0);
        let rate = format!("{rate:.1}");
        let memory = format!("{:.1} MB", self.account.total_bytes as f64 / 1e6);
        let (cold, warm) = (milliseconds(self.cold), milliseconds(self.warm));
        [id.into(), side.to_string(), cold, warm, rate, self.account.dispatches.to_string(), memory]
    }
}

/// Times a network on a device of its own, so that nothing is compiled yet.
async fn time(
    variant: &'static Variant,
    side: usize,
    arguments: &Arguments,
    tuning: Tuning,
) -> Result<Timing, EngineError> {
    let graph = variant.build(side, side, variant.classes);
    let checkpoint = hashed::checkpoint(&graph);
    let image = hashed::image(side);
    let started = Instant::now();
    let gpu = Gpu::open().await?;
    gpu.set_tuning(tuning);
    let network = Network::load(&gpu, graph, &checkpoint, async |_| {}).await?;
    network.run(&image).await?;
    let cold = started.elapsed();
    let mut times = Vec::new();
    for _ in 0..arguments.runs {
        let started = Instant::now();
        network.run(&image).await?;
        times.push(started.elapsed());
    }
    times.sort_unstable();
    let warm = times[times.len() / 2];
    let blocks = match arguments.blocks {
        true => Some(blocks::table(variant, &network, &image, arguments.runs).await?),
        false => None,
    };
    let (adapter, account) = (gpu.adapter().clone(), network.account());
    Ok(Timing { variant, side, adapter, tuning, account, cold, warm, blocks })
}
