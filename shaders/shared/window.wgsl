// Windows of max_pool.wgsl and avg_pool.wgsl.

struct Params {
    invocations: u32,
    in_width: u32,
    in_height: u32,
    out_width: u32,
    out_pixels: u32,
    kernel: u32,
    stride: u32,
    padding: u32,
    count_include_pad: u32,
}

// The part of a window on the image (rows top to bottom, columns left to right, ends excluded), the
// extent of its part on the padded image, and the first pixel of its block.
struct Window {
    first: u32,
    top: u32,
    bottom: u32,
    left: u32,
    right: u32,
    padded_height: u32,
    padded_width: u32,
}

fn window_of(index: u32) -> Window {
    let block = index / params.out_pixels;
    let pixel = index - block * params.out_pixels;
    let row = pixel / params.out_width;
    let y = row * params.stride;
    let x = (pixel - row * params.out_width) * params.stride;
    let pad = params.padding;
    return Window(
        block * params.in_width * params.in_height,
        max(y, pad) - pad,
        min(max(y + params.kernel, pad) - pad, params.in_height),
        max(x, pad) - pad,
        min(max(x + params.kernel, pad) - pad, params.in_width),
        min(params.kernel, params.in_height + 2u * pad - y),
        min(params.kernel, params.in_width + 2u * pad - x),
    );
}
