// linear.wgsl for adapters on which barriers are cheap and loads take long to arrive: the invocations of a workgroup
// deal the matrices of a block out among themselves, next to each other in every step.
//
// Layouts: as linear.wgsl. Dispatch: one workgroup for each block of the output.
// Parameters, bindings and `store`: shared/linear.wgsl.
// Twins: src/kernels/linear_shared.rs, src/reference/linear.rs

@compute @workgroup_size(WORKGROUP)
fn linear_shared(@builtin(workgroup_id) group_id: vec3<u32>, @builtin(local_invocation_index) local: u32) {
    let block = group_id.x;
    let first = first_input(block);
    var own = vec4<f32>();
    for (var k = local; k < params.span; k += WORKGROUP) {
        own += weight[block * params.span + k] * input[first + k];
    }
    let sum = sum_of_workgroup(local, own);
    if (local == 0u) {
        store(block, sum);
    }
}
