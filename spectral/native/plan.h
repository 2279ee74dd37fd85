// What a call is about, and the sizes and packed weights that follow from it.
//
// Filters stand in "paired" order: V of the first half, the V that are added to them, the next V of the first half ...
// A number of filters that V does not divide is filled up with zeros.

#pragma once

#include "bfloat16.h"
#include "float32.h"

extern "C" {

// What a call is about; the fields are those of spectral/native/block.py.
struct Block {
    int64_t num_spectra, length, num_in, num_filters, num_layers, kernel_size, num_threads;
    int64_t shortcut;  // 0: none, 1: the input itself, 2: a convolution of kernel size 1
    int64_t pools;
    int64_t is_bfloat16;  // what activations are rounded to before they are multiplied; float32 otherwise
    const int64_t* dilations;
    const float* const* weights;  // of each layer [2F][tap][channel], then of the shortcut [F][channel]
    const float* const* biases;
    const int32_t *first, *stop;  // of the positions inside each spectrum; null if nothing is padded
};
}

namespace {

template <class T>
struct Layer {
    int64_t num_in;
    Taps taps, mirrored;
    std::vector<T> weights, transposed;
    std::vector<float> bias;
    int64_t num_sums;  // of its weight and bias gradients, in one share
};

// Sizes and packed weights of a call with activations stored as T.
template <class T>
struct Plan {
    const Block& block;
    int64_t F, Fp, J, halo = 0, group_size, out_length;
    std::vector<Layer<T>> layers;
    std::vector<T> shortcut, shortcut_transposed;
    std::vector<float> shortcut_bias;
    Taps point{1, 1, 2};

    enum Pass { SIZES, FORWARD, BACKWARD };  // what the weights are packed for

    Plan(const Block& b, Pass pass)
        : block(b), F(b.num_filters), Fp(round_up(F)), J(2 * Fp), out_length(b.pools ? b.length / 2 : b.length) {
        for (int64_t i = 0; i < b.num_layers; i++) {
            Taps taps(b.kernel_size, b.dilations[i], b.length);
            for (auto at : taps.offset) halo = std::max(halo, std::abs(at));
            layers.push_back(Layer<T>{i ? F : b.num_in, taps, taps.mirrored(), {}, {}, {}, 0});
            Layer<T>& layer = layers.back();
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
    int64_t num_tiles() const { return (block.length + Products<T>::POSITIONS - 1) / Products<T>::POSITIONS; }
    // Numbers after the last row that a tile may read.
    int64_t slack() const { return Products<T>::POSITIONS * std::max(padded(block.num_in), J) + V; }
    static int64_t padded(int64_t num_channels) { return round_up(num_channels, Products<T>::CHANNELS); }
    int64_t num_words() const { return (out_length + 31) / 32; }
    int64_t paired(int64_t j) const {
        const int64_t half = j / F, f = j % F;
        return f / V * 2 * V + half * V + f % V;
    }

    std::vector<T> pack(const Layer<T>& layer, const float* weights) const {
        const int64_t C = padded(layer.num_in), num_taps = layer.taps.size();
        std::vector<T> packed(J * num_taps * C);
        for (int64_t j = 0; j < 2 * F; j++) {
            const Column<T> column(paired(j), J, num_taps * C);
            for (int64_t t = 0; t < num_taps; t++) {
                const float* from = weights_of(layer, weights, j, t);
                for (int64_t c = 0; c < layer.num_in; c++)
                    packed[column.at(t * C + c)] = rounded_number(from[c], T());
            }
        }
        return packed;
    }

    std::vector<T> pack_transposed(const Layer<T>& layer, const float* weights) const {
        const int64_t num_taps = layer.taps.size();
        std::vector<T> packed(round_up(layer.num_in) * num_taps * J);
        for (int64_t c = 0; c < layer.num_in; c++) {
            const Column<T> column(c, layer.num_in, num_taps * J);
            for (int64_t t = 0; t < num_taps; t++)
                for (int64_t j = 0; j < 2 * F; j++)
                    packed[column.at(t * J + paired(j))] = rounded_number(weights_of(layer, weights, j, t)[c], T());
        }
        return packed;
    }

    // Those of a filter at a tap, [channel].
    const float* weights_of(const Layer<T>& layer, const float* weights, int64_t filter, int64_t tap) const {
        return weights + (filter * block.kernel_size + layer.taps.number[tap]) * layer.num_in;
    }

    void pack_shortcut() {
        const int64_t C = block.num_in;
        const float *weights = block.weights[block.num_layers], *bias = block.biases[block.num_layers];
        shortcut.resize(Fp * padded(C)), shortcut_bias.assign(Fp, 0), shortcut_transposed.resize(round_up(C) * Fp);
        for (int64_t f = 0; f < F; f++) {
            const Column<T> column(f, F, padded(C));
            shortcut_bias[f] = bias[f];
            for (int64_t c = 0; c < C; c++) {
                shortcut[column.at(c)] = rounded_number(weights[f * C + c], T());
                shortcut_transposed[Column<T>(c, C, Fp).at(f)] = rounded_number(weights[f * C + c], T());
            }
        }
    }

    Group group(int64_t spectrum, int64_t stop) const {
        const int64_t size = std::min(group_size, stop - spectrum);
        const int32_t* first = block.first ? block.first + spectrum : nullptr;
        return {size, block.length, halo, first, block.first ? block.stop + spectrum : nullptr};
    }

    // Rows in scratch or in the memory kept for the backward pass; `data` begins with the halo.
    Rows<T> haloed(T* data, int64_t stride) const { return {data + halo * stride, stride, rows() * stride}; }

    void copy_input(const Group& group, const float* x, const Rows<T>& to) const {
        group.zero_outside(to);
        for (int64_t s = 0; s < group.size; s++)
            for (int64_t l = group.begin(s); l < group.end(s); l++)
                round_row(x + (s * block.length + l) * block.num_in, block.num_in, to.row(s, l));
    }
};

}  // namespace
