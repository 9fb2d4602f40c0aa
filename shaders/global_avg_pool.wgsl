// Mean over the pixels of the sum over `radix` splits (radix 1: plain global pooling):
//   y[c] = sum over (r, p) of x[r * C + c, p] / pixels
//
// Layouts: activations in blocks of four channels, index = block * pixels + pixel; splits are the major
// axis. One workgroup: one block, its pixels dealt out to `workgroup` invocations that meet in workgroup
// memory. Dispatch: one workgroup for each block of the output.
// Twins: src/kernels/global_avg_pool.rs, src/reference/global_avg_pool.rs

struct Params {
    blocks: u32,
    pixels: u32,
    radix: u32,
}

@group(0) @binding(0) var<uniform> params: Params;
@group(0) @binding(1) var<storage, read> input: array<vec4<f32>>;
@group(0) @binding(2) var<storage, read_write> output: array<vec4<f32>>;

const LANES: u32 = 32u;

var<workgroup> partial: array<vec4<f32>, LANES>;

@compute @workgroup_size(LANES)
fn global_avg_pool(@builtin(workgroup_id) group: vec3<u32>, @builtin(local_invocation_id) local: vec3<u32>) {
    let block = group.x;
    var sum = vec4<f32>();
    for (var split = 0u; split < params.radix; split++) {
        let first = (split * params.blocks + block) * params.pixels;
        for (var pixel = local.x; pixel < params.pixels; pixel += LANES) {
            sum += input[first + pixel];
        }
    }
    partial[local.x] = sum;
    workgroupBarrier();

    if (local.x == 0u) {
        for (var lane = 1u; lane < LANES; lane++) {
            sum += partial[lane];
        }
        output[block] = sum / f32(params.pixels);
    }
}
