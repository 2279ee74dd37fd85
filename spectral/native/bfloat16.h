// Products of bfloat16 numbers with sums in float32: by the tiles of AMX (amx.h), or pair by pair (bfloat16_pairs.h).
//
// Both multiply two neighbours at once, so weights lie in pairs of channels, and for the weights' gradient activations
// and gradients lie in pairs of positions. Intel, "Intrinsics Guide": _tile_dpbf16ps, _mm512_dpbf16_ps.

#pragma once

#include "tiles.h"

#if defined(__AVX512BF16__)
#define HAS_BFLOAT16 1
#include <immintrin.h>

namespace {

struct Bfloat16 {
    uint16_t bits;
};

#if defined(__AMX_BF16__)
constexpr int TILE = 16, TILE_DEPTH = 32;  // rows of a tile, and numbers in one of its rows
constexpr int POSITIONS_IN_TILE = TILE;
#else
constexpr int POSITIONS_IN_TILE = P;
#endif

template <>
struct Products<Bfloat16> {
    static constexpr int POSITIONS = POSITIONS_IN_TILE, CHANNELS = 2;
};

inline __m512i lanes(const Bfloat16* from) {
    return _mm512_cvtepu16_epi32(_mm256_loadu_si256(reinterpret_cast<const __m256i*>(from)));
}
inline Vec widened(const Bfloat16* from) { return Vec(_mm512_slli_epi32(lanes(from), 16)); }
inline void store_rounded(Bfloat16* to, Vec x) {
    _mm256_storeu_si256(reinterpret_cast<__m256i*>(to), (__m256i)_mm512_cvtneps_pbh((__m512)x));
}
inline void round_row(const float* from, int64_t n, Bfloat16* to) {
    for (int64_t i = 0; i < n; i += V) {
        const __mmask16 there = n - i >= V ? 0xffff : (1 << (n - i)) - 1;
        const __m512 x = _mm512_maskz_loadu_ps(there, from + i);
        _mm256_mask_storeu_epi16(to + i, there, (__m256i)_mm512_cvtneps_pbh(x));
    }
}
inline float widened_number(Bfloat16 x) {
    const uint32_t bits = uint32_t(x.bits) << 16;
    float number;
    std::memcpy(&number, &bits, sizeof(number));
    return number;
}
inline Bfloat16 rounded_number(float x, Bfloat16) {  // to the nearest, ties to even; what is not a number stays so
    uint32_t bits;
    std::memcpy(&bits, &x, sizeof(bits));
    return {uint16_t(x == x ? (bits + 0x7fff + (bits >> 16 & 1)) >> 16 : 0x7fc0)};
}

// Two rows of V numbers as V pairs.
inline __m512i paired_rows(const Bfloat16* one, const Bfloat16* two) {
    return _mm512_or_si512(lanes(one), _mm512_slli_epi32(lanes(two), 16));
}

// Exchange rows and columns of V x V lanes: those that differ in one bit of their number, bit by bit.
inline void transpose(__m512i* rows) {
    const __m512i lane = _mm512_set_epi32(15, 14, 13, 12, 11, 10, 9, 8, 7, 6, 5, 4, 3, 2, 1, 0);
    UNROLL for (int bit = 1; bit < V; bit *= 2) {
        const __m512i step = _mm512_set1_epi32(bit);
        const __mmask16 high = _mm512_test_epi32_mask(lane, step);
        // A lane number of V and more is one of the second row.
        const __m512i low_halves = _mm512_mask_add_epi32(lane, high, lane, _mm512_set1_epi32(V - bit));
        const __m512i high_halves = _mm512_mask_add_epi32(_mm512_add_epi32(lane, step), high, lane, _mm512_set1_epi32(V));
        UNROLL for (int i = 0; i < V; i++) {
            if (i & bit) continue;
            const __m512i one = rows[i], two = rows[i + bit];
            rows[i] = _mm512_permutex2var_epi32(one, low_halves, two);
            rows[i + bit] = _mm512_permutex2var_epi32(one, high_halves, two);
        }
    }
}

// Activations as [channel][position] from the first row of the halo on, filled up with zeros to `width` positions.
inline void write_across(const Rows<Bfloat16>& x, int64_t s, int64_t halo, int64_t num_rows, int64_t num_channels,
                         int64_t width, Bfloat16* to) {
    for (int64_t l = 0; l < width; l += 2 * V) {
        for (int64_t c = 0; c < num_channels; c += V) {
            __m512i rows[V];
            for (int i = 0; i < V; i++) {
                const Bfloat16* one = x.row(s, l + 2 * i - halo) + c;
                const int64_t left = num_rows - l - 2 * i;
                rows[i] = left > 1 ? paired_rows(one, one + x.stride) : left > 0 ? lanes(one) : _mm512_setzero_si512();
            }
            transpose(rows);
            for (int i = 0; i < V; i++) _mm512_storeu_si512(to + (c + i) * width + l, rows[i]);
        }
    }
}

// A gradient as [pair of positions][column][2], filled up with zeros to `width` positions.
inline void write_pairs(const Rows<Bfloat16>& gradient, int64_t s, int64_t length, int64_t num_vectors, int64_t width,
                        Bfloat16* to) {
    for (int64_t l = 0; l < width; l += 2) {
        for (int64_t v = 0; v < num_vectors; v++, to += 2 * V) {
            const Bfloat16* one = gradient.row(s, l) + v * V;
            const __m512i pair = l + 1 < length ? paired_rows(one, one + gradient.stride)
                                 : l < length   ? lanes(one)
                                                : _mm512_setzero_si512();
            _mm512_storeu_si512(to, pair);
        }
    }
}

}  // namespace

#if defined(__AMX_BF16__)
#include "amx.h"
#else
#include "bfloat16_pairs.h"
#endif

namespace {

// As for float32: sums [panel][tap][channel][vectors of the panel].
inline void add_weight_gradient(const Group& group, const Rows<Bfloat16>& x, int64_t num_channels, const Taps& taps,
                                const Rows<Bfloat16>& gradient, int64_t num_vectors, float* sums) {
    static thread_local std::vector<Bfloat16> across, pairs;
    const int64_t L = group.length, halo = group.halo, length = round_up(L, 2 * V);
    const int64_t width = round_up(length + 2 * halo, 2 * V), pair_stride = num_vectors * V * 2;
    across.resize(round_up(num_channels) * width), pairs.resize(length / 2 * pair_stride);
    for (int64_t s = 0; s < group.size; s++) {
        write_across(x, s, halo, L + 2 * halo, num_channels, width, across.data());
        write_pairs(gradient, s, L, num_vectors, length, pairs.data());
        // A long spectrum goes piece by piece, so that the pieces stay in the nearest cache.
        for (int64_t l = 0; l < length; l += POSITIONS_AT_ONCE) {
            const int64_t num_positions = std::min(POSITIONS_AT_ONCE, length - l);
            in_panels(num_vectors, [&](auto vectors, int64_t first_vector) {
                constexpr int NV = decltype(vectors)::value;
                multiply_taps<NV>(across.data() + halo + l, width, taps, num_channels,
                                  pairs.data() + l / 2 * pair_stride + first_vector * V * 2, pair_stride,
                                  num_positions, sums + first_vector * V * taps.size() * num_channels);
            });
        }
    }
    end_over_positions();
}

}  // namespace
#endif
