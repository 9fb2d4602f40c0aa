use std::iter;
use std::path::PathBuf;
use std::time::Instant;

use clap::Args;
use serde_json::{Value, json};

use super::blocks;
use super::choice::{side, variants};
use super::error::CliError;
use super::peak::Peak;
use super::peer::Peer;
use super::run::write_json;
use super::table::aligned;
use crate::arch::{Variant, zoo};
use crate::engine::{self, Account, EngineError, Network, gigaflops, median};
use crate::gpu::{AdapterInfo, Gpu};
use crate::graph::cost::cost;
use crate::kernels::Tuning;
use crate::weights::hashed;

/// What is timed unless networks are named: small and large ones of the line of thought.
const NETWORKS: [&str; 13] = [
    "resnext_tiny",
    "sknet_tiny",
    "resnest_tiny",
    "regnetz_swish_tiny",
    "regnetx_002",
    "efficientnet_b0",
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
    /// Take these kernels, for example `wide-wide-winograd`, as the table names them
    #[arg(long, value_name = "KERNELS", conflicts_with = "tune")]
    kernels: Option<Tuning>,
    /// Runs of which the median counts
    #[arg(long, value_name = "N", default_value_t = 9, value_parser = clap::value_parser!(u32).range(1..))]
    runs: u32,
    /// Tell where the time goes as well, block by block, by the device's own clock
    #[arg(long)]
    blocks: bool,
    /// Time eager PyTorch as well, in turn, with this Python, which has bench/requirements.txt
    #[arg(long, value_name = "PYTHON")]
    torch: Option<PathBuf>,
    /// Write all that was measured to a file as well
    #[arg(long, value_name = "FILE")]
    json: Option<PathBuf>,
}

/// Times the networks one after the other and returns the table.
pub fn run(arguments: &Arguments) -> Result<String, CliError> {
    let default = || NETWORKS.iter().filter_map(|id| zoo::variant(id)).collect();
    let networks = if arguments.networks.is_empty() { default() } else { arguments.networks.clone() };
    let timings = pollster::block_on(async {
        let tuning = tuning(arguments).await?;
        let mut timings = Vec::new();
        for variant in networks {
            let sides = if arguments.sides.is_empty() { vec![variant.side] } else { arguments.sides.clone() };
            for side in sides {
                timings.push(time(variant, side, arguments, tuning).await?);
            }
        }
        Ok::<_, CliError>(timings)
    })?;
    if let Some(path) = &arguments.json {
        write_json(path, &Value::from_iter(timings.iter().map(Timing::json)))?;
    }
    let header = ["network", "pixels", "cold", "warm", "GFLOP/s", "of peak", "starts", "memory"].map(String::from);
    let used = timings.first().map(|Timing { adapter: AdapterInfo { name, backend, .. }, tuning, peer, .. }| {
        let peer = peer.as_ref().map_or(String::new(), |peer| format!("; PyTorch on {}", peer.device));
        let peaks = timings.iter().map(|timing| timing.peak_gflops);
        let (least, most) =
            peaks.fold((f64::INFINITY, 0.0), |(least, most): (f64, f64), x| (least.min(x), most.max(x)));
        format!("{name} ({backend}), peak {least:.0} to {most:.0} GFLOP/s, kernels {tuning}{peer}")
    });
    let rows = timings.iter().map(Timing::row);
    let table = match arguments.torch {
        None => aligned(&iter::once(header).chain(rows).collect::<Vec<_>>(), 1),
        Some(_) => {
            let header = beside(header, ["PyTorch", "ratio"].map(String::from));
            let rows = rows.zip(&timings).map(|(row, timing)| beside(row, timing.peer_cells()));
            aligned(&iter::once(header).chain(rows).collect::<Vec<_>>(), 1)
        }
    };
    let blocks: String = timings.iter().flat_map(|timing| &timing.blocks).map(|table| format!("\n{table}")).collect();
    Ok(format!("{}; warm is the median of {}\n{table}{blocks}", used.unwrap_or_default(), arguments.runs))
}

/// A row with two more cells.
fn beside(row: [String; 8], more: [String; 2]) -> [String; 10] {
    let mut cells = row.into_iter().chain(more);
    std::array::from_fn(|_| cells.next().unwrap_or_default())
}

/// The kernels that are asked for, or the fastest after a trial; none for those that a device begins with.
async fn tuning(arguments: &Arguments) -> Result<Option<Tuning>, EngineError> {
    if !arguments.tune {
        return Ok(arguments.kernels);
    }
    let (gpu, started) = (Gpu::open().await?, Instant::now());
    Ok(Some(engine::tune(&gpu, || started.elapsed().as_secs_f64(), async |_| {}).await?))
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
    cold_ms: f64,
    /// From the image to logits, gates and maps.
    warm_ms: Vec<f64>,
    /// Multiply-adds of the layers as they are written.
    macs: u64,
    /// Of bare multiply-adds, the highest rate while the network was timed.
    peak_gflops: f64,
    /// The table of the blocks, if it was asked for.
    blocks: Option<String>,
    /// PyTorch's, if it was asked for.
    peer: Option<PeerTiming>,
}

