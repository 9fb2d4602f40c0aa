// A linear layer, or a 1x1 convolution of a single pixel, in any number of groups:
//   y[o] = activate(bias[o] + shortcut[o] + sum over c of weight[o, c] * x[c'])
// where c' is channel c of the group of o.
//
// Layouts: vectors in blocks of four channels; the weight in 4x4 matrices (column = input channel),
// index = block * span + block of span; the span of a block is the run of input blocks that its groups
// read, with zero weights where a group ends inside an input block.
// One workgroup: four blocks, each by `lanes` invocations that take every lanes-th input block and meet
// in workgroup memory: there is little to compute and much weight to read.
// Dispatch: one workgroup for every four blocks.
// Twins: src/kernels/linear.rs, src/reference/linear.rs

struct Params {
    in_blocks: u32,
    in_per_group: u32,
    out_blocks: u32,
    out_per_group: u32,
    out_first_block: u32,
    span: u32,
    activation: u32,
    has_shortcut: u32,
}

@group(0) @binding(0) var<uniform> params: Params;
@group(0) @binding(1) var<storage, read> input: array<vec4<f32>>;
@group(0) @binding(2) var<storage, read> weight: array<mat4x4<f32>>;
@group(0) @binding(3) var<storage, read> bias: array<vec4<f32>>;
@group(0) @binding(4) var<storage, read> shortcut: array<vec4<f32>>;
@group(0) @binding(5) var<storage, read_write> output: array<vec4<f32>>;

const LANES: u32 = 16u;
const BLOCKS: u32 = 4u;

var<workgroup> partial: array<vec4<f32>, LANES * BLOCKS>;

@compute @workgroup_size(LANES, BLOCKS)
fn linear(@builtin(workgroup_id) group: vec3<u32>, @builtin(local_invocation_id) local: vec3<u32>) {
    let block = group.x * BLOCKS + local.y;
    // Blocks past the end repeat the last one, so that all reach the barrier; they are not stored.
    let row = min(block, params.out_blocks - 1u);
    let first_input = row * 4u / params.out_per_group * params.in_per_group / 4u;
    let first = min(first_input, params.in_blocks - params.span);
    var sum = vec4<f32>();
    for (var k = local.x; k < params.span; k += LANES) {
        sum += weight[row * params.span + k] * input[first + k];
    }
    partial[local.y * LANES + local.x] = sum;
    workgroupBarrier();

    if (local.x == 0u && block < params.out_blocks) {
        for (var lane = 1u; lane < LANES; lane++) {
            sum += partial[local.y * LANES + lane];
        }
        sum += bias[block];
        let index = params.out_first_block + block;
        if (params.has_shortcut == 1u) {
            sum += shortcut[index];
        }
        output[index] = activate(sum, params.activation);
    }
}
