// The weight as a buffer; in weight_texture.wgsl it is a texture.
@group(0) @binding(2) var<storage, read> weight: array<mat4x4<f32>>;

// Texels are what there is to prepare for.
fn prepare_weight() {}

fn matrix(index: u32) -> mat4x4<f32> {
    return weight[index];
}
