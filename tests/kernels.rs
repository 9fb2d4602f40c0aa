//! Every kernel against its reference on an adapter: awkward shapes by hand, others at random from fixed
//! seeds. Without an adapter the tests show as ignored.

mod common;

use std::cell::Cell;

use common::adapter::{gpu, run_in_place, run_kernel, run_layer, run_plain, trials};
use common::random;
use libtest_mimic::Arguments;
use rand::{RngExt, SeedableRng, rngs::SmallRng};
use splitlens::engine::{Tried, tune};
use splitlens::graph::{Activation, Conv, Op, Pool, Shape, Tensor};
use splitlens::kernels::{self, ConvLayer, Loads, Pointwise, Tile, Tuning, pack_activation, pack_vector};
use splitlens::reference;

fn main() {
    let tests: Vec<(&str, fn())> = vec![
        ("convolutions_on_awkward_shapes", convolutions_on_awkward_shapes),
        ("convolutions_at_random", convolutions_at_random),
        ("convolution_between_parts_of_buffers", convolution_between_parts_of_buffers),
        ("winograd_convolutions", winograd_convolutions),
        ("winograd_tiles", winograd_tiles),
        ("tuning_goes_by_the_clock", tuning_goes_by_the_clock),
        ("pools", pools),
        ("global_pools_and_sums_of_splits", global_pools_and_sums_of_splits),
        ("radix_softmax", radix_softmax),
        ("replaced_gates", replaced_gates),
        ("weighted_sums", weighted_sums),
        ("additions", additions),
        ("activations_hide_no_overflow", activations_hide_no_overflow),
        ("branch_maps", branch_maps),
        ("group_maps", group_maps),
    ];
    libtest_mimic::run(&Arguments::from_args(), trials(tests)).exit();
}

fn assert_close(found: &Tensor, expected: &Tensor, tolerance: f32, what: &str) {
    assert_eq!(found.shape, expected.shape, "{what}");
    common::assert_close(&found.values, &expected.values, tolerance, what);
}

/// Runs one convolution layer by its reference and by every choice of kernels.
fn check_conv(rng: &mut SmallRng, input: Shape, conv: Conv, activation: Activation, shortcut: bool) {
    let output = Op::Conv(conv).infer(&[input]).unwrap();
    let x = random(rng, input);
    let fan_in = input.channels / conv.groups * conv.kernel * conv.kernel;
    let weight = random(rng, Shape::new(conv.out_channels, fan_in, 1)).values;
    let bias = random(rng, Shape::vector(conv.out_channels)).values;
    let added = random(rng, output);

    let mut expected = reference::conv(&x, &conv, &weight, &bias);
    if shortcut {
        expected = reference::add(&expected, &added);
    }
    let expected = reference::activate(&expected, activation);

    let mut tried = Vec::new();
    for tuning in Tuning::all() {
        let layer = ConvLayer { activation, shortcut, tuning, ..ConvLayer::new(conv, input) };
        let starts = layer.starts();
        // Not every choice makes a difference to every layer.
        if tried.contains(&starts) {
            continue;
        }
        let found = run_layer(&layer, &x, &weight, &bias, &added, output);
        // Sums of `fan_in` products of numbers below one.
        assert_close(&found, &expected, 1e-6 * fan_in as f32 + 1e-5, &format!("{conv:?} on {input}, {tuning}"));
        tried.push(starts);
    }
}

