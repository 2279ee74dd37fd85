// A block of the reference network on the CPU, forward and backward, in float32.
//
// A block is a chain of layers (dilated convolution to 2F filters, ReLU, first F + last F), a shortcut around the chain,
// and max pooling by two. See spectral/models/reference.py, which says the same in PyTorch.
//
// Spectra are independent of each other: a few at a time go through all layers while they are in the cache. Activations
// lie as [position][channel], with rows of zeros before and after each spectrum (the halo) for taps that reach out of
// it. Sums are made in tiles of registers: up to P positions (or channels) by two vectors of V filters.
//
// Filters stand in "paired" order: V of the first half, the V that are added to them, the next V of the first half ...
// A number of filters that V does not divide is filled up with zeros.
//
// Each thread sums weight gradients of its own share of the spectra, and the shares are added in order: results are the
// same from run to run at a given number of threads.

#include <algorithm>
#include <cstdint>
#include <cstring>
#include <type_traits>
#include <vector>

// Loops over registers must not be left as loops.
#define UNROLL _Pragma("GCC unroll 16")

namespace {

#if defined(__AVX512F__)
constexpr int V = 16, P = 12;  // 32 registers of 16 floats
#else
constexpr int V = 8, P = 6;  // 16 registers of 8 floats (AVX2), or 32 of 4 (NEON)
#endif
constexpr int64_t POSITIONS_AT_ONCE = 256;  // enough work for each visit to the sums of weight gradients

typedef float Vec __attribute__((vector_size(4 * V)));
typedef float Unaligned __attribute__((vector_size(4 * V), aligned(4), may_alias));
typedef int32_t Mask __attribute__((vector_size(4 * V)));
typedef uint8_t Bytes __attribute__((vector_size(V), aligned(1), may_alias));

inline Vec load(const float* from) { return *reinterpret_cast<const Unaligned*>(from); }
inline void store(float* to, Vec x) { *reinterpret_cast<Unaligned*>(to) = x; }
inline int64_t round_up(int64_t n) { return (n + V - 1) / V * V; }

struct Taps {
    std::vector<int64_t> number, offset;  // which of the kernel's taps, and how many positions after the output it reads

    // Taps that read nothing but zeros, whatever the position, are left out.
    Taps(int64_t kernel_size, int64_t dilation, int64_t length) {
        for (int64_t k = 0; k < kernel_size; k++) {
            const int64_t at = k * dilation - dilation * (kernel_size - 1) / 2;
            if (at > -length && at < length) number.push_back(k), offset.push_back(at);
        }
    }
    int64_t size() const { return number.size(); }
    Taps mirrored() const {
        Taps taps = *this;
        for (auto& at : taps.offset) at = -at;
        return taps;
    }
};

// Call body(constant N, first) for pieces of [first, stop) of N <= P items, of nearly equal size.
template <class Body>
inline void in_tiles(int64_t first, int64_t stop, Body body) {
    const int64_t n = stop - first, num_tiles = (n + P - 1) / P;
    for (int64_t tile = 0; tile < num_tiles; tile++) {
        const int64_t at = first + n * tile / num_tiles, size = first + n * (tile + 1) / num_tiles - at;
        switch (size) {
            case 1: body(std::integral_constant<int, 1>(), at); break;
            case 2: body(std::integral_constant<int, 2>(), at); break;
            case 3: body(std::integral_constant<int, 3>(), at); break;
            case 4: body(std::integral_constant<int, 4>(), at); break;
            case 5: body(std::integral_constant<int, 5>(), at); break;
            case 6: body(std::integral_constant<int, 6>(), at); break;
#if defined(__AVX512F__)
            case 7: body(std::integral_constant<int, 7>(), at); break;
            case 8: body(std::integral_constant<int, 8>(), at); break;
            case 9: body(std::integral_constant<int, 9>(), at); break;
            case 10: body(std::integral_constant<int, 10>(), at); break;
            case 11: body(std::integral_constant<int, 11>(), at); break;
            case 12: body(std::integral_constant<int, 12>(), at); break;
#endif
        }
    }
}

// Call body(constant number of vectors, first vector) for pairs of vectors, and for a last single one.
template <class Body>
inline void in_panels(int64_t num_vectors, Body body) {
    for (int64_t v = 0; v + 1 < num_vectors; v += 2) body(std::integral_constant<int, 2>(), v);
    if (num_vectors % 2) body(std::integral_constant<int, 1>(), num_vectors - 1);
}

// Activations of a few spectra: rows of `stride` floats, row 0 being the first position.
struct Rows {
    float* data;
    int64_t stride, spectrum_stride;
    float* row(int64_t spectrum, int64_t l) const { return data + spectrum * spectrum_stride + l * stride; }
};

// The spectra that are worked on together, and the positions inside each: what lies outside is padding.
struct Group {
    int64_t size, length, halo;
    const int32_t *first, *stop;  // null: all positions
    int64_t begin(int64_t s) const { return first ? first[s] : 0; }
    int64_t end(int64_t s) const { return first ? stop[s] : length; }

