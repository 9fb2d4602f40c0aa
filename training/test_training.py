"""One tiny training end to end on generated images: train, resume, evaluate, export."""
import copy
import json
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import torch
from PIL import Image
from safetensors.torch import load_file

import fused
import train as training
from data import Crops, list_files, load, normalise, resize
from evaluate import answers, calibration_error, evaluate, restore
from export import export
from networks import NETWORKS, cost
from plot import plot
from settle import settle
from teacher import FEATURES, classify, fit

CLASSES = ['n00000001', 'n00000002']
RECIPE = training.Recipe(phases=((1, {32: 1.0}), (1, {32: 0.5, 64: 0.5})), batch=4, peak_rate=0.01)


@pytest.fixture
def photographs(tmp_path: Path) -> Path:
    """Two classes, dark and bright noise, in Tiny ImageNet's own layout."""
    random = np.random.default_rng(0)
    annotations = []
    for label, wnid in enumerate(CLASSES):
        for split, folder in (('train', f'train/{wnid}/images'), ('val', 'val/images')):
            (tmp_path / folder).mkdir(parents=True, exist_ok=True)
            for number in range(8):
                pixels = random.integers(128 * label, 128 * (label + 1), (64, 64, 3), dtype=np.uint8)
                # As in Tiny ImageNet, validation images in the order of their names are not in that of their classes.
                name = f'{wnid}_{number}.JPEG' if split == 'train' else f'val_{2 * number + label}.JPEG'
                Image.fromarray(pixels).save(tmp_path / folder / name)
                if split == 'val':
                    annotations.append(f'{name}\t{wnid}\t0\t0\t63\t63')
    (tmp_path / 'val/val_annotations.txt').write_text('\n'.join(annotations))
    return tmp_path


@pytest.mark.parametrize('name', ['sknet_tiny', 'resnest_tiny_2s2x'])
def test_train_resume_evaluate_export(photographs: Path, tmp_path: Path, name: str):
    out = tmp_path / 'runs'
    train_set = load(photographs, 'train', CLASSES, out / 'cache')
    val_set = load(photographs, 'val', CLASSES, out / 'cache')
    assert len(train_set) == len(val_set) == 16

    teacher = np.zeros((16, 2, 5, 5), np.float16)
    first = training.train(name, train_set, val_set, 2, out, RECIPE, teacher, stop_after=1)
    assert first.epoch == 1
    resumed = training.train(name, train_set, val_set, 2, out, RECIPE, teacher)
    assert resumed.epoch == 2 and resumed.log[0] == first.log[0]

    network, state = restore(name, out, 2, train_set)
    results = evaluate(network, val_set, sizes=(64, 96))
    assert set(results['accuracy']) == {'64', '96'}
    assert len(results['gates']) == 8, 'two units in each of four stages'

    sheet = export(name, train_set, val_set, CLASSES, out, tmp_path / 'models', 'classes.txt', sizes=(64, 96))
    assert json.loads((tmp_path / f'models/{name}.json').read_text())['parameters'] == sheet['parameters']
    shipped = NETWORKS[name](2)
    shipped.load_state_dict(load_file(tmp_path / f'models/{name}.safetensors'), strict=False)
    exact = answers(network, val_set, 64)
    # Statistics over so few images are small next to their rounding.
    assert torch.allclose(answers(shipped, val_set, 64), exact, atol=0.03 * (exact.max() - exact.min()).item())
    assert plot(out).stat().st_size > 0


