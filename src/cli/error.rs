use std::io;
use std::path::{Path, PathBuf};

use crate::engine::EngineError;
use crate::vision::{CardError, ImageError};
use crate::weights::WeightsError;

/// Why the command could not do its work; paths are as the user wrote them.
#[derive(Debug, thiserror::Error)]
pub enum CliError {
    #[error("cannot read {}: {source}", path.display())]
    Read { path: PathBuf, source: io::Error },
    #[error("cannot write {}: {why}", path.display())]
    Write { path: PathBuf, why: String },
    #[error("{} is not an image that can be read (JPEG, PNG, WebP, GIF, BMP): {why}", path.display())]
    NotAnImage { path: PathBuf, why: String },
    #[error("{} is too large an image: decoded it would take more than {megabytes} MiB", path.display())]
    TooLarge { path: PathBuf, megabytes: u64 },
    #[error("{}: {source}", path.display())]
    Image { path: PathBuf, source: ImageError },
    #[error("{title} has no unit of attention, and so no heat maps; the page shows the feature maps of its layers")]
    NoUnits { title: &'static str },
    #[error("{} does not hold a network's input: {why}", path.display())]
    Input { path: PathBuf, why: String },
    #[error("{}: {source}", path.display())]
    Card { path: PathBuf, source: CardError },
    #[error("{}: {source}", path.display())]
    Weights { path: PathBuf, source: WeightsError },
    #[error(
        "{} has {folders} folders, which are neither named by the labels' ids nor as many as the {classes} classes",
        path.display()
    )]
    Classes { path: PathBuf, folders: usize, classes: usize },
    #[error("{} is no label's id, as names of other folders beside it are", path.display())]
    Folder { path: PathBuf },
    #[error("{} names no image of a class that the network knows", path.display())]
    Annotations { path: PathBuf },
    #[error("no file in the folders of {} is an image: {first}", path.display())]
    NoImages { path: PathBuf, first: String },
    #[error("{source}{}", largest.map(|side| format!("; inputs of up to {side} x {side} fit")).unwrap_or_default())]
    Size { source: EngineError, largest: Option<usize> },
    #[error("PyTorch did not run beside this (--torch wants a Python that has bench/requirements.txt): {0}")]
    Peer(String),
    #[error("PyTorch's logits of {network} are {off:.1e} of their spread away, so its time says nothing")]
    PeerDiffers { network: &'static str, off: f32 },
    #[error(transparent)]
    Engine(#[from] EngineError),
}

impl CliError {
    /// For `map_err`: the file that could not be read.
    pub fn read(path: &Path) -> impl Fn(io::Error) -> Self {
        move |source| Self::Read { path: path.to_path_buf(), source }
    }

    /// For `map_err`: the file or folder that could not be written.
    pub fn write<E: ToString>(path: &Path) -> impl Fn(E) -> Self {
        move |why| Self::Write { path: path.to_path_buf(), why: why.to_string() }
    }
}
