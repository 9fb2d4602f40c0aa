// The end of convolutions: bias, shortcut and activation of four pixels
// (the columns of `sums`) of one output block, each stored at its index if it is on the image.
//
// What is the same for all invocations is no branch: where the processor is the device, both sides of one are computed,
// and each value that comes out of it is chosen under a mask.

// Whether an activation of the output's shape is added. Not a parameter, since loads that are dropped cost as much as
// others.
override has_shortcut: bool = true;
// Whether the activation is a curve (SiLU or sigmoid), whose exponentials cost more than all the rest.
override curves: bool = false;

fn finish_pixel(x: vec4<f32>) -> vec4<f32> {
    if (curves) {
        return curve(x, params.activation);
    }
    return bound(x, params.activation);
}

fn finish(block: u32, at: vec4<u32>, known: vec4<bool>, pixel_sums: mat4x4<f32>) {
    let added = select(vec4(0.0), bias[block], params.has_bias == 1u);
    var sums = pixel_sums + mat4x4<f32>(added, added, added, added);
    if (has_shortcut) {
        sums += mat4x4<f32>(shortcut[at.x], shortcut[at.y], shortcut[at.z], shortcut[at.w]);
    }
    if (known.x) {
        output[at.x] = finish_pixel(sums[0]);
    }
    if (known.y) {
        output[at.y] = finish_pixel(sums[1]);
    }
    if (known.z) {
        output[at.z] = finish_pixel(sums[2]);
    }
    if (known.w) {
        output[at.w] = finish_pixel(sums[3]);
    }
}
