// Largest value of every window; padding never wins.
//
// Layouts: activations in blocks of four channels, index = block * pixels + pixel.
// One invocation: one pixel of one block. Dispatch: one for each of blocks * out_pixels.
// Twins: src/kernels/max_pool.rs, src/reference/max_pool.rs

@group(0) @binding(0) var<uniform> params: Params;
@group(0) @binding(1) var<storage, read> input: array<vec4<f32>>;
@group(0) @binding(2) var<storage, read_write> output: array<vec4<f32>>;

override workgroup: u32 = 64u;

@compute @workgroup_size(workgroup)
fn max_pool(@builtin(global_invocation_id) id: vec3<u32>) {
    if (id.x >= params.invocations) {
        return;
    }
    let window = window_of(id.x);
    var largest = vec4(-3.4028234e38);
    for (var y = window.top; y < window.bottom; y++) {
        for (var x = window.left; x < window.right; x++) {
            largest = max(largest, input[window.first + y * params.in_width + x]);
        }
    }
    output[id.x] = largest;
}
