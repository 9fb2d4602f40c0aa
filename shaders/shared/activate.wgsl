// Activations by the codes of src/kernels/mod.rs.

// Identity, ReLU and ReLU6: codes 0, 1 and 2. Comparisons, since browsers have `max` and `min` look for NaN too, which
// takes a processor twice as long; and no branches, of which it would compute both sides.
fn bound(x: vec4<f32>, code: u32) -> vec4<f32> {
    let least = vec4(select(-0x1.fffffep+127f, 0.0, code > 0u));
    let most = vec4(select(0x1.fffffep+127f, 6.0, code > 1u));
    let above = select(least, x, x > least);
    return select(most, above, above < most);
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
