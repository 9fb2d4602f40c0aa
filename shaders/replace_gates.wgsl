// Gates replaced in place, after the step that computes them and before those that read them:
//   reversed:   gates[b * C + c] = gates[(branches - 1 - b) * C + c]
//   otherwise:  gates[b * C + c] = replacement[b * C + c]
//
// Layouts: vectors of channels; branches are the major axis.
// One invocation: all branches of one channel, so that nobody else reads what it overwrites. Dispatch: one
// for each of C.
// Twins: src/kernels/replace_gates.rs, src/reference/replace_gates.rs

struct Params {
    // Channels of one branch.
    channels: u32,
    branches: u32,
    // 1 to reverse the branches, 0 to take the replacement.
    reversed: u32,
}

@group(0) @binding(0) var<uniform> params: Params;
@group(0) @binding(1) var<storage, read> replacement: array<f32>;
@group(0) @binding(2) var<storage, read_write> gates: array<f32>;

override workgroup: u32 = 64u;

@compute @workgroup_size(workgroup)
fn replace_gates(@builtin(global_invocation_id) id: vec3<u32>) {
    let channel = id.x;
    if (channel >= params.channels) {
        return;
    }
    if (params.reversed == 0u) {
        for (var branch = 0u; branch < params.branches; branch++) {
            let at = branch * params.channels + channel;
            gates[at] = replacement[at];
        }
        return;
    }
    for (var branch = 0u; branch < params.branches / 2u; branch++) {
        let at = branch * params.channels + channel;
        let mirror = (params.branches - 1u - branch) * params.channels + channel;
        let gate = gates[at];
        gates[at] = gates[mirror];
        gates[mirror] = gate;
    }
}