fn convolutions_on_awkward_shapes() {
    let rng = &mut SmallRng::seed_from_u64(1);
    let cases = [
        (Shape::new(3, 9, 7), Conv::new(3, 16).stride(2)),
        (Shape::new(4, 1, 1), Conv::new(3, 4)),
        (Shape::new(5, 6, 6), Conv::new(1, 7)),
        (Shape::new(8, 7, 7), Conv::new(1, 12).stride(2)),
        (Shape::new(64, 4, 4), Conv::new(1, 100)),
        (Shape::new(16, 5, 3), Conv::new(3, 32).groups(2)),
        (Shape::new(16, 8, 8), Conv::new(3, 16).groups(4)),
        (Shape::new(24, 7, 5), Conv::new(3, 24).groups(24)),
        (Shape::new(24, 7, 5), Conv::new(5, 24).groups(24).stride(2)),
        (Shape::new(10, 21, 19), Conv::new(3, 10).groups(10)),
        (Shape::new(6, 18, 17), Conv::new(3, 6).groups(6).stride(2)),
        (Shape::new(7, 17, 9), Conv::new(5, 7).groups(7)),
        (Shape::new(8, 34, 35), Conv::new(5, 8).groups(8).stride(2).padding_same()),
        (Shape::new(8, 12, 3), Conv::new(3, 8).groups(8).padding(0)),
        (Shape::new(8, 9, 9), Conv::new(3, 8).groups(8).dilation(2)),
        (Shape::new(8, 9, 9), Conv::new(7, 8).groups(8)),
        (Shape::new(80, 6, 6), Conv::new(3, 320).groups(8)),
        (Shape::new(24, 9, 6), Conv::new(3, 24).groups(3)),
        (Shape::new(72, 7, 13), Conv::new(3, 72).groups(3).stride(2)),
        (Shape::new(40, 5, 5), Conv::new(3, 40).groups(5).dilation(2)),
        (Shape::new(16, 10, 7), Conv::new(1, 16).groups(2)),
        (Shape::new(12, 9, 9), Conv::new(3, 8).dilation(2)),
        (Shape::new(4, 2, 2), Conv::new(3, 4).padding(4)),
        (Shape::new(4, 9, 9), Conv::new(3, 4).padding(0).stride(3)),
        (Shape::new(3, 20, 20), Conv::new(7, 8).stride(2)),
        (Shape::new(3, 10, 9), Conv::new(3, 8).stride(2).padding_same()),
        (Shape::new(8, 9, 8), Conv::new(5, 8).groups(8).stride(2).padding_same()),
        (Shape::new(260, 15, 17), Conv::new(1, 130)),
        (Shape::new(516, 17, 15), Conv::new(1, 232).stride(2)),
        (Shape::new(1024, 5, 5), Conv::new(1, 330)),
        // Their weights are textures of wider rows than others.
        (Shape::new(1024, 2, 2), Conv::new(1, 2080)),
        (Shape::new(2052, 2, 2), Conv::new(1, 4100)),
        (Shape::new(8, 9, 11), Conv::new(3, 12).stride(2).dilation(2)),
        (Shape::new(8, 9, 11), Conv::new(6, 12)),
        (Shape::vector(64), Conv::new(1, 32)),
        (Shape::vector(40), Conv::new(1, 320).groups(2)),
        (Shape::vector(20), Conv::new(1, 6).groups(2)),
        (Shape::vector(512), Conv::new(1, 100)),
    ];
    for (input, conv) in cases {
        for (activation, shortcut) in
            [(Activation::Identity, false), (Activation::Relu, true), (Activation::Silu, false)]
        {
            check_conv(rng, input, conv, activation, shortcut);
        }
    }
}

fn convolutions_at_random() {
    let rng = &mut SmallRng::seed_from_u64(2);
    for _ in 0..60 {
        let groups = [1, 1, 2, 3, 4][rng.random_range(0..5)];
        let channels = groups * rng.random_range(1..12);
        let input = Shape::new(channels, rng.random_range(1..14), rng.random_range(1..14));
        let kernel = [1, 1, 3, 5][rng.random_range(0..4)];
        let conv = Conv::new(kernel, groups * rng.random_range(1..24))
            .groups(groups)
            .stride(rng.random_range(1..3))
            .dilation(rng.random_range(1..3));
        let activation =
            [Activation::Identity, Activation::Relu, Activation::Relu6, Activation::Silu, Activation::Sigmoid];
        let (activation, shortcut) = (activation[rng.random_range(0..5)], rng.random());
        check_conv(rng, input, conv, activation, shortcut);
    }
}

