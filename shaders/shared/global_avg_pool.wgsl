// Parameters and bindings of global_avg_pool.wgsl and its rival.

struct Params {
    blocks: u32,
    pixels: u32,
    radix: u32,
}

@group(0) @binding(0) var<uniform> params: Params;
@group(0) @binding(1) var<storage, read> input: array<vec4<f32>>;
@group(0) @binding(2) var<storage, read_write> output: array<vec4<f32>>;
