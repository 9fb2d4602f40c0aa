"""Training faster on a CPU: everything between convolutions fused (fused.cpp), narrow groups with kernels of their own.

`fuse` replaces the forward of a network's blocks in place. Parameters, their names and the mathematics stay those of
timm: in eager PyTorch much of a step of these small networks goes into batch norm, activations, shortcuts and gates,
each of which takes its tensors through memory several times. Activations are bf16 where the processor computes in it,
and f32 elsewhere.
"""
import fcntl
import zlib
from functools import cache
from pathlib import Path
from types import MethodType

import torch
import torch.nn.functional as F
from timm.layers import BatchNormAct2d, SEModule, SelectiveKernel, SplitAttn
from timm.models.regnet import Bottleneck as RegNetBottleneck
from timm.models.resnest import ResNestBottleneck
from timm.models.resnet import Bottleneck
from timm.models.sknet import SelectiveKernelBottleneck
from torch import Tensor, nn
from torch.autograd import Function
from torch.utils.cpp_extension import load

NONE, RELU, SILU = range(3)
# Pixels of an image, up to which a matrix product is the faster pointwise convolution.
MATRIX_PIXELS = {torch.bfloat16: 144, torch.float32: 36}


@cache
def ops(dtype: torch.dtype):
    """The operators compiled for activations of this type; the first call on a machine takes a minute or two."""
    here = Path(__file__).parent
    bf16 = dtype == torch.bfloat16
    name = 'splitlens_fused_bf16' if bf16 else 'splitlens_fused_f32'
    sources = ['fused.cpp', 'depthwise.cpp', *([] if bf16 else ['grouped.cpp'])]
    flags = ['-O3', '-march=native', '-ffast-math', '-fopenmp', *(['-DFUSED_BF16'] if bf16 else [])]
    build = here / f'.operators/{name}-{torch.__version__}-{processor():08x}'
    build.mkdir(parents=True, exist_ok=True)
    with (build / 'turn').open('w') as turn:
        # Given back however a process ends: torch's own lock, left by a killed one, is waited for without end.
        fcntl.flock(turn, fcntl.LOCK_EX)
        (build / 'lock').unlink(missing_ok=True)
        return load(name, [str(here / file) for file in sources], build_directory=str(build),
                    extra_cflags=flags, extra_ldflags=['-lmvec', '-lm'])


def processor() -> int:
    """A checksum of the processor's abilities (Linux), for which operators are compiled."""
    lines = Path('/proc/cpuinfo').read_text().splitlines()
    return zlib.crc32(next(line for line in lines if line.startswith(('flags', 'Features'))).encode())


class Norm(Function):
    """activation(batch norm of x + shortcut) in training."""

    @staticmethod
    def forward(ctx, x: Tensor, shortcut: Tensor | None, weight: Tensor, bias: Tensor, bn: nn.BatchNorm2d, activation: int):
        y, mean, inverse = ops(x.dtype).norm(
            x, shortcut, weight, bias, bn.running_mean, bn.running_var, bn.momentum, bn.eps, activation)
        needs_y = shortcut is not None and activation == RELU
        ctx.save_for_backward(x, y if needs_y else None, weight, bias, mean, inverse)
        ctx.activation, ctx.has_shortcut = activation, shortcut is not None
        return y

    @staticmethod
    def backward(ctx, dy: Tensor):
        dx, d_shortcut, d_weight, d_bias = ops(dy.dtype).norm_backward(
            dy, *ctx.saved_tensors, ctx.activation, ctx.has_shortcut)
        return dx, d_shortcut, d_weight, d_bias, None, None


class NarrowConvolution(Function):
    """A 3x3 convolution of narrow groups, padded by one, by a kernel of ours: `depthwise` or `grouped`.

    `grouped` is of groups of 8 channels in f32; its stride divides the image's sides.
    """

    @staticmethod
    def forward(ctx, x: Tensor, weight: Tensor, stride: int, kernel: str):
        ctx.save_for_backward(x, weight)
        ctx.stride, ctx.kernel = stride, kernel
        return getattr(ops(x.dtype), kernel)(x, weight, stride)

    @staticmethod
    def backward(ctx, dy: Tensor):
        backward = getattr(ops(dy.dtype), f'{ctx.kernel}_backward')
        return *backward(dy, *ctx.saved_tensors, ctx.stride), None, None


