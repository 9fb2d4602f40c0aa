// Mean over the pixels of the sum over `radix` splits (radix 1: plain global pooling):
//   y[c] = sum over (r, p) of x[r * C + c, p] / pixels
//
// Layouts: activations in blocks of four channels, index = block * pixels + pixel; splits are the major
// axis. One invocation: one block. Dealing pixels out to invocations that meet in workgroup memory
// (global_avg_pool_shared.wgsl) was measured to cost several times as much where the processor is the device.
// Dispatch: one invocation for each block of the output, in small workgroups that spread well.
// Parameters and bindings: shared/global_avg_pool.wgsl.
// Twins: src/kernels/global_avg_pool.rs, src/reference/global_avg_pool.rs

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
