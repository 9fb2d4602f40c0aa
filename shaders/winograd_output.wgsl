// The last of three steps of a 3x3 convolution by Winograd's F(4x4, 3x3), see winograd_input.wgsl: the 36
// products of a tile become its 4 x 4 pixels, and bias, shortcut and activation follow,
//   y = activate(bias + shortcut + A^T m A).
//
// Layouts: activations in blocks of four channels, index = block * pixels + pixel; the input as well, with a
// pixel for each tile and the channels of image e from e * channels on.
// Dispatch: one invocation for each of `tiles` x `blocks`.
// Twins: src/kernels/winograd_output.rs, src/reference/winograd_output.rs

struct Params {
    width: u32,
    height: u32,
    blocks: u32,
    first_block: u32,
    dilation: u32,
    tiles_across: u32,
    tiles_down: u32,
    tiles: u32,
    activation: u32,
    has_bias: u32,
}

@group(0) @binding(0) var<uniform> params: Params;
@group(0) @binding(1) var<storage, read> input: array<vec4<f32>>;
@group(0) @binding(2) var<storage, read> bias: array<vec4<f32>>;
@group(0) @binding(3) var<storage, read> shortcut: array<vec4<f32>>;
@group(0) @binding(4) var<storage, read_write> output: array<vec4<f32>>;

override workgroup: u32 = 32u;

const HALF_ROOT: f32 = 0.70710678;
const ROOT: f32 = 1.41421356;

// A^T m.
fn transform(m: array<vec4<f32>, 6>) -> mat4x4<f32> {
    let sum_a = m[1] + m[2];
    let difference_a = HALF_ROOT * (m[1] - m[2]);
    let sum_b = m[3] + m[4];
    let difference_b = ROOT * (m[3] - m[4]);
    return mat4x4<f32>(
        m[0] + sum_a + sum_b,
        difference_a + difference_b,
        0.5 * sum_a + 2.0 * sum_b,
        0.5 * difference_a + 2.0 * difference_b + m[5],
    );
}

// Four rows of one column of products.
fn column(at: u32, step: u32) -> mat4x4<f32> {
    return transform(array(
        input[at],
        input[at + 6u * step],
        input[at + 12u * step],
        input[at + 18u * step],
        input[at + 24u * step],
        input[at + 30u * step],
    ));
}

@compute @workgroup_size(workgroup)
fn winograd_output(@builtin(global_invocation_id) id: vec3<u32>) {
    let block = id.x / params.tiles;
    if (block >= params.blocks) {
        return;
    }
    let tile = id.x - block * params.tiles;
    let tile_row = tile / params.tiles_across;
    let tile_column = tile - tile_row * params.tiles_across;
    let phase = tile_row / params.tiles_down;
    let phase_y = phase / params.dilation;
    let y = (tile_row - phase * params.tiles_down) * 4u * params.dilation + phase_y;
    let x = (tile_column * 4u + vec4(0u, 1u, 2u, 3u)) * params.dilation + (phase - phase_y * params.dilation);
    let source = block * params.tiles + tile;
    let step = params.blocks * params.tiles;
    var a = column(source, step);
    var b = column(source + step, step);
    var c = column(source + 2u * step, step);
    var d = column(source + 3u * step, step);
    var e = column(source + 4u * step, step);
    var f = column(source + 5u * step, step);
    let first = (params.first_block + block) * params.width * params.height;
    // A loop, since a store that is written out once compiles many times faster.
    for (var row = 0u; row < 4u; row++) {
        let pixels = transform(array(a[0], b[0], c[0], d[0], e[0], f[0]));
        let line = y + row * params.dilation;
        let known = (x < vec4(params.width)) & vec4(line < params.height);
        finish(block, first + line * params.width + x, known, pixels);
        a = mat4x4<f32>(a[1], a[2], a[3], a[3]);
        b = mat4x4<f32>(b[1], b[2], b[3], b[3]);
        c = mat4x4<f32>(c[1], c[2], c[3], c[3]);
        d = mat4x4<f32>(d[1], d[2], d[3], d[3]);
        e = mat4x4<f32>(e[1], e[2], e[3], e[3]);
        f = mat4x4<f32>(f[1], f[2], f[3], f[3]);
    }
}
