// What pointwise.wgsl and pointwise_quad.wgsl have in common: all but how an invocation comes by its pixels. Each has a
//   fn load(at: vec4<u32>) -> mat4x4<f32>
// for four pixels of the input.
//
// Layouts: activations in blocks of four channels, index = block * pixels + pixel; the weight in 4x4
// matrices (column = input channel), index = (band * in_blocks + in_block) * tile_blocks + block of band.
// One invocation: 16 pixels x `tile_blocks` blocks, as four 4x4 matrices (column = pixel) per block.
// The 16 pixels lie `tiles` apart, so that neighbouring tiles read neighbouring addresses.


// 1, 2 or 4.
override tile_blocks: u32 = 4u;

// Where the pixels of the output lie in the input. Pixels past the end repeat the last one; they are
// never stored.
fn sources(pixels: vec4<u32>) -> vec4<u32> {
    let known = min(pixels, vec4(params.out_pixels - 1u));
    if (params.stride == 1u) {
        return known;
    }
    let rows = known / params.out_width;
    return (rows * params.in_width + known - rows * params.out_width) * params.stride;
}

// The pixels of a tile for the blocks of a band; `order` says which of four each column of a sum is, as `load` has it.
// Every invocation of a workgroup calls it, and turns in its loop as often as the others: `load` may need them.
fn multiply(band: u32, tile: u32, order: vec4<u32>) {
    let block = band * tile_blocks;
    let step = 4u * params.tiles;
    let pixels = tile + params.tiles * order;
    let at0 = sources(pixels);
    let at1 = sources(pixels + step);
    let at2 = sources(pixels + 2u * step);
    let at3 = sources(pixels + 3u * step);

    // Sums: blocks a to d, runs of pixels 0 to 3.
    var a0 = mat4x4<f32>();
    var a1 = mat4x4<f32>();
    var a2 = mat4x4<f32>();
    var a3 = mat4x4<f32>();
    var b0 = mat4x4<f32>();
    var b1 = mat4x4<f32>();
    var b2 = mat4x4<f32>();
    var b3 = mat4x4<f32>();
    var c0 = mat4x4<f32>();
    var c1 = mat4x4<f32>();
    var c2 = mat4x4<f32>();
    var c3 = mat4x4<f32>();
    var d0 = mat4x4<f32>();
    var d1 = mat4x4<f32>();
    var d2 = mat4x4<f32>();
    var d3 = mat4x4<f32>();
    var w = band * params.in_blocks * tile_blocks;
    // A band past the end, which a quad may have, reads what its last one does.
    let group = min(block, params.out_blocks - 1u) / params.out_blocks_per_group;
    var first = (params.in_first_block + group * params.in_blocks) * params.in_pixels;
    for (var k = 0u; k < params.in_blocks; k++) {
        let x0 = load(first + at0);
        let x1 = load(first + at1);
        let x2 = load(first + at2);
        let x3 = load(first + at3);
        let w_a = matrix(w);
        a0 += w_a * x0;
        a1 += w_a * x1;
        a2 += w_a * x2;
        a3 += w_a * x3;
        if (tile_blocks > 1u) {
            let w_b = matrix(w + 1u);
            b0 += w_b * x0;
            b1 += w_b * x1;
            b2 += w_b * x2;
            b3 += w_b * x3;
        }
        if (tile_blocks > 2u) {
            let w_c = matrix(w + 2u);
            c0 += w_c * x0;
            c1 += w_c * x1;
            c2 += w_c * x2;
            c3 += w_c * x3;
            let w_d = matrix(w + 3u);
            d0 += w_d * x0;
            d1 += w_d * x1;
            d2 += w_d * x2;
            d3 += w_d * x3;
        }
        w += tile_blocks;
        first += params.in_pixels;
    }

    // A loop, since a store that is written out once compiles many times faster.
    for (var i = 0u; i < 4u * tile_blocks; i++) {
        store(block + i / 4u, pixels + i % 4u * step, a0);
        a0 = a1;
        a1 = a2;
        a2 = a3;
        a3 = b0;
        b0 = b1;
        b1 = b2;
        b2 = b3;
        b3 = c0;
        c0 = c1;
        c1 = c2;
        c2 = c3;
        c3 = d0;
        d0 = d1;
        d1 = d2;
        d2 = d3;
    }
}
