use crate::graph::{Shape, Tensor};

/// Blocks of four channels.
pub fn blocks(channels: usize) -> u32 {
    channels.div_ceil(4) as u32
}

/// NCHW to blocks of four channels, `[ceil(C / 4), H * W, 4]`; channels past the end are zero.
pub fn pack_activation(tensor: &Tensor) -> Vec<f32> {
    let pixels = tensor.shape.pixels();
    let mut packed = vec![0.0; tensor.shape.stored_elements()];
    for (index, &value) in tensor.values.iter().enumerate() {
        let (channel, pixel) = (index / pixels, index % pixels);
        packed[(channel / 4 * pixels + pixel) * 4 + channel % 4] = value;
    }
    packed
}

/// The inverse of [`pack_activation`].
pub fn unpack_activation(packed: &[f32], shape: Shape) -> Tensor {
    let width = shape.width;
    Tensor::from_fn(shape, |channel, y, x| packed[(channel / 4 * shape.pixels() + y * width + x) * 4 + channel % 4])
}

/// A vector with zeros up to a whole number of blocks.
pub fn pack_vector(values: &[f32]) -> Vec<f32> {
    let mut packed = values.to_vec();
    packed.resize(values.len().next_multiple_of(4), 0.0);
    packed
}

/// Values of a texel.
pub const TEXEL: usize = 4;
/// Texels down and across that a texture may have on every WebGPU device.
const MOST_TEXELS: usize = 8192;
/// Texels of a row where so many rows will do: what is left of the last row is lost.
const SHORTEST_ROW: usize = 64;

/// Texels of a row of the texture that holds so many values, see `shaders/shared/weight_texture.wgsl`: a power of two.
pub fn texels_across(elements: usize) -> usize {
    let needed = elements.div_ceil(TEXEL * MOST_TEXELS);
    needed.next_power_of_two().max(SHORTEST_ROW)
}

/// As many values as fill the last row of their texture.
pub fn whole_rows(elements: usize) -> usize {
    elements.next_multiple_of(TEXEL * texels_across(elements))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn rows_of_texels_grow_when_a_texture_can_have_no_more_of_them() {
        let most = TEXEL * MOST_TEXELS * SHORTEST_ROW;
        assert_eq!((texels_across(16), texels_across(most), texels_across(most + 1)), (64, 64, 128));
        assert_eq!(whole_rows(16), 256);
        for elements in [1, 257, most - 1, most + 1, 3 * most, 1 << 25] {
            let (whole, across) = (whole_rows(elements), texels_across(elements));
            assert_eq!(texels_across(whole), across, "{elements}: a texture is made for whole rows");
            assert!(whole >= elements && whole.div_ceil(TEXEL * across) <= MOST_TEXELS, "{elements}");
        }
    }

    #[test]
    fn packing_can_be_undone() {
        let tensor = Tensor::from_fn(Shape::new(6, 2, 3), |c, y, x| (c * 100 + y * 10 + x) as f32);
        let packed = pack_activation(&tensor);
        assert_eq!(packed[..8], [0.0, 100.0, 200.0, 300.0, 1.0, 101.0, 201.0, 301.0]);
        assert_eq!(packed[24..28], [400.0, 500.0, 0.0, 0.0]);
        assert_eq!(unpack_activation(&packed, tensor.shape), tensor);
    }
}