struct PeerTiming {
    device: String,
    /// From the image to logits.
    warm_ms: Vec<f64>,
}

impl Timing {
    /// Milliseconds; there is at least one run.
    fn warm(&self) -> f64 {
        median(&self.warm_ms).unwrap_or_default()
    }

    /// Two operations for each multiply-add.
    fn gflops(&self) -> f64 {
        gigaflops(self.macs, self.warm()).unwrap_or_default()
    }

    fn row(&self) -> [String; 8] {
        let rate = format!("{:.1}", self.gflops());
        let share = format!("{:.1} %", 100.0 * self.gflops() / self.peak_gflops);
        let memory = format!("{:.1} MB", self.account.total_bytes as f64 / 1e6);
        let (cold, warm) = (milliseconds(self.cold_ms), milliseconds(self.warm()));
        let starts = self.account.dispatches.to_string();
        [self.variant.id.into(), self.side.to_string(), cold, warm, rate, share, starts, memory]
    }

    /// PyTorch's time, and how many times as long as ours it is.
    fn peer_cells(&self) -> [String; 2] {
        let cells = |peer: &PeerTiming| {
            let theirs = median(&peer.warm_ms).unwrap_or_default();
            [milliseconds(theirs), format!("{:.2}", theirs / self.warm())]
        };
        self.peer.as_ref().map(cells).unwrap_or_default()
    }

    /// All that was measured; times in milliseconds.
    fn json(&self) -> Value {
        let peer = self.peer.as_ref().map(|peer| json!({ "device": peer.device, "warm_ms": peer.warm_ms }));
        json!({
            "network": self.variant.id,
            "side": self.side,
            "adapter": self.adapter.name,
            "backend": self.adapter.backend,
            "kernels": self.tuning.to_string(),
            "cold_ms": self.cold_ms,
            "warm_ms": self.warm_ms,
            "macs": self.macs,
            "gflops": self.gflops(),
            "peak_gflops": self.peak_gflops,
            "account": self.account,
            "torch": peer,
        })
    }
}

fn milliseconds(time: f64) -> String {
    format!("{time:.1} ms")
}

fn since(started: Instant) -> f64 {
    started.elapsed().as_secs_f64() * 1e3
}

/// Times a network on a device of its own, so that nothing is compiled yet.
async fn time(
    variant: &'static Variant,
    side: usize,
    arguments: &Arguments,
    tuning: Option<Tuning>,
) -> Result<Timing, CliError> {
    let graph = variant.build(side, side, variant.classes);
    let macs = cost(&graph).macs;
    let checkpoint = hashed::checkpoint(&graph);
    let image = hashed::image(side);
    let mut peer = arguments.torch.as_ref().map(|python| Peer::start(python, variant.id, side)).transpose()?;
    let peak = Peak::new().await.map_err(EngineError::from)?;
    let peak_before = peak.gigaflops().await.map_err(EngineError::from)?;
    let started = Instant::now();
    let gpu = Gpu::open().await.map_err(EngineError::from)?;
    if let Some(tuning) = tuning {
        gpu.set_tuning(tuning);
    }
    let network = Network::load(&gpu, graph, &checkpoint, async |_| {}).await?;
    let reading = network.run(&image).await?;
    let cold_ms = since(started);
    if let Some(peer) = &mut peer {
        check(variant, &reading.logits, &peer.run()?.logits)?;
    }
    let (mut warm_ms, mut peer_ms) = (Vec::new(), Vec::new());
    for _ in 0..arguments.runs {
        let started = Instant::now();
        network.run(&image).await?;
        warm_ms.push(since(started));
        if let Some(peer) = &mut peer {
            peer_ms.push(peer.run()?.milliseconds);
        }
    }
    let blocks = match arguments.blocks {
        true => Some(blocks::table(variant, &network, &image, arguments.runs).await?),
        false => None,
    };
    let peak_gflops = peak.gigaflops().await.map_err(EngineError::from)?.max(peak_before);
    let peer = peer.map(|peer| PeerTiming { device: peer.device.clone(), warm_ms: peer_ms });
    let (adapter, account, tuning) = (gpu.adapter().clone(), network.account(), gpu.tuning());
    Ok(Timing { variant, side, adapter, tuning, account, cold_ms, warm_ms, macs, peak_gflops, blocks, peer })
}

/// Whether both have run the same network: within the golden tests' tolerance of timm in f64, twice.
fn check(variant: &Variant, ours: &[f32], theirs: &[f32]) -> Result<(), CliError> {
    let (least, most) = ours.iter().fold((f32::MAX, f32::MIN), |(least, most), &x| (least.min(x), most.max(x)));
    let off = ours.iter().zip(theirs).map(|(a, b)| (a - b).abs()).fold(0.0, f32::max) / (most - least);
    let same = ours.len() == theirs.len() && off < 2e-4;
    same.then_some(()).ok_or(CliError::PeerDiffers { network: variant.id, off })
}
