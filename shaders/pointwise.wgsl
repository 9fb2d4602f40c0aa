// A 1x1 convolution whose groups are whole bands of blocks, as a matrix product for each group:
//   y[o, p] = activate(bias[o] + sum over c of weight[o, c] * x[c', source(p)] + shortcut[o, p])
// where c' is channel c of the group of o, and source(p) is p itself, or every stride-th pixel along both axes.
//
// Layouts and the sums: shared/pointwise_sums.wgsl. Parameters, the other bindings and `store`: shared/pointwise.wgsl.
// Dispatch: one invocation for each of `tiles` x ceil(out_blocks / tile_blocks).
// Twins: src/kernels/pointwise.rs, src/reference/pointwise.rs

override workgroup: u32 = 32u;

fn load(at: vec4<u32>) -> mat4x4<f32> {
    return mat4x4<f32>(input[at.x], input[at.y], input[at.z], input[at.w]);
}

@compute @workgroup_size(workgroup)
fn pointwise(@builtin(global_invocation_id) id: vec3<u32>) {
    prepare_weight();
    let band = id.x / params.tiles;
    if (band * tile_blocks < params.out_blocks) {
        multiply(band, id.x - band * params.tiles, vec4(0u, 1u, 2u, 3u));
    }
}
