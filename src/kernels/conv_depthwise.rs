use super::layer::ConvLayer;
use super::{Dispatch, Finish, Kernel, Overrides, activation_code, blocks};

pub const KERNEL: Kernel = Kernel {
    name: "conv_depthwise",
    source: shader!("conv_depthwise.wgsl", "shared/finish.wgsl", "shared/activate.wgsl"),
    params: Params::FIELDS,
    inputs: 4,
    workgroup: 32,
    team: 1,
    sampled: false,
};

/// Columns of pixels that one invocation computes.
const COLUMNS: usize = 4;
/// Rows at most: the first rows of the input are loaded for the run above too, and invocations should be many.
const ROWS: usize = 8;

const KERNELS: [usize; 2] = [3, 5];
const STRIDES: [usize; 2] = [1, 2];

params! {
    in_width, in_height, out_width, out_height, blocks, in_first_block, out_first_block, pad_top, pad_left, rows,
    runs_across, runs, activation, has_bias,
}

/// Whether the kernel can compute this layer.
pub(super) fn fits(layer: &ConvLayer) -> bool {
    let (conv, channels) = (layer.conv, layer.input.channels);
    [conv.groups, conv.out_channels] == [channels; 2]
        && KERNELS.contains(&conv.kernel)
        && STRIDES.contains(&conv.stride)
        && conv.dilation == 1
}

pub(super) fn dispatch(layer: &ConvLayer) -> Dispatch {
    let (conv, input, output) = (layer.conv, layer.input, layer.output);
    let runs_across = output.width.div_ceil(COLUMNS);
    // All runs of about the same height.
    let runs_down = output.height.div_ceil(ROWS);
    let runs = (runs_across * runs_down) as u32;
    let params = Params {
        in_width: input.width as u32,
        in_height: input.height as u32,
        out_width: output.width as u32,
        out_height: output.height as u32,
        blocks: blocks(input.channels),
        in_first_block: layer.in_first_block,
        out_first_block: layer.out_first_block,
        pad_top: conv.pad_before(input.height) as u32,
        pad_left: conv.pad_before(input.width) as u32,
        rows: output.height.div_ceil(runs_down) as u32,
        runs_across: runs_across as u32,
        runs,
        activation: activation_code(layer.activation),
        has_bias: layer.bias.into(),
    };
    Dispatch {
        kernel: &KERNEL,
        overrides: overrides(conv.kernel, conv.stride, layer.finish()),
        params: bytemuck::bytes_of(&params).to_vec(),
        workgroups: KERNEL.workgroups(runs * blocks(input.channels)),
    }
}

/// The weight `[channels, 1, kernel, kernel]` in vectors of four channels: `[ceil(channels / 4), kernel, kernel, 4]`.
pub(super) fn pack_weight(layer: &ConvLayer, weight: &[f32]) -> Vec<f32> {
    let taps = layer.conv.kernel.pow(2);
    let mut packed = vec![0.0; packed_elements(layer)];
    for (channel, kernel) in weight.chunks_exact(taps).enumerate() {
        for (tap, value) in kernel.iter().enumerate() {
            packed[(channel / 4 * taps + tap) * 4 + channel % 4] = *value;
        }
    }
    packed
}

/// Values of the packed weight.
pub(super) fn packed_elements(layer: &ConvLayer) -> usize {
    blocks(layer.input.channels) as usize * layer.conv.kernel.pow(2) * 4
}

/// The overrides of every pipeline.
pub(super) fn every_override() -> Vec<Overrides> {
    let shapes = KERNELS.into_iter().flat_map(|kernel| STRIDES.map(|stride| (kernel, stride)));
    shapes.flat_map(|(kernel, stride)| Finish::ALL.map(|finish| overrides(kernel, stride, finish))).collect()
}

fn overrides(kernel: usize, stride: usize, finish: Finish) -> Overrides {
    finish.with([("kernel", kernel as u32), ("stride", stride as u32)])
}
