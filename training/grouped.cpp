// A 3x3 convolution of groups of 8 channels, padded by one, stride 1 or 2, in f32: one vector holds the 8 outputs of a
// group at a pixel. fused.py says what each is the derivative of.
//
// Activations are B x C x H x W in channels_last memory order, weights C x 8 x 3 x 3. The 8 channels of a group are
// copied into a frame with a border of zeros, several small images at a time, where all taps of a pixel are near.
#include "fused.h"

// Each sum stays in its register: with sums regrouped there would not be enough of them.
#pragma GCC optimize("no-associative-math")

namespace {

constexpr int64_t LANES = 8, TAPS = 9;
using v8 = float __attribute__((vector_size(32)));
using v8u = float __attribute__((vector_size(32), aligned(4)));  // anywhere among floats

v8 load(const float* p) { return *(const v8u*)p; }
void store(float* p, v8 value) { *(v8u*)p = value; }

// One tap of a convolution: its place in the frame beside the pixel's own, in floats, and the weights of the 8 inputs.
struct Tap {
    int64_t offset;
    v8 weights[LANES];
};

// One group of several images, each with a border of zeros.
struct Frame {
    int64_t images, height, width, across, image;
    std::vector<v8> values;

    Frame(int64_t images, int64_t height, int64_t width)
        : images(images), height(height), width(width), across(width + 2), image((height + 2) * across),
          values(images * image) {}

    const float* floats() const { return (const float*)values.data(); }

    void fill(const float* x, int64_t count, int64_t channels) {
        for (int64_t i = 0; i < count; i++)
            for (int64_t y = 0; y < height; y++) {
                v8* to = &values[i * image + (y + 1) * across + 1];
                const float* from = x + (i * height + y) * width * channels;
                for (int64_t at = 0; at < width; at++) to[at] = load(from + at * channels);
            }
    }
};

// A row of outputs: where its first pixel's own value lies in the frame and where its result goes, in floats.
struct Row {
    int64_t in, out;
};

// ROWS x WIDTH outputs at a time in registers; the next one's input is STRIDE pixels on, its output `out_step` floats.
template <int ROWS, int WIDTH, int STRIDE>
void convolve_tiles(const float* frame, float* out, const std::vector<Row>& rows, int64_t width,
                    const std::vector<Tap>& taps, int64_t out_step) {
    for (size_t first = 0; first < rows.size(); first += ROWS) {
        Row row[ROWS];
        // Rows beyond the last one compute it again.
        for (int r = 0; r < ROWS; r++) row[r] = rows[std::min(first + r, rows.size() - 1)];
        for (int64_t x = 0; x < width; x += WIDTH) {
            v8 sum[ROWS][WIDTH] = {};
            for (const Tap& tap : taps) {
                const float* p[ROWS];
                for (int r = 0; r < ROWS; r++) p[r] = frame + row[r].in + x * STRIDE * LANES + tap.offset;
#pragma GCC unroll 8
                for (int64_t i = 0; i < LANES; i++) {
                    const v8 weight = tap.weights[i];
#pragma GCC unroll 12
                    for (int r = 0; r < ROWS; r++)
#pragma GCC unroll 12
                        for (int t = 0; t < WIDTH; t++) sum[r][t] += p[r][t * STRIDE * LANES + i] * weight;
                }
            }
            for (int r = 0; r < ROWS; r++)
                for (int t = 0; t < WIDTH; t++) store(out + row[r].out + (x + t) * out_step, sum[r][t]);
        }
    }
}

// Tiles that divide the rows, of as many sums as the registers hold.
template <int STRIDE>
void convolve(const float* frame, float* out, const std::vector<Row>& rows, int64_t width,
              const std::vector<Tap>& taps, int64_t out_step) {
    auto tiles = convolve_tiles<12, 1, STRIDE>;
    if (width % 12 == 0) tiles = convolve_tiles<1, 12, STRIDE>;
    else if (width % 8 == 0) tiles = convolve_tiles<1, 8, STRIDE>;
    else if (width % 6 == 0) tiles = convolve_tiles<2, 6, STRIDE>;
    else if (width % 4 == 0) tiles = convolve_tiles<3, 4, STRIDE>;
    else if (width % 3 == 0) tiles = convolve_tiles<4, 3, STRIDE>;
    else if (width % 2 == 0) tiles = convolve_tiles<6, 2, STRIDE>;
    tiles(frame, out, rows, width, taps, out_step);
}

// Sizes of one convolution.
struct Grouped {
    int64_t images, channels, height, width, stride, out_height, out_width, at_once;

