use futures_channel::oneshot;

use super::buffer::Allocation;
use super::{Gpu, GpuError, Slice, Task};

/// Memory that the device copies results into and the processor reads, given back when dropped.
pub struct Staging(pub(super) Allocation);

impl Staging {
    pub fn bytes(&self) -> u64 {
        self.0.buffer.size()
    }
}

impl Gpu {
    /// Staging for up to `elements` values.
    pub fn staging(&self, elements: usize) -> Staging {
        let usage = wgpu::BufferUsages::MAP_READ | wgpu::BufferUsages::COPY_DST;
        Staging(self.allocate("staging", (elements * size_of::<f32>()) as u64, usage))
    }

    /// Runs the tasks in order in one pass and one submission, then reads back the copies, one after
    /// the other.
    pub async fn run<'a>(
        &self,
        tasks: impl IntoIterator<Item = &'a Task>,
        copies: &[Slice<'_>],
        staging: &Staging,
    ) -> Result<Vec<f32>, GpuError> {
        self.health()?;
        let mut encoder = self.encoder();
        encode(&mut encoder, tasks, None);
        let bytes = encode_copies(&mut encoder, copies, staging);
        self.0.queue.submit([encoder.finish()]);
        self.map(staging, bytes).await?;
        self.take(staging, bytes)
    }

    pub(super) fn encoder(&self) -> wgpu::CommandEncoder {
        self.0.device.create_command_encoder(&wgpu::CommandEncoderDescriptor { label: Some("run") })
    }

    /// Waits for all that was submitted, so that [`take`](Self::take) can read what lies in the staging.
    pub(super) async fn map(&self, staging: &Staging, bytes: u64) -> Result<(), GpuError> {
        let (sender, receiver) = oneshot::channel();
        staging.0.buffer.map_async(wgpu::MapMode::Read, ..bytes, move |result| {
            // Nobody listens any more when the visitor has moved on.
            let _ = sender.send(result);
        });
        // A browser answers by itself; elsewhere somebody has to wait for the device.
        #[cfg(not(target_arch = "wasm32"))]
        self.0.device.poll(wgpu::PollType::wait_indefinitely()).map_err(|error| GpuError::Lost(error.to_string()))?;
        let mapped = receiver.await;
        if let Err(error) = self.health() {
            // The next run copies into it.
            if let Ok(Ok(())) = mapped {
                staging.0.buffer.unmap();
            }
            return Err(error);
        }
        match mapped {
            Ok(Ok(())) => Ok(()),
            Ok(Err(error)) => Err(GpuError::Validation(error.to_string())),
            Err(_) => Err(GpuError::Lost("it never answered".into())),
        }
    }

    /// Reads the start of a mapped staging.
    pub(super) fn take<T: bytemuck::Pod>(&self, staging: &Staging, bytes: u64) -> Result<Vec<T>, GpuError> {
        let view =
            staging.0.buffer.get_mapped_range(..bytes).map_err(|error| GpuError::Validation(error.to_string()))?;
        let values = bytemuck::pod_collect_to_vec(&view);
        drop(view);
        staging.0.buffer.unmap();
        Ok(values)
    }
}

/// A pass that runs the tasks in order.
pub(super) fn encode<'a>(
    encoder: &mut wgpu::CommandEncoder,
    tasks: impl IntoIterator<Item = &'a Task>,
    timestamp_writes: Option<wgpu::ComputePassTimestampWrites>,
) {
    let mut pass = encoder.begin_compute_pass(&wgpu::ComputePassDescriptor { label: None, timestamp_writes });
    for task in tasks {
        pass.set_pipeline(&task.pipeline);
        pass.set_bind_group(0, &task.bindings, &[]);
        pass.dispatch_workgroups(task.workgroups, 1, 1);
    }
}

/// Copies into the staging, one after the other; returns their bytes.
pub(super) fn encode_copies(encoder: &mut wgpu::CommandEncoder, copies: &[Slice<'_>], staging: &Staging) -> u64 {
    let mut bytes = 0;
    for copy in copies {
        encoder.copy_buffer_to_buffer(&copy.buffer.0.buffer, copy.offset(), &staging.0.buffer, bytes, copy.bytes());
        bytes += copy.bytes();
    }
    bytes
}
