// Convolutions along a spectrum by tiles of registers, in float32.
//
// Activations lie as [position][channel], with rows of zeros before and after each spectrum (the halo) for taps that
// reach out of it. Sums are made in registers: up to P positions (or channels) by two vectors of V filters.

#pragma once

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
typedef int32_t UnalignedMask __attribute__((vector_size(4 * V), aligned(4), may_alias));

inline Vec load(const float* from) { return *reinterpret_cast<const Unaligned*>(from); }
inline void store(float* to, Vec x) { *reinterpret_cast<Unaligned*>(to) = x; }
inline Mask load_bits(const int32_t* from) { return *reinterpret_cast<const UnalignedMask*>(from); }
inline void store_bits(int32_t* to, Mask x) { *reinterpret_cast<UnalignedMask*>(to) = x; }
inline int64_t round_up(int64_t n) { return (n + V - 1) / V * V; }

struct Taps {
    std::vector<int64_t> number;  // in the kernel
    std::vector<int64_t> offset;  // from the output's position to the input's

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

// Call body(constant N, first, number of the piece) for pieces of [first, stop) of N <= P items, of nearly equal size.
template <class Body>
inline void in_tiles(int64_t first, int64_t stop, Body body) {
    const int64_t n = stop - first, num_tiles = (n + P - 1) / P;
    for (int64_t tile = 0; tile < num_tiles; tile++) {
        const int64_t at = first + n * tile / num_tiles, size = first + n * (tile + 1) / num_tiles - at;
        switch (size) {
            case 1: body(std::integral_constant<int, 1>(), at, tile); break;
            case 2: body(std::integral_constant<int, 2>(), at, tile); break;
            case 3: body(std::integral_constant<int, 3>(), at, tile); break;
            case 4: body(std::integral_constant<int, 4>(), at, tile); break;
            case 5: body(std::integral_constant<int, 5>(), at, tile); break;
            case 6: body(std::integral_constant<int, 6>(), at, tile); break;
#if defined(__AVX512F__)
            case 7: body(std::integral_constant<int, 7>(), at, tile); break;
            case 8: body(std::integral_constant<int, 8>(), at, tile); break;
            case 9: body(std::integral_constant<int, 9>(), at, tile); break;
            case 10: body(std::integral_constant<int, 10>(), at, tile); break;
            case 11: body(std::integral_constant<int, 11>(), at, tile); break;
            case 12: body(std::integral_constant<int, 12>(), at, tile); break;
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

// Convolve by weights [panel][tap][channel][vectors of the panel]. Sums begin with start(vector). For each tile of N
// positions of a panel of NV vectors, call finish(NV, first vector, spectrum, N, first position, tile, sums [N][NV]).
template <class Start, class Finish>
inline void convolve(const Group& group, const Rows& x, int64_t num_channels, const Taps& taps, const float* weights,
                     int64_t num_vectors, Start start, Finish finish) {
    const int64_t num_taps = taps.size();
    in_panels(num_vectors, [&](auto vectors, int64_t first_vector) {
        constexpr int NV = decltype(vectors)::value;
        const float* panel = weights + first_vector * V * num_taps * num_channels;
        for (int64_t s = 0; s < group.size; s++) {
            in_tiles(group.begin(s), group.end(s), [&](auto size, int64_t l, int64_t tile) {
                constexpr int N = decltype(size)::value;
                Vec sums[N * NV];
                for (int n = 0; n < N; n++)
                    for (int v = 0; v < NV; v++) sums[n * NV + v] = start(first_vector + v);
                multiply<N, NV>(x.row(s, l), x.stride, taps.offset.data(), num_taps, num_channels, panel, sums);
                finish(vectors, first_vector, s, size, l, tile, sums);
            });
        }
    });
}

// Add to sums [N][NV] the products of N channels of x and of NV vectors of the gradient, over positions.
template <int N, int NV>
__attribute__((noinline)) void multiply_over_positions(const float* x, int64_t step, const float* gradient,
                                                       int64_t gradient_step, int64_t num_positions, float* sums) {
    Vec sum[N][NV];
    UNROLL for (int n = 0; n < N; n++)
        UNROLL for (int v = 0; v < NV; v++) sum[n][v] = load(sums + (n * NV + v) * V);
    for (int64_t l = 0; l < num_positions; l++, x += step, gradient += gradient_step) {
        Vec slope[NV];
        UNROLL for (int v = 0; v < NV; v++) slope[v] = load(gradient + v * V);
        UNROLL for (int n = 0; n < N; n++) {
            const float factor = x[n];
            UNROLL for (int v = 0; v < NV; v++) sum[n][v] += slope[v] * factor;
        }
    }
    UNROLL for (int n = 0; n < N; n++)
        UNROLL for (int v = 0; v < NV; v++) store(sums + (n * NV + v) * V, sum[n][v]);
}

// Add to sums [panel][tap][channel][vectors of the panel] the products of x, at the tap's offset, and the gradient,
// over all positions.
inline void add_weight_gradient(const Group& group, const Rows& x, int64_t num_channels, const Taps& taps,
                                const Rows& gradient, int64_t num_vectors, float* sums) {
    // A long spectrum goes piece by piece, so that the pieces stay in the nearest cache.
    const int64_t num_pieces = group.size > 1 ? 1 : std::max<int64_t>(1, group.length / (POSITIONS_AT_ONCE / 2));
    for (int64_t piece = 0; piece < num_pieces; piece++) {
        in_panels(num_vectors, [&](auto vectors, int64_t first_vector) {
            constexpr int NV = decltype(vectors)::value;
            for (int64_t t = 0; t < taps.size(); t++) {
                in_tiles(0, num_channels, [&](auto size, int64_t c, int64_t) {
                    constexpr int N = decltype(size)::value;
                    float* to = sums + (first_vector * taps.size() * num_channels + (t * num_channels + c) * NV) * V;
                    for (int64_t s = 0; s < group.size; s++) {
                        const int64_t n = std::max<int64_t>(0, group.end(s) - group.begin(s));
                        const int64_t from = group.begin(s) + n * piece / num_pieces;
                        const int64_t count = group.begin(s) + n * (piece + 1) / num_pieces - from;
                        multiply_over_positions<N, NV>(x.row(s, from + taps.offset[t]) + c, x.stride,
                                                       gradient.row(s, from) + first_vector * V, gradient.stride, count,
                                                       to);
                    }
                });
            }
        });
    }
}

}  // namespace
