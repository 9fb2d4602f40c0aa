// pointwise.wgsl where the four invocations of a quad exchange what they have loaded: they compute different channels
// of the same pixels, and each loads a quarter of these for all; see conv_quad.wgsl.
//
// Layouts and the sums: shared/pointwise_sums.wgsl. Parameters, the other bindings and `store`: shared/pointwise.wgsl.
// Dispatch: one quad for each of `tiles` x ceil(out_blocks / tile_blocks / 4).
// Twins: src/kernels/pointwise_quad.rs, src/reference/pointwise.rs

override workgroup: u32 = 8u;

fn load(at: vec4<u32>) -> mat4x4<f32> {
    return quad_pixels(input[at.x]);
}

@compute @workgroup_size(workgroup)
fn pointwise_quad(@builtin(global_invocation_id) id: vec3<u32>) {
    prepare_weight();
    let quad = id.x / 4u;
    let four = quad / params.tiles;
    let lane = id.x - quad * 4u;
    multiply(four * 4u + lane, quad - four * params.tiles, quad_order(lane));
}
