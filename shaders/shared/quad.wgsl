// A pixel from each of the four invocations of a quad: its own, then those of the neighbours whose number differs in the
// low, the high and both bits.
fn quad_pixels(own: vec4<f32>) -> mat4x4<f32> {
    return mat4x4<f32>(own, quadSwapX(own), quadSwapY(own), quadSwapDiagonal(own));
}

// The numbers of these four, for invocation `lane`.
fn quad_order(lane: u32) -> vec4<u32> {
    return vec4(lane) ^ vec4(0u, 1u, 2u, 3u);
}