    Grouped(const Tensor& x, const Tensor& weight, int64_t stride)
        : images(x.size(0)), channels(x.size(1)), height(x.size(2)), width(x.size(3)), stride(stride),
          out_height(height / stride), out_width(width / stride),
          at_once(std::clamp<int64_t>(64 / (out_height * out_width), 1, images)) {
        TORCH_CHECK(stride == 1 || stride == 2, "the stride must be 1 or 2");
        TORCH_CHECK(height % stride == 0 && width % stride == 0, "the stride must divide the image's sides");
        TORCH_CHECK(channels % LANES == 0 && weight.sizes() == at::IntArrayRef({channels, LANES, 3, 3}),
                    "the kernel must be 3x3, of groups of ", LANES);
    }

    int64_t blocks() const { return (images + at_once - 1) / at_once; }

    // Runs visit(first image, how many) for some of the blocks of images that a frame holds at once.
    template <class Visit>
    void each_block(int64_t first, int64_t end, Visit visit) const {
        for (int64_t image = first * at_once; image < std::min(end * at_once, images); image += at_once)
            visit(image, std::min(at_once, images - image));
    }
};

// Adds to `total`, for each of 8 inputs, the products of what tap k reads with the gradient above it.
void add_products(const Frame& frame, const Frame& above, int64_t images, int64_t stride, int64_t k, v8* total) {
    v8 sum[LANES];
    for (int64_t i = 0; i < LANES; i++) sum[i] = total[i];
    for (int64_t image = 0; image < images; image++)
        for (int64_t row = 0; row < above.height; row++) {
            const v8* d = &above.values[image * above.image + (row + 1) * above.across + 1];
            const float* p =
                frame.floats() + (image * frame.image + (row * stride + k / 3) * frame.across + k % 3) * LANES;
            for (int64_t column = 0; column < above.width; column++, p += stride * LANES) {
#pragma GCC unroll 8
                for (int64_t i = 0; i < LANES; i++) sum[i] += p[i] * d[column];
            }
        }
    for (int64_t i = 0; i < LANES; i++) total[i] = sum[i];
}

}  // namespace

Tensor grouped(Tensor x, Tensor weight, int64_t stride) {
    x = channels_last(x), weight = weight.contiguous();
    const Grouped shape(x, weight, stride);
    const int64_t channels = shape.channels, out_height = shape.out_height, out_width = shape.out_width;
    Tensor y = at::empty({shape.images, channels, out_height, out_width}, x.options(), at::MemoryFormat::ChannelsLast);
    std::vector<std::vector<Tap>> taps(channels / LANES, std::vector<Tap>(TAPS));
    for (int64_t c = 0; c < channels; c++)
        for (int64_t i = 0; i < LANES; i++)
            for (int64_t k = 0; k < TAPS; k++) {
                Tap& tap = taps[c / LANES][k];
                tap.offset = (k / 3 * (shape.width + 2) + k % 3) * LANES;
                tap.weights[i][c % LANES] = floats(weight)[(c * LANES + i) * TAPS + k];
            }
    in_parallel(shape.blocks(), [&](int64_t first, int64_t end) {
        Frame frame(shape.at_once, shape.height, shape.width);
        shape.each_block(first, end, [&](int64_t image, int64_t count) {
            std::vector<Row> rows;
            for (int64_t i = 0; i < count; i++)
                for (int64_t row = 0; row < out_height; row++)
                    rows.push_back({(i * frame.image + row * stride * frame.across) * LANES,
                                    (i * out_height + row) * out_width * channels});
            for (int64_t c = 0; c < channels; c += LANES) {
                frame.fill(floats(x) + image * shape.height * shape.width * channels + c, count, channels);
                float* out = floats(y) + image * out_height * out_width * channels + c;
                (stride == 1 ? convolve<1> : convolve<2>)(
                    frame.floats(), out, rows, out_width, taps[c / LANES], channels);
            }
        });
    });
    return y;
}

