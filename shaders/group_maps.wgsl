// What the groups of a layer found: the mean over the channels of each group of consecutive channels,
//   maps[g, p] = sum over c in g * n .. (g + 1) * n of x[c, p] / n,   n = group_channels.
//
// Layouts: x in blocks of four channels, index = block * pixels + pixel; maps are plain rows of pixels. One
// invocation: one pixel of one group, which may begin and end inside a block. Dispatch: one for each of
// groups * pixels.
// Twins: src/kernels/group_maps.rs, src/reference/group_maps.rs

struct Params {
    pixels: u32,
    groups: u32,
    // Channels of one group.
    group_channels: u32,
}

@group(0) @binding(0) var<uniform> params: Params;
@group(0) @binding(1) var<storage, read> x: array<vec4<f32>>;
@group(0) @binding(2) var<storage, read_write> maps: array<f32>;

override workgroup: u32 = 256u;

@compute @workgroup_size(workgroup)
fn group_maps(@builtin(global_invocation_id) id: vec3<u32>) {
    let group = id.x / params.pixels;
    let pixel = id.x % params.pixels;
    if (group >= params.groups) {
        return;
    }
    let first = group * params.group_channels;
    let end = first + params.group_channels;
    var sum = vec4<f32>();
    for (var block = first / 4u; block * 4u < end; block++) {
        let channel = block * 4u + vec4(0u, 1u, 2u, 3u);
        let is_own = (channel >= vec4(first)) & (channel < vec4(end));
        sum += select(vec4<f32>(), x[block * params.pixels + pixel], is_own);
    }
    maps[id.x] = dot(sum, vec4(1.0)) / f32(params.group_channels);
}
