// conv_quad.wgsl for groups that are too narrow for a quad: the two invocations of a pair, half a quad, compute
// different channels of the same pixels, and each loads two rows of them for both.
//
// The bands of a pair read the same input, so each group has a multiple of two bands.
// Layouts, parameters, the sums and all bindings but the weight's: shared/conv.wgsl.
// Dispatch: one pair for each of `tiles` x ceil(out_blocks / tile_blocks / 2).
// Twins: src/kernels/conv_pair.rs, src/reference/conv.rs

override workgroup: u32 = 8u;

// As in conv.wgsl, of the first two rows; the neighbour's follow.
fn load(rows: vec4<u32>, inside: vec4<bool>, column: u32) -> mat4x4<f32> {
    let seen = column < params.in_width;
    let a = select(vec4(0.0), input[rows.x + column], inside.x & seen);
    let b = select(vec4(0.0), input[rows.y + column], inside.y & seen);
    return mat4x4<f32>(a, b, quadSwapX(a), quadSwapX(b));
}

@compute @workgroup_size(workgroup)
fn conv_pair(@builtin(global_invocation_id) id: vec3<u32>) {
    prepare_weight();
    let pair = id.x / 2u;
    let two = pair / params.tiles;
    let lane = id.x - pair * 2u;
    convolve(two * 2u + lane, pair - two * params.tiles, vec4(lane * 2u) ^ vec4(0u, 1u, 2u, 3u));
}
