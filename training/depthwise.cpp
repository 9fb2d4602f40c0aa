// A depthwise 3x3 convolution, padded to keep the size at stride 1. fused.py says what each is the derivative of.
//
// Activations are bf16, B x C x H x W in channels_last memory order, C a multiple of 16; weights are f32, C x 1 x 3 x 3.
// 16 channels of one image at a time are widened into a frame of zeros, which stays in the cache for all nine taps.
#include "fused.h"

constexpr int64_t LANES = 16, TAPS = 9;
using v16 = float __attribute__((vector_size(64)));
using u32x16 = uint32_t __attribute__((vector_size(64)));
using u16x16 = uint16_t __attribute__((vector_size(32), aligned(2)));  // anywhere among bf16s

static inline v16 load(const bf16* p) { return (v16)(__builtin_convertvector(*(const u16x16*)p, u32x16) << 16); }

// To nearest, ties to even, as `narrow`.
static inline void store(bf16* p, v16 value) {
    u32x16 bits = (u32x16)value;
    *(u16x16*)p = __builtin_convertvector((bits + 0x7fffu + ((bits >> 16) & 1u)) >> 16, u16x16);
}

// Sizes of one convolution, and where its pixels and taps lie in the frame.
struct Depthwise {
    int64_t images, channels, height, width, stride, out_height, out_width, across;

    Depthwise(const Tensor& x, const Tensor& weight, int64_t stride)
        : images(x.size(0)), channels(x.size(1)), height(x.size(2)), width(x.size(3)), stride(stride),
          out_height((height - 1) / stride + 1), out_width((width - 1) / stride + 1), across(width + 2) {
        TORCH_CHECK(channels % LANES == 0, "the channels must be a multiple of ", LANES);
        TORCH_CHECK(weight.sizes() == at::IntArrayRef({channels, 1, 3, 3}), "the kernel must be depthwise and 3x3");
    }

    int64_t first_in(int64_t image) const { return image * height * width * channels; }
    int64_t first_out(int64_t image) const { return image * out_height * out_width * channels; }

    std::vector<v16> frame() const { return std::vector<v16>((height + 2) * across); }

    // Runs visit(v16 of the frame, first of the 16 values of the same pixel in an image of `x`'s size).
    template <class Visit>
    void each_pixel(v16* frame, Visit visit) const {
        for (int64_t y = 0; y < height; y++)
            for (int64_t x = 0; x < width; x++) visit(frame[(y + 1) * across + x + 1], (y * width + x) * channels);
    }

    // Runs visit(upper left tap in the frame, first value of the pixel of the output).
    template <class Visit>
    void each_output(Visit visit) const {
        for (int64_t y = 0; y < out_height; y++)
            for (int64_t x = 0; x < out_width; x++)
                visit(y * stride * across + x * stride, (y * out_width + x) * channels);
    }
};

// C x 1 x 3 x 3 -> vectors of 16 channels, nine taps each.
static std::vector<v16> by_vector(const Tensor& weight) {
    std::vector<v16> taps(weight.numel() / LANES);
    for (int64_t i = 0; i < weight.numel(); i++)
        taps[i / (LANES * TAPS) * TAPS + i % TAPS][i / TAPS % LANES] = floats(weight)[i];
    return taps;
}

Tensor depthwise(Tensor x, Tensor weight, int64_t stride) {
    x = channels_last(x), weight = weight.contiguous();
    const Depthwise at(x, weight, stride);
    Tensor y = torch::empty({at.images, at.channels, at.out_height, at.out_width}, x.options(), at::MemoryFormat::ChannelsLast);
    const auto weights = by_vector(weight);
    auto frame = at.frame();
    for (int64_t i = 0; i < at.images * at.channels; i += LANES) {
        const int64_t image = i / at.channels, channel = i % at.channels;
        const bf16* in = data(x) + at.first_in(image) + channel;
        bf16* out = data(y) + at.first_out(image) + channel;
        v16 taps[TAPS];
        std::copy_n(&weights[channel / LANES * TAPS], TAPS, taps);
        at.each_pixel(frame.data(), [&](v16& framed, int64_t pixel) { framed = load(in + pixel); });
        at.each_output([&](int64_t corner, int64_t pixel) {
            const v16* p = frame.data() + corner;
            v16 sum = {};
#pragma GCC unroll 9
            for (int64_t t = 0; t < TAPS; t++) sum += taps[t] * p[t / 3 * at.across + t % 3];
            store(out + pixel, sum);
        });
    }
    return y;
}

// The gradients of x and of the weights.
std::vector<Tensor> depthwise_backward(Tensor dy, Tensor x, Tensor weight, int64_t stride) {
    dy = channels_last(dy), x = channels_last(x), weight = weight.contiguous();
    const Depthwise at(x, weight, stride);
    Tensor dx = torch::empty_like(x), d_weight = torch::empty_like(weight);
    const auto weights = by_vector(weight);
    auto frame = at.frame(), d_frame = at.frame();
    std::vector<double> totals(weight.numel());
    for (int64_t i = 0; i < at.images * at.channels; i += LANES) {
        const int64_t image = i / at.channels, channel = i % at.channels;
        const bf16 *in = data(x) + at.first_in(image) + channel, *above = data(dy) + at.first_out(image) + channel;
        bf16* out = data(dx) + at.first_in(image) + channel;
        v16 taps[TAPS], sums[TAPS] = {};
        std::copy_n(&weights[channel / LANES * TAPS], TAPS, taps);
        at.each_pixel(frame.data(), [&](v16& framed, int64_t pixel) { framed = load(in + pixel); });
        std::fill(d_frame.begin(), d_frame.end(), v16{});
        at.each_output([&](int64_t corner, int64_t pixel) {
            const v16 d = load(above + pixel), *p = frame.data() + corner;
            v16* q = d_frame.data() + corner;
#pragma GCC unroll 9
            for (int64_t t = 0; t < TAPS; t++) {
                const int64_t to = t / 3 * at.across + t % 3;
                sums[t] += d * p[to];
                q[to] += d * taps[t];
            }
        });
        at.each_pixel(d_frame.data(), [&](v16& framed, int64_t pixel) { store(out + pixel, framed); });
        for (int64_t t = 0; t < TAPS; t++)
            for (int64_t lane = 0; lane < LANES; lane++) totals[(channel + lane) * TAPS + t] += sums[t][lane];
    }
    std::copy(totals.begin(), totals.end(), floats(d_weight));
    return {dx, d_weight};
}