    void zero(const Rows& rows, int64_t s, int64_t from, int64_t to) const {
        if (to > from) std::memset(rows.row(s, from), 0, (to - from) * rows.stride * sizeof(float));
    }
    void zero_outside(const Rows& rows) const {
        for (int64_t s = 0; s < size; s++) {
            zero(rows, s, -halo, std::max(begin(s), int64_t(0)));
            zero(rows, s, std::max(end(s), begin(s)), length + halo);
        }
    }
};

// Add to sums [N][NV] the products of the rows at x + offsets[tap] and weights [tap][channel][NV].
template <int N, int NV>
__attribute__((noinline)) void multiply(const float* x, int64_t step, const int64_t* offsets, int64_t num_taps,
                                        int64_t num_channels, const float* weights, Vec* sums) {
    Vec sum[N][NV];
    UNROLL for (int n = 0; n < N; n++)
        UNROLL for (int v = 0; v < NV; v++) sum[n][v] = sums[n * NV + v];
    for (int64_t t = 0; t < num_taps; t++) {
        const float* rows[(N + 2) / 3];  // of every third: the others are addressed from it, as x, x + step, x + 2 step
        UNROLL for (int n = 0; n < N; n += 3) rows[n / 3] = x + (offsets[t] + n) * step;
        for (int64_t c = 0; c < num_channels; c++, weights += NV * V) {
            Vec weight[NV];
            UNROLL for (int v = 0; v < NV; v++) weight[v] = load(weights + v * V);
            UNROLL for (int n = 0; n < N; n++) {
                const float factor = rows[n / 3][n % 3 * step];
                UNROLL for (int v = 0; v < NV; v++) sum[n][v] += weight[v] * factor;
            }
            for (auto& row : rows) row++;
        }
    }
    UNROLL for (int n = 0; n < N; n++)
        UNROLL for (int v = 0; v < NV; v++) sums[n * NV + v] = sum[n][v];
}

// Convolve by weights [panel][tap][channel][vectors of the panel]. For each tile of positions of a panel, call
// start(first vector, number of vectors, sums of a position) and finish(the same, spectrum, position, their number).
template <class Start, class Finish>
inline void convolve(const Group& group, const Rows& x, int64_t num_channels, const Taps& taps, const float* weights,
                     int64_t num_vectors, Start start, Finish finish) {
    const int64_t num_taps = taps.size();
    in_panels(num_vectors, [&](auto vectors, int64_t first_vector) {
        constexpr int NV = decltype(vectors)::value;
        const float* panel = weights + first_vector * V * num_taps * num_channels;
        for (int64_t s = 0; s < group.size; s++) {
            in_tiles(group.begin(s), group.end(s), [&](auto size, int64_t l) {
                constexpr int N = decltype(size)::value;
                Vec sums[N * NV];
                for (int n = 0; n < N; n++)
                    for (int v = 0; v < NV; v++) sums[n * NV + v] = start(first_vector + v);
                multiply<N, NV>(x.row(s, l), x.stride, taps.offset.data(), num_taps, num_channels, panel, sums);
                for (int n = 0; n < N; n++) finish(vectors, first_vector, s, l + n, sums + n * NV);
            });
        }
    });
}

// Add to sums [N][stride of sums] the products of N channels of x and of NV vectors of the gradient, over positions.
template <int N, int NV>
__attribute__((noinline)) void multiply_over_positions(const float* x, int64_t step, const float* gradient,
                                                       int64_t gradient_step, int64_t num_positions, Vec* sums) {
    Vec sum[N][NV];
    UNROLL for (int n = 0; n < N; n++)
        UNROLL for (int v = 0; v < NV; v++) sum[n][v] = sums[n * NV + v];
    for (int64_t l = 0; l < num_positions; l++, x += step, gradient += gradient_step) {
        Vec slope[NV];
        UNROLL for (int v = 0; v < NV; v++) slope[v] = load(gradient + v * V);
        UNROLL for (int n = 0; n < N; n++) {
            const float factor = x[n];
            UNROLL for (int v = 0; v < NV; v++) sum[n][v] += slope[v] * factor;
        }
    }
    UNROLL for (int n = 0; n < N; n++)
        UNROLL for (int v = 0; v < NV; v++) sums[n * NV + v] = sum[n][v];
}

// Add to sums [panel][tap][channel][vectors of the panel] the products of x, at the tap's offset, and the gradient, over all positions.
inline void add_weight_gradient(const Group& group, const Rows& x, int64_t num_channels, const Taps& taps,
                                const Rows& gradient, int64_t num_vectors, float* sums) {
    // A long spectrum goes piece by piece, so that the pieces stay in the nearest cache.
    const int64_t num_pieces = group.size > 1 ? 1 : std::max<int64_t>(1, group.length / (POSITIONS_AT_ONCE / 2));
    for (int64_t piece = 0; piece < num_pieces; piece++) {
        in_panels(num_vectors, [&](auto vectors, int64_t first_vector) {
            constexpr int NV = decltype(vectors)::value;
            for (int64_t t = 0; t < taps.size(); t++) {
                in_tiles(0, num_channels, [&](auto size, int64_t c) {
                    constexpr int N = decltype(size)::value;
                    Vec sum[N * NV] = {};
                    for (int64_t s = 0; s < group.size; s++) {
                        const int64_t n = std::max<int64_t>(0, group.end(s) - group.begin(s));
                        const int64_t from = group.begin(s) + n * piece / num_pieces;
                        const int64_t count = group.begin(s) + n * (piece + 1) / num_pieces - from;
                        multiply_over_positions<N, NV>(x.row(s, from + taps.offset[t]) + c, x.stride,
                                                       gradient.row(s, from) + first_vector * V, gradient.stride, count,
                                                       sum);
                    }
                    float* to = sums + (first_vector * taps.size() * num_channels + (t * num_channels + c) * NV) * V;
                    for (int k = 0; k < N * NV; k++) store(to + k * V, load(to + k * V) + sum[k]);
                });
            }
        });
    }
}

struct Layer {
    int64_t num_in;
    Taps taps, mirrored;
    std::vector<float> weights, bias, transposed;
    int64_t num_sums;  // of its weight and bias gradients, in one share
};

}  // namespace

