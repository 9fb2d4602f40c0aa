// Gates from logits (ResNeSt's rSoftMax): in each cardinal group a softmax over the radix, or a sigmoid
// at radix 1:
//   gates[r, k, c] = exp(logits[k, r, c]) / sum over s of exp(logits[k, s, c])
//
// Layouts: vectors of channels; logits are cardinality-major [cardinality, radix, width], gates
// radix-major [radix, cardinality, width], as the splits are.
// One invocation: all splits of one channel. Dispatch: one for each of cardinality * width.
// Twins: src/kernels/radix_softmax.rs, src/reference/radix_softmax.rs

struct Params {
    // Channels of one split: cardinality * width.
    channels: u32,
    // Channels of one split of one cardinal group.
    width: u32,
    radix: u32,
}

@group(0) @binding(0) var<uniform> params: Params;
@group(0) @binding(1) var<storage, read> logits: array<f32>;
@group(0) @binding(2) var<storage, read_write> gates: array<f32>;

override workgroup: u32 = 64u;

@compute @workgroup_size(workgroup)
fn radix_softmax(@builtin(global_invocation_id) id: vec3<u32>) {
    let channel = id.x;
    if (channel >= params.channels) {
        return;
    }
    if (params.radix == 1u) {
        gates[channel] = 1.0 / (1.0 + exp(-logits[channel]));
        return;
    }
    let group = channel / params.width;
    let first = group * params.radix * params.width + channel - group * params.width;
    // The largest logit is taken off all, so that no exponential overflows.
    var largest = logits[first];
    for (var split = 1u; split < params.radix; split++) {
        largest = max(largest, logits[first + split * params.width]);
    }
    var sum = 0.0;
    for (var split = 0u; split < params.radix; split++) {
        sum += exp(logits[first + split * params.width] - largest);
    }
    for (var split = 0u; split < params.radix; split++) {
        gates[split * params.channels + channel] = exp(logits[first + split * params.width] - largest) / sum;
    }
}
