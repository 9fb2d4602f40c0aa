// What a training step does beside its convolutions, fused so that each tensor passes through memory as few times as
// possible: batch norm with activation and shortcut, pooling, and the weighted sum of branches under their gates.
//
// Activations are bf16 or f32, B x C x H x W in channels_last memory order, so a tensor is B*H*W rows of C values.
// Sums, statistics, gates and parameters are f32 (f64 across blocks of rows). fused.py says what each is the derivative
// of.
#include "fused.h"

#include <torch/extension.h>

enum Activation : int64_t { NONE, RELU, SILU };

// Short rows of C channels taken several at a time, so that loops over `width` values fill vectors.
struct Rows {
    int64_t count, channels, width;

    explicit Rows(const Tensor& x) : count(x.numel() / x.size(1)), channels(x.size(1)), width(channels) {
        while (width < 256 && count % 2 == 0) {
            count /= 2;
            width *= 2;
        }
    }

    double pixels() const { return double(count) * (width / channels); }

    // One value per channel, repeated over the width.
    std::vector<float> repeat(const float* values) const {
        std::vector<float> out(width);
        for (int64_t i = 0; i < width; i++) out[i] = values[i % channels];
        return out;
    }

    // Two sums per channel over all rows; `add(row, a, b)` adds one row's values to a and b.
    template <class Add>
    void reduce(std::vector<double>& a, std::vector<double>& b, Add add) const {
        const int64_t blocks = (count + 127) / 128;
        std::vector<std::vector<double>> sums(at::get_num_threads());  // of a, then of b; empty without work
        in_parallel(blocks, [&](int64_t first, int64_t last) {
            std::vector<double>& mine = sums[at::get_thread_num()];
            mine.assign(2 * channels, 0.0);
            std::vector<float> block_a(width), block_b(width);
            for (int64_t block = first; block < last; block++) {
                std::fill(block_a.begin(), block_a.end(), 0.f);
                std::fill(block_b.begin(), block_b.end(), 0.f);
                for (int64_t row = block * 128; row < std::min(count, block * 128 + 128); row++)
                    add(row, block_a.data(), block_b.data());
                for (int64_t i = 0; i < width; i++) {
                    mine[i % channels] += block_a[i];
                    mine[channels + i % channels] += block_b[i];
                }
            }
        });
        a.assign(channels, 0.0);
        b.assign(channels, 0.0);
        for (const auto& part : sums)
            for (int64_t c = 0; !part.empty() && c < channels; c++) {
                a[c] += part[c];
                b[c] += part[channels + c];
            }
    }

    // Runs visit(row) for all rows.
    template <class Visit>
    void each(Visit visit) const {
        in_parallel(count, [&](int64_t first, int64_t last) {
            for (int64_t row = first; row < last; row++) visit(row);
        });
    }
};

// y = activation(batch_norm(x) + shortcut); returns y, and mean and 1 / deviation of the batch. Updates the running
// statistics as torch does, with the unbiased variance.
static std::vector<Tensor> norm(Tensor x, std::optional<Tensor> shortcut, Tensor weight, Tensor bias, Tensor running_mean,
                                Tensor running_var, double momentum, double eps, int64_t activation) {
    x = channels_last(x);
    const Rows rows(x);
    const int64_t width = rows.width;
    const element* in = data(x);
    std::vector<double> sum, squares;
    rows.reduce(sum, squares, [&](int64_t row, float* a, float* b) {
        const element* p = in + row * width;
#pragma omp simd
        for (int64_t i = 0; i < width; i++) {
            float v = widen(p[i]);
            a[i] += v;
            b[i] += v * v;
        }
    });
    Tensor mean = new_floats({rows.channels}), inverse = new_floats({rows.channels});
    std::vector<float> scale(rows.channels), offset(rows.channels);
    const double n = rows.pixels();
    for (int64_t c = 0; c < rows.channels; c++) {
        double m = sum[c] / n, variance = std::max(0.0, squares[c] / n - m * m);
        floats(mean)[c] = m;
        floats(inverse)[c] = 1 / std::sqrt(variance + eps);
        scale[c] = floats(weight)[c] * floats(inverse)[c];
        offset[c] = floats(bias)[c] - m * scale[c];
        floats(running_mean)[c] += momentum * (m - floats(running_mean)[c]);
        floats(running_var)[c] += momentum * (variance * n / (n - 1) - floats(running_var)[c]);
    }
    const auto scales = rows.repeat(scale.data()), offsets = rows.repeat(offset.data());
    const float *s = scales.data(), *t = offsets.data();
    Tensor y = at::empty_like(x), added = shortcut ? channels_last(*shortcut) : Tensor();
    rows.each([&](int64_t row) {
        const element* p = in + row * width;
        element* out = data(y) + row * width;
        if (activation == SILU && !shortcut) {
#pragma omp simd
            for (int64_t i = 0; i < width; i++) {
                float z = widen(p[i]) * s[i] + t[i];
                out[i] = narrow(z / (1 + expf(-z)));
            }
        } else if (shortcut) {
            const element* q = data(added) + row * width;
            const float least = activation == RELU ? 0.f : -FLT_MAX;
#pragma omp simd
            for (int64_t i = 0; i < width; i++) out[i] = narrow(std::max(widen(p[i]) * s[i] + t[i] + widen(q[i]), least));
        } else {
            const float least = activation == RELU ? 0.f : -FLT_MAX;
#pragma omp simd
            for (int64_t i = 0; i < width; i++) out[i] = narrow(std::max(widen(p[i]) * s[i] + t[i], least));
        }
    });
    return {y, mean, inverse};
}