extern "C" {

// What a call is about; the fields are those of spectral/native/block.py.
struct Block {
    int64_t num_spectra, length, num_in, num_filters, num_layers, kernel_size, num_threads;
    int64_t shortcut;  // 0: none, 1: the input itself, 2: a convolution of kernel size 1
    int64_t pools;
    const int64_t* dilations;
    const float* const* weights;  // of each layer [2F][tap][channel], then of the shortcut [F][channel]
    const float* const* biases;
    const int32_t *first, *stop;  // of the positions inside each spectrum; null if nothing is padded
};
}

namespace {

// Sizes, packed weights and scratch of a call.
struct Plan {
    const Block& block;
    int64_t F, Fp, J, halo = 0, group_size, out_length;
    std::vector<Layer> layers;
    std::vector<float> shortcut, shortcut_bias, shortcut_transposed;
    Taps point{1, 1, 2};

    explicit Plan(const Block& b, bool backward)
        : block(b), F(b.num_filters), Fp(round_up(F)), J(2 * Fp), out_length(b.pools ? b.length / 2 : b.length) {
        for (int64_t i = 0; i < b.num_layers; i++) {
            Taps taps(b.kernel_size, b.dilations[i], b.length);
            for (auto at : taps.offset) halo = std::max(halo, std::abs(at));
            layers.push_back(Layer{i ? F : b.num_in, taps, taps.mirrored(), {}, {}, {}, 0});
            Layer& layer = layers.back();
            layer.num_sums = (taps.size() * layer.num_in + 1) * J;
            if (backward) {
                layer.transposed = pack_transposed(layer, b.weights[i]);
            } else {
                layer.weights = pack(layer, b.weights[i]);
                layer.bias.assign(J, 0);
                for (int64_t j = 0; j < 2 * F; j++) layer.bias[paired(j)] = b.biases[i][j];
            }
        }
        if (b.shortcut == 2) pack_shortcut(backward);
        const int64_t share = (b.num_spectra + b.num_threads - 1) / b.num_threads;
        group_size = std::max<int64_t>(1, std::min(share, POSITIONS_AT_ONCE / std::max<int64_t>(1, b.length)));
    }

