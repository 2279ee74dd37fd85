// The backward pass of a block.

#pragma once

#include "plan.h"

namespace {

// The first n floats of a vector, the others being 0.
inline Vec load_part(const float* from, int64_t n) {
    if (n >= V) return load(from);
    Vec x = {};
    std::memcpy(&x, from, n * sizeof(float));
    return x;
}

// The gradient of y from that of the output.
template <class T>
void read_gradient(const Plan<T>& plan, const Group& group, const float* gradient, const int32_t* is_second,
                   const Rows<float>& to) {
    const int64_t F = plan.F, num_out = plan.out_length;
    for (int64_t s = 0; s < group.size; s++) {
        group.zero(to, s, 0, group.length);
        for (int64_t i = 0; i < num_out; i++) {
            const float* g = gradient + (s * num_out + i) * F;
            if (!plan.block.pools) {
                if (i >= group.begin(s) && i < group.end(s)) std::memcpy(to.row(s, i), g, F * sizeof(float));
            } else if (2 * i >= group.begin(s) && 2 * i + 2 <= group.end(s)) {
                const int32_t* word = is_second + (s * plan.num_words() + i / 32) * plan.Fp;
                for (int64_t f = 0; f < F; f += V) {
                    const Mask takes_z = (load_bits(word + f) & (1u << i % 32)) != 0;
                    const Vec slope = load_part(g + f, F - f), zero = {};
                    store(to.row(s, 2 * i) + f, takes_z ? zero : slope);
                    store(to.row(s, 2 * i + 1) + f, takes_z ? slope : zero);
                }
            }
        }
    }
}

// The gradient of a convolution's outputs, in paired order, from that of y. Its sums over positions are added to
// `sums`.
template <class T>
void spread_gradient(const Plan<T>& plan, const Group& group, const Rows<float>& gradient, const int32_t* signs,
                     const Rows<T>& to, float* sums) {
    group.zero_outside(to);
    for (int64_t f = 0; f < plan.Fp; f += V) {
        Vec sum0 = {}, sum1 = {};
        for (int64_t s = 0; s < group.size; s++) {
            in_tiles<Products<T>::POSITIONS>(group.begin(s), group.end(s), [&](auto size, int64_t l, int64_t tile) {
                const Mask bits = load_bits(signs + (s * plan.num_tiles() + tile) * plan.Fp + f);
                const Vec zero = {};
                UNROLL for (int n = 0; n < Products<T>::POSITIONS; n++) {
                    if (n >= size) break;
                    const Vec g = load(gradient.row(s, l + n) + f);
                    const Vec g0 = (bits & int32_t(1u << (2 * n))) != 0 ? g : zero;
                    const Vec g1 = (bits & int32_t(2u << (2 * n))) != 0 ? g : zero;
                    store_rounded(to.row(s, l + n) + 2 * f, g0), store_rounded(to.row(s, l + n) + 2 * f + V, g1);
                    sum0 += g0, sum1 += g1;
                }
            });
        }
        store(sums + 2 * f, load(sums + 2 * f) + sum0);
        store(sums + 2 * f + V, load(sums + 2 * f + V) + sum1);
    }
}

// The gradient of a convolution's input, rows of round_up(num_out) floats; it is added to what is there if `adds`.
template <class T>
void data_gradient(const Group& group, const Rows<T>& gradient, int64_t num_channels, const Taps& taps,
                   const T* weights, int64_t num_out, const Rows<float>& to, bool adds) {
    convolve(
        group, gradient, num_channels, taps, weights, round_up(num_out) / V, [](int64_t) { return Vec{}; },
        [=](auto vectors, int64_t first_vector, int64_t s, auto size, int64_t l, int64_t, const Vec* sums) {
            constexpr int NV = decltype(vectors)::value;
            for (int n = 0; n < size; n++)
                for (int v = 0; v < NV; v++) {
                    float* at = to.row(s, l + n) + (first_vector + v) * V;
                    store(at, adds ? load(at) + sums[n * NV + v] : sums[n * NV + v]);
                }
        });
}

// Rows of n numbers as T.
template <class T>
void round_rows(const Group& group, const Rows<float>& from, int64_t n, const Rows<T>& to) {
    group.zero_outside(to);
    for (int64_t s = 0; s < group.size; s++)
        for (int64_t l = group.begin(s); l < group.end(s); l++) round_row(from.row(s, l), n, to.row(s, l));
}

// dx [B][length][num_in] (null if nobody asks), and gradients of weights and biases in the order and layout of `block`.
template <class T>
void block_backward(const Block* block, const float* x, const T* kept, const int32_t* signs, const int32_t* is_second,
              const float* gradient, float* dx, float* const* weight_gradients, float* const* bias_gradients) {
    const Plan<T> plan(*block, Plan<T>::BACKWARD);
    const int64_t num_layers = block->num_layers, B = block->num_spectra, L = block->length, C = block->num_in;
    const int64_t size = plan.rows() * plan.Fp, G = plan.group_size, Cp = round_up(C);
    std::vector<int64_t> begins{0};
    for (const Layer<T>& layer : plan.layers) begins.push_back(begins.back() + layer.num_sums);
    const int64_t num_sums = begins.back() + (block->shortcut == 2 ? (C + 1) * plan.Fp : 0);
    std::vector<std::vector<float>> shares(block->num_threads);
#pragma omp parallel for schedule(static, 1) num_threads(block->num_threads)
    for (int64_t share = 0; share < block->num_threads; share++) {
        const int64_t stop = B * (share + 1) / block->num_threads;
        shares[share].assign(num_sums + V, 0);
        const int64_t slack = plan.slack(), row = plan.padded(C);
        std::vector<T> input(G * plan.rows() * row + slack), spread(G * plan.rows() * plan.J + slack);
        std::vector<float> top(G * L * plan.Fp + V), inner(G * L * plan.Fp + V), bottom(G * L * Cp + V);
        const Rows<float> slope{top.data(), plan.Fp, L * plan.Fp}, below{inner.data(), plan.Fp, L * plan.Fp};
        const Rows<float> lowest{bottom.data(), Cp, L * Cp};
        for (int64_t b = B * share / block->num_threads; b < stop; b += G) {
            const Group group = plan.group(b, stop);
            const Rows<T> rows = plan.haloed(input.data(), row), wide = plan.haloed(spread.data(), plan.J);
            plan.copy_input(group, x + b * L * block->num_in, rows);
            const int32_t* words = is_second + b * plan.num_words() * plan.Fp;
            read_gradient(plan, group, gradient + b * plan.out_length * plan.F, words, slope);
            for (int64_t i = num_layers - 1; i >= 0; i--) {
                const Layer<T>& layer = plan.layers[i];
                const Rows<T> from = i ? plan.haloed(const_cast<T*>(kept) + ((i - 1) * B + b) * size, plan.Fp) : rows;
                float* sums = shares[share].data() + begins[i];
                const int32_t* bits = signs + (i * B + b) * plan.num_tiles() * plan.Fp;
                const Rows<float>& above = i == num_layers - 1 ? slope : below;
                spread_gradient(plan, group, above, bits, wide, sums + layer.num_sums - plan.J);
                add_weight_gradient(group, from, layer.num_in, layer.taps, wide, plan.J / V, sums);
                if (i || dx)
                    data_gradient(group, wide, plan.J, layer.mirrored, layer.transposed.data(), layer.num_in,
                                  i ? below : lowest, false);
            }
            if (block->shortcut == 2) {
                float* sums = shares[share].data() + begins.back();
                const Rows<T> narrow = plan.haloed(spread.data(), plan.Fp);
                round_rows(group, slope, plan.Fp, narrow);
                add_weight_gradient(group, rows, C, plan.point, narrow, plan.Fp / V, sums);
                for (int64_t s = 0; s < group.size; s++)
                    for (int64_t l = group.begin(s); l < group.end(s); l++)
                        for (int64_t f = 0; f < plan.F; f++) sums[C * plan.Fp + f] += slope.row(s, l)[f];
                if (dx)
                    data_gradient(group, narrow, plan.Fp, plan.point, plan.shortcut_transposed.data(), C, lowest, true);
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
        const Layer<T>& layer = plan.layers[i];
        const float* sums = shares[0].data() + begins[i];
        const int64_t K = block->kernel_size, num_in = layer.num_in;
        std::memset(weight_gradients[i], 0, 2 * plan.F * K * num_in * sizeof(float));
        for (int64_t j = 0; j < 2 * plan.F; j++) {
            const Column<float> column(plan.paired(j), plan.J, layer.taps.size() * num_in);
            for (int64_t t = 0; t < layer.taps.size(); t++)
                for (int64_t c = 0; c < num_in; c++)
                    weight_gradients[i][(j * K + layer.taps.number[t]) * num_in + c] =
                        sums[column.at(t * num_in + c)];
            bias_gradients[i][j] = sums[layer.num_sums - plan.J + plan.paired(j)];
        }
    }
    if (block->shortcut == 2) {
        const float* sums = shares[0].data() + begins.back();
        for (int64_t f = 0; f < plan.F; f++) {
            for (int64_t c = 0; c < C; c++)
                weight_gradients[num_layers][f * C + c] = sums[Column<float>(f, plan.F, C).at(c)];
            bias_gradients[num_layers][f] = sums[C * plan.Fp + f];
        }
    }
}

}  // namespace
