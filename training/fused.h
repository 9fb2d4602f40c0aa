// What the fused operators share: the type of activations, and tensors as arrays.
#pragma once
#include <ATen/ATen.h>
#include <ATen/Parallel.h>

#include <algorithm>
#include <cfloat>
#include <cmath>
#include <cstdint>
#include <optional>
#include <vector>

using at::Tensor;

// An activation in memory; everything is computed in f32.
#ifdef FUSED_BF16
using scalar = at::BFloat16;
using element = uint16_t;  // its bits: the upper half of a float's

static inline float widen(element value) { return __builtin_bit_cast(float, uint32_t(value) << 16); }

// To nearest, ties to even.
static inline element narrow(float value) {
    uint32_t bits = __builtin_bit_cast(uint32_t, value);
    return element((bits + 0x7fffu + ((bits >> 16) & 1u)) >> 16);
}
#else
using scalar = float;
using element = float;

static inline float widen(element value) { return value; }
static inline element narrow(float value) { return value; }
#endif

static inline element* data(const Tensor& t) { return reinterpret_cast<element*>(t.data_ptr<scalar>()); }
static inline float* floats(const Tensor& t) { return t.data_ptr<float>(); }
static inline Tensor channels_last(const Tensor& t) { return t.contiguous(at::MemoryFormat::ChannelsLast); }
static inline Tensor new_floats(at::IntArrayRef shape) { return at::zeros(shape, at::kFloat); }

// Runs body(first, end) on parts of `count` pieces of work, in as many threads as torch has.
template <class Body>
void in_parallel(int64_t count, const Body& body) {
    at::parallel_for(0, count, 1, body);
}
