// A linear layer, or a 1x1 convolution of a single pixel, in any number of groups:
//   y[o] = activate(bias[o] + shortcut[o] + sum over c of weight[o, c] * x[c'])
// where c' is channel c of the group of o.
//
// Layouts: vectors in blocks of four channels; the weight in 4x4 matrices (column = input channel),
// index = block * span + block of span; the span of a block is the run of input blocks that its groups
// read, with zero weights where a group ends inside an input block.
// One invocation: one block. Sharing a block out among invocations that meet in workgroup memory was
// measured to cost ten times as much where the processor is the device; small workgroups spread well.
// Dispatch: one invocation for each block of the output.
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

override workgroup: u32 = 16u;

@compute @workgroup_size(workgroup)
fn linear(@builtin(global_invocation_id) id: vec3<u32>) {
    let block = id.x;
    if (block >= params.out_blocks) {
        return;
    }
    let first_input = block * 4u / params.out_per_group * params.in_per_group / 4u;
    let first = min(first_input, params.in_blocks - params.span);
    var sum = bias[block];
    for (var k = 0u; k < params.span; k++) {
        sum += weight[block * params.span + k] * input[first + k];
    }
    let index = params.out_first_block + block;
    if (params.has_shortcut == 1u) {
        sum += shortcut[index];
    }
    output[index] = activate(sum, params.activation);
}
