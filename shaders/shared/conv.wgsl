// What conv.wgsl, conv_pair.wgsl and conv_quad.wgsl have in common: all but how an invocation comes by its pixels. Each
// has a
//   fn load(rows: vec4<u32>, inside: vec4<bool>, column: u32) -> mat4x4<f32>
// for the pixels of a column of the input in four rows, which begin at the addresses `rows`; those in rows that are
// not `inside` or in a column that is not are zero.
//
// Layouts: activations in blocks of four channels, index = block * pixels + pixel; the weight in 4x4
// matrices (column = input channel), index = ((band * span + block of span) * taps + tap) * tile_blocks
// + block of band. The span of a band is the run of input blocks that its groups read; where groups end
// inside a block, the weight is zero for the channels of others.
// One invocation: 4 x 4 pixels x `tile_blocks` blocks, as a 4x4 matrix (column = pixel) for each column of
// pixels and block. Loads cost most, so each weight serves 16 pixels and, where the step from pixel to
// pixel is that from tap to tap, a run of three taps shares six columns of the input.

struct Params {
    in_width: u32,
    in_height: u32,
    in_blocks: u32,
    in_per_group: u32,
    out_width: u32,
    out_height: u32,
    out_blocks: u32,
    out_per_group: u32,
    in_first_block: u32,
    out_first_block: u32,
    // Input blocks that one band of output blocks reads.
    span: u32,
    kernel: u32,
    stride: u32,
    pad_top: u32,
    pad_left: u32,
    dilation: u32,
    // Tiles of 4 x 4 pixels: side by side, and in all.
    tiles_across: u32,
    tiles: u32,
    activation: u32,
    has_bias: u32,
}

@group(0) @binding(0) var<uniform> params: Params;
@group(0) @binding(1) var<storage, read> input: array<vec4<f32>>;
@group(0) @binding(3) var<storage, read> bias: array<vec4<f32>>;
@group(0) @binding(4) var<storage, read> shortcut: array<vec4<f32>>;
@group(0) @binding(5) var<storage, read_write> output: array<vec4<f32>>;

override tile_blocks: u32 = 2u;
// Taps along a row that one step takes: 3 where stride and dilation are equal and 3 divides the kernel.
override taps: u32 = 1u;

// Stores a column of four pixels.
fn store(block: u32, rows: vec4<u32>, column: u32, column_sums: mat4x4<f32>) {
    if ((block >= params.out_blocks) | (column >= params.out_width)) {
        return;
    }
    let known = rows < vec4(params.out_height);
    let first = (params.out_first_block + block) * params.out_height * params.out_width;
    let at = first + rows * params.out_width + column;
    finish(block, at, known, column_sums);
}

// A 4 x 4 tile of `band`'s blocks; `order` says which row of the tile each column of a sum is, as `load` has it.
// Every invocation of a workgroup calls it, and turns in its loop as often as the others: `load` may need them.
fn convolve(band: u32, tile: u32, order: vec4<u32>) {
    let block = band * tile_blocks;
    let tile_row = tile / params.tiles_across;
    let rows = tile_row * 4u + order;
    let column = (tile - tile_row * params.tiles_across) * 4u;
    // Coordinates left of and above the image wrap round to huge numbers, which are outside too.
    let y = rows * params.stride - params.pad_top;
    let x = column * params.stride - params.pad_left;
    let group = block * 4u / params.out_per_group;
    // A band past the end, which a quad may have, reads what its last one does: there is one group then.
    let offset = min(group * params.in_per_group / 4u, params.in_blocks - params.span);

    // Sums: blocks a and b, pixel columns 0 to 3.
    var a0 = mat4x4<f32>();
    var a1 = mat4x4<f32>();
    var a2 = mat4x4<f32>();
    var a3 = mat4x4<f32>();
    var b0 = mat4x4<f32>();
    var b1 = mat4x4<f32>();
    var b2 = mat4x4<f32>();
    var b3 = mat4x4<f32>();
    // One loop over input blocks, rows and columns of the kernel: nested loops were measured to cost
    // as much again, since each carries all the sums.
    var start = (params.in_first_block + offset) * params.in_width * params.in_height;
    var u = 0u;
    var v = 0u;
    var w = band * params.span * params.kernel * params.kernel * tile_blocks;
    let steps = params.span * params.kernel * params.kernel / taps;
    for (var step = 0u; step < steps; step++) {
        let source = y + u * params.dilation;
        let inside = source < vec4(params.in_height);
        let at = start + source * params.in_width;
        let left = x + v * params.dilation;
        let x0 = load(at, inside, left);
        let x1 = load(at, inside, left + params.stride);
        let x2 = load(at, inside, left + 2u * params.stride);
        let x3 = load(at, inside, left + 3u * params.stride);
        if (taps == 3u) {
            // One sum for all taps: every step of a sum that the loop carries is a store under a mask on a processor.
            let x4 = load(at, inside, left + 4u * params.stride);
            let x5 = load(at, inside, left + 5u * params.stride);
            let w_a0 = matrix(w);
            let w_a1 = matrix(w + tile_blocks);
            let w_a2 = matrix(w + 2u * tile_blocks);
            a0 += w_a0 * x0 + w_a1 * x1 + w_a2 * x2;
            a1 += w_a0 * x1 + w_a1 * x2 + w_a2 * x3;
            a2 += w_a0 * x2 + w_a1 * x3 + w_a2 * x4;
            a3 += w_a0 * x3 + w_a1 * x4 + w_a2 * x5;
            if (tile_blocks > 1u) {
                let w_b0 = matrix(w + 1u);
                let w_b1 = matrix(w + tile_blocks + 1u);
                let w_b2 = matrix(w + 2u * tile_blocks + 1u);
                b0 += w_b0 * x0 + w_b1 * x1 + w_b2 * x2;
                b1 += w_b0 * x1 + w_b1 * x2 + w_b2 * x3;
                b2 += w_b0 * x2 + w_b1 * x3 + w_b2 * x4;
                b3 += w_b0 * x3 + w_b1 * x4 + w_b2 * x5;
            }
        } else {
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
        }
        w += taps * tile_blocks;
        v += taps;
        let row_done = v == params.kernel;
        v = select(v, 0u, row_done);
        u += select(0u, 1u, row_done);
        let block_done = u == params.kernel;
        u = select(u, 0u, block_done);
        start += select(0u, params.in_width * params.in_height, block_done);
    }

    // A loop, since a store that is written out once compiles many times faster.
    for (var i = 0u; i < 4u * tile_blocks; i++) {
        store(block + i / 4u, rows, column + i % 4u, a0);
        a0 = a1;
        a1 = a2;
        a2 = a3;
        a3 = b0;
        b0 = b1;
        b1 = b2;
        b2 = b3;
    }
}
