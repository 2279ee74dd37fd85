// The forward pass of a block, and what it keeps for the backward pass.

#pragma once

#include "plan.h"

namespace {

// One layer of a group: x to y = relu(first half) + relu(second half). signs [spectrum][tile][Fp]: bits 2n and 2n + 1
// are set where the first half and the second are above zero at position n of the tile; null if nobody asks.
template <class T>
void layer_forward(const Plan<T>& plan, const Layer<T>& layer, const Group& group, const Rows<T>& x, const Rows<T>& y,
                   int32_t* signs) {
    const float* bias = layer.bias.data();
    const int64_t Fp = plan.Fp, num_tiles = plan.num_tiles();
    group.zero_outside(y);
    convolve(
        group, x, plan.padded(layer.num_in), layer.taps, layer.weights.data(), plan.J / V,
        [=](int64_t v) { return load(bias + v * V); },
        [=](auto vectors, int64_t first_vector, int64_t s, auto size, int64_t l, int64_t tile, const Vec* sums) {
            if constexpr (decltype(vectors)::value == 2) {  // halves come in pairs
                const int64_t f = first_vector / 2 * V;
                T* to = y.row(s, l) + f;
                Mask bits = {};
                UNROLL for (int n = 0; n < Products<T>::POSITIONS; n++) {
                    if (n >= size) break;
                    const Vec zero = {};
                    // In this form what is not a number stays so.
                    const Mask off0 = sums[2 * n] <= 0, off1 = sums[2 * n + 1] <= 0;
                    store_rounded(to + n * y.stride, (off0 ? zero : sums[2 * n]) + (off1 ? zero : sums[2 * n + 1]));
                    bits |= (~off0 & int32_t(1u << (2 * n))) | (~off1 & int32_t(2u << (2 * n)));
                }
                if (signs) store_bits(signs + (s * num_tiles + tile) * Fp + f, bits);
            }
        });
}

// Add a row of n numbers to another.
template <class T>
inline void add_row(const T* x, int64_t n, T* y) {
    int64_t i = 0;
    for (; i + V <= n; i += V) store_rounded(y + i, widened(y + i) + widened(x + i));
    for (; i < n; i++) y[i] = rounded_number(widened_number(y[i]) + widened_number(x[i]), T());
}

// Add the shortcut to y, in place.
template <class T>
void add_shortcut(const Plan<T>& plan, const Group& group, const Rows<T>& x, const Rows<T>& y) {
    if (plan.block.shortcut == 1) {
        for (int64_t s = 0; s < group.size; s++)
            for (int64_t l = group.begin(s); l < group.end(s); l++)
                add_row(x.row(s, l), plan.F, y.row(s, l));
    } else if (plan.block.shortcut == 2) {
        const float* bias = plan.shortcut_bias.data();
        convolve(
            group, x, plan.padded(plan.block.num_in), plan.point, plan.shortcut.data(), plan.Fp / V,
            [=](int64_t v) { return load(bias + v * V); },
            [=](auto vectors, int64_t first_vector, int64_t s, auto size, int64_t l, int64_t, const Vec* sums) {
                constexpr int NV = decltype(vectors)::value;
                for (int n = 0; n < size; n++)
                    for (int v = 0; v < NV; v++) {
                        T* to = y.row(s, l + n) + (first_vector + v) * V;
                        store_rounded(to, widened(to) + sums[n * NV + v]);
                    }
            });
    }
}

// Write the first n floats of a vector.
inline void store_part(float* to, Vec x, int64_t n) {
    if (n >= V) {
        store(to, x);
    } else {
        std::memcpy(to, &x, n * sizeof(float));
    }
}

// Write a group's output [out_length][F], pooled or not. is_second [spectrum][word][Fp]: bit n is set where the second
// position of pair n of the 32 pairs of a word is its maximum; null if nobody asks.
template <class T>
void write_output(const Plan<T>& plan, const Group& group, const Rows<T>& y, float* out, int32_t* is_second) {
    const int64_t F = plan.F, num_out = plan.out_length, width = plan.block.pools ? 2 : 1;
    for (int64_t s = 0; s < group.size; s++) {
        for (int64_t i = 0; i < num_out; i++) {
            float* to = out + (s * num_out + i) * F;
            int32_t* word = is_second ? is_second + (s * plan.num_words() + i / 32) * plan.Fp : nullptr;
            if (word && i % 32 == 0) std::memset(word, 0, plan.Fp * sizeof(int32_t));
            const T *a = y.row(s, width * i), *b = a + y.stride;
            if (width * i < group.begin(s) || width * (i + 1) > group.end(s)) {
                std::memset(to, 0, F * sizeof(float));
            } else if (width == 1) {
                for (int64_t f = 0; f < F; f += V) store_part(to + f, widened(a + f), F - f);
            } else {
                for (int64_t f = 0; f < F; f += V) {
                    const Vec x = widened(a + f), z = widened(b + f);
                    const Mask takes_z = (z > x) | (z != z);
                    store_part(to + f, takes_z ? z : x, F - f);
                    if (word) store_bits(word + f, load_bits(word + f) | (takes_z & (1u << i % 32)));
                }
            }
        }
    }
}

// Numbers per spectrum that forward keeps for backward: inputs of the layers but the first; signs; is_second. Then those
// that must follow the inputs of all spectra, since they are read, if only to be left alone.
template <class T>
void sizes_of_kept(const Block* block, int64_t* sizes) {
    const Plan<T> plan(*block, Plan<T>::SIZES);
    sizes[0] = (block->num_layers - 1) * plan.rows() * plan.Fp;
    sizes[1] = block->num_layers * plan.num_tiles() * plan.Fp;
    sizes[2] = block->pools ? plan.num_words() * plan.Fp : 0;
    sizes[3] = plan.slack();
}

// x [B][length][num_in] to out [B][out_length][F]. kept, signs and is_second are null if no gradient is wanted.
template <class T>
void block_forward(const Block* block, const float* x, float* out, T* kept, int32_t* signs, int32_t* is_second) {
    const Plan<T> plan(*block, Plan<T>::FORWARD);
    const int64_t num_layers = block->num_layers, B = block->num_spectra, L = block->length;
    const int64_t size = plan.rows() * plan.Fp, G = plan.group_size;
#pragma omp parallel for schedule(static, 1) num_threads(block->num_threads)
    for (int64_t share = 0; share < block->num_threads; share++) {
        const int64_t stop = B * (share + 1) / block->num_threads;
        const int64_t slack = plan.slack(), row = plan.padded(block->num_in);
        std::vector<T> input(G * plan.rows() * row + slack), one(G * size + slack), two(G * size + slack);
        for (int64_t b = B * share / block->num_threads; b < stop; b += G) {
            const Group group = plan.group(b, stop);
            const Rows<T> rows = plan.haloed(input.data(), row);
            plan.copy_input(group, x + b * L * block->num_in, rows);
            Rows<T> from = rows;
            for (int64_t i = 0; i < num_layers; i++) {
                Rows<T> to = plan.haloed(i % 2 ? one.data() : two.data(), plan.Fp);
                if (kept && i < num_layers - 1) to = plan.haloed(kept + (i * B + b) * size, plan.Fp);
                int32_t* bits = signs ? signs + (i * B + b) * plan.num_tiles() * plan.Fp : nullptr;
                layer_forward(plan, plan.layers[i], group, from, to, bits);
                from = to;
            }
            add_shortcut(plan, group, rows, from);
            int32_t* words = is_second ? is_second + b * plan.num_words() * plan.Fp : nullptr;
            write_output(plan, group, from, out + b * plan.out_length * plan.F, words);
        }
    }
}

}  // namespace