    int64_t rows() const { return block.length + 2 * halo; }
    int64_t paired(int64_t j) const {
        const int64_t half = j / F, f = j % F;
        return f / V * 2 * V + half * V + f % V;
    }

    std::vector<float> pack(const Layer& layer, const float* weights) const {
        const int64_t C = layer.num_in, num_taps = layer.taps.size();
        std::vector<float> packed(J * num_taps * C, 0);
        for (int64_t j = 0; j < 2 * F; j++) {
            const int64_t panel = paired(j) / (2 * V), lane = paired(j) % (2 * V);
            for (int64_t t = 0; t < num_taps; t++)
                for (int64_t c = 0; c < C; c++)
                    packed[((panel * num_taps + t) * C + c) * 2 * V + lane] =
                        weights[(j * block.kernel_size + layer.taps.number[t]) * C + c];
        }
        return packed;
    }

    // The place of output channel c in panels of two vectors, the last one of one if their number is odd.
    static int64_t place(int64_t c, int64_t num_out, int64_t num_rows, int64_t row) {
        const int64_t num_vectors = round_up(num_out) / V, vector = c / V, first = vector / 2 * 2;
        const int64_t width = first + 1 < num_vectors ? 2 * V : V;
        return first * V * num_rows + row * width + (c - first * V);
    }

    std::vector<float> pack_transposed(const Layer& layer, const float* weights) const {
        const int64_t C = layer.num_in, num_taps = layer.taps.size();
        std::vector<float> packed(round_up(C) * num_taps * J, 0);
        for (int64_t j = 0; j < 2 * F; j++)
            for (int64_t t = 0; t < num_taps; t++)
                for (int64_t c = 0; c < C; c++)
                    packed[place(c, C, num_taps * J, t * J + paired(j))] =
                        weights[(j * block.kernel_size + layer.taps.number[t]) * C + c];
        return packed;
    }

