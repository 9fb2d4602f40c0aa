// Activations by the codes of src/kernels/mod.rs.

// Identity, ReLU and ReLU6: codes 0, 1 and 2. Comparisons, since browsers have `max` and `min` look for NaN too, which
// takes a processor twice as long; and no branches, of which it would compute both sides. What is not a number stays
// none: somebody has to notice.
fn bound(x: vec4<f32>, code: u32) -> vec4<f32> {
    let positive = select(x, vec4(0.0), (x < vec4(0.0)) & vec4(code > 0u));
    return select(positive, vec4(6.0), (positive > vec4(6.0)) & vec4(code > 1u));
}

// SiLU and sigmoid: codes 3 and 4.
fn curve(x: vec4<f32>, code: u32) -> vec4<f32> {
    let sigmoid = 1.0 / (1.0 + exp(-x));
    return select(x * sigmoid, sigmoid, code > 3u);
}

fn activate(x: vec4<f32>, code: u32) -> vec4<f32> {
    if (code > 2u) {
        return curve(x, code);
    }
    return bound(x, code);
}
