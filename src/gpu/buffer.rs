use std::cell::Cell;
use std::rc::Rc;

use super::Gpu;

/// A buffer of the device. It is counted, and destroyed when dropped, since a browser's collector would take its
/// time: what is bound to it must not be run any more.
pub(super) struct Allocation {
    pub buffer: wgpu::Buffer,
    /// The count of the device's buffers, see [`Gpu::allocated_bytes`].
    allocated: Rc<Cell<u64>>,
}

impl Drop for Allocation {
    fn drop(&mut self) {
        self.buffer.destroy();
        self.allocated.set(self.allocated.get() - self.buffer.size());
    }
}

/// Memory on the device that kernels read and write, given back when dropped.
pub struct Buffer(pub(super) Allocation);

/// A run of a buffer's elements, to be bound, written or read back.
#[derive(Clone, Copy)]
pub struct Slice<'a> {
    pub buffer: &'a Buffer,
    pub first: usize,
    pub elements: usize,
}

impl Buffer {
    pub fn bytes(&self) -> u64 {
        self.0.buffer.size()
    }

    pub fn slice(&self, first: usize, elements: usize) -> Slice<'_> {
        Slice { buffer: self, first, elements }
    }

    pub fn whole(&self) -> Slice<'_> {
        self.slice(0, self.bytes() as usize / size_of::<f32>())
    }
}

impl Slice<'_> {
    pub(super) fn offset(&self) -> u64 {
        (self.first * size_of::<f32>()) as u64
    }

    pub(super) fn bytes(&self) -> u64 {
        (self.elements * size_of::<f32>()) as u64
    }
}

/// The parameters of many dispatches in one buffer, given back when dropped.
pub struct Uniforms {
    pub(super) allocation: Allocation,
    pub(super) stride: u64,
}

impl Uniforms {
    pub fn bytes(&self) -> u64 {
        self.allocation.buffer.size()
    }
}

impl Gpu {
    /// Bytes of all buffers and textures on the device that have not been dropped.
    pub fn allocated_bytes(&self) -> u64 {
        self.0.allocated.get()
    }

    pub(super) fn allocate(&self, label: &str, size: u64, usage: wgpu::BufferUsages) -> Allocation {
        let descriptor = wgpu::BufferDescriptor { label: Some(label), size, usage, mapped_at_creation: false };
        let (buffer, allocated) = (self.0.device.create_buffer(&descriptor), self.0.allocated.clone());
        allocated.set(allocated.get() + buffer.size());
        Allocation { buffer, allocated }
    }

    /// A buffer of `elements` zeros.
    pub fn storage(&self, label: &str, elements: usize) -> Buffer {
        let size = (elements.max(4) * size_of::<f32>()) as u64;
        let usage = wgpu::BufferUsages::STORAGE | wgpu::BufferUsages::COPY_DST | wgpu::BufferUsages::COPY_SRC;
        Buffer(self.allocate(label, size, usage))
    }

    /// A buffer that holds `values`.
    pub fn upload(&self, label: &str, values: &[f32]) -> Buffer {
        let buffer = self.storage(label, values.len());
        self.write(buffer.whole(), values);
        buffer
    }

    /// Writes `values` to the start of a slice.
    pub fn write(&self, to: Slice, values: &[f32]) {
        self.0.queue.write_buffer(&to.buffer.0.buffer, to.offset(), bytemuck::cast_slice(values));
    }

    /// One buffer for the parameters of many dispatches, each where a binding may start.
    pub fn uniforms<'a>(&self, params: impl IntoIterator<Item = &'a [u8]>) -> Uniforms {
        let stride = self.0.device.limits().min_uniform_buffer_offset_alignment as usize;
        let mut bytes = Vec::new();
        for params in params {
            assert!(params.len() <= stride, "parameters of {} bytes", params.len());
            bytes.extend_from_slice(params);
            bytes.resize(bytes.len().next_multiple_of(stride), 0);
        }
        let usage = wgpu::BufferUsages::UNIFORM | wgpu::BufferUsages::COPY_DST;
        let allocation = self.allocate("params", bytes.len().max(stride) as u64, usage);
        self.0.queue.write_buffer(&allocation.buffer, 0, &bytes);
        Uniforms { allocation, stride: stride as u64 }
    }
}
