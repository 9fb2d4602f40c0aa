// A convolution with any kernel, stride, padding, dilation and number of groups:
//   y[o, i, j] = activate(bias[o] + shortcut[o, i, j]
//                + sum over (c, u, v) of weight[o, c, u, v] * x[c', s i + d u - p, s j + d v - p])
// where c' is channel c of the group of o, and x is zero outside the image.
//
// Layouts, parameters, the sums and all bindings but the weight's: shared/conv.wgsl.
// Dispatch: one invocation for each of `tiles` x ceil(out_blocks / tile_blocks).
// Twins: src/kernels/conv.rs, src/reference/conv.rs

override workgroup: u32 = 32u;

// Pixels outside the image are read from wherever the address leads, which WebGPU keeps inside the buffer, and
// dropped. No `&&`: each would be a branch.
fn load(rows: vec4<u32>, inside: vec4<bool>, column: u32) -> mat4x4<f32> {
    let seen = inside & vec4(column < params.in_width);
    return mat4x4<f32>(
        select(vec4(0.0), input[rows.x + column], seen.x),
        select(vec4(0.0), input[rows.y + column], seen.y),
        select(vec4(0.0), input[rows.z + column], seen.z),
        select(vec4(0.0), input[rows.w + column], seen.w),
    );
}

@compute @workgroup_size(workgroup)
fn conv(@builtin(global_invocation_id) id: vec3<u32>) {
    prepare_weight();
    let band = id.x / params.tiles;
    if (band * tile_blocks < params.out_blocks) {
        convolve(band, id.x - band * params.tiles, vec4(0u, 1u, 2u, 3u));
    }
}