fn convolution_between_parts_of_buffers() {
    let rng = &mut SmallRng::seed_from_u64(3);
    for (kernel, side) in [(1, 5), (3, 5), (1, 363)] {
        let [source, input, whole] = [16, 8, 20].map(|channels| Shape::new(channels, side, side));
        let conv = Conv::new(kernel, 8);
        let x = random(rng, source);
        let weight = random(rng, Shape::new(8, 8 * kernel * kernel, 1)).values;
        let (bias, in_first_block, out_first_block) = (false, 1, 2);
        let layer = ConvLayer { bias, in_first_block, out_first_block, ..ConvLayer::new(conv, input) };
        let found = run_layer(&layer, &x, &weight, &[0.0; 8], &x, whole);
        let part = Tensor::from_fn(input, |c, i, j| x.at(c + 4, i, j));
        let expected = reference::conv(&part, &conv, &weight, &[0.0; 8]);
        let expected =
            Tensor::from_fn(whole, |c, i, j| if (8..16).contains(&c) { expected.at(c - 8, i, j) } else { 0.0 });
        assert_close(&found, &expected, 1e-4, "part");
    }
}

/// Layers that are large enough for Winograd's way.
fn winograd_layers() -> Vec<ConvLayer> {
    let cases = [
        (Shape::new(64, 32, 31), Conv::new(3, 64)),
        (Shape::new(64, 33, 29), Conv::new(3, 128).groups(2)),
        (Shape::new(32, 58, 57), Conv::new(3, 40)),
        (Shape::new(96, 48, 48), Conv::new(3, 96).groups(4)),
        (Shape::new(32, 61, 55), Conv::new(3, 40).padding(0)),
        (Shape::new(32, 55, 57), Conv::new(3, 40).padding(2)),
        (Shape::new(64, 31, 33), Conv::new(3, 64).dilation(2)),
        (Shape::new(128, 30, 29), Conv::new(3, 128).groups(2).dilation(3)),
        (Shape::new(64, 33, 35), Conv::new(3, 64).dilation(2).padding(1)),
    ];
    let layers = cases.map(|(input, conv)| ConvLayer::new(conv, input));
    for layer in &layers {
        assert_eq!(layer.starts().len(), 3, "{layer:?} is computed directly");
    }
    layers.into()
}

fn winograd_convolutions() {
    let rng = &mut SmallRng::seed_from_u64(31);
    for (index, layer) in winograd_layers().into_iter().enumerate() {
        let activation = [Activation::Relu, Activation::Silu][index % 2];
        check_conv(rng, layer.input, layer.conv, activation, index % 3 == 0);
    }
}

fn winograd_tiles() {
    let rng = &mut SmallRng::seed_from_u64(32);
    for layer in winograd_layers() {
        let starts = layer.starts();
        let x = random(rng, layer.input);
        let tiles = reference::winograd_input(&x, &layer.conv, layer.output);
        let found = run_kernel(&starts[0].dispatch, &[pack_activation(&x)], tiles.shape);
        assert_close(&found, &tiles, 1e-5, "transformed tiles");

        let products = random(rng, tiles.shape.with_channels(36 * layer.output.channels));
        let expected = reference::winograd_output(&products, layer.conv.dilation, layer.output);
        let bias = vec![0.0; layer.output.channels];
        let inputs = [pack_activation(&products), pack_vector(&bias), vec![0.0; 4]];
        let found = run_kernel(&starts[2].dispatch, &inputs, layer.output);
        assert_close(&found, &expected, 1e-4, "tiles of the output");
    }
}

/// What comes of a trial of the kernels by a clock that ticks once each time it is read; each tick is the last one's
/// `share`.
fn tuned_by(share: f64) -> Tuning {
    let (clock, tick) = (Cell::new(0.0), Cell::new(1e9));
    let seconds = || {
        clock.set(clock.get() + tick.replace(tick.get() * share));
        clock.get()
    };
    let (gpu, seen) = (gpu(), Cell::new(0));
    let progress = async |Tried { done, total }: Tried| seen.set(seen.get() + usize::from(done < total));
    let tuning = pollster::block_on(tune(&gpu, seconds, progress)).unwrap();
    assert_eq!(seen.get(), 5, "one word before each question");
    tuning
}

