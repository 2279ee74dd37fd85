// Products of bfloat16 numbers by tiles (AMX): 16 positions or channels by 16 filters in one instruction. Included by
// bfloat16.h. Intel, "Intrinsics Guide": _tile_dpbf16ps.

#pragma once

#include <sys/syscall.h>
#include <unistd.h>

namespace {

// The shapes of the eight tiles, as _tile_loadconfig reads them.
struct alignas(64) TileShapes {
    uint8_t palette = 1, start_row = 0, reserved[14] = {};
    uint16_t row_bytes[16] = {};
    uint8_t rows[16] = {};
    void set(int tile, int64_t num_rows, int64_t num_bytes) { rows[tile] = num_rows, row_bytes[tile] = num_bytes; }
    void use() const {  // first have all of it in memory: the intrinsic of GCC says that it reads eight bytes
        asm volatile("" ::"r"(this) : "memory");
        _tile_loadconfig(this);
    }
};

struct Piece {
    int64_t at, tile;
    int size;
};

// Call body(pieces, 1 or 2) for the pieces that in_tiles makes, two at a time.
template <class Body>
inline void in_pairs_of_tiles(int64_t first, int64_t stop, Body body) {
    Piece pieces[2];
    int num_pieces = 0;
    in_tiles<TILE>(first, stop, [&](int size, int64_t at, int64_t tile) {
        pieces[num_pieces++] = {at, tile, size};
        if (num_pieces == 2) body(pieces, 2), num_pieces = 0;
    });
    if (num_pieces) body(pieces, 1);
}

// Have what was written so far in memory: the intrinsics of GCC do not say that they read it.
inline void see_memory() { asm volatile("" ::: "memory"); }

// Sums [2][TILE][NV][V] of the rows at x + offsets[tap], for two x, times weights [tap][pair of channels][NV][V][2].
// Two x, since a product takes three times as long as until the next one may begin.
template <int NV>
inline void multiply_tiles(const Bfloat16* const* x, int64_t stride, const Taps& taps, int64_t num_channels,
                           int64_t depth, const Bfloat16* weights, float* sums) {
    constexpr int64_t num_bytes = NV * TILE * sizeof(float);
    const int64_t step = stride * sizeof(Bfloat16);
    see_memory();
    _tile_zero(0);
    _tile_zero(1);
    _tile_zero(2);
    _tile_zero(3);
    for (int64_t offset : taps.offset)
        for (int64_t c = 0; c < num_channels; c += depth, weights += depth * NV * V) {
            _tile_loadd(6, weights, num_bytes);
            _tile_loadd(4, x[0] + offset * stride + c, step);
            _tile_dpbf16ps(0, 4, 6);
            _tile_loadd(5, x[1] + offset * stride + c, step);
            _tile_dpbf16ps(2, 5, 6);
            if constexpr (NV == 2) {
                _tile_loadd(7, weights + 2 * V, num_bytes);
                _tile_dpbf16ps(1, 4, 7);
                _tile_dpbf16ps(3, 5, 7);
            }
        }
    _tile_stored(0, sums, num_bytes);
    _tile_stored(2, sums + TILE * NV * V, num_bytes);
    if constexpr (NV == 2) {
        _tile_stored(1, sums + V, num_bytes);
        _tile_stored(3, sums + TILE * NV * V + V, num_bytes);
    }
}

// The largest even number of channels that a tile holds and that divides them.
inline int64_t tile_depth(int64_t num_channels) {
    int64_t depth = std::min<int64_t>(TILE_DEPTH, num_channels);
    while (num_channels % depth) depth -= 2;
    return depth;
}

inline void load_shapes_of_convolution(int64_t depth) {
    TileShapes shapes;
    for (int tile : {0, 1, 2, 3}) shapes.set(tile, TILE, 64);
    for (int tile : {4, 5}) shapes.set(tile, TILE, depth * sizeof(Bfloat16));
    for (int tile : {6, 7}) shapes.set(tile, depth / 2, 64);
    shapes.use();
}

// As for float32. A tile may read up to TILE - 1 rows after the last one, even such as another thread writes meanwhile;
// what it makes of them is left alone.
template <class Start, class Finish>
inline void convolve(const Group& group, const Rows<Bfloat16>& x, int64_t num_channels, const Taps& taps,
                     const Bfloat16* weights, int64_t num_vectors, Start start, Finish finish) {
    const int64_t depth = tile_depth(num_channels);
    load_shapes_of_convolution(depth);
    in_panels(num_vectors, [&](auto vectors, int64_t first_vector) {
        constexpr int NV = decltype(vectors)::value;
        const Bfloat16* panel = weights + first_vector * V * taps.size() * num_channels;
        Vec from[NV];
        for (int v = 0; v < NV; v++) from[v] = start(first_vector + v);
        for (int64_t s = 0; s < group.size; s++) {
            in_pairs_of_tiles(group.begin(s), group.end(s), [&](const Piece* pieces, int num_pieces) {
                Vec sums[2 * TILE * NV];
                const Bfloat16* rows[2] = {x.row(s, pieces[0].at), x.row(s, pieces[num_pieces - 1].at)};
                multiply_tiles<NV>(rows, x.stride, taps, num_channels, depth, panel, reinterpret_cast<float*>(sums));
                for (int i = 0; i < num_pieces; i++) {
                    Vec* of_piece = sums + i * TILE * NV;
                    for (int n = 0; n < TILE; n++)
                        for (int v = 0; v < NV; v++) of_piece[n * NV + v] += from[v];
                    finish(vectors, first_vector, s, pieces[i].size, pieces[i].at, pieces[i].tile, of_piece);
                }
            });
        }
    });
    _tile_release();
}

// Rows of x that are multiplied together: of up to TILE channels at one tap.
struct Strip {
    const Bfloat16* x;
    float* sums;  // [num_channels][NV][V]
    int64_t num_channels;
};

// Add to the sums of two strips (or of one) the products of their rows and pairs of the gradient.
template <int NV, bool ARE_TWO>
inline void multiply_strips(const Strip* strips, int64_t width, const Bfloat16* pairs, int64_t pair_stride,
                            int64_t num_positions) {
    constexpr int64_t num_bytes = NV * V * sizeof(float);
    const int64_t step = width * sizeof(Bfloat16), pair_step = pair_stride * sizeof(Bfloat16);
    const Strip &one = strips[0], &two = strips[ARE_TWO];
    see_memory();
    _tile_loadd(0, one.sums, num_bytes);
    if constexpr (NV == 2) _tile_loadd(1, one.sums + V, num_bytes);
    if constexpr (ARE_TWO) _tile_loadd(2, two.sums, num_bytes);
    if constexpr (ARE_TWO && NV == 2) _tile_loadd(3, two.sums + V, num_bytes);
    for (int64_t l = 0; l < num_positions; l += TILE_DEPTH, pairs += TILE * pair_stride) {
        _tile_loadd(6, pairs, pair_step);
        _tile_loadd(4, one.x + l, step);
        _tile_dpbf16ps(0, 4, 6);
        if constexpr (ARE_TWO) {
            _tile_loadd(5, two.x + l, step);
            _tile_dpbf16ps(2, 5, 6);
        }
        if constexpr (NV == 2) {
            _tile_loadd(7, pairs + 2 * V, pair_step);
            _tile_dpbf16ps(1, 4, 7);
        }
        if constexpr (ARE_TWO && NV == 2) _tile_dpbf16ps(3, 5, 7);
    }
    _tile_stored(0, one.sums, num_bytes);
    if constexpr (NV == 2) _tile_stored(1, one.sums + V, num_bytes);
    if constexpr (ARE_TWO) _tile_stored(2, two.sums, num_bytes);
    if constexpr (ARE_TWO && NV == 2) _tile_stored(3, two.sums + V, num_bytes);
}

inline void load_shapes_of_strips(const Strip* strips, int num_strips) {
    TileShapes shapes;
    for (int tile : {0, 1, 4}) shapes.set(tile, strips[0].num_channels, 64);
    for (int tile : {2, 3, 5}) shapes.set(tile, strips[num_strips - 1].num_channels, 64);
    for (int tile : {6, 7}) shapes.set(tile, TILE, 64);
    shapes.use();
}

// Add to sums [tap][channel][NV][V] the products of x [channel][position], at the tap's offset, and the gradient.
template <int NV>
inline void multiply_taps(const Bfloat16* x, int64_t width, const Taps& taps, int64_t num_channels,
                          const Bfloat16* pairs, int64_t pair_stride, int64_t num_positions, float* sums) {
    Strip strips[2];
    int num_strips = 0;
    const auto multiply_them = [&] {
        load_shapes_of_strips(strips, num_strips);
        if (num_strips == 2) multiply_strips<NV, true>(strips, width, pairs, pair_stride, num_positions);
        if (num_strips == 1) multiply_strips<NV, false>(strips, width, pairs, pair_stride, num_positions);
        num_strips = 0;
    };
    for (int64_t t = 0; t < taps.size(); t++)
        for (int64_t c = 0; c < num_channels; c += TILE) {
            strips[num_strips++] = {x + taps.offset[t] + c * width, sums + (t * num_channels + c) * NV * V,
                                    std::min<int64_t>(TILE, num_channels - c)};
            if (num_strips == 2) multiply_them();
        }
    if (num_strips) multiply_them();
}

inline void end_over_positions() { _tile_release(); }

// Whether the system lets this process use the tiles (Linux asks for it: ARCH_REQ_XCOMP_PERM of XFEATURE_XTILE_DATA).
inline bool may_multiply() { return syscall(SYS_arch_prctl, 0x1023, 18) == 0; }

}  // namespace
