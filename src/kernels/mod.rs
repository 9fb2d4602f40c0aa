//! Knows the shaders: for each its source, its parameters as bytes, and how many workgroups to start.
//! Knows no device, so that all of it can be tested without one.
//!
//! Every kernel here has a twin of the same name, `shaders/NAME.wgsl`, and one in `src/reference`, of the
//! operation's name: several kernels may compute the same.
//!
//! Activations lie in blocks of four channels, `[ceil(C / 4), H, W, 4]`: a vector load brings four
//! channels of a pixel, and a 4x4 matrix of weights turns them into four channels of the output. On the
//! processor-backed adapters that was measured to be the fastest layout.

/// Declares a shader's uniform: `u32` fields, in the shader's order and under its names.
macro_rules! params {
    ($($field:ident),* $(,)?) => {
        /// The uniform of the shader of the same name.
        #[repr(C)]
        #[derive(Clone, Copy, Debug, bytemuck::Pod, bytemuck::Zeroable)]
        pub struct Params {
            $(pub $field: u32,)*
        }

        impl Params {
            /// Names of the fields, in order: a test compares them with the shader's.
            pub const FIELDS: &[&str] = &[$(stringify!($field)),*];
        }
    };
}

/// The texts of shader files, without their comments (`build.rs`). What is shared comes last, so that the lines of
/// messages are the first file's.
macro_rules! shader {
    ($($file:literal),+ $(,)?) => {
        &[$(include_str!(concat!(env!("OUT_DIR"), "/shaders/", $file))),+]
    };
}

pub mod add;
pub mod avg_pool;
pub mod branch_maps;
pub mod conv;
pub mod conv_depthwise;
pub mod conv_pair;
pub mod conv_quad;
pub mod global_avg_pool;
pub mod global_avg_pool_shared;
pub mod group_maps;
pub mod linear;
pub mod linear_shared;
pub mod max_pool;
pub mod pointwise;
pub mod pointwise_quad;
pub mod pointwise_shared;
pub mod radix_softmax;
pub mod replace_gates;
pub mod sum_splits;
pub mod weighted_sum;
pub mod winograd_input;
pub mod winograd_output;

mod finish;
mod layer;
mod layout;
mod tuning;
mod window;
mod winograd;

use finish::Finish;
pub use layer::ConvLayer;
use layout::whole_rows;
pub use layout::{TEXEL, blocks, pack_activation, pack_vector, texels_across, unpack_activation};
pub use tuning::{Loads, Pointwise, Tile, Tuning};

use crate::graph::Activation;

/// A shader: its entry point, its file and its label share one name. Two have a form that samples besides.
#[derive(Debug, PartialEq, Eq)]
pub struct Kernel {
    pub name: &'static str,
    /// Texts that make up one, since the program would be larger if each had a copy of what is shared.
    pub source: &'static [&'static str],
    /// Fields of the uniform at binding 0, all `u32`.
    pub params: &'static [&'static str],
    /// Inputs that it reads, in the order of their bindings; the output's binding follows them.
    pub inputs: usize,
    /// Invocations of a workgroup.
    pub workgroup: u32,
    /// Neighbouring invocations, 1, 2 or 4, that compute different channels of the same pixels and exchange what they
    /// load; for more than one the device needs subgroups.
    pub team: u32,
    /// Whether the weight, its second input, is a texture of four values a texel and not a buffer. The sampler is
    /// bound after the output.
    pub sampled: bool,
}

impl Kernel {
    /// Workgroups that have at least so many invocations; the shader bounds them.
    fn workgroups(&self, invocations: u32) -> u32 {
        invocations.div_ceil(self.workgroup)
    }

    /// Whether the device has to have subgroups.
    pub fn needs_subgroups(&self) -> bool {
        self.team > 1
    }
}