fn tuning_goes_by_the_clock() {
    let first = gpu().first_tuning();
    assert_eq!(tuned_by(1.0), first, "a draw changes nothing");
    assert_eq!(tuned_by(0.99), first, "nor does what is hardly faster");
    let loads = match first.loads {
        Loads::Buffers => Loads::Textures,
        _ => Loads::Buffers,
    };
    let last = Tuning {
        pointwise: Pointwise::Shared,
        conv: Tile::Narrow,
        winograd: false,
        loads,
        shared_sums: !first.shared_sums,
    };
    assert_eq!(tuned_by(0.9), last, "the later, the faster");
}

fn pools() {
    let rng = &mut SmallRng::seed_from_u64(4);
    for input in [Shape::new(4, 8, 8), Shape::new(6, 7, 5), Shape::new(4, 1, 1), Shape::new(12, 3, 11)] {
        let x = random(rng, input);
        let shortcut = Pool::new(2, 2).ceil_mode().exclude_pad();
        for pool in [shortcut, Pool::new(3, 2).padding(1), Pool::new(3, 1).padding(1), shortcut.padding(1)] {
            let output = Op::AvgPool(pool).infer(&[input]);
            let Ok(output) = output else { continue };
            let packed = [pack_activation(&x)];
            let found = run_kernel(&kernels::avg_pool::dispatch(&pool, input, output), &packed, output);
            assert_close(&found, &reference::avg_pool(&x, &pool), 1e-6, &format!("average {pool:?} on {input}"));
            let found = run_kernel(&kernels::max_pool::dispatch(&pool, input, output), &packed, output);
            assert_close(&found, &reference::max_pool(&x, &pool), 0.0, &format!("maximum {pool:?} on {input}"));
        }
    }
}

fn global_pools_and_sums_of_splits() {
    let rng = &mut SmallRng::seed_from_u64(5);
    for (input, radix) in
        [(Shape::new(8, 1, 1), 1), (Shape::new(10, 7, 9), 1), (Shape::new(16, 12, 12), 2), (Shape::new(48, 3, 5), 4)]
    {
        let x = random(rng, input);
        let packed = [pack_activation(&x)];
        let pooled = reference::global_avg_pool(&x, radix);
        for shared_sums in [false, true] {
            let tuning = Tuning { shared_sums, ..Tuning::default() };
            let found = run_kernel(&kernels::global_avg_pool::dispatch(input, radix, tuning), &packed, pooled.shape);
            assert_close(&found, &pooled, 1e-6, &format!("pool of {input} at radix {radix}, {tuning}"));
        }
        if radix > 1 {
            let summed = reference::sum_splits(&x, radix);
            let found = run_kernel(&kernels::sum_splits::dispatch(summed.shape, radix), &packed, summed.shape);
            assert_close(&found, &summed, 1e-6, &format!("sum of {input} at radix {radix}"));
        }
    }
}

fn radix_softmax() {
    let rng = &mut SmallRng::seed_from_u64(6);
    for (radix, cardinality, width) in [(2, 1, 16), (4, 2, 40), (1, 4, 24), (2, 2, 12), (3, 1, 5)] {
        // Large logits too: the exponentials must not overflow.
        let logits = random(rng, Shape::vector(radix * cardinality * width)).values.iter().map(|x| x * 200.0).collect();
        let logits = Tensor::vector(logits);
        let dispatch = kernels::radix_softmax::dispatch(logits.values.len(), radix, cardinality);
        let found = run_kernel(&dispatch, &[pack_vector(&logits.values)], logits.shape);
        let expected = reference::radix_softmax(&logits, radix, cardinality);
        assert_close(&found, &expected, 2e-6, &format!("radix {radix}, cardinality {cardinality}"));
    }
}

fn replaced_gates() {
    let rng = &mut SmallRng::seed_from_u64(10);
    for (channels, branches) in [(16, 2), (40, 4), (7, 1), (5, 3), (130, 2)] {
        let gates = random(rng, Shape::vector(branches * channels));
        let new = random(rng, gates.shape).values;
        for replacement in [None, Some(new.as_slice())] {
            let dispatch = kernels::replace_gates::dispatch(channels, branches, replacement.is_none());
            let found = run_in_place(&dispatch, std::slice::from_ref(&new), &gates.values);
            let expected = reference::replace_gates(&gates, branches, replacement);
            common::assert_close(&found, &expected.values, 0.0, &format!("{branches} branches of {channels}"));
        }
    }
}

