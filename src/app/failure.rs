//! What can go wrong, as sentences: what happened, and what the visitor can do.

use super::fetch::FetchError;
use super::hub::HubError;
use super::intake::IntakeError;
use crate::engine::EngineError;
use crate::gpu::GpuError;
use crate::weights::WeightsError;

/// Why the network cannot run.
#[derive(Clone, Debug, PartialEq)]
pub enum Failure {
    NoWebGpu,
    NoAdapter(String),
    /// The browser has an adapter, but this program and it do not get along.
    Device(String),
    Memory(String),
    /// The device was lost again before anything could be done with it.
    Lost(String),
    Files(FetchError),
    Hub(HubError),
    /// Of shipped weights.
    Weights(String),
    /// Of a file that the visitor chose.
    Checkpoint(String),
    /// The network cannot have an input of this size on this device; the largest side that would do.
    Size {
        why: String,
        largest: Option<usize>,
    },
    Picture(IntakeError),
    /// Gates cannot be replaced as asked.
    Gates(String),
    /// By the visitor.
    Stopped,
}

impl Failure {
    pub fn what(&self) -> String {
        match self {
            Failure::NoWebGpu => "This browser does not offer WebGPU, in which the network would run.".into(),
            Failure::NoAdapter(why) => {
                format!("This browser knows WebGPU but finds no graphics adapter to run it on: {}.", clause(why))
            }
            Failure::Device(why) => format!("The graphics device refused the work: {}.", clause(why)),
            Failure::Memory(why) => format!("The graphics device ran out of memory: {}.", clause(why)),
            Failure::Lost(why) => format!("The graphics device was lost again and again: {}.", clause(why)),
            Failure::Files(error) => format!("A file of this page did not arrive: {}.", clause(&error.to_string())),
            Failure::Hub(error) => error.to_string(),
            Failure::Weights(why) => format!("The network's weights file cannot be used: {}.", clause(why)),
            Failure::Checkpoint(why) => format!("Your checkpoint cannot be used: {}.", clause(why)),
            Failure::Size { why, .. } => format!("The network does not fit: {}.", clause(why)),
            Failure::Picture(error) => error.to_string(),
            Failure::Gates(why) => format!("The gates cannot be replaced like this: {}.", clause(why)),
            Failure::Stopped => "Loading was stopped.".into(),
        }
    }

    pub fn next_step(&self) -> String {
        let step = match self {
            Failure::NoWebGpu => {
                "Open the page in Chrome or Edge from version 113, Safari from 26, or Firefox from 141 on Windows; \
                 elsewhere WebGPU may wait behind a setting. It also needs https or localhost."
            }
            Failure::NoAdapter(_) => {
                "Switch on hardware acceleration in the browser's settings and update the graphics driver; \
                 in Chrome, chrome://gpu says what stands in the way."
            }
            Failure::Device(_) => "Update the browser or the graphics driver, or try another browser.",
            Failure::Memory(_) => "Close other tabs and programs that draw a lot, then try again.",
            Failure::Lost(_) => "Close what else uses the graphics card, then try again.",
            Failure::Hub(error) => error.next_step(),
            Failure::Files(_) => "Check the connection, then try again.",
            Failure::Weights(_) => {
                "Reload the page; if that does not help, the file on the server is damaged and has to be replaced."
            }
            Failure::Checkpoint(_) => "Choose another file.",
            Failure::Size { largest: Some(side), .. } => {
                return format!("On this device inputs of up to {side} × {side} pixels fit.");
            }
            Failure::Size { largest: None, .. } => "Choose a smaller network.",
            Failure::Picture(_) => "Choose another picture.",
            Failure::Gates(_) => "Choose other gates, or give the units back their own.",
            Failure::Stopped => "Load again whenever you like.",
        };
        step.into()
    }

    /// A visitor's file that the browser does not give.
    pub fn unreadable(name: &str, why: &str) -> Self {
        Failure::Checkpoint(format!("‘{name}’ could not be read: {}", clause(why)))
    }

    /// Whether another picture may fare better.
    pub fn is_of_picture(&self) -> bool {
        matches!(self, Failure::Picture(_) | Failure::Stopped)
    }

    /// Whether the same thing may well work the next time.
    pub fn worth_retrying(&self) -> bool {
        !matches!(self, Failure::NoWebGpu)
    }
}

/// Another program's message, without the full stop that our sentence sets.
fn clause(why: &str) -> &str {
    why.trim().trim_end_matches('.')
}

impl From<GpuError> for Failure {
    fn from(error: GpuError) -> Self {
        match error {
            GpuError::NoWebGpu => Failure::NoWebGpu,
            GpuError::NoAdapter(why) => Failure::NoAdapter(why),
            GpuError::Device(why) | GpuError::Validation(why) => Failure::Device(why),
            GpuError::OutOfMemory(why) => Failure::Memory(why),
            GpuError::Lost(why) => Failure::Lost(why),
        }
    }
}

impl From<EngineError> for Failure {
    fn from(error: EngineError) -> Self {
        match error {
            EngineError::Gpu(error) => error.into(),
            EngineError::Weights(error) => error.into(),
            EngineError::Replacement(error) => Failure::Gates(error.to_string()),
            error @ (EngineError::InputTooLarge { .. }
            | EngineError::LayerTooLarge { .. }
            | EngineError::TooManyWorkgroups { .. }) => Failure::Size { why: error.to_string(), largest: None },
            error @ EngineError::Input { .. } => Failure::Device(error.to_string()),
            error @ EngineError::NotFinite => Failure::Weights(error.to_string()),
        }
    }
}

impl From<WeightsError> for Failure {
    fn from(error: WeightsError) -> Self {
        Failure::Weights(error.to_string())
    }
}

impl From<FetchError> for Failure {
    fn from(error: FetchError) -> Self {
        match error {
            FetchError::Stopped => Failure::Stopped,
            error => Failure::Files(error),
        }
    }
}

impl From<HubError> for Failure {
    fn from(error: HubError) -> Self {
        match error {
            HubError::Stopped => Failure::Stopped,
            error => Failure::Hub(error),
        }
    }
}

impl From<IntakeError> for Failure {
    fn from(error: IntakeError) -> Self {
        match error {
            IntakeError::Stopped => Failure::Stopped,
            error => Failure::Picture(error),
        }
    }
}
