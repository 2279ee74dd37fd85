// What products of both precisions share: vectors, taps, tiles of positions, rows of activations, groups of spectra.
//
// Activations lie as [position][channel], with rows of zeros before and after each spectrum (the halo) for taps that
// reach out of it. T is what an activation is stored as: float, or Bfloat16. Sums are floats always.

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
constexpr int V = 16, P = 12;  // 32 registers of 16 floats: P positions by two vectors are summed at once
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
inline int64_t round_up(int64_t n, int64_t to = V) { return (n + to - 1) / to * to; }

// How activations stored as T are multiplied: so many positions in a tile, so many channels by one instruction.
template <class T>
struct Products;
template <>
struct Products<float> {
    static constexpr int POSITIONS = P, CHANNELS = 1;
};

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

// Call body(N, first, number of the piece) for pieces of [first, stop) of N <= AT_MOST items, of nearly equal size. N is
// a constant of the type where the items are registers.
template <int AT_MOST, class Body>
inline void in_tiles(int64_t first, int64_t stop, Body body) {
    const int64_t n = stop - first, num_tiles = (n + AT_MOST - 1) / AT_MOST;
    for (int64_t tile = 0; tile < num_tiles; tile++) {
        const int64_t at = first + n * tile / num_tiles, size = first + n * (tile + 1) / num_tiles - at;
        if constexpr (AT_MOST > P) {
            body(int(size), at, tile);
        } else {
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
}

// Call body(constant number of vectors, first vector) for pairs of vectors, and for a last single one.
template <class Body>
inline void in_panels(int64_t num_vectors, Body body) {
    for (int64_t v = 0; v + 1 < num_vectors; v += 2) body(std::integral_constant<int, 2>(), v);
    if (num_vectors % 2) body(std::integral_constant<int, 1>(), num_vectors - 1);
}

// Activations of a few spectra: rows of `stride` numbers, row 0 being the first position.
template <class T>
struct Rows {
    T* data;
    int64_t stride, spectrum_stride;
    T* row(int64_t spectrum, int64_t l) const { return data + spectrum * spectrum_stride + l * stride; }
};

// The spectra that are worked on together, and the positions inside each: what lies outside is padding.
struct Group {
    int64_t size, length, halo;
    const int32_t *first, *stop;  // null: all positions
    int64_t begin(int64_t s) const { return first ? first[s] : 0; }
    int64_t end(int64_t s) const { return first ? stop[s] : length; }

    template <class T>
    void zero(const Rows<T>& rows, int64_t s, int64_t from, int64_t to) const {
        if (to > from) std::memset(rows.row(s, from), 0, (to - from) * rows.stride * sizeof(T));
    }
    template <class T>
    void zero_outside(const Rows<T>& rows) const {
        for (int64_t s = 0; s < size; s++) {
            zero(rows, s, -halo, std::max(begin(s), int64_t(0)));
            zero(rows, s, std::max(end(s), begin(s)), length + halo);
        }
    }
};

// Where the weights [row][column] of a column stand in panels of two vectors of columns, the last one of one if their
// number is odd. The rows that one instruction multiplies lie together.
template <class T>
struct Column {
    static constexpr int64_t TOGETHER = Products<T>::CHANNELS;
    int64_t first, step;

    Column(int64_t column, int64_t num_columns, int64_t num_rows) {
        const int64_t num_vectors = round_up(num_columns) / V, panel = column / V / 2 * 2;
        first = panel * V * num_rows + (column - panel * V) * TOGETHER;
        step = TOGETHER * (panel + 1 < num_vectors ? 2 * V : V);
    }
    int64_t at(int64_t row) const { return first + row / TOGETHER * step + row % TOGETHER; }
};

}  // namespace
