// A depthwise 3x3 convolution, padded to keep the size at stride 1. fused.py says what each is the derivative of.
//
// Activations are B x C x H x W in channels_last memory order, C a multiple of LANES; weights are f32, C x 1 x 3 x 3.
// LANES channels of one image at a time are widened into a frame of zeros, which stays in the cache for all nine taps.
#include "fused.h"

constexpr int64_t TAPS = 9;
#ifdef FUSED_BF16
constexpr int64_t LANES = 16;
using lanes = float __attribute__((vector_size(64)));
using bits32 = uint32_t __attribute__((vector_size(64)));
using bits16 = uint16_t __attribute__((vector_size(32), aligned(2)));  // anywhere among bf16s

static inline lanes load(const element* p) { return (lanes)(__builtin_convertvector(*(const bits16*)p, bits32) << 16); }

// To nearest, ties to even, as `narrow`.
static inline void store(element* p, lanes value) {
    bits32 bits = (bits32)value;
    *(bits16*)p = __builtin_convertvector((bits + 0x7fffu + ((bits >> 16) & 1u)) >> 16, bits16);
}
#else
constexpr int64_t LANES = 8;
using lanes = float __attribute__((vector_size(32)));
using unaligned = float __attribute__((vector_size(32), aligned(4)));

static inline lanes load(const element* p) { return *(const unaligned*)p; }
static inline void store(element* p, lanes value) { *(unaligned*)p = value; }
#endif

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

    std::vector<lanes> frame() const { return std::vector<lanes>((height + 2) * across); }

    // Runs visit(image, first channel) for the slices of LANES channels of some images.
    template <class Visit>
    void each_slice(int64_t first, int64_t end, Visit visit) const {
        for (int64_t i = first * channels; i < end * channels; i += LANES) visit(i / channels, i % channels);
    }

    // Runs visit(lanes of the frame, first of the LANES values of the same pixel in an image of `x`'s size).
    template <class Visit>
    void each_pixel(lanes* frame, Visit visit) const {
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

// C x 1 x 3 x 3 -> vectors of LANES channels, nine taps each.
static std::vector<lanes> by_vector(const Tensor& weight) {
    std::vector<lanes> taps(weight.numel() / LANES);
    for (int64_t i = 0; i < weight.numel(); i++)
        taps[i / (LANES * TAPS) * TAPS + i % TAPS][i / TAPS % LANES] = floats(weight)[i];
    return taps;
}

Tensor depthwise(Tensor x, Tensor weight, int64_t stride) {
    x = channels_last(x), weight = weight.contiguous();
    const Depthwise shape(x, weight, stride);
    Tensor y = at::empty({shape.images, shape.channels, shape.out_height, shape.out_width}, x.options(),
                         at::MemoryFormat::ChannelsLast);
    const auto weights = by_vector(weight);
    in_parallel(shape.images, [&](int64_t first, int64_t end) {
        auto frame = shape.frame();
        shape.each_slice(first, end, [&](int64_t image, int64_t channel) {
            const element* in = data(x) + shape.first_in(image) + channel;
            element* out = data(y) + shape.first_out(image) + channel;
            lanes taps[TAPS];
            std::copy_n(&weights[channel / LANES * TAPS], TAPS, taps);
            shape.each_pixel(frame.data(), [&](lanes& framed, int64_t pixel) { framed = load(in + pixel); });
            shape.each_output([&](int64_t corner, int64_t pixel) {
                const lanes* p = frame.data() + corner;
                lanes sum = {};
#pragma GCC unroll 9
                for (int64_t t = 0; t < TAPS; t++) sum += taps[t] * p[t / 3 * shape.across + t % 3];
                store(out + pixel, sum);
            });
        });
    });
    return y;
}

// The gradients of x and of the weights.
std::vector<Tensor> depthwise_backward(Tensor dy, Tensor x, Tensor weight, int64_t stride) {
    dy = channels_last(dy), x = channels_last(x), weight = weight.contiguous();
    const Depthwise shape(x, weight, stride);
    Tensor dx = at::empty_like(x), d_weight = at::zeros_like(weight);
    const auto weights = by_vector(weight);
    std::vector<std::vector<double>> totals(at::get_num_threads(), std::vector<double>(weight.numel()));
    in_parallel(shape.images, [&](int64_t first, int64_t end) {
        auto frame = shape.frame(), d_frame = shape.frame();
        auto& total = totals[at::get_thread_num()];
        shape.each_slice(first, end, [&](int64_t image, int64_t channel) {
            const element* in = data(x) + shape.first_in(image) + channel;
            const element* above = data(dy) + shape.first_out(image) + channel;
            element* out = data(dx) + shape.first_in(image) + channel;
            lanes taps[TAPS], sums[TAPS] = {};
            std::copy_n(&weights[channel / LANES * TAPS], TAPS, taps);
            shape.each_pixel(frame.data(), [&](lanes& framed, int64_t pixel) { framed = load(in + pixel); });
            std::fill(d_frame.begin(), d_frame.end(), lanes{});
            shape.each_output([&](int64_t corner, int64_t pixel) {
                const lanes d = load(above + pixel), *p = frame.data() + corner;
                lanes* q = d_frame.data() + corner;
#pragma GCC unroll 9
                for (int64_t t = 0; t < TAPS; t++) {
                    const int64_t to = t / 3 * shape.across + t % 3;
                    sums[t] += d * p[to];
                    q[to] += d * taps[t];
                }
            });
            shape.each_pixel(d_frame.data(), [&](lanes& framed, int64_t pixel) { store(out + pixel, framed); });
            for (int64_t t = 0; t < TAPS; t++)
                for (int64_t lane = 0; lane < LANES; lane++) total[(channel + lane) * TAPS + t] += sums[t][lane];
        });
    });
    for (const auto& total : totals)
        for (int64_t i = 0; i < weight.numel(); i++) floats(d_weight)[i] += total[i];
    return {dx, d_weight};
}
