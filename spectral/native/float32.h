// Products in float32: sums of up to P positions (or channels) by two vectors of V filters are made in registers.

#pragma once

#include "tiles.h"

namespace {

inline Vec widened(const float* from) { return load(from); }
inline void store_rounded(float* to, Vec x) { store(to, x); }
inline void round_row(const float* from, int64_t n, float* to) { std::memcpy(to, from, n * sizeof(float)); }
inline float widened_number(float x) { return x; }
inline float rounded_number(float x, float) { return x; }

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
template <class T, class Start, class Finish>
inline void convolve_in_registers(const Group& group, const Rows<T>& x, int64_t num_channels, const Taps& taps,
                                  const T* weights, int64_t num_vectors, Start start, Finish finish) {
    const int64_t num_taps = taps.size();
    in_panels(num_vectors, [&](auto vectors, int64_t first_vector) {
        constexpr int NV = decltype(vectors)::value;
        const T* panel = weights + first_vector * V * num_taps * num_channels;
        for (int64_t s = 0; s < group.size; s++) {
            in_tiles<P>(group.begin(s), group.end(s), [&](auto size, int64_t l, int64_t tile) {
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

template <class Start, class Finish>
inline void convolve(const Group& group, const Rows<float>& x, int64_t num_channels, const Taps& taps,
                     const float* weights, int64_t num_vectors, Start start, Finish finish) {
    convolve_in_registers(group, x, num_channels, taps, weights, num_vectors, start, finish);
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
inline void add_weight_gradient(const Group& group, const Rows<float>& x, int64_t num_channels, const Taps& taps,
                                const Rows<float>& gradient, int64_t num_vectors, float* sums) {
    // A long spectrum goes piece by piece, so that the pieces stay in the nearest cache.
    const int64_t num_pieces = group.size > 1 ? 1 : std::max<int64_t>(1, group.length / (POSITIONS_AT_ONCE / 2));
    for (int64_t piece = 0; piece < num_pieces; piece++) {
        in_panels(num_vectors, [&](auto vectors, int64_t first_vector) {
            constexpr int NV = decltype(vectors)::value;
            for (int64_t t = 0; t < taps.size(); t++) {
                in_tiles<P>(0, num_channels, [&](auto size, int64_t c, int64_t) {
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
