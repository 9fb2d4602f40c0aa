// What linear.wgsl and its rival have in common: all but who adds the products up.

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

// First block of the input that an output block's groups read.
fn first_input(block: u32) -> u32 {
    let first = block * 4u / params.out_per_group * params.in_per_group / 4u;
    return min(first, params.in_blocks - params.span);
}

fn store(block: u32, products: vec4<f32>) {
    var sum = bias[block] + products;
    let index = params.out_first_block + block;
    if (params.has_shortcut == 1u) {
        sum += shortcut[index];
    }
    output[index] = activate(sum, params.activation);
}
