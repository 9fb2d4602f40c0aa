// The end of convolutions: bias, shortcut and activation of four pixels
// (the columns of `sums`) of one output block, each stored at its index if it is on the image.

// Whether an activation of the output's shape is added. Not a parameter: where the processor is the device,
// both sides of a branch are computed, and loads that are dropped cost as much as others.
override has_shortcut: bool = true;

fn finish(block: u32, at: vec4<u32>, known: vec4<bool>, pixel_sums: mat4x4<f32>) {
    var sums = pixel_sums;
    if (params.has_bias == 1u) {
        let added = bias[block];
        sums += mat4x4<f32>(added, added, added, added);
    }
    if (has_shortcut) {
        sums += mat4x4<f32>(shortcut[at.x], shortcut[at.y], shortcut[at.z], shortcut[at.w]);
    }
    sums = activate_pixels(sums, params.activation);
    if (known.x) {
        output[at.x] = sums[0];
    }
    if (known.y) {
        output[at.y] = sums[1];
    }
    if (known.z) {
        output[at.z] = sums[2];
    }
    if (known.w) {
        output[at.w] = sums[3];
    }
}
