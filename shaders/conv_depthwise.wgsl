// A convolution of every channel by itself, 3x3 or 5x5 with stride 1 or 2:
//   y[c, i, j] = activate(bias[c] + shortcut[c, i, j]
//                + sum over (u, v) of weight[c, u, v] * x[c, s i + u - p, s j + v - p])
// where x is zero outside the image. conv.wgsl would multiply by matrices that are zero but for their diagonals.
//
// Layouts: activations in blocks of four channels, index = block * pixels + pixel; the weight in vectors of four
// channels, index = block * kernel * kernel + tap.
// One invocation: four columns of `rows` rows of a block. It goes down the rows of the input, loads each once and adds
// it to all rows of the output that it belongs to, of which several are in progress.
// Dispatch: one invocation for each of `runs` x blocks.
// Twins: src/kernels/conv_depthwise.rs, src/reference/conv.rs

struct Params {
    in_width: u32,
    in_height: u32,
    out_width: u32,
    out_height: u32,
    blocks: u32,
    in_first_block: u32,
    out_first_block: u32,
    pad_top: u32,
    pad_left: u32,
    rows: u32,
    // Runs of four columns and `rows` rows: side by side, and in all.
    runs_across: u32,
    runs: u32,
    activation: u32,
    has_bias: u32,
}

@group(0) @binding(0) var<uniform> params: Params;
@group(0) @binding(1) var<storage, read> input: array<vec4<f32>>;
@group(0) @binding(2) var<storage, read> weight: array<vec4<f32>>;
@group(0) @binding(3) var<storage, read> bias: array<vec4<f32>>;
@group(0) @binding(4) var<storage, read> shortcut: array<vec4<f32>>;
@group(0) @binding(5) var<storage, read_write> output: array<vec4<f32>>;

override workgroup: u32 = 32u;
// 3 or 5.
override kernel: u32 = 3u;
// 1 or 2.
override stride: u32 = 1u;

// A row of the kernel; the last two taps are those of a 5x5.
struct Taps {
    a: vec4<f32>,
    b: vec4<f32>,
    c: vec4<f32>,
    d: vec4<f32>,
    e: vec4<f32>,
}

fn taps(block: u32, row: u32) -> Taps {
    let at = (block * kernel + row) * kernel;
    var row_taps = Taps(weight[at], weight[at + 1u], weight[at + 2u], vec4(0.0), vec4(0.0));
    if (kernel > 3u) {
        row_taps.d = weight[at + 3u];
        row_taps.e = weight[at + 4u];
    }
    return row_taps;
}

// A row of the input under four windows, as far as kernel and stride reach.
struct Pixels {
    p0: vec4<f32>,
    p1: vec4<f32>,
    p2: vec4<f32>,
    p3: vec4<f32>,
    p4: vec4<f32>,
    p5: vec4<f32>,
    p6: vec4<f32>,
    p7: vec4<f32>,
    p8: vec4<f32>,
    p9: vec4<f32>,
    p10: vec4<f32>,
}

// Coordinates left of and above the image have wrapped round to huge numbers, which are outside too; a pixel outside is
// read from wherever the address leads, which WebGPU keeps inside the buffer, and dropped.
fn pixel(start: u32, is_row: bool, column: u32, ahead: u32) -> vec4<f32> {
    if (ahead >= 3u * stride + kernel) {
        return vec4(0.0);
    }
    let at = column + ahead;
    return select(vec4(0.0), input[start + at], is_row & (at < params.in_width));
}

fn pixels(block: u32, row: u32, column: u32) -> Pixels {
    let start = ((params.in_first_block + block) * params.in_height + row) * params.in_width;
    let is_row = row < params.in_height;
    return Pixels(
        pixel(start, is_row, column, 0u),
        pixel(start, is_row, column, 1u),
        pixel(start, is_row, column, 2u),
        pixel(start, is_row, column, 3u),
        pixel(start, is_row, column, 4u),
        pixel(start, is_row, column, 5u),
        pixel(start, is_row, column, 6u),
        pixel(start, is_row, column, 7u),
        pixel(start, is_row, column, 8u),
        pixel(start, is_row, column, 9u),
        pixel(start, is_row, column, 10u),
    );
}