/// Values of a shader's `override`s, by name.
pub type Overrides = Vec<(&'static str, u32)>;

/// One start of a kernel.
#[derive(Clone, Debug, PartialEq)]
pub struct Dispatch {
    pub kernel: &'static Kernel,
    /// What changes code, and so makes another pipeline.
    pub overrides: Overrides,
    /// The uniform at binding 0.
    pub params: Vec<u8>,
    /// Along x; y and z are 1.
    pub workgroups: u32,
}

/// What a start of a kernel is bound to.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Operand {
    /// An input of the step that it belongs to.
    Input(usize),
    Weight,
    Bias,
    /// A buffer that the kernels of one step pass on among themselves.
    Scratch(usize),
    Output,
}

/// One start of a kernel in a step, which may take several.
#[derive(Clone, Debug, PartialEq)]
pub struct Start {
    pub dispatch: Dispatch,
    /// The kernel's inputs in the order of their bindings, then its output.
    pub operands: Vec<Operand>,
}

/// Every kernel, for tests that walk them all.
pub const ALL: &[&Kernel] = &[
    &add::KERNEL,
    &avg_pool::KERNEL,
    &branch_maps::KERNEL,
    &conv::KERNEL,
    &conv::SAMPLING,
    &conv_depthwise::KERNEL,
    &conv_pair::KERNEL,
    &conv_quad::KERNEL,
    &global_avg_pool::KERNEL,
    &global_avg_pool_shared::KERNEL,
    &group_maps::KERNEL,
    &linear::KERNEL,
    &linear_shared::KERNEL,
    &max_pool::KERNEL,
    &pointwise::KERNEL,
    &pointwise::SAMPLING,
    &pointwise_quad::KERNEL,
    &pointwise_shared::KERNEL,
    &radix_softmax::KERNEL,
    &replace_gates::KERNEL,
    &sum_splits::KERNEL,
    &weighted_sum::KERNEL,
    &winograd_input::KERNEL,
    &winograd_output::KERNEL,
];

/// A dispatch for every pipeline that any network can ask for: each kernel with each value of its
/// overrides. What they would compute does not matter; that they compile does.
pub fn every_pipeline() -> Vec<Dispatch> {
    let pipelines = ALL.iter().copied().flat_map(|kernel| {
        let overrides = match kernel.name {
            "conv" | "conv_quad" => conv::every_override(Tile::Wide),
            // Groups of two wide bands are a quad's.
            "conv_pair" => conv::every_override(Tile::Narrow),
            "conv_depthwise" => conv_depthwise::every_override(),
            "pointwise" | "pointwise_quad" => pointwise::every_override(),
            "pointwise_shared" | "winograd_output" => Finish::ALL.map(|finish| finish.with([])).to_vec(),
            _ => vec![Overrides::new()],
        };
        overrides.into_iter().map(move |overrides| (kernel, overrides))
    });
    let dispatch = |(kernel, overrides)| Dispatch { kernel, overrides, params: Vec::new(), workgroups: 0 };
    pipelines.map(dispatch).collect()
}

/// A start of `invocations` invocations of a kernel that bounds them itself.
fn flat<P: bytemuck::Pod>(kernel: &'static Kernel, params: P, invocations: u32) -> Dispatch {
    Dispatch {
        kernel,
        overrides: Vec::new(),
        params: bytemuck::bytes_of(&params).to_vec(),
        workgroups: kernel.workgroups(invocations),
    }
}

/// A start of `workgroups` workgroups, whose invocations work together.
fn grouped<P: bytemuck::Pod>(kernel: &'static Kernel, params: P, workgroups: u32) -> Dispatch {
    Dispatch { kernel, overrides: Vec::new(), params: bytemuck::bytes_of(&params).to_vec(), workgroups }
}

/// The code of an activation in `shaders/shared/activate.wgsl`.
fn activation_code(activation: Activation) -> u32 {
    match activation {
        Activation::Identity => 0,
        Activation::Relu => 1,
        Activation::Relu6 => 2,
        Activation::Silu => 3,
        Activation::Sigmoid => 4,
    }
}
