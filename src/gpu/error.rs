/// What can go wrong on the way to the device and back.
#[derive(Clone, Debug, PartialEq, thiserror::Error)]
pub enum GpuError {
    #[error("this browser has no WebGPU")]
    NoWebGpu,
    #[error("no graphics adapter can be used: {0}")]
    NoAdapter(String),
    #[error("the graphics adapter gave no device: {0}")]
    Device(String),
    #[error("the graphics device was lost: {0}")]
    Lost(String),
    #[error("the graphics device has no memory left: {0}")]
    OutOfMemory(String),
    #[error("the graphics device refused a command: {0}")]
    Validation(String),
}

impl From<wgpu::Error> for GpuError {
    fn from(error: wgpu::Error) -> Self {
        match error {
            wgpu::Error::OutOfMemory { source } => Self::OutOfMemory(source.to_string()),
            wgpu::Error::Validation { description, .. } | wgpu::Error::Internal { description, .. } => {
                Self::Validation(description)
            }
        }
    }
}