fn weighted_sums() {
    let rng = &mut SmallRng::seed_from_u64(7);
    for (input, radix) in [(Shape::new(8, 5, 5), 2), (Shape::new(16, 4, 4), 1), (Shape::new(48, 1, 3), 3)] {
        let splits = random(rng, input);
        let gates = random(rng, Shape::vector(input.channels));
        let expected = reference::weighted_sum(&splits, &gates, radix);
        let inputs = [pack_activation(&splits), pack_vector(&gates.values)];
        let found = run_kernel(&kernels::weighted_sum::dispatch(expected.shape, radix), &inputs, expected.shape);
        assert_close(&found, &expected, 1e-6, &format!("{input} at radix {radix}"));
    }
}

fn additions() {
    let rng = &mut SmallRng::seed_from_u64(8);
    let shape = Shape::new(6, 5, 7);
    let (a, b) = (random(rng, shape), random(rng, shape));
    let expected = reference::activate(&reference::add(&a, &b), Activation::Relu);
    let inputs = [pack_activation(&a), pack_activation(&b)];
    let found = run_kernel(&kernels::add::dispatch(shape, Activation::Relu), &inputs, shape);
    assert_close(&found, &expected, 0.0, "sum");
}

fn activations_hide_no_overflow() {
    let shape = Shape::vector(4);
    let x = pack_vector(&[f32::NAN, f32::INFINITY, f32::NEG_INFINITY, -1.0]);
    for (activation, most, least) in [
        (Activation::Identity, f32::INFINITY, [f32::NEG_INFINITY, -1.0]),
        (Activation::Relu, f32::INFINITY, [0.0; 2]),
        (Activation::Relu6, 6.0, [0.0; 2]),
    ] {
        let inputs = [x.clone(), pack_vector(&[0.0; 4])];
        let found = run_kernel(&kernels::add::dispatch(shape, activation), &inputs, shape).values;
        assert!(found[0].is_nan(), "{activation:?}: {found:?}");
        assert_eq!(found[1..], [most, least[0], least[1]], "{activation:?}");
    }
}

fn branch_maps() {
    let rng = &mut SmallRng::seed_from_u64(9);
    for (output, branches) in [(Shape::new(16, 8, 8), 2), (Shape::new(8, 3, 5), 1), (Shape::new(4, 1, 1), 4)] {
        let splits = random(rng, output.with_channels(branches * output.channels));
        let gates = random(rng, Shape::vector(branches * output.channels));
        let sum = reference::weighted_sum(&splits, &gates, branches);
        let expected = reference::branch_maps(&splits, &gates, &sum, branches);
        let inputs = [pack_activation(&splits), pack_vector(&gates.values), pack_activation(&sum)];
        let dispatch = kernels::branch_maps::dispatch(output, branches);
        let found = run_plain(&dispatch, &inputs, expected.shape);
        assert_close(&found, &expected, 1e-5, &format!("{branches} branches of {output}"));
    }
}

fn group_maps() {
    let rng = &mut SmallRng::seed_from_u64(10);
    // Groups of 10, 5 and 3 channels begin and end inside a block; 8 of 8 and 5 of 5 are depthwise.
    let cases = [
        (Shape::new(64, 7, 9), 1),
        (Shape::new(64, 5, 5), 8),
        (Shape::new(80, 3, 7), 8),
        (Shape::new(30, 11, 1), 6),
        (Shape::new(9, 5, 3), 3),
        (Shape::new(7, 4, 4), 1),
        (Shape::new(8, 9, 13), 8),
        (Shape::new(5, 1, 1), 5),
    ];
    for (input, groups) in cases {
        let x = random(rng, input);
        let expected = reference::group_maps(&x, groups);
        let dispatch = kernels::group_maps::dispatch(input, groups);
        let found = run_plain(&dispatch, &[pack_activation(&x)], expected.shape);
        assert_close(&found, &expected, 1e-6, &format!("{groups} groups of {input}"));
    }
}
