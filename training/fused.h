// What the fused operators share: bf16 as its bits, and tensors as arrays.
#pragma once
#include <torch/extension.h>

#include <algorithm>
#include <cfloat>
#include <cmath>
#include <cstdint>
#include <optional>
#include <vector>

using torch::Tensor;
using bf16 = uint16_t;  // its bits: the upper half of a float's

static inline float widen(bf16 value) { return __builtin_bit_cast(float, uint32_t(value) << 16); }

// To nearest, ties to even.
static inline bf16 narrow(float value) {
    uint32_t bits = __builtin_bit_cast(uint32_t, value);
    return bf16((bits + 0x7fffu + ((bits >> 16) & 1u)) >> 16);
}

static inline bf16* data(const Tensor& t) { return reinterpret_cast<bf16*>(t.data_ptr<at::BFloat16>()); }
static inline float* floats(const Tensor& t) { return t.data_ptr<float>(); }
static inline Tensor channels_last(const Tensor& t) { return t.contiguous(at::MemoryFormat::ChannelsLast); }
static inline Tensor new_floats(at::IntArrayRef shape) { return torch::zeros(shape, torch::kFloat32); }
