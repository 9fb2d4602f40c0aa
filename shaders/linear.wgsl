// A linear layer, or a 1x1 convolution of a single pixel, in any number of groups:
//   y[o] = activate(bias[o] + shortcut[o] + sum over c of weight[o, c] * x[c'])
// where c' is channel c of the group of o.
//
// Layouts: vectors in blocks of four channels; the weight in 4x4 matrices (column = input channel),
// index = block * span + block of span; the span of a block is the run of input blocks that its groups
// read, with zero weights where a group ends inside an input block.
// One invocation: one block. Sharing a block out among invocations that meet in workgroup memory (linear_shared.wgsl)
// was measured to cost ten times as much where the processor is the device; small workgroups spread well.
// Dispatch: one invocation for each block of the output.
// Parameters, bindings and `store`: shared/linear.wgsl.
// Twins: src/kernels/linear.rs, src/reference/linear.rs

override workgroup: u32 = 16u;

@compute @workgroup_size(workgroup)
fn linear(@builtin(global_invocation_id) id: vec3<u32>) {
    let block = id.x;
    if (block >= params.out_blocks) {
        return;
    }
    let first = first_input(block);
    var sum = vec4<f32>();
    for (var k = 0u; k < params.span; k++) {
        sum += weight[block * params.span + k] * input[first + k];
    }
    store(block, sum);
}