    void pack_shortcut(bool backward) {
        const int64_t C = block.num_in;
        const float *weights = block.weights[block.num_layers], *bias = block.biases[block.num_layers];
        shortcut.assign(Fp * C, 0), shortcut_bias.assign(Fp, 0), shortcut_transposed.assign(round_up(C) * Fp, 0);
        for (int64_t f = 0; f < F; f++) {
            if (bias && !backward) shortcut_bias[f] = bias[f];
            for (int64_t c = 0; c < C; c++) {
                shortcut[place(f, F, C, c)] = weights[f * C + c];
                shortcut_transposed[place(c, C, Fp, f)] = weights[f * C + c];
            }
        }
    }

    Group group(int64_t spectrum, int64_t stop) const {
        const int64_t size = std::min(group_size, stop - spectrum);
        const int32_t* first = block.first ? block.first + spectrum : nullptr;
        return {size, block.length, halo, first, block.first ? block.stop + spectrum : nullptr};
    }

    // Rows in scratch or in the memory kept for the backward pass; `data` begins with the halo.
    Rows haloed(float* data, int64_t stride) const { return {data + halo * stride, stride, rows() * stride}; }

    void copy_input(const Group& group, const float* x, const Rows& to) const {
        group.zero_outside(to);
        for (int64_t s = 0; s < group.size; s++)
            for (int64_t l = group.begin(s); l < group.end(s); l++)
                std::memcpy(to.row(s, l), x + (s * block.length + l) * block.num_in, block.num_in * sizeof(float));
    }
};

struct Scratch {
    std::vector<float> memory;
    float* take(int64_t n) {
        memory.resize(n + 64);
        return memory.data();
    }
};

// One layer of a group: x to y = relu(first half) + relu(second half). signs [position][Fp]: bit 0 is set where the
// first half is above zero, bit 1 where the second is; null if nobody asks.
void layer_forward(const Plan& plan, const Layer& layer, const Group& group, const Rows& x, const Rows& y,
                   uint8_t* signs) {
    const float* bias = layer.bias.data();
    const int64_t Fp = plan.Fp, L = group.length;
    group.zero_outside(y);
    convolve(
        group, x, layer.num_in, layer.taps, layer.weights.data(), plan.J / V, [=](int64_t v) { return load(bias + v * V); },
        [=](auto vectors, int64_t first_vector, int64_t s, int64_t l, const Vec* sums) {
            if constexpr (decltype(vectors)::value != 2) return;  // halves come in pairs
            const int64_t f = first_vector / 2 * V;
            const Mask off0 = sums[0] <= 0, off1 = sums[1] <= 0;  // in this form what is not a number stays so
            const Vec zero = {};
            store(y.row(s, l) + f, (off0 ? zero : sums[0]) + (off1 ? zero : sums[1]));
            if (!signs) return;
            const Bytes bits = __builtin_convertvector((~off0 & 1) | (~off1 & 2), Bytes);
            *reinterpret_cast<Bytes*>(signs + (s * L + l) * Fp + f) = bits;
        });
}

// Add the shortcut to y, in place.
void add_shortcut(const Plan& plan, const Group& group, const Rows& x, const Rows& y) {
    const int64_t F = plan.F;
    if (plan.block.shortcut == 1) {
        for (int64_t s = 0; s < group.size; s++)
            for (int64_t l = group.begin(s); l < group.end(s); l++)
                for (int64_t f = 0; f < F; f++) y.row(s, l)[f] += x.row(s, l)[f];
    } else if (plan.block.shortcut == 2) {
        const float* bias = plan.shortcut_bias.data();
        convolve(
            group, x, plan.block.num_in, plan.point, plan.shortcut.data(), plan.Fp / V,
            [=](int64_t v) { return load(bias + v * V); },
            [=](auto vectors, int64_t first_vector, int64_t s, int64_t l, const Vec* sums) {
                float* to = y.row(s, l) + first_vector * V;
                for (int v = 0; v < decltype(vectors)::value; v++) store(to + v * V, load(to + v * V) + sums[v]);
            });
    }
}

// Write a group's output [out_length][F], pooled or not. is_second [out_length][F]: whether the second position of a
// pair is its maximum; null if nobody asks.
void write_output(const Plan& plan, const Group& group, const Rows& y, float* out, uint8_t* is_second) {
    const int64_t F = plan.F, num_out = plan.out_length, width = plan.block.pools ? 2 : 1;
    for (int64_t s = 0; s < group.size; s++) {
        for (int64_t i = 0; i < num_out; i++) {
            float* to = out + (s * num_out + i) * F;
            uint8_t* second = is_second ? is_second + (s * num_out + i) * F : nullptr;
            const float *a = y.row(s, width * i), *b = a + (width - 1) * y.stride;
            if (width * i < group.begin(s) || width * (i + 1) > group.end(s)) {
                std::memset(to, 0, F * sizeof(float));
                if (second) std::memset(second, 0, F);
            } else if (width == 1) {
                std::memcpy(to, a, F * sizeof(float));
            } else {
                for (int64_t f = 0; f < F; f++) {
                    const bool takes_b = b[f] > a[f] || b[f] != b[f];
                    to[f] = takes_b ? b[f] : a[f];
                    if (second) second[f] = takes_b;
                }
            }
        }
    }
}

// The gradient of y from that of the output.
void read_gradient(const Plan& plan, const Group& group, const float* gradient, const uint8_t* is_second,
                   const Rows& to) {
    const int64_t F = plan.F, num_out = plan.out_length;
    for (int64_t s = 0; s < group.size; s++) {
        group.zero(to, s, 0, group.length);
        for (int64_t i = 0; i < num_out; i++) {
            const float* g = gradient + (s * num_out + i) * F;
            if (!plan.block.pools) {
                if (i >= group.begin(s) && i < group.end(s)) std::memcpy(to.row(s, i), g, F * sizeof(float));
            } else if (2 * i >= group.begin(s) && 2 * i + 2 <= group.end(s)) {
                const uint8_t* second = is_second + (s * num_out + i) * F;
                float *a = to.row(s, 2 * i), *b = to.row(s, 2 * i + 1);
                for (int64_t f = 0; f < F; f++) {
                    a[f] = second[f] ? 0 : g[f];
                    b[f] = second[f] ? g[f] : 0;
                }
            }
        }
    }
}

// The gradient of a convolution's outputs, in paired order, from that of y; its sums over positions are added to `sums`.
void spread_gradient(const Plan& plan, const Group& group, const Rows& gradient, const uint8_t* signs, const Rows& to,
                     float* sums) {
    const int64_t Fp = plan.Fp;
    group.zero_outside(to);
    for (int64_t f = 0; f < Fp; f += V) {
        Vec sum0 = {}, sum1 = {};
        for (int64_t s = 0; s < group.size; s++) {
            for (int64_t l = group.begin(s); l < group.end(s); l++) {
                const Bytes packed = *reinterpret_cast<const Bytes*>(signs + (s * group.length + l) * Fp + f);
                const Mask bits = __builtin_convertvector(packed, Mask);
                const Vec g = load(gradient.row(s, l) + f), zero = {};
                const Vec g0 = (bits & 1) != 0 ? g : zero, g1 = (bits & 2) != 0 ? g : zero;
                store(to.row(s, l) + 2 * f, g0), store(to.row(s, l) + 2 * f + V, g1);
                sum0 += g0, sum1 += g1;
            }
        }
        store(sums + 2 * f, load(sums + 2 * f) + sum0);
        store(sums + 2 * f + V, load(sums + 2 * f + V) + sum1);
    }
}

// The gradient of a convolution's input, rows of round_up(num_out) floats; it is added to what is there if `adds`.
void data_gradient(const Group& group, const Rows& gradient, int64_t num_channels, const Taps& taps,
                   const float* weights, int64_t num_out, const Rows& to, bool adds) {
    convolve(
        group, gradient, num_channels, taps, weights, round_up(num_out) / V, [](int64_t) { return Vec{}; },
        [=](auto vectors, int64_t first_vector, int64_t s, int64_t l, const Vec* sums) {
            float* at = to.row(s, l) + first_vector * V;
            for (int v = 0; v < decltype(vectors)::value; v++)
                store(at + v * V, adds ? load(at + v * V) + sums[v] : sums[v]);
        });
}

}  // namespace

