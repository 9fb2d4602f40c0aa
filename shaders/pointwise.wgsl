// A 1x1 convolution of one group, as a matrix product:
//   y[o, p] = activate(bias[o] + sum over c of weight[o, c] * x[c, source(p)] + shortcut[o, p])
// where source(p) is p itself, or every stride-th pixel along both axes.
//
// Layouts: activations in blocks of four channels, index = block * pixels + pixel; the weight in 4x4
// matrices (column = input channel), index = (band * in_blocks + in_block) * tile_blocks + block of band.
// One invocation: 8 pixels x `tile_blocks` blocks, as two 4x4 matrices (four pixels each) per block.
// The 8 pixels lie `tiles` apart, so that neighbouring invocations read neighbouring addresses.
// Dispatch: one invocation for each of `tiles` x ceil(out_blocks / tile_blocks).
// Twins: src/kernels/pointwise.rs, src/reference/pointwise.rs

struct Params {
    in_blocks: u32,
    in_pixels: u32,
    in_width: u32,
    out_blocks: u32,
    out_pixels: u32,
    out_width: u32,
    in_first_block: u32,
    out_first_block: u32,
    stride: u32,
    // Runs of pixels: ceil(out_pixels / 8).
    tiles: u32,
    activation: u32,
    has_shortcut: u32,
}

@group(0) @binding(0) var<uniform> params: Params;
@group(0) @binding(1) var<storage, read> input: array<vec4<f32>>;
@group(0) @binding(2) var<storage, read> weight: array<mat4x4<f32>>;
@group(0) @binding(3) var<storage, read> bias: array<vec4<f32>>;
@group(0) @binding(4) var<storage, read> shortcut: array<vec4<f32>>;
@group(0) @binding(5) var<storage, read_write> output: array<vec4<f32>>;

override workgroup: u32 = 32u;
override tile_blocks: u32 = 4u;

fn source(pixel: u32) -> u32 {
    if (params.stride == 1u) {
        return pixel;
    }
    let row = pixel / params.out_width;
    return (row * params.in_width + pixel - row * params.out_width) * params.stride;
}

fn load(block: u32, at: vec4<u32>) -> mat4x4<f32> {
    let first = (params.in_first_block + block) * params.in_pixels;
    return mat4x4<f32>(input[first + at.x], input[first + at.y], input[first + at.z], input[first + at.w]);
}

fn store_pixel(block: u32, pixel: u32, sum: vec4<f32>) {
    if (pixel >= params.out_pixels) {
        return;
    }
    var value = sum + bias[block];
    let index = (params.out_first_block + block) * params.out_pixels + pixel;
    if (params.has_shortcut == 1u) {
        value += shortcut[index];
    }
    output[index] = activate(value, params.activation);
}

fn store(block: u32, pixels: vec4<u32>, sums: mat4x4<f32>) {
    if (block >= params.out_blocks) {
        return;
    }
    store_pixel(block, pixels.x, sums[0]);
    store_pixel(block, pixels.y, sums[1]);
    store_pixel(block, pixels.z, sums[2]);
    store_pixel(block, pixels.w, sums[3]);
}

@compute @workgroup_size(workgroup)
fn pointwise(@builtin(global_invocation_id) id: vec3<u32>) {
    let band = id.x / params.tiles;
    let block = band * tile_blocks;
    if (block >= params.out_blocks) {
        return;
    }
    let near = id.x % params.tiles + params.tiles * vec4(0u, 1u, 2u, 3u);
    let far = near + 4u * params.tiles;
    // Pixels past the end repeat the last one; they are never stored.
    let last = vec4(params.out_pixels - 1u);
    let near_at = min(near, last);
    let far_at = min(far, last);
    let near_source = vec4(source(near_at.x), source(near_at.y), source(near_at.z), source(near_at.w));
    let far_source = vec4(source(far_at.x), source(far_at.y), source(far_at.z), source(far_at.w));

    var near0 = mat4x4<f32>();
    var near1 = mat4x4<f32>();
    var near2 = mat4x4<f32>();
    var near3 = mat4x4<f32>();
    var far0 = mat4x4<f32>();
    var far1 = mat4x4<f32>();
    var far2 = mat4x4<f32>();
    var far3 = mat4x4<f32>();
    var w = band * params.in_blocks * tile_blocks;
    for (var k = 0u; k < params.in_blocks; k++) {
        let x_near = load(k, near_source);
        let x_far = load(k, far_source);
        near0 += weight[w] * x_near;
        far0 += weight[w] * x_far;
        if (tile_blocks > 1u) {
            near1 += weight[w + 1u] * x_near;
            far1 += weight[w + 1u] * x_far;
        }
        if (tile_blocks > 2u) {
            near2 += weight[w + 2u] * x_near;
            far2 += weight[w + 2u] * x_far;
            near3 += weight[w + 3u] * x_near;
            far3 += weight[w + 3u] * x_far;
        }
        w += tile_blocks;
    }

    store(block, near, near0);
    store(block, far, far0);
    if (tile_blocks > 1u) {
        store(block + 1u, near, near1);
        store(block + 1u, far, far1);
    }
    if (tile_blocks > 2u) {
        store(block + 2u, near, near2);
        store(block + 2u, far, far2);
        store(block + 3u, near, near3);
        store(block + 3u, far, far3);
    }
}