// An input of parity p (of its row or column, 0 at stride 1) was read through the taps k with p + 1 - k divisible by the
// stride, by the output (p + 1 - k) / stride further on. So the gradient of each parity of inputs is a small convolution
// of its own, without products with zeros. Returns their taps for one group, in a frame `across` pixels wide.
static std::vector<std::vector<Tap>> backward_taps(const float* weight, int64_t stride, int64_t across) {
    std::vector<std::vector<Tap>> taps(stride * stride);
    for (int64_t parity = 0; parity < stride * stride; parity++)
        for (int64_t k = 0; k < TAPS; k++) {
            const int64_t down = parity / stride + 1 - k / 3, right = parity % stride + 1 - k % 3;
            if (down % stride || right % stride) continue;
            Tap tap;
            tap.offset = ((down / stride + 1) * across + right / stride + 1) * LANES;
            for (int64_t o = 0; o < LANES; o++)
                for (int64_t i = 0; i < LANES; i++) tap.weights[o][i] = weight[(o * LANES + i) * TAPS + k];
            taps[parity].push_back(tap);
        }
    return taps;
}

// The gradients of x and of the weights.
std::vector<Tensor> grouped_backward(Tensor dy, Tensor x, Tensor weight, int64_t stride) {
    dy = channels_last(dy), x = channels_last(x), weight = weight.contiguous();
    const Grouped shape(x, weight, stride);
    const int64_t channels = shape.channels, height = shape.height, width = shape.width;
    const int64_t out_height = shape.out_height, out_width = shape.out_width;
    Tensor dx = at::empty_like(x), d_weight = at::zeros_like(weight);
    std::vector<std::vector<std::vector<Tap>>> taps;  // of each group, for each parity
    for (int64_t c = 0; c < channels; c += LANES)
        taps.push_back(backward_taps(floats(weight) + c * LANES * TAPS, stride, out_width + 2));
    // Of each thread: for each group and tap the 8 inputs' gradients, for 8 outputs.
    std::vector<std::vector<v8>> sums(at::get_num_threads(), std::vector<v8>(channels * TAPS));
    in_parallel(shape.blocks(), [&](int64_t first, int64_t end) {
        Frame frame(shape.at_once, height, width), above(shape.at_once, out_height, out_width);
        v8* total = sums[at::get_thread_num()].data();
        shape.each_block(first, end, [&](int64_t image, int64_t count) {
            for (int64_t c = 0; c < channels; c += LANES) {
                frame.fill(floats(x) + image * height * width * channels + c, count, channels);
                above.fill(floats(dy) + image * out_height * out_width * channels + c, count, channels);
                float* out = floats(dx) + image * height * width * channels + c;
                for (int64_t parity = 0; parity < stride * stride; parity++) {
                    std::vector<Row> rows;
                    for (int64_t i = 0; i < count; i++)
                        for (int64_t row = 0; row < out_height; row++) {
                            const int64_t y = i * height + row * stride + parity / stride;
                            rows.push_back({(i * above.image + row * above.across) * LANES,
                                            (y * width + parity % stride) * channels});
                        }
                    convolve<1>(above.floats(), out, rows, out_width, taps[c / LANES][parity], stride * channels);
                }
                for (int64_t k = 0; k < TAPS; k++)
                    add_products(frame, above, count, stride, k, total + c * TAPS + k * LANES);
            }
        });
    });
    for (const auto& total : sums)
        for (int64_t c = 0; c < channels; c++)
            for (int64_t i = 0; i < LANES; i++)
                for (int64_t k = 0; k < TAPS; k++)
                    floats(d_weight)[(c * LANES + i) * TAPS + k] +=
                        total[(c / LANES * TAPS + k) * LANES + i][c % LANES];
    return {dx, d_weight};
}
