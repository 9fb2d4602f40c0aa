use std::fs;
use std::path::{Path, PathBuf};

use clap::Args;
use serde::Serialize;

use super::choice::{self, Choice};
use super::error::CliError;
use super::heatmaps;
use super::input::{self, Input};
use super::model::Model;
use super::report::Report;
use crate::engine::EngineError;
use crate::gpu::{AdapterInfo, Gpu};
use crate::graph::{Graph, Tensor};
use crate::reading::Reading;
use crate::vision::Preprocess;

#[derive(Args)]
pub struct Arguments {
    /// Image to look at: JPEG, PNG, WebP, GIF or BMP
    #[arg(required_unless_present = "input")]
    image: Option<PathBuf>,
    #[command(flatten)]
    choice: Choice,
    /// Write logits, the top five, and every unit's attention
    #[arg(long, value_name = "OUT")]
    json: Option<PathBuf>,
    /// Write a heat map for every unit, branch and kind as PNG, and their ranges as legend.json
    #[arg(long, value_name = "DIR")]
    heatmaps: Option<PathBuf>,
    /// Instead of an image: safetensors with `input`, F32, [1, 3, H, W], already normalised
    #[arg(long, value_name = "FILE", conflicts_with_all = ["image", "size"])]
    input: Option<PathBuf>,
}

/// Does what the arguments say and returns the text for the terminal.
pub fn run(arguments: &Arguments) -> Result<String, CliError> {
    let choice = &arguments.choice;
    check_outputs(arguments)?;
    let model = choice.model()?;
    let Input { tensor, picture } = read_input(arguments, &choice.preprocess(&model))?;
    let graph = choice.graph(&model, tensor.shape.height, tensor.shape.width)?;
    let Readings { reading, untouched, adapter } = pollster::block_on(read(choice, &model, graph, &tensor))?;
    let resized = arguments.image.as_ref().map(|_| model.resized.as_str());
    let mut report = Report::new(choice.network, &model, tensor.shape, resized, &adapter, &reading);
    if let Some(untouched) = &untouched {
        report.set_against(untouched, &choice.replacements(), &model);
    }
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

/// Whether the files can be written, found out before the work for them is done.
fn check_outputs(arguments: &Arguments) -> Result<(), CliError> {
    if let Some(folder) = &arguments.heatmaps {
        let variant = arguments.choice.network;
        if variant.build(variant.side, variant.side, variant.classes).units.is_empty() {
            return Err(CliError::NoUnits { title: variant.title });
        }
        fs::create_dir_all(folder).map_err(CliError::write(folder))?;
    }
    match &arguments.json {
        // The file is written only when there is something to write.
        Some(path) if !path.exists() => {
            fs::File::create(path).and_then(|_| fs::remove_file(path)).map_err(CliError::write(path))
        }
        _ => Ok(()),
    }
}

fn read_input(arguments: &Arguments, preprocess: &Preprocess) -> Result<Input, CliError> {
    match (&arguments.input, &arguments.image) {
        (Some(path), _) => input::from_tensor(path, preprocess),
        (None, Some(path)) => input::from_image(path, preprocess),
        (None, None) => unreachable!("the arguments require one of them"),
    }
}

struct Readings {
    /// With gates replaced as asked.
    reading: Reading,
    /// With the network's own gates, where they were replaced in the other.
    untouched: Option<Reading>,
    adapter: AdapterInfo,
}

/// Loads the network on the fastest adapter and runs it.
async fn read(choice: &Choice, model: &Model, graph: Graph, input: &Tensor) -> Result<Readings, CliError> {
    let gpu = Gpu::open().await.map_err(EngineError::from)?;
    let network = choice::load(&gpu, choice.network, graph, model).await?;
    let replacements = choice.replacements();
    let untouched = if replacements.is_empty() { None } else { Some(network.run(input).await?) };
    let reading = network.run_with(input, &replacements).await?;
    Ok(Readings { reading, untouched, adapter: gpu.adapter().clone() })
}

pub(super) fn write_json(path: &Path, report: &impl Serialize) -> Result<(), CliError> {
    let json = serde_json::to_string(report).map_err(CliError::write(path))?;
    fs::write(path, json + "\n").map_err(CliError::write(path))
}
