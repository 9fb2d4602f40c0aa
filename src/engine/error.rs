use crate::gpu::GpuError;
use crate::graph::Shape;
use crate::weights::WeightsError;

/// Why a network could not be loaded or run.
#[derive(Clone, Debug, PartialEq, thiserror::Error)]
pub enum EngineError {
    #[error(transparent)]
    Gpu(#[from] GpuError),
    #[error(transparent)]
    Weights(#[from] WeightsError),
    #[error("the network was made for an input of {expected}, but got {got}")]
    Input { expected: Shape, got: Shape },
    #[error(
        "{what} takes {} MiB, but this device gives a kernel at most {} MiB; a smaller input size would fit",
        bytes >> 20, limit >> 20
    )]
    TooLarge { what: String, bytes: u64, limit: u64 },
}
