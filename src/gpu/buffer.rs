use super::Gpu;

/// Memory on the device that kernels read and write.
#[derive(Clone)]
pub struct Buffer(pub(super) wgpu::Buffer);

impl Buffer {
    pub fn bytes(&self) -> u64 {
        self.0.size()
    }

    /// Gives the memory back now: a browser's collector would take its time.
    pub fn destroy(&self) {
        self.0.destroy();
    }
}

/// The parameters of many dispatches in one buffer.
pub struct Uniforms {
    pub(super) buffer: wgpu::Buffer,
    pub(super) stride: u64,
}

impl Uniforms {
    pub fn bytes(&self) -> u64 {
        self.buffer.size()
    }

    /// See [`Buffer::destroy`].
    pub fn destroy(&self) {
        self.buffer.destroy();
    }
}

impl Gpu {
    /// A buffer of `elements` zeros.
    pub fn storage(&self, label: &str, elements: usize) -> Buffer {
        Buffer(self.0.device.create_buffer(&wgpu::BufferDescriptor {
            label: Some(label),
            size: (elements.max(4) * size_of::<f32>()) as u64,
            usage: wgpu::BufferUsages::STORAGE | wgpu::BufferUsages::COPY_DST | wgpu::BufferUsages::COPY_SRC,
            mapped_at_creation: false,
        }))
    }

    /// A buffer that holds `values`.
    pub fn upload(&self, label: &str, values: &[f32]) -> Buffer {
        let buffer = self.storage(label, values.len());
        self.write(&buffer, values);
        buffer
    }

    pub fn write(&self, buffer: &Buffer, values: &[f32]) {
        self.0.queue.write_buffer(&buffer.0, 0, bytemuck::cast_slice(values));
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
        let buffer = self.0.device.create_buffer(&wgpu::BufferDescriptor {
            label: Some("params"),
            size: bytes.len().max(stride) as u64,
            usage: wgpu::BufferUsages::UNIFORM | wgpu::BufferUsages::COPY_DST,
            mapped_at_creation: false,
        });
        self.0.queue.write_buffer(&buffer, 0, &bytes);
        Uniforms { buffer, stride: stride as u64 }
    }
}
