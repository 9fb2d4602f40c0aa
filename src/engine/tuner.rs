use crate::gpu::{Bound, Buffer, Gpu, GpuError, Staging, Stored, Task, Uniforms};
use crate::graph::{Activation, Conv, Shape};
use crate::kernels::{ConvLayer, Loads, Operand, Pointwise, Start, Tile, Tuning};

/// Rounds in which every candidate is timed once, so that what else the machine does falls on all.
const ROUNDS: usize = 3;
/// Seconds that a timed submission should take: a millisecond's error is then little.
const SECONDS: f64 = 0.04;
/// Starts of a layer in one submission at most.
const MAX_REPEATS: usize = 256;
/// What another candidate's time has to be of the first's, or the first is kept: a draw decides nothing.
const CLEARLY: f64 = 0.9;

/// How many candidates have been timed, of how many.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Tried {
    pub done: usize,
    pub total: usize,
}

/// Times the kernels that compute the same on layers that are typical of large networks and returns the
/// choice of the fastest. `seconds` reads a clock; `progress` is awaited between candidates.
pub async fn tune(
    gpu: &Gpu,
    seconds: impl Fn() -> f64,
    mut progress: impl AsyncFnMut(Tried),
) -> Result<Tuning, GpuError> {
    let first = gpu.first_tuning();
    // By Winograd's way a convolution's products are a 1x1 convolution's.
    let direct = Tuning { winograd: false, ..first };
    let loads = Loads::ALL.into_iter().filter(|loads| *loads != Loads::Quads || gpu.has_quads());
    let loads = before_others(direct, loads.map(|loads| Tuning { loads, ..direct }));
    let total = loads.len() + Pointwise::ALL.len() + Tile::ALL.len() + 2 + 2;
    let mut done = 0;
    let mut heard = async |count: usize| {
        progress(Tried { done, total }).await;
        done += count;
    };
    let pointwise_layer = layer(Conv::new(1, 256), 256);
    let conv_layer = layer(Conv::new(3, 128), 128);

    heard(loads.len()).await;
    // How weights are loaded is one choice for both kinds of convolution.
    let Tuning { loads, .. } = fastest(gpu, &seconds, &[pointwise_layer, conv_layer], &loads).await?;
    let tuning = Tuning { loads, ..first };

    heard(Pointwise::ALL.len()).await;
    let candidates = before_others(tuning, Pointwise::ALL.map(|pointwise| Tuning { pointwise, ..tuning }));
    let tuning = fastest(gpu, &seconds, &[pointwise_layer], &candidates).await?;

    heard(Tile::ALL.len()).await;
    let direct = Tuning { winograd: false, ..tuning };
    let candidates = before_others(direct, Tile::ALL.map(|conv| Tuning { conv, ..direct }));
    let Tuning { conv, .. } = fastest(gpu, &seconds, &[conv_layer], &candidates).await?;

    heard(2).await;
    let tuning = Tuning { conv, ..tuning };
    let candidates = [tuning.winograd, !tuning.winograd].map(|winograd| Tuning { winograd, ..tuning });
    let tuning = fastest(gpu, &seconds, &[conv_layer], &candidates).await?;

    heard(2).await;
    // The classifier of a ResNet; global pooling goes by it, being the same kind of sum.
    let layer = ConvLayer::new(Conv::new(1, 1000), Shape::vector(2048));
    let candidates = [tuning.shared_sums, !tuning.shared_sums].map(|shared_sums| Tuning { shared_sums, ..tuning });
    fastest(gpu, &seconds, &[layer], &candidates).await
}

/// A convolution of `channels` channels of 28 x 28 pixels, which a ResNet at 224 pixels has many of.
fn layer(conv: Conv, channels: usize) -> ConvLayer {
    ConvLayer { activation: Activation::Relu, ..ConvLayer::new(conv, Shape::new(channels, 28, 28)) }
}

/// All of them, the `first` one first: it is what another has to beat.
fn before_others(first: Tuning, all: impl IntoIterator<Item = Tuning>) -> Vec<Tuning> {
    [first].into_iter().chain(all.into_iter().filter(|tuning| *tuning != first)).collect()
}

