use std::path::PathBuf;

use clap::Args;
use clap::builder::{PossibleValuesParser, TypedValueParser};

use super::error::CliError;
use super::model::Model;
use crate::arch::Variant;
use crate::arch::zoo::{self, VARIANTS};
use crate::graph::Graph;
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

    /// The graph for this input, if the weights fit it: told before an adapter is asked for, so that wrong
    /// weights are told as such on any machine.
    pub fn graph(&self, model: &Model, height: usize, width: usize) -> Result<Graph, CliError> {
        let graph = self.network.build(height, width, model.classes);
        let fit = model.checkpoint.check(&graph.parameters());
        fit.map_err(|source| CliError::Weights { path: self.weights.clone(), source })?;
        Ok(graph)
    }
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
