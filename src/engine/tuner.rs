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
    let mut tuning = gpu.first_tuning();
    let others = Loads::ALL.into_iter().filter(|loads| *loads != tuning.loads);
    let others = others.filter(|loads| *loads != Loads::Quads || gpu.has_quads());
    let loads = Vec::from_iter([tuning.loads].into_iter().chain(others));
    let total = loads.len() + Pointwise::ALL.len() + Tile::ALL.len() + 2 + 2;
    let mut done = 0;
    let mut heard = async |count: usize| {
        progress(Tried { done, total }).await;
        done += count;
    };

    heard(loads.len()).await;
    let layer = layer(Conv::new(1, 256), 256);
    let candidates = loads.iter().map(|&loads| ConvLayer { tuning: Tuning { loads, ..tuning }, ..layer });
    tuning = fastest(gpu, &seconds, &Vec::from_iter(candidates)).await?;

    heard(Pointwise::ALL.len()).await;
    let candidates = Pointwise::ALL.map(|pointwise| ConvLayer { tuning: Tuning { pointwise, ..tuning }, ..layer });
    tuning = fastest(gpu, &seconds, &candidates).await?;

    heard(Tile::ALL.len()).await;
    let layer = self::layer(Conv::new(3, 128), 128);
    let direct = |conv| ConvLayer { tuning: Tuning { conv, winograd: false, ..tuning }, ..layer };
    let Tuning { conv, .. } = fastest(gpu, &seconds, &Tile::ALL.map(direct)).await?;

    heard(2).await;
    let candidates = [true, false].map(|winograd| ConvLayer { tuning: Tuning { conv, winograd, ..tuning }, ..layer });
    tuning = fastest(gpu, &seconds, &candidates).await?;

    heard(2).await;
    // The classifier of a ResNet; global pooling goes by it, being the same kind of sum.
    let layer = ConvLayer::new(Conv::new(1, 1000), Shape::vector(2048));
    let sums = [tuning.shared_sums, !tuning.shared_sums];
    let candidates = sums.map(|shared_sums| ConvLayer { tuning: Tuning { shared_sums, ..tuning }, ..layer });
    fastest(gpu, &seconds, &candidates).await
}

/// A convolution of `channels` channels of 28 x 28 pixels, which a ResNet at 224 pixels has many of.
fn layer(conv: Conv, channels: usize) -> ConvLayer {
    ConvLayer { activation: Activation::Relu, ..ConvLayer::new(conv, Shape::new(channels, 28, 28)) }
}

/// The tuning of the fastest candidate; of the first, unless another is clearly faster.
async fn fastest(gpu: &Gpu, seconds: impl Fn() -> f64, candidates: &[ConvLayer]) -> Result<Tuning, GpuError> {
    let mut trials = Vec::with_capacity(candidates.len());
    for layer in candidates {
        let mut trial = Trial::new(gpu, layer).await?;
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
    let clear = |(index, time): (usize, &f64)| (index, if index == 0 { time * CLEARLY } else { *time });
    let fastest = best.iter().enumerate().map(clear).min_by(|a, b| a.1.total_cmp(&b.1));
    Ok(candidates[fastest.map_or(0, |(index, _)| index)].tuning)
}

/// A layer on the device, between buffers of zeros.
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
            let weight = gpu.store("trial", &vec![0.0; layer.packed_elements()], layer.samples_weight());
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