@pytest.mark.parametrize('bf16', [False, True])
def test_fused_training_learns(bf16: bool, photographs: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr(training, 'has_bf16', lambda: bf16)
    data = [load(photographs, split, CLASSES, tmp_path / 'cache') for split in ('train', 'val')]
    recipe = replace(RECIPE, phases=((6, {32: 1.0}),))
    run = training.train('resnest_tiny', *data, 2, tmp_path / 'a', recipe, fused=True)
    assert run.epoch == 6 and run.bf16 == bf16
    assert run.log[-1]['loss'] < 0.8 * run.log[0]['loss'], 'dark and bright are easily told apart'
    if bf16:
        with pytest.raises(ValueError, match='another recipe'):
            training.train('resnest_tiny', *data, 2, tmp_path / 'a', recipe)
    else:  # Faster operators alone are no other recipe.
        training.train('resnest_tiny', *data, 2, tmp_path / 'a', recipe)


@pytest.fixture(params=[torch.bfloat16, torch.float32], ids=['bf16', 'f32'])
def dtype(request) -> torch.dtype:
    return request.param


def close(found: torch.Tensor, wanted: torch.Tensor, dtype: torch.dtype) -> bool:
    """Equal but for rounding: bf16's is 2^-9 of each value."""
    return ((found.float() - wanted).norm() / wanted.norm()).item() < (4e-3 if dtype == torch.bfloat16 else 2e-6)


def random_activations(channels: int, dtype: torch.dtype, *, leaf: bool = True) -> tuple[torch.Tensor, torch.Tensor]:
    """The same values, which bf16 can hold, in `dtype` and in f32."""
    half = torch.randn(3, channels, 6, 5).bfloat16().to(memory_format=torch.channels_last)
    return half.to(dtype, copy=True).requires_grad_(leaf), half.float().requires_grad_(leaf)


@pytest.mark.parametrize('channels', [3, 16, 96])
@pytest.mark.parametrize('has_shortcut', [False, True])
@pytest.mark.parametrize('activation', [torch.nn.Identity(), torch.nn.ReLU(), torch.nn.SiLU()])
def test_fused_norm_is_batch_norm_shortcut_activation(
        activation: torch.nn.Module, has_shortcut: bool, channels: int, dtype: torch.dtype):
    if has_shortcut and isinstance(activation, torch.nn.SiLU):
        pytest.skip('no block ends so')
    torch.manual_seed(0)
    x, x32 = random_activations(channels, dtype)
    shortcut, shortcut32 = random_activations(channels, dtype) if has_shortcut else (None, None)
    ours, theirs = torch.nn.BatchNorm2d(channels), torch.nn.BatchNorm2d(channels)
    for bn in (ours, theirs):
        torch.manual_seed(1)
        torch.nn.init.uniform_(bn.weight, 0.5, 2)
        torch.nn.init.normal_(bn.bias)
    y = fused.norm(x, ours, fused.activation_of(activation), shortcut)
    y32 = activation(theirs(x32) + (0 if shortcut32 is None else shortcut32))
    above, above32 = random_activations(channels, dtype, leaf=False)
    y.backward(above)
    y32.backward(above32)
    assert close(y, y32, dtype) and close(x.grad, x32.grad, dtype)
    assert close(ours.weight.grad, theirs.weight.grad, dtype) and close(ours.bias.grad, theirs.bias.grad, dtype)
    assert torch.allclose(ours.running_var, theirs.running_var, rtol=1e-5)
    assert torch.allclose(ours.running_mean, theirs.running_mean, atol=1e-6)
    assert not has_shortcut or close(shortcut.grad, shortcut32.grad, dtype)


@pytest.mark.parametrize('radix', [1, 2])
def test_fused_gates_are_those_of_the_pooled_sum(radix: int, dtype: torch.dtype):
    torch.manual_seed(0)
    x, x32 = random_activations(24, dtype)
    mix = torch.randn(24, 24 // radix)
    gates_of = lambda gap: (gap.flatten(1) @ mix.T).sigmoid()
    y = fused.gated(x, radix, gates_of)
    branches = x32.view(3, radix, 24 // radix, 6, 5)
    gates = gates_of(branches.sum(1).mean((2, 3), keepdim=True)).view(3, radix, 24 // radix, 1, 1)
    y32 = (branches * gates).sum(1)
    above, above32 = random_activations(24 // radix, dtype, leaf=False)
    y.backward(above)
    y32.backward(above32)
    assert close(y, y32, dtype) and close(x.grad, x32.grad, dtype)


@pytest.mark.parametrize('stride', [1, 2])
@pytest.mark.parametrize('channels', [16, 96])
def test_fused_depthwise_is_a_convolution(channels: int, stride: int, dtype: torch.dtype):
    torch.manual_seed(0)
    x, x32 = random_activations(channels, dtype)
    ours = torch.nn.Conv2d(channels, channels, 3, stride, 1, groups=channels, bias=False)
    theirs = copy.deepcopy(ours)
    y, y32 = fused.depthwise(ours, x), theirs(x32)
    above = torch.randn_like(y32).to(dtype)
    y.backward(above)
    y32.backward(above.float())
    assert close(y, y32, dtype) and close(x.grad, x32.grad, dtype)
    assert close(ours.weight.grad, theirs.weight.grad, dtype)


@pytest.mark.parametrize('channels', [16, 48])
def test_a_fused_pointwise_convolution_is_a_matrix_product(channels: int, dtype: torch.dtype):
    torch.manual_seed(0)
    x, x32 = random_activations(channels, dtype)
    ours = torch.nn.Conv2d(channels, 32, 1, bias=False)
    theirs = copy.deepcopy(ours)
    with torch.autocast('cpu', torch.bfloat16, enabled=dtype == torch.bfloat16):
        y = fused.pointwise(ours, x)
    y32 = theirs(x32)
    assert y.is_contiguous(memory_format=torch.channels_last)
    above = torch.randn_like(y32).to(dtype)
    y.backward(above)
    y32.backward(above.float())
    assert close(y, y32, dtype) and close(x.grad, x32.grad, dtype)
    assert close(ours.weight.grad, theirs.weight.grad, dtype)


# Each width is computed in tiles of another shape; at 5 x 5 a stride of 2 is left to torch.
@pytest.mark.parametrize('stride, height, width', [
    (1, 3, 24), (1, 5, 8), (1, 6, 6), (1, 4, 4), (1, 3, 3), (1, 2, 2), (1, 4, 5), (2, 4, 24), (2, 16, 16), (2, 6, 4),
    (2, 10, 14), (2, 2, 2), (2, 5, 5)])
def test_groups_of_eight_are_a_convolution(stride: int, height: int, width: int):
    torch.manual_seed(0)
    x = torch.randn(33, 24, height, width).to(memory_format=torch.channels_last).requires_grad_()
    x32 = x.detach().clone().requires_grad_()
    ours = torch.nn.Conv2d(24, 24, 3, stride, 1, groups=3, bias=False)
    theirs = copy.deepcopy(ours)
    y, y32 = fused.grouped(ours, x), theirs(x32)
    above = torch.randn_like(y32)
    y.backward(above)
    y32.backward(above)
    assert close(y, y32, x.dtype) and close(x.grad, x32.grad, x.dtype)
    assert close(ours.weight.grad, theirs.weight.grad, x.dtype)


@pytest.mark.parametrize('name', NETWORKS)
def test_a_fused_network_keeps_its_mathematics(name: str, dtype: torch.dtype):
    torch.manual_seed(0)
    plain = NETWORKS[name](10).to(memory_format=torch.channels_last).train()
    quick = copy.deepcopy(plain)
    fused.fuse(quick, bf16=dtype == torch.bfloat16)
    images = torch.randn(16, 3, 32, 32).to(memory_format=torch.channels_last)
    wanted, found = plain(images), quick(images)
    # Batch norm of random weights enlarges rounding; a wrong gate or shortcut is off by a half or more.
    assert ((found - wanted).norm() / wanted.norm()).item() < (0.15 if dtype == torch.bfloat16 else 1e-3)
    found.sum().backward()
    assert all(parameter.grad is not None and parameter.grad.isfinite().all() for parameter in quick.parameters())
    assert quick.state_dict().keys() == plain.state_dict().keys()
    steps = [value.item() for key, value in quick.state_dict().items() if key.endswith('num_batches_tracked')]
    assert steps == [1] * len(steps)


def test_resumed_training_equals_uninterrupted_training(photographs: Path, tmp_path: Path):
    data = [load(photographs, split, CLASSES, tmp_path / 'cache') for split in ('train', 'val')]
    recipe = replace(RECIPE, averaging=0.5)  # so that the average moves within a few steps
    training.train('resnext_tiny', *data, 2, tmp_path / 'a', recipe, stop_after=1)
    resumed = training.train('resnext_tiny', *data, 2, tmp_path / 'a', recipe)
    straight = training.train('resnext_tiny', *data, 2, tmp_path / 'b', recipe)
    assert [row['loss'] for row in resumed.log] == pytest.approx([row['loss'] for row in straight.log], abs=1e-3)
    for kind in ('network', 'averaged'):
        found, wanted = (getattr(run, kind).state_dict() for run in (resumed, straight))
        assert all(torch.allclose(found[key].float(), wanted[key].float(), atol=1e-3) for key in wanted)


def test_settled_statistics_are_those_of_whole_photographs(photographs: Path, tmp_path: Path):
    train_set = load(photographs, 'train', CLASSES, tmp_path / 'cache')
    convolution, norm = torch.nn.Conv2d(3, 4, 3), torch.nn.BatchNorm2d(4)
    weight = convolution.weight.clone()
    settle(torch.nn.Sequential(convolution, norm), train_set, {48: 0.75, 64: 0.25})
    # All 16 photographs are in every batch, so that a size has the same statistics each time.
    with torch.no_grad():
        values = [convolution(normalise(resize(train_set.batch(slice(None)), size))) for size in (48, 64)]
    small, large = ((value.mean((0, 2, 3)), value.var((0, 2, 3))) for value in values)
    assert torch.allclose(norm.running_mean, 0.75 * small[0] + 0.25 * large[0], atol=1e-5)
    assert torch.allclose(norm.running_var, 0.75 * small[1] + 0.25 * large[1], rtol=1e-4)
    assert torch.equal(convolution.weight, weight) and norm.momentum == 0.1 and not norm.training


def test_another_recipe_does_not_resume(photographs: Path, tmp_path: Path):
    data = [load(photographs, split, CLASSES, tmp_path / 'cache') for split in ('train', 'val')]
    training.train('resnet_tiny', *data, 2, tmp_path / 'a', RECIPE, stop_after=1)
    with pytest.raises(ValueError, match='another recipe'):
        training.train('resnet_tiny', *data, 2, tmp_path / 'a', training.Recipe())


def test_both_layouts_of_the_validation_images_pair_them_with_their_labels(photographs: Path, tmp_path: Path):
    def pairs() -> list[tuple[int, bytes]]:
        val_set = load(photographs, 'val', CLASSES, tmp_path / 'cache')
        return [(label.item(), image.tobytes()) for image, label in zip(val_set.images, val_set.labels)]

    annotated = pairs()
    for file, label in list_files(photographs, 'val', CLASSES):
        (photographs / 'val' / CLASSES[label]).mkdir(exist_ok=True)
        file.rename(photographs / 'val' / CLASSES[label] / file.name)
    foldered = pairs()
    assert foldered != annotated and sorted(foldered) == sorted(annotated)


def test_a_crop_of_everything_is_the_image_or_its_mirror():
    images = torch.rand(2, 3, 8, 8)
    whole = Crops(torch.zeros(2, 2), torch.ones(2, 2), torch.tensor([False, True])).sample(images, 8)
    assert torch.allclose(whole[0], images[0], atol=1e-5)
    assert torch.allclose(whole[1], images[1].flip(-1), atol=1e-5)


def test_whole_images_are_shifted_by_whole_pixels():
    images = torch.rand(32, 3, 64, 64)
    crops = Crops.random(32, (0.3, 0.5), 0.5, torch.Generator().manual_seed(1))
    whole = (crops.extent == 1).all(1)
    assert 8 < whole.sum() < 24
    assert (crops.extent[~whole].prod(1) < 0.55).all()
    crops.flip[:] = False
    shifted = crops.sample(images, 64)
    for image, found, centre in zip(images[whole], shifted[whole], crops.centre[whole]):
        x, y = (centre * 32).round().int().tolist()
        inside = found[:, max(0, -y):64 - max(0, y), max(0, -x):64 - max(0, x)]
        assert torch.allclose(inside, image[:, max(0, y):64 + min(0, y), max(0, x):64 + min(0, x)], atol=1e-4)


def test_the_teacher_answers_place_by_place(tmp_path: Path):
    """Two classes that differ in one feature: left half of each map shows one, right half the other."""
    labels = torch.arange(64) % 2
    pooled = torch.randn(64, FEATURES) * 0.1
    pooled[:, 0] = 2.0 * labels
    head = fit(pooled, labels, classes=2, epochs=60)
    assert (head(pooled).argmax(1) == labels).all()

    maps = torch.zeros(3, FEATURES, 4, 4)
    maps[:, 0, :, 2:] = 2.0
    np.save(tmp_path / 'block.npy', maps.half().numpy())
    opposite = copy.deepcopy(head)
    for parameter in opposite.parameters():
        parameter.data.neg_()
    logits = classify([head, opposite], torch.tensor([0, 1, 0]), [tmp_path / 'block.npy'], classes=2)
    left, right = logits.argmax(1)[:, :, :2], logits.argmax(1)[:, :, 2:]
    assert (left[[0, 2]] == 0).all() and (right[[0, 2]] == 1).all()
    assert (left[1] == 1).all() and (right[1] == 0).all(), 'each photograph is judged by the head of its fold'

    half = Crops(torch.tensor([[-0.5, 0.0]]), torch.tensor([[0.5, 1.0]]), torch.tensor([True]))
    assert half.opinion(logits[:1]).argmax() == 0, 'the left half, mirrored or not'


def test_calibration_error_of_known_answers():
    # Three of four right at a confidence of one half each: a gap of a quarter.
    logits = torch.zeros(4, 2)
    logits[:, 0] = 1e-4
    assert calibration_error(logits, torch.tensor([0, 0, 0, 1])) == pytest.approx(0.25, abs=1e-3)


@pytest.mark.parametrize('name', NETWORKS)
def test_costs_are_comparable(name: str):
    assert 60 <= cost(NETWORKS[name](100))['mmacs'] <= 90