class Pool(Function):
    """x itself and its means over the pixels (B x C, f32), so that one pass adds both gradients."""

    @staticmethod
    def forward(_ctx, x: Tensor):
        return x.view_as(x), ops(x.dtype).pool(x)

    @staticmethod
    def backward(_ctx, dx: Tensor, d_means: Tensor):
        return ops(dx.dtype).pool_backward(dx, d_means)


class WeightedSum(Function):
    """The sum of `radix` branches, which lie one after the other in the channels, each under its gates."""

    @staticmethod
    def forward(ctx, x: Tensor, gates: Tensor, radix: int):
        ctx.save_for_backward(x, gates)
        ctx.radix = radix
        return ops(x.dtype).weighted_sum(x, gates, radix)

    @staticmethod
    def backward(ctx, dy: Tensor):
        return *ops(dy.dtype).weighted_sum_backward(dy, *ctx.saved_tensors, ctx.radix), None


def has_bf16() -> bool:
    """Whether the processor multiplies in bf16 (AVX-512 BF16, which processors with AMX have too)."""
    return torch.cpu._is_avx512_bf16_supported()


def activation_of(module: nn.Module) -> int:
    return {nn.Identity: NONE, nn.ReLU: RELU, nn.SiLU: SILU}[type(module)]


def norm(x: Tensor, bn: nn.BatchNorm2d, activation: int = NONE, shortcut: Tensor | None = None) -> Tensor:
    bn.num_batches_tracked.add_(1)
    return Norm.apply(x, shortcut, bn.weight, bn.bias, bn, activation)


def gated(x: Tensor, radix: int, gates_of) -> Tensor:
    """`gates_of` computes B x (radix * C) gates in f32 from the means of the sum of the branches, B x C x 1 x 1."""
    x, means = Pool.apply(x)
    with torch.autocast('cpu', enabled=False):
        gates = gates_of(means.view(len(x), radix, -1).sum(1)[:, :, None, None]).flatten(1)
    return WeightedSum.apply(x, gates, radix)


# Forwards, named after the modules they belong to.

def split_attn(self: SplitAttn, x: Tensor) -> Tensor:
    x = norm(self.conv(x), self.bn0, RELU)
    return gated(x, self.radix, lambda gap: self.rsoftmax(self.fc2(self.act1(self.bn1(self.fc1(gap))))))


def selective_kernel(self: SelectiveKernel, x: Tensor) -> Tensor:
    x = torch.cat([path(x) for path in self.paths], 1)
    attn = self.attn
    return gated(x, self.num_paths, lambda gap: attn.fc_select(attn.act(attn.bn(attn.fc_reduce(gap))))
                 .view(len(x), self.num_paths, -1).softmax(1))


def se_module(self: SEModule, x: Tensor) -> Tensor:
    return gated(x, 1, lambda gap: self.gate(self.fc2(self.act(self.bn(self.fc1(gap))))))


def bottleneck(self: Bottleneck, x: Tensor) -> Tensor:
    shortcut = x if self.downsample is None else self.downsample(x)
    x = norm(self.conv1(x), self.bn1, RELU)
    x = self.conv3(norm(self.conv2(x), self.bn2, RELU))
    if self.se is None:
        return norm(x, self.bn3, RELU, shortcut)
    return F.relu(self.se(norm(x, self.bn3)) + shortcut)


def resnest_bottleneck(self: ResNestBottleneck, x: Tensor) -> Tensor:
    shortcut = x if self.downsample is None else self.downsample(x)
    x = self.conv2(norm(self.conv1(x), self.bn1, RELU))
    if self.avd_last is not None:
        x = self.avd_last(x)
    return norm(self.conv3(x), self.bn3, RELU, shortcut)


def sk_bottleneck(self: SelectiveKernelBottleneck, x: Tensor) -> Tensor:
    shortcut = x if self.downsample is None else self.downsample(x)
    return norm(self.conv3.conv(self.conv2(self.conv1(x))), self.conv3.bn, RELU, shortcut)


def regnet_bottleneck(self: RegNetBottleneck, x: Tensor) -> Tensor:
    shortcut = None if self.downsample is None else self.downsample(x)
    x = self.conv3.conv(self.se(self.conv2(self.conv1(x))))
    return norm(x, self.conv3.bn, activation_of(self.act3), shortcut)


