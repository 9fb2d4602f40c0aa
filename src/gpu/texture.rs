use std::cell::Cell;
use std::rc::Rc;

use super::{Buffer, Gpu, Slice};
use crate::kernels::{TEXEL, texels_across};

/// A texture that kernels sample, four values in a texel, row after row. As a buffer it is counted, and destroyed when
/// dropped.
pub struct Texture {
    texture: wgpu::Texture,
    view: wgpu::TextureView,
    bytes: u64,
    /// See [`Gpu::allocated_bytes`].
    allocated: Rc<Cell<u64>>,
}

impl Drop for Texture {
    fn drop(&mut self) {
        self.texture.destroy();
        self.allocated.set(self.allocated.get() - self.bytes);
    }
}

/// Values on the device in the form that their kernel reads.
pub enum Stored {
    Buffer(Buffer),
    Texture(Texture),
}

impl Stored {
    pub fn bytes(&self) -> u64 {
        match self {
            Self::Buffer(buffer) => buffer.bytes(),
            Self::Texture(texture) => texture.bytes,
        }
    }

    pub fn whole(&self) -> Bound<'_> {
        match self {
            Self::Buffer(buffer) => Bound::Slice(buffer.whole()),
            Self::Texture(texture) => Bound::Texture(texture),
        }
    }
}

/// What a kernel can be bound to.
#[derive(Clone, Copy)]
pub enum Bound<'a> {
    Slice(Slice<'a>),
    Texture(&'a Texture),
}

impl<'a> From<Slice<'a>> for Bound<'a> {
    fn from(slice: Slice<'a>) -> Self {
        Self::Slice(slice)
    }
}

impl<'a> Bound<'a> {
    pub(super) fn resource(self) -> wgpu::BindingResource<'a> {
        match self {
            Self::Slice(slice) => wgpu::BindingResource::Buffer(wgpu::BufferBinding {
                buffer: &slice.buffer.0.buffer,
                offset: slice.offset(),
                size: wgpu::BufferSize::new(slice.bytes()),
            }),
            Self::Texture(texture) => wgpu::BindingResource::TextureView(&texture.view),
        }
    }
}

impl Gpu {
    /// `values` in a texture if they are to be `sampled`, and else in a buffer.
    pub fn store(&self, label: &str, values: &[f32], sampled: bool) -> Stored {
        match sampled {
            true => Stored::Texture(self.upload_texture(label, values)),
            false => Stored::Buffer(self.upload(label, values)),
        }
    }

    /// `values`: whole rows, see [`texels_across`].
    fn upload_texture(&self, label: &str, values: &[f32]) -> Texture {
        let bytes = size_of_val(values) as u64;
        let width = texels_across(values.len()) as u32;
        let bytes_per_row = width * (TEXEL * size_of::<f32>()) as u32;
        let height = (bytes / u64::from(bytes_per_row)) as u32;
        assert_eq!(bytes, u64::from(height) * u64::from(bytes_per_row), "whole rows");
        let size = wgpu::Extent3d { width, height, depth_or_array_layers: 1 };
        let texture = self.0.device.create_texture(&wgpu::TextureDescriptor {
            label: Some(label),
            size,
            mip_level_count: 1,
            sample_count: 1,
            dimension: wgpu::TextureDimension::D2,
            format: wgpu::TextureFormat::Rgba32Float,
            usage: wgpu::TextureUsages::TEXTURE_BINDING | wgpu::TextureUsages::COPY_DST,
            view_formats: &[],
        });
        let layout = wgpu::TexelCopyBufferLayout { bytes_per_row: Some(bytes_per_row), ..Default::default() };
        self.0.queue.write_texture(texture.as_image_copy(), bytemuck::cast_slice(values), layout, size);
        let (view, allocated) = (texture.create_view(&Default::default()), self.0.allocated.clone());
        allocated.set(allocated.get() + bytes);
        Texture { texture, view, bytes, allocated }
    }
}
