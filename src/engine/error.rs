use crate::gpu::GpuError;
use crate::graph::Shape;
use crate::reading::ReplacementError;
use crate::weights::WeightsError;

/// Why a network could not be loaded or run.
#[derive(Clone, Debug, PartialEq, thiserror::Error)]
pub enum EngineError {
    #[error(transparent)]
    Gpu(#[from] GpuError),
    #[error(transparent)]
    Weights(#[from] WeightsError),
    #[error(transparent)]
    Replacement(#[from] ReplacementError),
    #[error("the network was made for an input of {expected}, but got {got}")]
    Input { expected: Shape, got: Shape },
    #[error(
        "an activation at input {input} takes {} MiB, but this device gives a kernel at most {} MiB",
        bytes.div_ceil(1 << 20), limit >> 20
    )]
    InputTooLarge { input: Shape, bytes: u64, limit: u64 },
    #[error(
        "the weights of `{name}` take {} MiB, but this device gives a kernel at most {} MiB",
        bytes.div_ceil(1 << 20), limit >> 20
    )]
    LayerTooLarge { name: String, bytes: u64, limit: u64 },
    #[error("{kernel} at input {input} needs more workgroups than a dispatch may have")]
    TooManyWorkgroups { kernel: &'static str, input: Shape },
    /// Of a run: each weight by itself is finite.
    #[error("its answer is not finite: with these weights values leave the range of f32")]
    NotFinite,
}

impl EngineError {
    /// Whether a smaller input may do, see [`largest_side`](super::largest_side).
    pub fn is_of_size(&self) -> bool {
        matches!(self, EngineError::InputTooLarge { .. } | EngineError::TooManyWorkgroups { .. })
    }
}