/// The candidate that runs the layers fastest; the first, unless another is clearly faster.
async fn fastest(
    gpu: &Gpu,
    seconds: impl Fn() -> f64,
    layers: &[ConvLayer],
    candidates: &[Tuning],
) -> Result<Tuning, GpuError> {
    let mut trials = Vec::with_capacity(candidates.len() * layers.len());
    for layer in candidates.iter().flat_map(|&tuning| layers.iter().map(move |layer| ConvLayer { tuning, ..*layer })) {
        let mut trial = Trial::new(gpu, &layer).await?;
        // The first run warms up; then runs are repeated until they last long enough to be told apart.
        trial.time(gpu, &seconds).await?;
        while trial.time(gpu, &seconds).await? < SECONDS && trial.repeats < MAX_REPEATS {
            trial.repeats *= 2;
        }
        trials.push(trial);
    }
    let mut best = vec![f64::INFINITY; trials.len()];
    for _ in 0..ROUNDS {
        for (trial, best) in trials.iter().zip(&mut best) {
            *best = best.min(trial.time(gpu, &seconds).await? / trial.repeats as f64);
        }
    }
    let totals = best.chunks(layers.len()).map(|times| times.iter().sum::<f64>()).enumerate();
    let clear = totals.map(|(index, time)| (index, if index == 0 { time * CLEARLY } else { time }));
    let fastest = clear.min_by(|a, b| a.1.total_cmp(&b.1));
    Ok(candidates[fastest.map_or(0, |(index, _)| index)])
}

/// A layer on the device. Its weights differ from each other, or a device could keep them in less room.
struct Trial {
    tasks: Vec<Task>,
    output: Buffer,
    staging: Staging,
    repeats: usize,
    /// Held for the tasks, which are bound to them.
    _params: Uniforms,
    _buffers: Vec<Buffer>,
    _weight: Stored,
}

impl Trial {
    async fn new(gpu: &Gpu, layer: &ConvLayer) -> Result<Self, GpuError> {
        let starts = layer.starts();
        for start in &starts {
            gpu.compile(&start.dispatch).await?;
        }
        gpu.checked(|| {
            let zeros = |elements| gpu.storage("trial", elements);
            let input = zeros(layer.input.stored_elements());
            let weights = Vec::from_iter((0..layer.packed_elements()).map(|index| index as f32));
            let weight = gpu.store("trial", &weights, layer.samples_weight());
            let bias = zeros(layer.conv.out_channels.next_multiple_of(4));
            let scratch = Vec::from_iter(layer.scratch().into_iter().map(zeros));
            let output = zeros(layer.output.stored_elements());
            let params = gpu.uniforms(starts.iter().map(|start| start.dispatch.params.as_slice()));
            let bound = |operand: &Operand| match *operand {
                Operand::Input(_) => Bound::from(input.whole()),
                Operand::Weight => weight.whole(),
                Operand::Bias => bias.whole().into(),
                Operand::Scratch(index) => scratch[index].whole().into(),
                Operand::Output => output.whole().into(),
            };
            let bind = |(slot, start): (usize, &Start)| {
                gpu.bind(&start.dispatch, &params, slot, &Vec::from_iter(start.operands.iter().map(bound)))
            };
            let tasks = starts.iter().enumerate().map(bind).collect();
            let staging = gpu.staging(READ_BACK);
            let buffers = [input, bias].into_iter().chain(scratch).collect();
            Self { tasks, output, staging, repeats: 1, _params: params, _buffers: buffers, _weight: weight }
        })
        .await
    }

    /// Seconds that `repeats` runs take, with one round trip.
    async fn time(&self, gpu: &Gpu, seconds: impl Fn() -> f64) -> Result<f64, GpuError> {
        let started = seconds();
        let tasks = (0..self.repeats).flat_map(|_| &self.tasks);
        gpu.run(tasks, &[self.output.slice(0, READ_BACK)], &self.staging).await?;
        Ok(seconds() - started)
    }
}

/// Elements that are read back, so that somebody can wait for them.
const READ_BACK: usize = 4;
