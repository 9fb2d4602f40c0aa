// The sum of two activations that no convolution could take in:  y = activate(a + b)
//
// Layouts: activations in blocks of four channels. One invocation: one pixel of one block.
// Twins: src/kernels/add.rs, src/reference/add.rs

struct Params {
    invocations: u32,
    activation: u32,
}

@group(0) @binding(0) var<uniform> params: Params;
@group(0) @binding(1) var<storage, read> a: array<vec4<f32>>;
@group(0) @binding(2) var<storage, read> b: array<vec4<f32>>;
@group(0) @binding(3) var<storage, read_write> output: array<vec4<f32>>;

override workgroup: u32 = 64u;

@compute @workgroup_size(workgroup)
fn add(@builtin(global_invocation_id) id: vec3<u32>) {
    if (id.x < params.invocations) {
        output[id.x] = activate(a[id.x] + b[id.x], params.activation);
    }
}
