// pointwise.wgsl for adapters on which registers are few and barriers cheap: the invocations of a workgroup
// bring their inputs and weights to shared memory once and multiply from there.
//
// Layouts: as pointwise.wgsl, with bands of `TILE_BLOCKS` blocks.
// One workgroup: 64 pixels x 16 blocks. One invocation: 8 pixels x 2 blocks, as two 4x4 matrices (column =
// pixel) per block.
// Dispatch: one workgroup for each of `tiles` x ceil(out_blocks / TILE_BLOCKS).
// Parameters, the other bindings and `store`: shared/pointwise.wgsl.
// Twins: src/kernels/pointwise_shared.rs, src/reference/pointwise.rs

@group(0) @binding(2) var<storage, read> weight: array<vec4<f32>>;

const WORKGROUP: u32 = 64u;
const TILE_PIXELS: u32 = 64u;
const TILE_BLOCKS: u32 = 16u;
// Input blocks that one step brings.
const DEPTH: u32 = 4u;

// Input of a step: index = block * TILE_PIXELS + pixel.
var<workgroup> inputs: array<vec4<f32>, TILE_PIXELS * DEPTH>;
// Columns of the 4x4 matrices of a step: index = (in_block * TILE_BLOCKS + block) * 4 + column.
var<workgroup> weights: array<vec4<f32>, TILE_BLOCKS * DEPTH * 4u>;

fn load(at: u32) -> mat4x4<f32> {
    return mat4x4<f32>(inputs[at], inputs[at + 8u], inputs[at + 16u], inputs[at + 24u]);
}

fn matrix(at: u32) -> mat4x4<f32> {
    return mat4x4<f32>(weights[at], weights[at + 1u], weights[at + 2u], weights[at + 3u]);
}

@compute @workgroup_size(WORKGROUP)
fn pointwise_shared(@builtin(workgroup_id) group_id: vec3<u32>, @builtin(local_invocation_index) local: u32) {
    let band = group_id.x / params.tiles;
    let first_pixel = (group_id.x - band * params.tiles) * TILE_PIXELS;

    // Each invocation brings one pixel of every block. Pixels past the end repeat the last one; they are
    // never stored.
    let brought = min(first_pixel + local, params.out_pixels - 1u);
    let row = brought / params.out_width;
    let source = (row * params.in_width + brought - row * params.out_width) * params.stride;
    let group = band * TILE_BLOCKS / params.out_blocks_per_group;
    var from_input = (params.in_first_block + group * params.in_blocks) * params.in_pixels + source;
    var from_weight = band * params.in_blocks * TILE_BLOCKS * 4u + local;

    // Sums: blocks a and b, pixels 0 to 3 and 4 to 7.
    let block = local / 8u * 2u;
    let pixel = local % 8u;
    var a0 = mat4x4<f32>();
    var a1 = mat4x4<f32>();
    var b0 = mat4x4<f32>();
    var b1 = mat4x4<f32>();
    for (var k = 0u; k < params.in_blocks; k += DEPTH) {
        let depth = min(DEPTH, params.in_blocks - k);
        workgroupBarrier();
        for (var i = 0u; i < depth; i++) {
            inputs[i * TILE_PIXELS + local] = input[from_input];
            weights[i * TILE_BLOCKS * 4u + local] = weight[from_weight];
            from_input += params.in_pixels;
            from_weight += TILE_BLOCKS * 4u;
        }
        workgroupBarrier();
        for (var i = 0u; i < depth; i++) {
            let x0 = load(i * TILE_PIXELS + pixel);
            let x1 = load(i * TILE_PIXELS + pixel + 32u);
            let w_a = matrix((i * TILE_BLOCKS + block) * 4u);
            let w_b = matrix((i * TILE_BLOCKS + block) * 4u + 4u);
            a0 += w_a * x0;
            a1 += w_a * x1;
            b0 += w_b * x0;
            b1 += w_b * x1;
        }
    }

    let first_block = band * TILE_BLOCKS + block;
    let pixels = first_pixel + pixel + vec4(0u, 8u, 16u, 24u);
    store(first_block, pixels, a0);
    store(first_block, pixels + 32u, a1);
    store(first_block + 1u, pixels, b0);
    store(first_block + 1u, pixels + 32u, b1);
}
