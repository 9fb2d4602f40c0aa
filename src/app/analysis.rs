use std::sync::Arc;

use super::model::Model;
use super::what_if::WhatIf;
use crate::reading::Reading;
use crate::vision::Prediction;

/// A network's last linear layer, kept for class activation maps.
pub struct Classifier {
    /// `[classes, features]`
    pub weight: Vec<f32>,
    pub bias: Vec<f32>,
}

impl Classifier {
    /// The weights of one class, one per channel of the features.
    pub fn row(&self, class: usize) -> &[f32] {
        let features = self.weight.len() / self.bias.len();
        &self.weight[class * features..][..features]
    }
}

/// What one run on one picture left behind.
pub struct Analysis {
    /// Counts runs: what is cached for one run is not shown with another.
    pub run: u64,
    pub model: Arc<Model>,
    /// Of the network's input, in pixels.
    pub side: usize,
    pub classifier: Arc<Classifier>,
    pub reading: Reading,
    pub probabilities: Vec<f32>,
    pub top: Vec<Prediction>,
    /// From handing the tensor over to having the reading.
    pub run_ms: f64,
    /// Where gates were replaced.
    pub what_if: Option<WhatIf>,
}
