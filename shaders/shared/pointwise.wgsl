// What pointwise.wgsl and its rivals have in common: parameters, all bindings but the weight's, which each
// loads in its own way, and the store.

struct Params {
    // Input blocks of a group.
    in_blocks: u32,
    in_pixels: u32,
    in_width: u32,
    out_blocks: u32,
    // Output blocks of a group, a multiple of a band's where there are several.
    out_blocks_per_group: u32,
    out_pixels: u32,
    out_width: u32,
    in_first_block: u32,
    out_first_block: u32,
    stride: u32,
    // Runs of pixels: ceil(out_pixels / pixels of a tile).
    tiles: u32,
    activation: u32,
    has_bias: u32,
}

@group(0) @binding(0) var<uniform> params: Params;
@group(0) @binding(1) var<storage, read> input: array<vec4<f32>>;
@group(0) @binding(3) var<storage, read> bias: array<vec4<f32>>;
@group(0) @binding(4) var<storage, read> shortcut: array<vec4<f32>>;
@group(0) @binding(5) var<storage, read_write> output: array<vec4<f32>>;

// Stores four pixels.
fn store(block: u32, pixels: vec4<u32>, pixel_sums: mat4x4<f32>) {
    if (block >= params.out_blocks) {
        return;
    }
    let known = pixels < vec4(params.out_pixels);
    let at = (params.out_first_block + block) * params.out_pixels + pixels;
    finish(block, at, known, pixel_sums);
}
