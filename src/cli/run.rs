use std::fs;
use std::path::{Path, PathBuf};

use clap::Args;
use clap::builder::{PossibleValuesParser, TypedValueParser};

use super::error::CliError;
use super::heatmaps;
use super::input::{self, Input, SIDES};
use super::model::Model;
use super::report::Report;
use crate::arch::Variant;
use crate::arch::zoo::{self, VARIANTS};
use crate::engine::{EngineError, Network};
use crate::gpu::{AdapterInfo, Gpu};
use crate::graph::{Graph, Tensor};
use crate::reading::Reading;
use crate::vision::Preprocess;
use crate::weights::Checkpoint;

#[derive(Args)]
pub struct Arguments {
    /// Image to look at: JPEG, PNG, WebP, GIF or BMP
    #[arg(required_unless_present = "input")]
    image: Option<PathBuf>,
    /// Network that the weights belong to
    #[arg(long, value_name = "NAME", value_parser = variants(), hide_possible_values = true)]
    network: &'static Variant,
    /// Weights as safetensors, named as timm names them; a description and labels beside them are used
    #[arg(long, value_name = "FILE")]
    weights: PathBuf,
    /// Write logits, the top five, and every unit's attention
    #[arg(long, value_name = "OUT")]
    json: Option<PathBuf>,
    /// Write a heat map for every unit, branch and kind as PNG, and their ranges as legend.json
    #[arg(long, value_name = "DIR")]
    heatmaps: Option<PathBuf>,
    /// Instead of an image: safetensors with `input`, F32, [1, 3, H, W], already normalised
    #[arg(long, value_name = "FILE", conflicts_with_all = ["image", "size"])]
    input: Option<PathBuf>,
    /// Side of the square input in pixels, instead of the description's
    #[arg(long, value_name = "N", value_parser = side)]
    size: Option<usize>,
    /// Names of the classes, one a line: `id<TAB>short<TAB>long` or a name alone
    #[arg(long, value_name = "FILE")]
    labels: Option<PathBuf>,
}

fn variants() -> impl TypedValueParser<Value = &'static Variant> {
    let ids = PossibleValuesParser::new(VARIANTS.iter().map(|variant| variant.id));
    ids.try_map(|id| zoo::variant(&id).ok_or("no such network"))
}

fn side(text: &str) -> Result<usize, String> {
    let (low, high) = (SIDES.start(), SIDES.end());
    let side = text.parse().ok().filter(|side| SIDES.contains(side));
    side.ok_or_else(|| format!("a number of pixels from {low} to {high} was expected"))
}

/// Does what the arguments say and returns the text for the terminal.
pub fn run(arguments: &Arguments) -> Result<String, CliError> {
    let variant = arguments.network;
    let model = Model::read(variant, &arguments.weights, arguments.labels.as_deref())?;
    let Input { tensor, picture } = read_input(arguments, &model)?;
    let graph = variant.build(tensor.shape.height, tensor.shape.width, model.classes);
    // Before the adapter is asked for, so that wrong weights are told as such on any machine.
    let fit = model.checkpoint.check(&graph.parameters());
    fit.map_err(|source| CliError::Weights { path: arguments.weights.clone(), source })?;

    let (reading, adapter) = pollster::block_on(read(graph, &model.checkpoint, &tensor))?;
    let report = Report::new(variant, &model, tensor.shape, &adapter, &reading);
    let mut text = report.summary();
    if let Some(path) = &arguments.json {
        write_json(path, &report)?;
        text += &format!("wrote {}\n", path.display());
    }
    if let Some(folder) = &arguments.heatmaps {
        let count = heatmaps::write(folder, &reading, &picture)?;
        text += &format!("wrote {count} heat maps to {}\n", folder.display());
    }
    Ok(text)
}

fn read_input(arguments: &Arguments, model: &Model) -> Result<Input, CliError> {
    let size = arguments.size.unwrap_or(model.preprocess.size);
    let preprocess = Preprocess { size, ..model.preprocess.clone() };
    match (&arguments.input, &arguments.image) {
        (Some(path), _) => input::from_tensor(path, &preprocess),
        (None, Some(path)) => input::from_image(path, &preprocess),
        (None, None) => unreachable!("the arguments require one of them"),
    }
}

/// Loads the network on the fastest adapter and runs it once.
async fn read(graph: Graph, checkpoint: &Checkpoint, input: &Tensor) -> Result<(Reading, AdapterInfo), EngineError> {
    let gpu = Gpu::open().await?;
    let network = Network::load(&gpu, graph, checkpoint, async |_| {}).await?;
    Ok((network.run(input).await?, gpu.adapter().clone()))
}

fn write_json(path: &Path, report: &Report) -> Result<(), CliError> {
    let json = serde_json::to_string(report).map_err(CliError::write(path))?;
    fs::write(path, json + "\n").map_err(CliError::write(path))
}
