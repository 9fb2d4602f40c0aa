use crate::graph::Mismatch;

/// Why a file cannot serve as a network's weights.
#[derive(Clone, Debug, PartialEq, thiserror::Error)]
pub enum WeightsError {
    #[error("the file has {bytes} bytes, but a safetensors file starts with 8 that say how long its header is")]
    Short { bytes: u64 },
    #[error("the file's header is to have {bytes} bytes, but at most {limit} are read: this is no safetensors file")]
    LongHeader { bytes: u64, limit: u64 },
    #[error("the file's header is not that of a safetensors file: {0}")]
    Header(String),
    #[error("the file has {file_bytes} bytes, but its header speaks of {expected}")]
    Length { expected: u64, file_bytes: u64 },
    #[error("tensor `{name}` stands in the header twice")]
    Twice { name: String },
    #[error("tensor `{name}` has the shape {shape:?}: more values than can be counted")]
    Overflow { name: String, shape: Vec<u64> },
    #[error("tensor `{name}` needs {expected} bytes, but its place is from byte {begin} to {end} of the values")]
    Size { name: String, expected: u64, begin: u64, end: u64 },
    #[error("tensor `{name}` starts at byte {found} of the values, but the one before it ends at {expected}")]
    Place { name: String, expected: u64, found: u64 },
    #[error("tensor `{name}` is stored as {found}, but only F32, F16 and BF16 can be read")]
    Dtype { name: String, found: String },
    #[error("tensor `{name}` holds a value that is not finite")]
    NotFinite { name: String },
    #[error("the tensors do not fit the network: {0}")]
    Mismatch(Mismatch),
}
