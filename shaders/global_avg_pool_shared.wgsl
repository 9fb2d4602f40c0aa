// global_avg_pool.wgsl for adapters on which barriers are cheap and loads take long to arrive: the invocations of a
// workgroup deal a block's pixels out among themselves, next to each other in every step.
//
// Layouts: as global_avg_pool.wgsl. Dispatch: one workgroup for each block of the output.
// Parameters and bindings: shared/global_avg_pool.wgsl.
// Twins: src/kernels/global_avg_pool_shared.rs, src/reference/global_avg_pool.rs

@compute @workgroup_size(WORKGROUP)
fn global_avg_pool_shared(@builtin(workgroup_id) group_id: vec3<u32>, @builtin(local_invocation_index) local: u32) {
    let block = group_id.x;
    var own = vec4<f32>();
    for (var split = 0u; split < params.radix; split++) {
        let first = (split * params.blocks + block) * params.pixels;
        for (var pixel = local; pixel < params.pixels; pixel += WORKGROUP) {
            own += input[first + pixel];
        }
    }
    let sum = sum_of_workgroup(local, own);
    if (local == 0u) {
        output[block] = sum / f32(params.pixels);
    }
}
