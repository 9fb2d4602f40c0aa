//! How fast the network at work is on this device, as measured on the page.

use std::sync::Arc;

use super::analysis::Analysis;
use super::model::Model;
use crate::engine::{Part, Timings, median};

/// What was measured of a network at one size of its input.
#[derive(Clone)]
pub struct Speed {
    model: Arc<Model>,
    side: usize,
    pub parts: Vec<Part>,
    /// Of the parts, by the device's clock; of no run where it has none to be read.
    pub timings: Timings,
    /// Of each run by the page's clock: from the picture's numbers to logits, gates and maps, sending and reading
    /// back included.
    totals_ms: Vec<f64>,
}

impl Speed {
    /// Of the network that made this analysis; nothing is measured yet.
    pub fn new(analysis: &Analysis, parts: Vec<Part>) -> Self {
        let (model, side) = (analysis.model.clone(), analysis.side);
        Self { model, side, parts, timings: Timings::default(), totals_ms: Vec::new() }
    }

    /// Whether it was measured of the network that made this analysis.
    pub fn is_of(&self, analysis: &Analysis) -> bool {
        self.model.key == analysis.model.key && self.side == analysis.side
    }

    pub fn push_total(&mut self, ms: f64) {
        self.totals_ms.push(ms);
    }

    pub fn runs(&self) -> usize {
        self.totals_ms.len()
    }

    /// What an image takes, in milliseconds; none before the first run.
    pub fn total_ms(&self) -> Option<f64> {
        median(&self.totals_ms)
    }

    /// Multiply-adds of an image.
    pub fn macs(&self) -> u64 {
        self.parts.iter().map(|part| part.macs).sum()
    }
}
