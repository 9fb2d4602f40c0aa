// The first of three steps of a 3x3 convolution by Winograd's F(4x4, 3x3) (arXiv 1509.09308): every tile of
// 6 x 6 pixels of the input, of which neighbours share two rows or columns, becomes 36 values,
//   v = B^T d B.
// They are the pixels of 36 images with a pixel for each tile; between pointwise.wgsl, which multiplies each
// by its own matrix, and winograd_output.wgsl 36 multiplications do for 16 pixels instead of 144.
//
// A dilated convolution is as many convolutions as it has phases, the pixels whose coordinates leave the same
// remainders when divided by the dilation: the tiles of phase (py, px) are rows (py * dilation + px) * tiles_down
// and on.
//
// The polynomials are evaluated at 0, +-1/sqrt(2), +-sqrt(2) and infinity rather than at the usual +-1 and +-2:
// that was measured to halve the rounding error, to twice a direct convolution's.
//
// Layouts: activations in blocks of four channels, index = block * pixels + pixel; the output as well, with
// the channels of image e from e * channels on.
// Dispatch: one invocation for each of `tiles` x `blocks`.
// Twins: src/kernels/winograd_input.rs, src/reference/winograd_input.rs

struct Params {
    width: u32,
    height: u32,
    blocks: u32,
    first_block: u32,
    pad_top: u32,
    pad_left: u32,
    dilation: u32,
    tiles_across: u32,
    tiles_down: u32,
    tiles: u32,
}

@group(0) @binding(0) var<uniform> params: Params;
@group(0) @binding(1) var<storage, read> input: array<vec4<f32>>;
@group(0) @binding(2) var<storage, read_write> output: array<vec4<f32>>;

override workgroup: u32 = 32u;

const HALF_ROOT: f32 = 0.70710678;
const ROOT: f32 = 1.41421356;

// B^T d.
fn transform(d: array<vec4<f32>, 6>) -> array<vec4<f32>, 6> {
    let even_a = d[4] - 2.0 * d[2];
    let odd_a = HALF_ROOT * d[3] - ROOT * d[1];
    let even_b = d[4] - 0.5 * d[2];
    let odd_b = ROOT * d[3] - HALF_ROOT * d[1];
    return array(
        d[0] - 2.5 * d[2] + d[4],
        even_a + odd_a,
        even_a - odd_a,
        even_b + odd_b,
        even_b - odd_b,
        d[1] - 2.5 * d[3] + d[5],
    );
}

// A column of six pixels of a phase, transformed. Those outside the image are read from wherever the address leads,
// which WebGPU keeps inside the buffer, and dropped.
fn column(start: u32, y: u32, x: u32) -> array<vec4<f32>, 6> {
    let seen = x < params.width;
    let at = start + y * params.width + x;
    let step = params.dilation;
    let row = step * params.width;
    return transform(array(
        select(vec4(0.0), input[at], seen & (y < params.height)),
        select(vec4(0.0), input[at + row], seen & (y + step < params.height)),
        select(vec4(0.0), input[at + 2u * row], seen & (y + 2u * step < params.height)),
        select(vec4(0.0), input[at + 3u * row], seen & (y + 3u * step < params.height)),
        select(vec4(0.0), input[at + 4u * row], seen & (y + 4u * step < params.height)),
        select(vec4(0.0), input[at + 5u * row], seen & (y + 5u * step < params.height)),
    ));
}

// Transforms a row and stores it as the pixels of six images.
fn store(at: u32, step: u32, d: array<vec4<f32>, 6>) {
    let row = transform(d);
    output[at] = row[0];
    output[at + step] = row[1];
    output[at + 2u * step] = row[2];
    output[at + 3u * step] = row[3];
    output[at + 4u * step] = row[4];
    output[at + 5u * step] = row[5];
}

@compute @workgroup_size(workgroup)
fn winograd_input(@builtin(global_invocation_id) id: vec3<u32>) {
    let block = id.x / params.tiles;
    if (block >= params.blocks) {
        return;
    }
    let tile = id.x - block * params.tiles;
    let tile_row = tile / params.tiles_across;
    let tile_column = tile - tile_row * params.tiles_across;
    let phase = tile_row / params.tiles_down;
    let phase_y = phase / params.dilation;
    let phase_x = phase - phase_y * params.dilation;
    // Coordinates left of and above the image wrap round to huge numbers, which are outside too.
    let y = (tile_row - phase * params.tiles_down) * 4u * params.dilation + phase_y - params.pad_top;
    let x = tile_column * 4u * params.dilation + phase_x - params.pad_left;
    let start = (params.first_block + block) * params.width * params.height;
    let a = column(start, y, x);
    let b = column(start, y, x + params.dilation);
    let c = column(start, y, x + 2u * params.dilation);
    let d = column(start, y, x + 3u * params.dilation);
    let e = column(start, y, x + 4u * params.dilation);
    let f = column(start, y, x + 5u * params.dilation);
    let at = block * params.tiles + tile;
    let step = params.blocks * params.tiles;
    store(at, step, array(a[0], b[0], c[0], d[0], e[0], f[0]));
    store(at + 6u * step, step, array(a[1], b[1], c[1], d[1], e[1], f[1]));
    store(at + 12u * step, step, array(a[2], b[2], c[2], d[2], e[2], f[2]));
    store(at + 18u * step, step, array(a[3], b[3], c[3], d[3], e[3], f[3]));
    store(at + 24u * step, step, array(a[4], b[4], c[4], d[4], e[4], f[4]));
    store(at + 30u * step, step, array(a[5], b[5], c[5], d[5], e[5], f[5]));
}
