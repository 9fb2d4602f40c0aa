//! Tests that need an adapter.

use std::cell::OnceCell;

use libtest_mimic::Trial;
use pollster::block_on;
use splitlens::gpu::{Gpu, GpuError, Stored};
use splitlens::graph::{Shape, Tensor};
use splitlens::kernels::{ConvLayer, Dispatch, Operand, pack_activation, pack_vector, unpack_activation};

thread_local! {
    // Leaked, since wgpu cannot be taken down while a thread's storage is.
    static GPU: OnceCell<&'static Gpu> = const { OnceCell::new() };
}

/// This thread's device.
pub fn gpu() -> Gpu {
    let open = || &*Box::leak(Box::new(block_on(Gpu::open()).expect("an adapter")));
    GPU.with(|gpu| (*gpu.get_or_init(open)).clone())
}

/// Tests that are ignored, and so shown as such, where there is no adapter; where the environment says
/// that there has to be one (`SPLITLENS_REQUIRE_ADAPTER`), they fail instead.
pub fn trials<F: FnOnce() + Send + 'static>(tests: Vec<(&'static str, F)>) -> Vec<Trial> {
    let missing = matches!(block_on(Gpu::open()), Err(GpuError::NoAdapter(_)));
    let ignored = missing && std::env::var_os("SPLITLENS_REQUIRE_ADAPTER").is_none();
    let trial = |(name, test): (&'static str, F)| {
        Trial::test(name, move || {
            test();
            Ok(())
        })
        .with_ignored_flag(ignored)
    };
    tests.into_iter().map(trial).collect()
}

/// Runs one kernel on its own and returns its output, an activation in blocks of four channels.
pub fn run_kernel(dispatch: &Dispatch, inputs: &[Vec<f32>], output: Shape) -> Tensor {
    unpack_activation(&run(dispatch, inputs, output.stored_elements()), output)
}

/// The same for a kernel whose output is plain rows.
pub fn run_plain(dispatch: &Dispatch, inputs: &[Vec<f32>], output: Shape) -> Tensor {
    Tensor::new(output, run(dispatch, inputs, output.elements()))
}

fn run(dispatch: &Dispatch, inputs: &[Vec<f32>], elements: usize) -> Vec<f32> {
    run_in_place(dispatch, inputs, &vec![0.0; elements])
}

/// Runs one kernel on its own that finds `output` in its output, and returns what it makes of it.
pub fn run_in_place(dispatch: &Dispatch, inputs: &[Vec<f32>], output: &[f32]) -> Vec<f32> {
    let (gpu, elements) = (gpu(), output.len());
    block_on(async {
        gpu.compile(dispatch).await.unwrap();
        let sampled = |index| index == 1 && dispatch.kernel.sampled;
        let inputs = inputs.iter().enumerate().map(|(index, values)| gpu.store("input", values, sampled(index)));
        let (inputs, output) = (inputs.collect::<Vec<_>>(), gpu.upload("output", output));
        let bound: Vec<_> = inputs.iter().map(Stored::whole).chain([output.whole().into()]).collect();
        let uniforms = gpu.uniforms([dispatch.params.as_slice()]);
        let task = gpu.bind(dispatch, &uniforms, 0, &bound);
        let copies = [output.slice(0, elements)];
        gpu.run(&[task], &copies, &gpu.staging(elements)).await.unwrap()
    })
}

/// Runs a layer's kernels, one after the other, and returns the buffer that its output lies in, an activation of
/// shape `whole`. `shortcut` is read where the layer has one.
pub fn run_layer(
    layer: &ConvLayer,
    x: &Tensor,
    weight: &[f32],
    bias: &[f32],
    shortcut: &Tensor,
    whole: Shape,
) -> Tensor {
    let packed = [pack_activation(x), pack_activation(shortcut), layer.pack_weight(weight), pack_vector(bias)];
    assert_eq!(packed[2].len(), layer.packed_elements(), "{layer:?}");
    let mut scratch: Vec<Vec<f32>> = layer.scratch().iter().map(|&elements| vec![0.0; elements]).collect();
    let mut output = vec![0.0; whole.stored_elements()];
    for start in layer.starts() {
        let (to, inputs) = start.operands.split_last().unwrap();
        let value = |operand: &Operand| match *operand {
            Operand::Input(index) => packed[index].clone(),
            Operand::Weight => packed[2].clone(),
            Operand::Bias => packed[3].clone(),
            Operand::Scratch(index) => scratch[index].clone(),
            Operand::Output => output.clone(),
        };
        let inputs: Vec<_> = inputs.iter().map(value).collect();
        let found = run_in_place(&start.dispatch, &inputs, &value(to));
        match *to {
            Operand::Scratch(index) => scratch[index] = found,
            Operand::Output => output = found,
            _ => panic!("a kernel writes to scratch or to the output: {start:?}"),
        }
    }
    unpack_activation(&output, whole)
}