// The gradients of x, the shortcut (undefined without one), weight and bias. `y` is read where there is a shortcut, or
// else the sign before ReLU is computed again from x, which is in memory anyway.
static std::vector<Tensor> norm_backward(Tensor dy, Tensor x, std::optional<Tensor> y, Tensor weight, Tensor bias,
                                         Tensor mean, Tensor inverse, int64_t activation, bool has_shortcut) {
    dy = channels_last(dy);
    x = channels_last(x);
    const Rows rows(x);
    const int64_t width = rows.width;
    const element *in = data(x), *above = data(dy), *out = y ? data(*y) : nullptr;
    std::vector<float> scale(rows.channels), offset(rows.channels);
    for (int64_t c = 0; c < rows.channels; c++) {
        scale[c] = floats(weight)[c] * floats(inverse)[c];
        offset[c] = floats(bias)[c] - floats(mean)[c] * scale[c];
    }
    const auto scales = rows.repeat(scale.data()), offsets = rows.repeat(offset.data()), means = rows.repeat(floats(mean));
    const float *s = scales.data(), *t = offsets.data(), *m = means.data();

    // The gradient behind the activation, kept where the second pass would have to compute it anew at some cost: it is
    // the shortcut's gradient too.
    Tensor dx = at::empty_like(x), d_shortcut;
    element* kept = nullptr;
    if (has_shortcut && activation == RELU) {
        d_shortcut = at::empty_like(x);
        kept = data(d_shortcut);
    } else if (activation == SILU) {
        kept = data(dx);
    }
    std::vector<double> sum, product;
    rows.reduce(sum, product, [&](int64_t row, float* a, float* b) {
        const element *p = in + row * width, *d = above + row * width;
        if (activation == SILU) {
            element* g = kept + row * width;
#pragma omp simd
            for (int64_t i = 0; i < width; i++) {
                float v = widen(p[i]), z = v * s[i] + t[i], gate = 1 / (1 + expf(-z));
                float e = widen(d[i]) * gate * (1 + z * (1 - gate));
                g[i] = narrow(e);
                a[i] += e;
                b[i] += e * (v - m[i]);
            }
        } else if (activation == RELU && has_shortcut) {
            const element* o = out + row * width;
            element* g = kept + row * width;
#pragma omp simd
            for (int64_t i = 0; i < width; i++) {
                element e = o[i] ? d[i] : element(0);
                g[i] = e;
                a[i] += widen(e);
                b[i] += widen(e) * (widen(p[i]) - m[i]);
            }
        } else {
            const bool relu = activation == RELU;
#pragma omp simd
            for (int64_t i = 0; i < width; i++) {
                float v = widen(p[i]), e = relu & (v * s[i] + t[i] <= 0) ? 0.f : widen(d[i]);
                a[i] += e;
                b[i] += e * (v - m[i]);
            }
        }
    });

    // dx = s (g - mean(g) - xhat mean(g xhat)), as s g + slope x + constant.
    Tensor d_weight = new_floats({rows.channels}), d_bias = new_floats({rows.channels});
    std::vector<float> slope(rows.channels), constant(rows.channels);
    const double n = rows.pixels();
    for (int64_t c = 0; c < rows.channels; c++) {
        double inv = floats(inverse)[c];
        floats(d_weight)[c] = product[c] * inv;
        floats(d_bias)[c] = sum[c];
        slope[c] = -scale[c] * inv * inv * product[c] / n;
        constant[c] = -scale[c] * sum[c] / n - slope[c] * floats(mean)[c];
    }
    const auto slopes = rows.repeat(slope.data()), constants = rows.repeat(constant.data());
    const float *k = slopes.data(), *r = constants.data();
    const bool masked = activation == RELU && !has_shortcut;
    rows.each([&](int64_t row) {
        const element *p = in + row * width, *g = (kept ? kept : above) + row * width;
        element* o = data(dx) + row * width;
#pragma omp simd
        for (int64_t i = 0; i < width; i++) {
            float v = widen(p[i]), e = masked & (v * s[i] + t[i] <= 0) ? 0.f : widen(g[i]);
            o[i] = narrow(s[i] * e + k[i] * v + r[i]);
        }
    });
    if (has_shortcut && activation == NONE) d_shortcut = dy;
    return {dx, d_shortcut, d_weight, d_bias};
}

