use std::path::PathBuf;

use clap::Args;
use clap::builder::{PossibleValuesParser, TypedValueParser};

use super::error::CliError;
use super::model::Model;
use crate::arch::Variant;
use crate::arch::zoo::{self, VARIANTS};
use crate::engine::{EngineError, Network, largest_side};
use crate::gpu::Gpu;
use crate::graph::Graph;
use crate::reading::{Replacement, ReplacementError, Replacements};
use crate::vision::{Preprocess, SIDES};

/// Which network is to work, with which weights.
#[derive(Args)]
pub struct Choice {
    /// Network that the weights belong to
    #[arg(long, value_name = "NAME", value_parser = variants(), hide_possible_values = true)]
    pub network: &'static Variant,
    /// Weights as safetensors, named as timm names them; a description and labels beside them are used
    #[arg(long, value_name = "FILE")]
    weights: PathBuf,
    /// Side of the square input in pixels, instead of the description's
    #[arg(long, value_name = "N", value_parser = side)]
    size: Option<usize>,
    /// Names of the classes, one a line: `id<TAB>short<TAB>long` or a name alone
    #[arg(long, value_name = "FILE")]
    labels: Option<PathBuf>,
    /// Replace the gates of a unit, or of `all` units that are not named, and go on from there: HOW is
    /// `uniform`, `swap`, `branch:1` (it alone) or a weight for each branch (`0.3/0.7`). Can be repeated
    #[arg(long = "gates", value_name = "UNIT=HOW", value_parser = assignment)]
    gates: Vec<(String, Replacement)>,
}

impl Choice {
    pub fn model(&self) -> Result<Model, CliError> {
        Model::read(self.network, &self.weights, self.labels.as_deref())
    }

    /// How an image becomes the input, at the size that was asked for.
    pub fn preprocess(&self, model: &Model) -> Preprocess {
        let size = self.size.unwrap_or(model.preprocess.size);
        Preprocess { size, ..model.preprocess.clone() }
    }

    /// Which gates are replaced by what; what is said twice of a unit counts as it was said last.
    pub fn replacements(&self) -> Replacements {
        let mut replacements = Replacements::default();
        for (unit, replacement) in self.gates.iter().cloned() {
            if unit == "all" {
                replacements.all = Some(replacement);
            } else {
                replacements.units.insert(unit, replacement);
            }
        }
        replacements
    }

    /// The graph for this input, if the weights and the replaced gates fit it: told before an adapter is asked
    /// for, so that what is wrong is told as such on any machine.
    pub fn graph(&self, model: &Model, height: usize, width: usize) -> Result<Graph, CliError> {
        let graph = self.network.build(height, width, model.classes);
        let fit = model.checkpoint.check(&graph.parameters());
        fit.map_err(|source| CliError::Weights { path: self.weights.clone(), source })?;
        self.replacements().resolve(&graph).map_err(EngineError::from)?;
        Ok(graph)
    }
}

/// Loads the graph's network; where its input is too large for the device, the error says what would fit.
pub async fn load(gpu: &Gpu, variant: &Variant, graph: Graph, model: &Model) -> Result<Network, CliError> {
    let side = graph.input_shape().height.max(graph.input_shape().width);
    Network::load(gpu, graph, &model.checkpoint, async |_| {}).await.map_err(|source| match source.is_of_size() {
        true => {
            let build = |side| variant.build(side, side, model.classes);
            CliError::Size { source, largest: largest_side(gpu, *SIDES.start()..side, build) }
        }
        false => source.into(),
    })
}

/// Parses the id of a network of the table.
pub fn variants() -> impl TypedValueParser<Value = &'static Variant> {
    let ids = PossibleValuesParser::new(VARIANTS.iter().map(|variant| variant.id));
    ids.try_map(|id| zoo::variant(&id).ok_or("no such network"))
}

pub fn side(text: &str) -> Result<usize, String> {
    let (low, high) = (SIDES.start(), SIDES.end());
    let side = text.parse().ok().filter(|side| SIDES.contains(side));
    side.ok_or_else(|| format!("a number of pixels from {low} to {high} was expected"))
}

fn assignment(text: &str) -> Result<(String, Replacement), String> {
    let (unit, how) = text.split_once('=').ok_or("UNIT=HOW was expected, for example all=uniform")?;
    Ok((unit.into(), how.parse().map_err(|error: ReplacementError| error.to_string())?))
}
