// conv.wgsl where the four invocations of a quad exchange what they have loaded: they compute different channels
// of the same pixels, and each loads a row of them for all. Where a processor is the device, loads take most of the
// time and exchanges next to none.
//
// A quad's invocations are taken to be four neighbours of a workgroup in their order, which WGSL leaves open. Their bands
// read the same input, so each group has a multiple of four bands, or there is one group.
// Layouts, parameters, the sums and all bindings but the weight's: shared/conv.wgsl.
// Dispatch: one quad for each of `tiles` x ceil(out_blocks / tile_blocks / 4).
// Twins: src/kernels/conv_quad.rs, src/reference/conv.rs

override workgroup: u32 = 8u;

// As in conv.wgsl, of one row; the others' follow in the order of their rows.
fn load(rows: vec4<u32>, inside: vec4<bool>, column: u32) -> mat4x4<f32> {
    let own = select(vec4(0.0), input[rows.x + column], inside.x & (column < params.in_width));
    return quad_pixels(own);
}

@compute @workgroup_size(workgroup)
fn conv_quad(@builtin(global_invocation_id) id: vec3<u32>) {
    prepare_weight();
    let quad = id.x / 4u;
    let four = quad / params.tiles;
    let lane = id.x - quad * 4u;
    convolve(four * 4u + lane, quad - four * params.tiles, quad_order(lane));
}
