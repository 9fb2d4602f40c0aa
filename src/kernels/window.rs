use super::{Dispatch, Kernel, blocks, flat};
use crate::graph::{Pool, Shape};

params! { invocations, in_width, in_height, out_width, out_pixels, kernel, stride, padding, count_include_pad }

pub(super) fn dispatch(kernel: &'static Kernel, pool: &Pool, input: Shape, output: Shape) -> Dispatch {
    let invocations = blocks(output.channels) * output.pixels() as u32;
    let params = Params {
        invocations,
        in_width: input.width as u32,
        in_height: input.height as u32,
        out_width: output.width as u32,
        out_pixels: output.pixels() as u32,
        kernel: pool.kernel as u32,
        stride: pool.stride as u32,
        padding: pool.padding as u32,
        count_include_pad: pool.count_include_pad.into(),
    };
    flat(kernel, params, invocations)
}
