// The sum over splits that no pooling follows:  y[c, p] = sum over r of x[r * C + c, p]
//
// Layouts: activations in blocks of four channels; splits are the major axis, so a split is a run of
// `invocations` vectors. One invocation: one pixel of one block, all splits.
// Twins: src/kernels/sum_splits.rs, src/reference/sum_splits.rs

struct Params {
    // Vectors of one split: blocks * pixels.
    invocations: u32,
    radix: u32,
}

@group(0) @binding(0) var<uniform> params: Params;
@group(0) @binding(1) var<storage, read> input: array<vec4<f32>>;
@group(0) @binding(2) var<storage, read_write> output: array<vec4<f32>>;

override workgroup: u32 = 64u;

@compute @workgroup_size(workgroup)
fn sum_splits(@builtin(global_invocation_id) id: vec3<u32>) {
    if (id.x >= params.invocations) {
        return;
    }
    var sum = vec4<f32>();
    for (var split = 0u; split < params.radix; split++) {
        sum += input[split * params.invocations + id.x];
    }
    output[id.x] = sum;
}
