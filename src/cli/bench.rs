use std::iter;
use std::path::PathBuf;
use std::time::Instant;

use clap::Args;

use super::blocks;
use super::choice::{side, variants};
use super::error::CliError;
use super::peer::Peer;
use super::table::aligned;
use crate::arch::{Variant, zoo};
use crate::engine::{self, Account, EngineError, Network, gigaflops, median};
use crate::gpu::{AdapterInfo, Gpu};
use crate::graph::cost::cost;
use crate::kernels::Tuning;
use crate::weights::hashed;

/// What is timed unless networks are named: small and large ones of the line of thought.
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
    let header = ["network", "pixels", "cold", "warm", "GFLOP/s", "starts", "memory"].map(String::from);
    let used = timings.first().map(|Timing { adapter: AdapterInfo { name, backend, .. }, tuning, peer, .. }| {
        let peer = peer.as_ref().map_or(String::new(), |peer| format!("; PyTorch on {}", peer.device));
        format!("{name} ({backend}), kernels {tuning}{peer}")
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
fn beside(row: [String; 7], more: [String; 2]) -> [String; 9] {
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
    /// From the image to logits, gates and maps, median.
    warm_ms: f64,
    /// The table of the blocks, if it was asked for.
    blocks: Option<String>,
    /// PyTorch's, if it was asked for.
    peer: Option<PeerTiming>,
}

struct PeerTiming {
    device: String,
    /// From the image to logits, median.
    warm_ms: f64,
}

impl Timing {
    fn row(&self) -> [String; 7] {
        let (Variant { id, classes, .. }, side) = (*self.variant, self.side);
        // Two operations for each multiply-add of the layers as they are written.
        let macs = cost(&self.variant.build(side, side, classes)).macs;
        let rate = gigaflops(macs, self.warm_ms).unwrap_or(0.0);
        let rate = format!("{rate:.1}");
        let memory = format!("{:.1} MB", self.account.total_bytes as f64 / 1e6);
        let (cold, warm) = (milliseconds(self.cold_ms), milliseconds(self.warm_ms));
        [id.into(), side.to_string(), cold, warm, rate, self.account.dispatches.to_string(), memory]
    }

    /// PyTorch's time, and how many times as long as ours it is.
    fn peer_cells(&self) -> [String; 2] {
        let cells = |peer: &PeerTiming| [milliseconds(peer.warm_ms), format!("{:.2}", peer.warm_ms / self.warm_ms)];
        self.peer.as_ref().map(cells).unwrap_or_default()
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
    let checkpoint = hashed::checkpoint(&graph);
    let image = hashed::image(side);
    let mut peer = arguments.torch.as_ref().map(|python| Peer::start(python, variant.id, side)).transpose()?;
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
    let (mut times, mut peer_times) = (Vec::new(), Vec::new());
    for _ in 0..arguments.runs {
        let started = Instant::now();
        network.run(&image).await?;
        times.push(since(started));
        if let Some(peer) = &mut peer {
            peer_times.push(peer.run()?.milliseconds);
        }
    }
    let blocks = match arguments.blocks {
        true => Some(blocks::table(variant, &network, &image, arguments.runs).await?),
        false => None,
    };
    let peer =
        peer.map(|peer| PeerTiming { device: peer.device.clone(), warm_ms: median(&peer_times).unwrap_or_default() });
    let (adapter, account) = (gpu.adapter().clone(), network.account());
    // There is at least one run.
    let warm_ms = median(&times).unwrap_or_default();
    Ok(Timing { variant, side, adapter, tuning: gpu.tuning(), account, cold_ms, warm_ms, blocks, peer })
}

/// Whether both have run the same network: within the golden tests' tolerance of timm in f64, twice.
fn check(variant: &Variant, ours: &[f32], theirs: &[f32]) -> Result<(), CliError> {
    let (least, most) = ours.iter().fold((f32::MAX, f32::MIN), |(least, most), &x| (least.min(x), most.max(x)));
    let off = ours.iter().zip(theirs).map(|(a, b)| (a - b).abs()).fold(0.0, f32::max) / (most - least);
    let same = ours.len() == theirs.len() && off < 2e-4;
    same.then_some(()).ok_or(CliError::PeerDiffers { network: variant.id, off })
}
