// Activations by the codes of src/kernels/mod.rs.

fn sigmoid(x: vec4<f32>) -> vec4<f32> {
    return 1.0 / (1.0 + exp(-x));
}

fn activate(x: vec4<f32>, code: u32) -> vec4<f32> {
    switch code {
        case 1u: { return max(x, vec4(0.0)); }
        case 2u: { return clamp(x, vec4(0.0), vec4(6.0)); }
        case 3u: { return x * sigmoid(x); }
        case 4u: { return sigmoid(x); }
        default: { return x; }
    }
}