// B x C x H x W -> B x C: means over the pixels.
static Tensor pool(Tensor x) {
    x = channels_last(x);
    const int64_t batch = x.size(0), channels = x.size(1), pixels = x.size(2) * x.size(3);
    Tensor means = new_floats({batch, channels});
    in_parallel(batch, [&](int64_t first, int64_t end) {
        const element* p = data(x) + first * pixels * channels;
        for (int64_t image = first; image < end; image++) {
            float* m = floats(means) + image * channels;
            for (int64_t pixel = 0; pixel < pixels; pixel++, p += channels)
#pragma omp simd
                for (int64_t c = 0; c < channels; c++) m[c] += widen(p[c]);
        }
    });
    return means.div_(double(pixels));
}

// dx + d_means / pixels.
static Tensor pool_backward(Tensor dx, Tensor d_means) {
    dx = channels_last(dx);
    const int64_t batch = dx.size(0), channels = dx.size(1), pixels = dx.size(2) * dx.size(3);
    d_means = (d_means / double(pixels)).contiguous();
    Tensor sum = at::empty_like(dx);
    in_parallel(batch * pixels, [&](int64_t first, int64_t end) {
        for (int64_t pixel = first; pixel < end; pixel++) {
            const element* p = data(dx) + pixel * channels;
            element* o = data(sum) + pixel * channels;
            const float* m = floats(d_means) + pixel / pixels * channels;
#pragma omp simd
            for (int64_t c = 0; c < channels; c++) o[c] = narrow(widen(p[c]) + m[c]);
        }
    });
    return sum;
}

// x: B x (radix * C) x H x W, branches one after the other; gates: B x (radix * C) -> B x C x H x W.
static Tensor weighted_sum(Tensor x, Tensor gates, int64_t radix) {
    TORCH_CHECK(radix == 1 || radix == 2, "one or two branches");
    x = channels_last(x);
    gates = gates.contiguous();
    const int64_t batch = x.size(0), all = x.size(1), channels = all / radix, pixels = x.size(2) * x.size(3);
    Tensor y = at::empty({batch, channels, x.size(2), x.size(3)}, x.options(), at::MemoryFormat::ChannelsLast);
    in_parallel(batch * pixels, [&](int64_t first, int64_t end) {
        for (int64_t pixel = first; pixel < end; pixel++) {
            const element* p = data(x) + pixel * all;
            element* o = data(y) + pixel * channels;
            const float* g = floats(gates) + pixel / pixels * all;
            if (radix == 1) {
#pragma omp simd
                for (int64_t c = 0; c < channels; c++) o[c] = narrow(widen(p[c]) * g[c]);
            } else {
#pragma omp simd
                for (int64_t c = 0; c < channels; c++)
                    o[c] = narrow(widen(p[c]) * g[c] + widen(p[channels + c]) * g[channels + c]);
            }
        }
    });
    return y;
}

// The gradients of x and of the gates.
static std::vector<Tensor> weighted_sum_backward(Tensor dy, Tensor x, Tensor gates, int64_t radix) {
    dy = channels_last(dy);
    x = channels_last(x);
    gates = gates.contiguous();
    const int64_t batch = x.size(0), all = x.size(1), channels = all / radix, pixels = x.size(2) * x.size(3);
    Tensor dx = at::empty_like(x), d_gates = new_floats({batch, all});
    in_parallel(batch, [&](int64_t first, int64_t end) {
        for (int64_t image = first; image < end; image++) {
            const element *p = data(x) + image * pixels * all, *d = data(dy) + image * pixels * channels;
            element* o = data(dx) + image * pixels * all;
            const float* g = floats(gates) + image * all;
            float* e = floats(d_gates) + image * all;
            for (int64_t pixel = 0; pixel < pixels; pixel++, p += all, o += all, d += channels)
                for (int64_t branch = 0; branch < all; branch += channels)
#pragma omp simd
                    for (int64_t c = 0; c < channels; c++) {
                        float v = widen(d[c]);
                        o[branch + c] = narrow(v * g[branch + c]);
                        e[branch + c] += v * widen(p[branch + c]);
                    }
        }
    });
    return {dx, d_gates};
}

// depthwise.cpp
Tensor depthwise(Tensor x, Tensor weight, int64_t stride);
std::vector<Tensor> depthwise_backward(Tensor dy, Tensor x, Tensor weight, int64_t stride);

#ifndef FUSED_BF16
// grouped.cpp
Tensor grouped(Tensor x, Tensor weight, int64_t stride);
std::vector<Tensor> grouped_backward(Tensor dy, Tensor x, Tensor weight, int64_t stride);
#endif

PYBIND11_MODULE(TORCH_EXTENSION_NAME, m) {
    m.def("norm", &norm);
    m.def("norm_backward", &norm_backward);
    m.def("depthwise", &depthwise);
    m.def("depthwise_backward", &depthwise_backward);
#ifndef FUSED_BF16
    m.def("grouped", &grouped);
    m.def("grouped_backward", &grouped_backward);
#endif
    m.def("pool", &pool);
    m.def("pool_backward", &pool_backward);
    m.def("weighted_sum", &weighted_sum);
    m.def("weighted_sum_backward", &weighted_sum_backward);
}