extern "C" {

// Floats and bytes per spectrum that forward keeps for backward: inputs of the layers but the first, and signs.
void kept_sizes(const Block* block, int64_t* num_floats, int64_t* num_bytes) {
    const Plan plan(*block, true);
    *num_floats = (block->num_layers - 1) * plan.rows() * plan.Fp;
    *num_bytes = block->num_layers * block->length * plan.Fp;
}

// x [B][length][num_in] to out [B][out_length][F]. kept, signs and is_second are null if no gradient is wanted.
void forward(const Block* block, const float* x, float* out, float* kept, uint8_t* signs, uint8_t* is_second) {
    const Plan plan(*block, false);
    const int64_t num_layers = block->num_layers, B = block->num_spectra, L = block->length;
    const int64_t size = plan.rows() * plan.Fp, G = plan.group_size;
#pragma omp parallel for schedule(static, 1) num_threads(block->num_threads)
    for (int64_t share = 0; share < block->num_threads; share++) {
        const int64_t stop = B * (share + 1) / block->num_threads;
        std::vector<float> input(G * plan.rows() * block->num_in + V), one(G * size + V), two(G * size + V);
        for (int64_t b = B * share / block->num_threads; b < stop; b += G) {
            const Group group = plan.group(b, stop);
            const Rows rows = plan.haloed(input.data(), block->num_in);
            plan.copy_input(group, x + b * L * block->num_in, rows);
            Rows from = rows;
            for (int64_t i = 0; i < num_layers; i++) {
                Rows to = plan.haloed(i % 2 ? one.data() : two.data(), plan.Fp);
                if (kept && i < num_layers - 1) to = plan.haloed(kept + (i * B + b) * size, plan.Fp);
                layer_forward(plan, plan.layers[i], group, from, to, signs ? signs + (i * B + b) * L * plan.Fp : nullptr);
                from = to;
            }
            add_shortcut(plan, group, rows, from);
            const int64_t at = b * plan.out_length * plan.F;
            write_output(plan, group, from, out + at, is_second ? is_second + at : nullptr);
        }
    }
}

// dx [B][length][num_in] (null if nobody asks), and gradients of weights and biases in the order and layout of `block`.
void backward(const Block* block, const float* x, const float* kept, const uint8_t* signs, const uint8_t* is_second,
              const float* gradient, float* dx, float* const* weight_gradients, float* const* bias_gradients) {
    const Plan plan(*block, true);
    const int64_t num_layers = block->num_layers, B = block->num_spectra, L = block->length, C = block->num_in;
    const int64_t size = plan.rows() * plan.Fp, G = plan.group_size, Cp = round_up(C);
    std::vector<int64_t> begins{0};
    for (const Layer& layer : plan.layers) begins.push_back(begins.back() + layer.num_sums);
    const int64_t num_sums = begins.back() + (block->shortcut == 2 ? (C + 1) * plan.Fp : 0);
    std::vector<std::vector<float>> shares(block->num_threads);
#pragma omp parallel for schedule(static, 1) num_threads(block->num_threads)
    for (int64_t share = 0; share < block->num_threads; share++) {
        const int64_t stop = B * (share + 1) / block->num_threads;
        shares[share].assign(num_sums + V, 0);
        std::vector<float> input(G * plan.rows() * C + V), spread(G * plan.rows() * plan.J + V), top(G * L * plan.Fp + V),
            inner(G * L * plan.Fp + V), bottom(G * L * Cp + V);
        const Rows slope{top.data(), plan.Fp, L * plan.Fp}, below{inner.data(), plan.Fp, L * plan.Fp};
        const Rows lowest{bottom.data(), Cp, L * Cp};
        for (int64_t b = B * share / block->num_threads; b < stop; b += G) {
            const Group group = plan.group(b, stop);
            const Rows rows = plan.haloed(input.data(), C), wide = plan.haloed(spread.data(), plan.J);
            plan.copy_input(group, x + b * L * block->num_in, rows);
            const int64_t at = b * plan.out_length * plan.F;
            read_gradient(plan, group, gradient + at, is_second ? is_second + at : nullptr, slope);
            for (int64_t i = num_layers - 1; i >= 0; i--) {
                const Layer& layer = plan.layers[i];
                const Rows from = i ? plan.haloed(const_cast<float*>(kept) + ((i - 1) * B + b) * size, plan.Fp) : rows;
                float* sums = shares[share].data() + begins[i];
                spread_gradient(plan, group, i == num_layers - 1 ? slope : below, signs + (i * B + b) * L * plan.Fp, wide,
                                sums + layer.num_sums - plan.J);
                add_weight_gradient(group, from, layer.num_in, layer.taps, wide, plan.J / V, sums);
                if (i || dx)
                    data_gradient(group, wide, plan.J, layer.mirrored, layer.transposed.data(), layer.num_in,
                                  i ? below : lowest, false);
            }
            if (block->shortcut == 2) {
                float* sums = shares[share].data() + begins.back();
                add_weight_gradient(group, rows, C, plan.point, slope, plan.Fp / V, sums);
                for (int64_t s = 0; s < group.size; s++)
                    for (int64_t l = group.begin(s); l < group.end(s); l++)
                        for (int64_t f = 0; f < plan.F; f++) sums[C * plan.Fp + f] += slope.row(s, l)[f];
                if (dx)
                    data_gradient(group, slope, plan.Fp, plan.point, plan.shortcut_transposed.data(), C, lowest, true);
            }
            for (int64_t s = 0; dx && s < group.size; s++) {
                float* to = dx + (b + s) * L * C;
                std::memset(to, 0, L * C * sizeof(float));
                for (int64_t l = group.begin(s); l < group.end(s); l++)
                    for (int64_t c = 0; c < C; c++)
                        to[l * C + c] = lowest.row(s, l)[c] + (block->shortcut == 1 ? slope.row(s, l)[c] : 0);
            }
        }
    }
    for (int64_t share = 1; share < block->num_threads; share++)
        for (int64_t i = 0; i < num_sums; i++) shares[0][i] += shares[share][i];
    for (int64_t i = 0; i < num_layers; i++) {
        const Layer& layer = plan.layers[i];
        const float* sums = shares[0].data() + begins[i];
        const int64_t K = block->kernel_size, num_in = layer.num_in;
        std::memset(weight_gradients[i], 0, 2 * plan.F * K * num_in * sizeof(float));
        for (int64_t j = 0; j < 2 * plan.F; j++) {
            for (int64_t t = 0; t < layer.taps.size(); t++)
                for (int64_t c = 0; c < num_in; c++)
                    weight_gradients[i][(j * K + layer.taps.number[t]) * num_in + c] =
                        sums[Plan::place(plan.paired(j), plan.J, layer.taps.size() * num_in, t * num_in + c)];
            bias_gradients[i][j] = sums[layer.num_sums - plan.J + plan.paired(j)];
        }
    }
    if (block->shortcut == 2) {
        const float* sums = shares[0].data() + begins.back();
        for (int64_t f = 0; f < plan.F; f++) {
            for (int64_t c = 0; c < C; c++) 
                weight_gradients[num_layers][f * C + c] = sums[Plan::place(f, plan.F, C, c)];
            bias_gradients[num_layers][f] = sums[C * plan.Fp + f];
        }
    }
}
}
