// What a call is about, and the sizes and packed weights that follow from it.
//
// Filters stand in "paired" order: V of the first half, the V that are added to them, the next V of the first half ...
// A number of filters that V does not divide is filled up with zeros.

#pragma once

#include "tiles.h"

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

struct Layer {
    int64_t num_in;
    Taps taps, mirrored;
    std::vector<float> weights, bias, transposed;
    int64_t num_sums;  // of its weight and bias gradients, in one share
};

// Sizes and packed weights of a call.
struct Plan {
    const Block& block;
    int64_t F, Fp, J, halo = 0, group_size, out_length;
    std::vector<Layer> layers;
    std::vector<float> shortcut, shortcut_bias, shortcut_transposed;
    Taps point{1, 1, 2};

    enum Pass { SIZES, FORWARD, BACKWARD };  // what the weights are packed for

    Plan(const Block& b, Pass pass)
        : block(b), F(b.num_filters), Fp(round_up(F)), J(2 * Fp), out_length(b.pools ? b.length / 2 : b.length) {
        for (int64_t i = 0; i < b.num_layers; i++) {
            Taps taps(b.kernel_size, b.dilations[i], b.length);
            for (auto at : taps.offset) halo = std::max(halo, std::abs(at));
            layers.push_back(Layer{i ? F : b.num_in, taps, taps.mirrored(), {}, {}, {}, 0});
            Layer& layer = layers.back();
            layer.num_sums = (taps.size() * layer.num_in + 1) * J;
            if (pass == BACKWARD) layer.transposed = pack_transposed(layer, b.weights[i]);
            if (pass == FORWARD) {
                layer.weights = pack(layer, b.weights[i]);
                layer.bias.assign(J, 0);
                for (int64_t j = 0; j < 2 * F; j++) layer.bias[paired(j)] = b.biases[i][j];
            }
        }
        if (b.shortcut == 2 && pass != SIZES) pack_shortcut();
        const int64_t share = (b.num_spectra + b.num_threads - 1) / b.num_threads;
        group_size = std::max<int64_t>(1, std::min(share, POSITIONS_AT_ONCE / std::max<int64_t>(1, b.length)));
    }

    int64_t rows() const { return block.length + 2 * halo; }
    int64_t num_tiles() const { return (block.length + P - 1) / P; }
    int64_t num_words() const { return (out_length + 31) / 32; }
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

    void pack_shortcut() {
        const int64_t C = block.num_in;
        const float *weights = block.weights[block.num_layers], *bias = block.biases[block.num_layers];
        shortcut.assign(Fp * C, 0), shortcut_bias.assign(Fp, 0), shortcut_transposed.assign(round_up(C) * Fp, 0);
        for (int64_t f = 0; f < F; f++) {
            shortcut_bias[f] = bias[f];
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

}  // namespace
