// Mean of every window; the divisor counts padding or not, but never what ceil_mode hangs over the
// padded image.
//
// Layouts: activations in blocks of four channels, index = block * pixels + pixel.
// One invocation: one pixel of one block. Dispatch: one for each of blocks * out_pixels.
// Twins: src/kernels/avg_pool.rs, src/reference/avg_pool.rs

@group(0) @binding(0) var<uniform> params: Params;
@group(0) @binding(1) var<storage, read> input: array<vec4<f32>>;
@group(0) @binding(2) var<storage, read_write> output: array<vec4<f32>>;

override workgroup: u32 = 64u;

@compute @workgroup_size(workgroup)
fn avg_pool(@builtin(global_invocation_id) id: vec3<u32>) {
    if (id.x >= params.invocations) {
        return;
    }
    let window = window_of(id.x);
    var sum = vec4<f32>();
    for (var y = window.top; y < window.bottom; y++) {
        for (var x = window.left; x < window.right; x++) {
            sum += input[window.first + y * params.in_width + x];
        }
    }
    var counted = (window.bottom - window.top) * (window.right - window.left);
    if (params.count_include_pad == 1u) {
        counted = window.padded_height * window.padded_width;
    }
    output[id.x] = sum / f32(counted);
}
