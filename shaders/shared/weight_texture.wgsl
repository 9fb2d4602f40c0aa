// The weight as a texture, a column of a matrix in each texel, row after row. Where a processor is the device, a texel is
// read by a function that the driver compiles once, whereas every load from a buffer is code in place, and makes shaders
// too long for the processor's cache of instructions. `textureLoad` would be as good, but browsers check each of its
// coordinates.
@group(0) @binding(2) var weight: texture_2d<f32>;
@group(0) @binding(6) var nearest: sampler;

// The width and height of a texel, as parts of the whole: the entry point asks once.
var<private> texel: vec2<f32>;

fn prepare_weight() {
    let texels = vec2<f32>(textureDimensions(weight));
    // Across there is a power of two of them, whose inverse is made of its exponent: a quotient need not be exact.
    texel = vec2(bitcast<f32>(0x7f000000u - bitcast<u32>(texels.x)), 1.0 / texels.y);
}

// Coordinates are those of texels' centres. Across they are exact, since a row has a power of two of texels, a multiple of
// four, and there are no more than 2^23 in all; down they are off by far less than the half of a texel that would matter.
fn matrix(index: u32) -> mat4x4<f32> {
    let rows = (f32(index * 4u) + 0.5) * texel.x;
    let row = floor(rows);
    let x = rows - row;
    let y = (row + 0.5) * texel.y;
    return mat4x4<f32>(
        textureSampleLevel(weight, nearest, vec2(x, y), 0.0),
        textureSampleLevel(weight, nearest, vec2(x + texel.x, y), 0.0),
        textureSampleLevel(weight, nearest, vec2(x + 2.0 * texel.x, y), 0.0),
        textureSampleLevel(weight, nearest, vec2(x + 3.0 * texel.x, y), 0.0),
    );
}
