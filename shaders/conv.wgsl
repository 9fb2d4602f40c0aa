// A convolution with any kernel, stride, padding, dilation and number of groups:
//   y[o, i, j] = activate(bias[o] + shortcut[o, i, j]
//                + sum over (c, u, v) of weight[o, c, u, v] * x[c', s i + d u - p, s j + d v - p])
// where c' is channel c of the group of o, and x is zero outside the image.
//
// Layouts: activations in blocks of four channels, index = block * pixels + pixel; the weight in 4x4
// matrices (column = input channel), index = ((band * span + block of span) * taps + tap) * tile_blocks
// + block of band. The span of a band is the run of input blocks that its groups read; where groups end
// inside a block, the weight is zero for the channels of others.
// One invocation: 8 pixels x `tile_blocks` blocks, as two 4x4 matrices (four pixels each) per block.
// The 8 pixels lie `tiles` apart, so that neighbouring invocations read neighbouring addresses.
// Dispatch: one invocation for each of `tiles` x ceil(out_blocks / tile_blocks).
// Twins: src/kernels/conv.rs, src/reference/conv.rs

struct Params {
    in_width: u32,
    in_height: u32,
    in_blocks: u32,
    in_per_group: u32,
    out_width: u32,
    out_pixels: u32,
    out_blocks: u32,
    out_per_group: u32,
    in_first_block: u32,
    out_first_block: u32,
    // Input blocks that one band of output blocks reads.
    span: u32,
    kernel: u32,
    stride: u32,
    pad_top: u32,
    pad_left: u32,
    dilation: u32,
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

// Four pixels of one tap: their offsets in a channel block, and whether they lie on the image.
struct Taps {
    at: vec4<u32>,
    inside: vec4<bool>,
}

fn taps(rows: vec4<u32>, columns: vec4<u32>, u: u32, v: u32) -> Taps {
    // Coordinates left of and above the image wrap round to huge numbers, which are outside too.
    let y = rows + u * params.dilation - params.pad_top;
    let x = columns + v * params.dilation - params.pad_left;
    let inside = (y < vec4(params.in_height)) & (x < vec4(params.in_width));
    return Taps(select(vec4(0u), y * params.in_width + x, inside), inside);
}

fn load(first: u32, taps: Taps) -> mat4x4<f32> {
    return mat4x4<f32>(
        select(vec4(0.0), input[first + taps.at.x], taps.inside.x),
        select(vec4(0.0), input[first + taps.at.y], taps.inside.y),
        select(vec4(0.0), input[first + taps.at.z], taps.inside.z),
        select(vec4(0.0), input[first + taps.at.w], taps.inside.w),
    );
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
fn conv(@builtin(global_invocation_id) id: vec3<u32>) {
    let band = id.x / params.tiles;
    let block = band * tile_blocks;
    if (block >= params.out_blocks) {
        return;
    }
    let near = id.x % params.tiles + params.tiles * vec4(0u, 1u, 2u, 3u);
    let far = near + 4u * params.tiles;
    let near_rows = near / params.out_width;
    let near_columns = (near - near_rows * params.out_width) * params.stride;
    let far_rows = far / params.out_width;
    let far_columns = (far - far_rows * params.out_width) * params.stride;
    let in_pixels = params.in_width * params.in_height;
    let group = block * 4u / params.out_per_group;
    let offset = min(group * params.in_per_group / 4u, params.in_blocks - params.span);
    let first = params.in_first_block + offset;

    var near0 = mat4x4<f32>();
    var near1 = mat4x4<f32>();
    var near2 = mat4x4<f32>();
    var near3 = mat4x4<f32>();
    var far0 = mat4x4<f32>();
    var far1 = mat4x4<f32>();
    var far2 = mat4x4<f32>();
    var far3 = mat4x4<f32>();
    var w = band * params.span * params.kernel * params.kernel * tile_blocks;
    for (var k = first; k < first + params.span; k++) {
        for (var u = 0u; u < params.kernel; u++) {
            for (var v = 0u; v < params.kernel; v++) {
                let x_near = load(k * in_pixels, taps(near_rows * params.stride, near_columns, u, v));
                let x_far = load(k * in_pixels, taps(far_rows * params.stride, far_columns, u, v));
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
        }
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
