// Products of bfloat16 numbers pair by pair (AVX512_BF16): sums of up to P positions (or channels) by two vectors of V
// filters are made in registers, as in float32.h. Included by bfloat16.h. Intel, "Intrinsics Guide": _mm512_dpbf16_ps.

#pragma once

#include "float32.h"

namespace {

inline __m512bh pair_at(const Bfloat16* from) {
    int32_t pair;
    std::memcpy(&pair, from, sizeof(pair));
    return (__m512bh)_mm512_set1_epi32(pair);
}
inline __m512bh pairs_at(const Bfloat16* from) { return (__m512bh)_mm512_loadu_si512(from); }

// Add to sums [N][NV] the products of the rows at x + offsets[tap] and weights [tap][pair of channels][NV][V][2].
template <int N, int NV>
__attribute__((noinline)) void multiply(const Bfloat16* x, int64_t step, const int64_t* offsets, int64_t num_taps,
                                        int64_t num_channels, const Bfloat16* weights, Vec* sums) {
    __m512 sum[N][NV];
    UNROLL for (int n = 0; n < N; n++)
        UNROLL for (int v = 0; v < NV; v++) sum[n][v] = (__m512)sums[n * NV + v];
    for (int64_t t = 0; t < num_taps; t++) {
        const Bfloat16* rows[(N + 2) / 3];
        UNROLL for (int n = 0; n < N; n += 3) rows[n / 3] = x + (offsets[t] + n) * step;
        for (int64_t c = 0; c < num_channels; c += 2, weights += 2 * NV * V) {
            __m512bh weight[NV];
            UNROLL for (int v = 0; v < NV; v++) weight[v] = pairs_at(weights + 2 * v * V);
            UNROLL for (int n = 0; n < N; n++) {
                const __m512bh factor = pair_at(rows[n / 3] + n % 3 * step);
                UNROLL for (int v = 0; v < NV; v++) sum[n][v] = _mm512_dpbf16_ps(sum[n][v], weight[v], factor);
            }
            for (auto& row : rows) row += 2;
        }
    }
    UNROLL for (int n = 0; n < N; n++)
        UNROLL for (int v = 0; v < NV; v++) sums[n * NV + v] = (Vec)sum[n][v];
}

// As for float32.
template <class Start, class Finish>
inline void convolve(const Group& group, const Rows<Bfloat16>& x, int64_t num_channels, const Taps& taps,
                     const Bfloat16* weights, int64_t num_vectors, Start start, Finish finish) {
    convolve_in_registers(group, x, num_channels, taps, weights, num_vectors, start, finish);
}

// Add to sums [N][NV][V] the products of N rows of x and pairs of the gradient.
template <int N, int NV>
__attribute__((noinline)) void multiply_over_positions(const Bfloat16* x, int64_t width, const Bfloat16* pairs,
                                                       int64_t pair_stride, int64_t num_positions, float* sums) {
    __m512 sum[N][NV];
    UNROLL for (int n = 0; n < N; n++)
        UNROLL for (int v = 0; v < NV; v++) sum[n][v] = (__m512)load(sums + (n * NV + v) * V);
    const Bfloat16* rows[(N + 2) / 3];
    UNROLL for (int n = 0; n < N; n += 3) rows[n / 3] = x + n * width;
    for (int64_t l = 0; l < num_positions; l += 2, pairs += pair_stride) {
        __m512bh slope[NV];
        UNROLL for (int v = 0; v < NV; v++) slope[v] = pairs_at(pairs + 2 * v * V);
        UNROLL for (int n = 0; n < N; n++) {
            const __m512bh factor = pair_at(rows[n / 3] + n % 3 * width);
            UNROLL for (int v = 0; v < NV; v++) sum[n][v] = _mm512_dpbf16_ps(sum[n][v], slope[v], factor);
        }
        for (auto& row : rows) row += 2;
    }
    UNROLL for (int n = 0; n < N; n++)
        UNROLL for (int v = 0; v < NV; v++) store(sums + (n * NV + v) * V, (Vec)sum[n][v]);
}

// Add to sums [tap][channel][NV][V] the products of x [channel][position], at the tap's offset, and the gradient.
template <int NV>
inline void multiply_taps(const Bfloat16* x, int64_t width, const Taps& taps, int64_t num_channels,
                          const Bfloat16* pairs, int64_t pair_stride, int64_t num_positions, float* sums) {
    for (int64_t t = 0; t < taps.size(); t++)
        in_tiles<P>(0, num_channels, [&](auto size, int64_t c, int64_t) {
            multiply_over_positions<decltype(size)::value, NV>(x + taps.offset[t] + c * width, width, pairs,
                                                               pair_stride, num_positions,
                                                               sums + (t * num_channels + c) * NV * V);
        });
}

inline void end_over_positions() {}
inline bool may_multiply() { return true; }

}  // namespace