def batch_norm_act(self: BatchNormAct2d, x: Tensor) -> Tensor:
    return norm(x, self, activation_of(self.act))


def grouped(self: nn.Conv2d, x: Tensor) -> Tensor:
    """Narrow groups leave oneDNN's kernels at a sixth to a third of what its dense convolutions reach."""
    if x.dtype == torch.bfloat16 and groups_to_merge(self) > 1:
        return conv_in_wide_groups(self, x)
    ours = self.in_channels == self.out_channels == 8 * self.groups and self.dilation == (1, 1)
    if x.dtype == torch.float32 and ours and all(side % self.stride[0] == 0 for side in x.shape[2:]):
        return NarrowConvolution.apply(x, self.weight, self.stride[0], 'grouped')
    return nn.Conv2d.forward(self, x)


def conv_in_wide_groups(self: nn.Conv2d, x: Tensor) -> Tensor:
    """Several narrow groups as one of 16 channels or more with zeros in between, the least that fills a matrix unit."""
    out, per_group, *kernel = self.weight.shape
    merged = groups_to_merge(self)
    weight = self.weight.to(x.dtype).view(-1, merged, out // self.groups, per_group, *kernel)
    weight = torch.einsum('amoihw,mn->amonihw', weight, torch.eye(merged, dtype=x.dtype))
    weight = weight.reshape(out, merged * per_group, *kernel).contiguous(memory_format=torch.channels_last)
    return F.conv2d(x, weight, self.bias, self.stride, self.padding, self.dilation, self.groups // merged)


def groups_to_merge(conv: nn.Conv2d) -> int:
    merged = 16 * conv.groups // conv.in_channels
    return merged if merged > 1 and conv.groups % merged == 0 else 1


def depthwise(self: nn.Conv2d, x: Tensor) -> Tensor:
    """oneDNN falls back to its slow reference for gradients of strided depthwise convolutions in bf16."""
    return NarrowConvolution.apply(x, self.weight, self.stride[0], 'depthwise')


def pointwise(self: nn.Conv2d, x: Tensor) -> Tensor:
    """A matrix product where the images are small: there oneDNN's convolution takes 1.1 to 3 times its time."""
    batch, channels, height, width = x.shape
    if height * width > MATRIX_PIXELS[x.dtype]:
        return nn.Conv2d.forward(self, x)
    y = F.linear(x.permute(0, 2, 3, 1).reshape(-1, channels), self.weight.flatten(1))
    return y.view(batch, height, width, -1).permute(0, 3, 1, 2)


FORWARDS = {
    SplitAttn: split_attn, SelectiveKernel: selective_kernel, SEModule: se_module,
    Bottleneck: bottleneck, ResNestBottleneck: resnest_bottleneck, SelectiveKernelBottleneck: sk_bottleneck,
    RegNetBottleneck: regnet_bottleneck, BatchNormAct2d: batch_norm_act,
}


def forward_of(module: nn.Module):
    if not isinstance(module, nn.Conv2d):
        return FORWARDS.get(type(module))
    if module.groups == module.in_channels:
        return depthwise
    if module.groups > 1:
        return grouped if module.kernel_size == (3, 3) else None
    return pointwise if module.bias is None and module.kernel_size == module.stride == (1, 1) else None


def fuse(network: nn.Module, bf16: bool):
    """Replaces forwards in place, for training only: evaluation is that of an untouched copy with the same weights.

    `bf16`: the type of activations, f32 otherwise.
    """
    def pair(bn: nn.BatchNorm2d, after: nn.Module | None):
        """A plain batch norm takes over the activation behind it."""
        activation = activation_of(after) if isinstance(after, (nn.ReLU, nn.SiLU)) else NONE
        bn.forward = lambda x: norm(x, bn, activation)
        if activation != NONE:
            after.forward = lambda x: x

    for module in network.modules():
        if forward := forward_of(module):
            module.forward = MethodType(forward, module)
        elif isinstance(module, nn.Sequential):
            children = list(module)
            for child, after in zip(children, [*children[1:], None]):
                if type(child) is nn.BatchNorm2d:
                    pair(child, after)
    if hasattr(network, 'act1'):
        pair(network.bn1, network.act1)

    plain = network.forward

    def in_bf16(x: Tensor) -> Tensor:
        with torch.autocast('cpu', torch.bfloat16):
            return plain(x).float()
    if bf16:
        network.forward = in_bf16
