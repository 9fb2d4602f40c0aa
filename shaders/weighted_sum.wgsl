// The splits scaled by their gates and summed:
//   y[c, p] = sum over r of gates[r * C + c] * splits[r * C + c, p]
//
// Layouts: activations in blocks of four channels, index = block * pixels + pixel; splits are the major
// axis. One invocation: four pixels of one block, `tiles` apart, so that a gate is read once for four.
// Dispatch: one for each of blocks * tiles, with tiles = ceil(pixels / 4).
// Twins: src/kernels/weighted_sum.rs, src/reference/weighted_sum.rs

struct Params {
    blocks: u32,
    pixels: u32,
    tiles: u32,
    radix: u32,
}

@group(0) @binding(0) var<uniform> params: Params;
@group(0) @binding(1) var<storage, read> splits: array<vec4<f32>>;
@group(0) @binding(2) var<storage, read> gates: array<vec4<f32>>;
@group(0) @binding(3) var<storage, read_write> output: array<vec4<f32>>;

override workgroup: u32 = 64u;

fn store(first: u32, pixel: u32, sum: vec4<f32>) {
    if (pixel < params.pixels) {
        output[first + pixel] = sum;
    }
}

@compute @workgroup_size(workgroup)
fn weighted_sum(@builtin(global_invocation_id) id: vec3<u32>) {
    let block = id.x / params.tiles;
    if (block >= params.blocks) {
        return;
    }
    let pixels = id.x % params.tiles + params.tiles * vec4(0u, 1u, 2u, 3u);
    // Pixels past the end repeat the last one; they are not stored.
    let at = min(pixels, vec4(params.pixels - 1u));
    var sum0 = vec4<f32>();
    var sum1 = vec4<f32>();
    var sum2 = vec4<f32>();
    var sum3 = vec4<f32>();
    for (var split = 0u; split < params.radix; split++) {
        let channel_block = split * params.blocks + block;
        let gate = gates[channel_block];
        let first = channel_block * params.pixels;
        sum0 += gate * splits[first + at.x];
        sum1 += gate * splits[first + at.y];
        sum2 += gate * splits[first + at.z];
        sum3 += gate * splits[first + at.w];
    }
    let first = block * params.pixels;
    store(first, pixels.x, sum0);
    store(first, pixels.y, sum1);
    store(first, pixels.z, sum2);
    store(first, pixels.w, sum3);
}
