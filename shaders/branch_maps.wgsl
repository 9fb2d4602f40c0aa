// The maps that the inspector shows of one unit, each a sum over channels:
//   map b < branches:    contribution, sum over c of gates[b * C + c] * x[b * C + c, p]
//   map branches + b:    activation,   sum over c of x[b * C + c, p]
//   map 2 * branches:    output,       sum over c of output[c, p]
//
// Layouts: activations in blocks of four channels, index = block * pixels + pixel; branches are the major
// axis; maps are plain rows of pixels. One invocation: one pixel of both maps of a branch, or of the
// output's. Dispatch: one for each of (branches + 1) * pixels.
// Twins: src/kernels/branch_maps.rs, src/reference/branch_maps.rs

struct Params {
    // Blocks of one branch.
    blocks: u32,
    pixels: u32,
    branches: u32,
}

@group(0) @binding(0) var<uniform> params: Params;
@group(0) @binding(1) var<storage, read> values: array<vec4<f32>>;
@group(0) @binding(2) var<storage, read> gates: array<vec4<f32>>;
@group(0) @binding(3) var<storage, read> unit_output: array<vec4<f32>>;
@group(0) @binding(4) var<storage, read_write> maps: array<f32>;

override workgroup: u32 = 64u;

@compute @workgroup_size(workgroup)
fn branch_maps(@builtin(global_invocation_id) id: vec3<u32>) {
    let branch = id.x / params.pixels;
    let pixel = id.x % params.pixels;
    if (branch > params.branches) {
        return;
    }
    if (branch == params.branches) {
        var sum = vec4<f32>();
        for (var block = 0u; block < params.blocks; block++) {
            sum += unit_output[block * params.pixels + pixel];
        }
        maps[2u * params.branches * params.pixels + pixel] = dot(sum, vec4(1.0));
        return;
    }
    var contribution = vec4<f32>();
    var activation = vec4<f32>();
    for (var block = branch * params.blocks; block < (branch + 1u) * params.blocks; block++) {
        let value = values[block * params.pixels + pixel];
        contribution += gates[block] * value;
        activation += value;
    }
    maps[branch * params.pixels + pixel] = dot(contribution, vec4(1.0));
    maps[(params.branches + branch) * params.pixels + pixel] = dot(activation, vec4(1.0));
}