// What a row of the kernel makes of one window; 3x3 drops the last two pixels.
fn window(t: Taps, a: vec4<f32>, b: vec4<f32>, c: vec4<f32>, d: vec4<f32>, e: vec4<f32>) -> vec4<f32> {
    let sum = t.a * a + t.b * b + t.c * c;
    if (kernel > 3u) {
        return sum + (t.d * d + t.e * e);
    }
    return sum;
}

// What it makes of a row of the input: a column for each of the four windows.
fn weigh(t: Taps, x: Pixels) -> mat4x4<f32> {
    if (stride == 1u) {
        return mat4x4<f32>(
            window(t, x.p0, x.p1, x.p2, x.p3, x.p4),
            window(t, x.p1, x.p2, x.p3, x.p4, x.p5),
            window(t, x.p2, x.p3, x.p4, x.p5, x.p6),
            window(t, x.p3, x.p4, x.p5, x.p6, x.p7),
        );
    }
    return mat4x4<f32>(
        window(t, x.p0, x.p1, x.p2, x.p3, x.p4),
        window(t, x.p2, x.p3, x.p4, x.p5, x.p6),
        window(t, x.p4, x.p5, x.p6, x.p7, x.p8),
        window(t, x.p6, x.p7, x.p8, x.p9, x.p10),
    );
}

@compute @workgroup_size(workgroup)
fn conv_depthwise(@builtin(global_invocation_id) id: vec3<u32>) {
    let block = id.x / params.runs;
    if (block >= params.blocks) {
        return;
    }
    let run = id.x - block * params.runs;
    let run_row = run / params.runs_across;
    let columns = (run - run_row * params.runs_across) * 4u + vec4(0u, 1u, 2u, 3u);
    let top = run_row * params.rows;
    let x = columns.x * stride - params.pad_left;
    let y = top * stride - params.pad_top;

    let w0 = taps(block, 0u);
    let w1 = taps(block, 1u);
    let w2 = taps(block, 2u);
    var w3 = w2;
    var w4 = w2;
    if (kernel > 3u) {
        w3 = taps(block, 3u);
        w4 = taps(block, 4u);
    }

    // The rows of the output in progress, the oldest first: as many as the kernel has rows beyond the first, or half as
    // many.
    var s0 = mat4x4<f32>();
    var s1 = mat4x4<f32>();
    var s2 = mat4x4<f32>();
    var s3 = mat4x4<f32>();
    let lag = (kernel - 1u) / stride;
    for (var step = 0u; step < params.rows + lag; step++) {
        let row = pixels(block, y + step * stride, x);
        var done = s0;
        if (stride == 1u && kernel == 3u) {
            done += weigh(w2, row);
            s0 = s1 + weigh(w1, row);
            s1 = weigh(w0, row);
        } else if (stride == 1u) {
            done += weigh(w4, row);
            s0 = s1 + weigh(w3, row);
            s1 = s2 + weigh(w2, row);
            s2 = s3 + weigh(w1, row);
            s3 = weigh(w0, row);
        } else {
            let odd = pixels(block, y + step * 2u + 1u, x);
            if (kernel == 3u) {
                done += weigh(w2, row);
                s0 = weigh(w0, row) + weigh(w1, odd);
            } else {
                done += weigh(w4, row);
                s0 = s1 + weigh(w2, row) + weigh(w3, odd);
                s1 = weigh(w0, row) + weigh(w1, odd);
            }
        }
        // The first steps have begun rows, but finished none.
        let finished = top + step - lag;
        let known = (columns < vec4(params.out_width)) & vec4((step >= lag) & (finished < params.out_height));
        let at = ((params.out_first_block + block) * params.out_height + finished) * params.out_width + columns;
        finish(block, at, known, done);
    }
}
