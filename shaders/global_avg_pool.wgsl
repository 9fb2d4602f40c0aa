// Mean over the pixels of the sum over `radix` splits (radix 1: plain global pooling):
//   y[c] = sum over (r, p) of x[r * C + c, p] / pixels
//
// Layouts: activations in blocks of four channels, index = block * pixels + pixel; splits are the major
// axis. One invocation: one block. Dealing pixels out to invocations that meet in workgroup memory was
// measured to cost several times as much where the processor is the device.
// Dispatch: one invocation for each block of the output, in small workgroups that spread well.
// Twins: src/kernels/global_avg_pool.rs, src/reference/global_avg_pool.rs

struct Params {
    blocks: u32,
    pixels: u32,
    radix: u32,
}

@group(0) @binding(0) var<uniform> params: Params;
@group(0) @binding(1) var<storage, read> input: array<vec4<f32>>;
@group(0) @binding(2) var<storage, read_write> output: array<vec4<f32>>;

override workgroup: u32 = 8u;

@compute @workgroup_size(workgroup)
fn global_avg_pool(@builtin(global_invocation_id) id: vec3<u32>) {
    let block = id.x;
    if (block >= params.blocks) {
        return;
    }
    var sum = vec4<f32>();
    for (var split = 0u; split < params.radix; split++) {
        let first = (split * params.blocks + block) * params.pixels;
        for (var pixel = 0u; pixel < params.pixels; pixel++) {
            sum += input[first + pixel];
        }
    }
    output[block] = sum / f32(params.pixels);
}
