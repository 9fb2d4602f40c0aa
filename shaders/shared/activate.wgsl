// Activations by the codes of src/kernels/mod.rs.

// Whether the activation may be a curve (SiLU or sigmoid): where the processor is the device, both sides
// of a branch are computed, and exponentials cost more than all the rest of a store.
override curves: bool = true;

// Identity, ReLU and ReLU6: codes 0, 1 and 2.
fn bound(x: vec4<f32>, code: u32) -> vec4<f32> {
    let positive = select(x, max(x, vec4(0.0)), code > 0u);
    return select(positive, min(positive, vec4(6.0)), code > 1u);
}

// SiLU and sigmoid: codes 3 and 4.
fn curve(x: vec4<f32>, code: u32) -> vec4<f32> {
    let sigmoid = 1.0 / (1.0 + exp(-x));
    return select(x * sigmoid, sigmoid, code > 3u);
}

fn activate(x: vec4<f32>, code: u32) -> vec4<f32> {
    if (curves && code > 2u) {
        return curve(x, code);
    }
    return bound(x, code);
}

// Four pixels by one branch.
fn activate_pixels(x: mat4x4<f32>, code: u32) -> mat4x4<f32> {
    if (curves && code > 2u) {
        return mat4x4<f32>(curve(x[0], code), curve(x[1], code), curve(x[2], code), curve(x[3], code));
    }
    return mat4x4<f32>(bound(x[0], code), bound(x[1], code), bound(x[2], code), bound(x[3], code));
}
