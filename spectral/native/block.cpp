// A block of the reference network on the CPU, forward and backward, in float32.
//
// A block is a chain of layers (dilated convolution to 2F filters, ReLU, first F + last F), a shortcut around the chain,
// and max pooling by two. See spectral/models/reference.py, which says the same in PyTorch.
//
// Spectra are independent of each other: a few at a time go through all layers while they are in the cache.
//
// Each thread sums weight gradients of its own share of the spectra, and the shares are added in order: results are the
// same from run to run at a given number of threads.

#include "plan.h"

namespace {

// One layer of a group: x to y = relu(first half) + relu(second half). signs [position][Fp]: bit 0 is set where the
// first half is above zero, bit 1 where the second is; null if nobody asks.
void layer_forward(const Plan& plan, const Layer& layer, const Group& group, const Rows& x, const Rows& y,
                   uint8_t* signs) {
    const float* bias = layer.bias.data();
    const int64_t Fp = plan.Fp, L = group.length;
    group.zero_outside(y);
    convolve(
        group, x, layer.num_in, layer.taps, layer.weights.data(), plan.J / V, [=](int64_t v) { return load(bias + v * V); },
        [=](auto vectors, int64_t first_vector, int64_t s, int64_t l, const Vec* sums) {
            if constexpr (decltype(vectors)::value != 2) return;  // halves come in pairs
            const int64_t f = first_vector / 2 * V;
            const Mask off0 = sums[0] <= 0, off1 = sums[1] <= 0;  // in this form what is not a number stays so
            const Vec zero = {};
            store(y.row(s, l) + f, (off0 ? zero : sums[0]) + (off1 ? zero : sums[1]));
            if (!signs) return;
            const Bytes bits = __builtin_convertvector((~off0 & 1) | (~off1 & 2), Bytes);
            *reinterpret_cast<Bytes*>(signs + (s * L + l) * Fp + f) = bits;
        });
}

// Add the shortcut to y, in place.
void add_shortcut(const Plan& plan, const Group& group, const Rows& x, const Rows& y) {
    const int64_t F = plan.F;
    if (plan.block.shortcut == 1) {
        for (int64_t s = 0; s < group.size; s++)
            for (int64_t l = group.begin(s); l < group.end(s); l++)
                for (int64_t f = 0; f < F; f++) y.row(s, l)[f] += x.row(s, l)[f];
    } else if (plan.block.shortcut == 2) {
        const float* bias = plan.shortcut_bias.data();
        convolve(
            group, x, plan.block.num_in, plan.point, plan.shortcut.data(), plan.Fp / V,
            [=](int64_t v) { return load(bias + v * V); },
            [=](auto vectors, int64_t first_vector, int64_t s, int64_t l, const Vec* sums) {
                float* to = y.row(s, l) + first_vector * V;
                for (int v = 0; v < decltype(vectors)::value; v++) store(to + v * V, load(to + v * V) + sums[v]);
            });
    }
}

// Write a group's output [out_length][F], pooled or not. is_second [out_length][F]: whether the second position of a
// pair is its maximum; null if nobody asks.
void write_output(const Plan& plan, const Group& group, const Rows& y, float* out, uint8_t* is_second) {
    const int64_t F = plan.F, num_out = plan.out_length, width = plan.block.pools ? 2 : 1;
    for (int64_t s = 0; s < group.size; s++) {
        for (int64_t i = 0; i < num_out; i++) {
            float* to = out + (s * num_out + i) * F;
            uint8_t* second = is_second ? is_second + (s * num_out + i) * F : nullptr;
            const float *a = y.row(s, width * i), *b = a + (width - 1) * y.stride;
            if (width * i < group.begin(s) || width * (i + 1) > group.end(s)) {
                std::memset(to, 0, F * sizeof(float));
                if (second) std::memset(second, 0, F);
            } else if (width == 1) {
                std::memcpy(to, a, F * sizeof(float));
            } else {
                for (int64_t f = 0; f < F; f++) {
                    const bool takes_b = b[f] > a[f] || b[f] != b[f];
                    to[f] = takes_b ? b[f] : a[f];
                    if (second) second[f] = takes_b;
                }
            }
        }
    }
}

// The gradient of y from that of the output.
void read_gradient(const Plan& plan, const Group& group, const float* gradient, const uint8_t* is_second,
                   const Rows& to) {
    const int64_t F = plan.F, num_out = plan.out_length;
    for (int64_t s = 0; s < group.size; s++) {
        group.zero(to, s, 0, group.length);
        for (int64_t i = 0; i < num_out; i++) {
            const float* g = gradient + (s * num_out + i) * F;
            if (!plan.block.pools) {
                if (i >= group.begin(s) && i < group.end(s)) std::memcpy(to.row(s, i), g, F * sizeof(float));
            } else if (2 * i >= group.begin(s) && 2 * i + 2 <= group.end(s)) {
                const uint8_t* second = is_second + (s * num_out + i) * F;
                float *a = to.row(s, 2 * i), *b = to.row(s, 2 * i + 1);
                for (int64_t f = 0; f < F; f++) {
                    a[f] = second[f] ? 0 : g[f];
                    b[f] = second[f] ? g[f] : 0;
                }
            }
        }
    }
}

// The gradient of a convolution's outputs, in paired order, from that of y; its sums over positions are added to `sums`.
void spread_gradient(const Plan& plan, const Group& group, const Rows& gradient, const uint8_t* signs, const Rows& to,
                     float* sums) {
    const int64_t Fp = plan.Fp;
    group.zero_outside(to);
    for (int64_t f = 0; f < Fp; f += V) {
        Vec sum0 = {}, sum1 = {};
        for (int64_t s = 0; s < group.size; s++) {
            for (int64_t l = group.begin(s); l < group.end(s); l++) {
                const Bytes packed = *reinterpret_cast<const Bytes*>(signs + (s * group.length + l) * Fp + f);
                const Mask bits = __builtin_convertvector(packed, Mask);
                const Vec g = load(gradient.row(s, l) + f), zero = {};
                const Vec g0 = (bits & 1) != 0 ? g : zero, g1 = (bits & 2) != 0 ? g : zero;
                store(to.row(s, l) + 2 * f, g0), store(to.row(s, l) + 2 * f + V, g1);
                sum0 += g0, sum1 += g1;
            }
        }
        store(sums + 2 * f, load(sums + 2 * f) + sum0);
        store(sums + 2 * f + V, load(sums + 2 * f + V) + sum1);
    }
}

// The gradient of a convolution's input, rows of round_up(num_out) floats; it is added to what is there if `adds`.
void data_gradient(const Group& group, const Rows& gradient, int64_t num_channels, const Taps& taps,
                   const float* weights, int64_t num_out, const Rows& to, bool adds) {
    convolve(
        group, gradient, num_channels, taps, weights, round_up(num_out) / V, [](int64_t) { return Vec{}; },
        [=](auto vectors, int64_t first_vector, int64_t s, int64_t l, const Vec* sums) {
            float* at = to.row(s, l) + first_vector * V;
            for (int v = 0; v < decltype(vectors)::value; v++)
                store(at + v * V, adds ? load(at + v * V) + sums[v] : sums[v]);
        });
}

}  // namespace

extern "C" {

// Floats and bytes per spectrum that forward keeps for backward: inputs of the layers but the first, and signs.
void kept_sizes(const Block* block, int64_t* num_floats, int64_t* num_bytes) {
    const Plan plan(*block, Plan::SIZES);
    *num_floats = (block->num_layers - 1) * plan.rows() * plan.Fp;
    *num_bytes = block->num_layers * block->length * plan.Fp;
}

// x [B][length][num_in] to out [B][out_length][F]. kept, signs and is_second are null if no gradient is wanted.
void forward(const Block* block, const float* x, float* out, float* kept, uint8_t* signs, uint8_t* is_second) {
    const Plan plan(*block, Plan::FORWARD);
    const int64_t num_layers = block->num_layers, B = block->num_spectra, L = block->length;
    const int64_t size = plan.rows() * plan.Fp, G = plan.group_size;
#pragma omp parallel for schedule(static, 1) num_threads(block->num_threads)
    for (int64_t share = 0; share < block->num_threads; share++) {
        const int64_t stop = B * (share + 1) / block->num_threads;
        std::vector<float> input(G * plan.rows() * block->num_in + V), one(G * size + V), two(G * size + V);
        for (int64_t b = B * share / block->num_threads; b < stop; b += G) {
            const Group group = plan.group(b, stop);
            const Rows rows = plan.haloed(input.data(), block->num_in);
            plan.copy_input(group, x + b * L * block->num_in, rows);
            Rows from = rows;
            for (int64_t i = 0; i < num_layers; i++) {
                Rows to = plan.haloed(i % 2 ? one.data() : two.data(), plan.Fp);
                if (kept && i < num_layers - 1) to = plan.haloed(kept + (i * B + b) * size, plan.Fp);
                layer_forward(plan, plan.layers[i], group, from, to, signs ? signs + (i * B + b) * L * plan.Fp : nullptr);
                from = to;
            }
            add_shortcut(plan, group, rows, from);
            const int64_t at = b * plan.out_length * plan.F;
            write_output(plan, group, from, out + at, is_second ? is_second + at : nullptr);
        }
    }
}

// dx [B][length][num_in] (null if nobody asks), and gradients of weights and biases in the order and layout of `block`.
void backward(const Block* block, const float* x, const float* kept, const uint8_t* signs, const uint8_t* is_second,
              const float* gradient, float* dx, float* const* weight_gradients, float* const* bias_gradients) {
    const Plan plan(*block, Plan::BACKWARD);
    const int64_t num_layers = block->num_layers, B = block->num_spectra, L = block->length, C = block->num_in;
    const int64_t size = plan.rows() * plan.Fp, G = plan.group_size, Cp = round_up(C);
    std::vector<int64_t> begins{0};
    for (const Layer& layer : plan.layers) begins.push_back(begins.back() + layer.num_sums);
    const int64_t num_sums = begins.back() + (block->shortcut == 2 ? (C + 1) * plan.Fp : 0);
    std::vector<std::vector<float>> shares(block->num_threads);
#pragma omp parallel for schedule(static, 1) num_threads(block->num_threads)
    for (int64_t share = 0; share < block->num_threads; share++) {
        const int64_t stop = B * (share + 1) / block->num_threads;
        shares[share].assign(num_sums + V, 0);
        std::vector<float> input(G * plan.rows() * C + V), spread(G * plan.rows() * plan.J + V), top(G * L * plan.Fp + V),
            inner(G * L * plan.Fp + V), bottom(G * L * Cp + V);
        const Rows slope{top.data(), plan.Fp, L * plan.Fp}, below{inner.data(), plan.Fp, L * plan.Fp};
        const Rows lowest{bottom.data(), Cp, L * Cp};
        for (int64_t b = B * share / block->num_threads; b < stop; b += G) {
            const Group group = plan.group(b, stop);
            const Rows rows = plan.haloed(input.data(), C), wide = plan.haloed(spread.data(), plan.J);
            plan.copy_input(group, x + b * L * block->num_in, rows);
            const int64_t at = b * plan.out_length * plan.F;
            read_gradient(plan, group, gradient + at, is_second ? is_second + at : nullptr, slope);
            for (int64_t i = num_layers - 1; i >= 0; i--) {
                const Layer& layer = plan.layers[i];
                const Rows from = i ? plan.haloed(const_cast<float*>(kept) + ((i - 1) * B + b) * size, plan.Fp) : rows;
                float* sums = shares[share].data() + begins[i];
                spread_gradient(plan, group, i == num_layers - 1 ? slope : below, signs + (i * B + b) * L * plan.Fp, wide,
                                sums + layer.num_sums - plan.J);
                add_weight_gradient(group, from, layer.num_in, layer.taps, wide, plan.J / V, sums);
                if (i || dx)
                    data_gradient(group, wide, plan.J, layer.mirrored, layer.transposed.data(), layer.num_in,
                                  i ? below : lowest, false);
            }
            if (block->shortcut == 2) {
                float* sums = shares[share].data() + begins.back();
                add_weight_gradient(group, rows, C, plan.point, slope, plan.Fp / V, sums);
                for (int64_t s = 0; s < group.size; s++)
                    for (int64_t l = group.begin(s); l < group.end(s); l++)
                        for (int64_t f = 0; f < plan.F; f++) sums[C * plan.Fp + f] += slope.row(s, l)[f];
                if (dx)
                    data_gradient(group, slope, plan.Fp, plan.point, plan.shortcut_transposed.data(), C, lowest, true);
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
        const Layer& layer = plan.layers[i];
        const float* sums = shares[0].data() + begins[i];
        const int64_t K = block->kernel_size, num_in = layer.num_in;
        std::memset(weight_gradients[i], 0, 2 * plan.F * K * num_in * sizeof(float));
        for (int64_t j = 0; j < 2 * plan.F; j++) {
            for (int64_t t = 0; t < layer.taps.size(); t++)
                for (int64_t c = 0; c < num_in; c++)
                    weight_gradients[i][(j * K + layer.taps.number[t]) * num_in + c] =
                        sums[Plan::place(plan.paired(j), plan.J, layer.taps.size() * num_in, t * num_in + c)];
            bias_gradients[i][j] = sums[layer.num_sums - plan.J + plan.paired(j)];
        }
    }
    if (block->shortcut == 2) {
        const float* sums = shares[0].data() + begins.back();
        for (int64_t f = 0; f < plan.F; f++) {
            for (int64_t c = 0; c < C; c++) 
                weight_gradients[num_layers][f * C + c] = sums[Plan::place(f, plan.F, C, c)];
            bias_gradients[num_layers][f] = sums[C * plan.Fp + f];
        }
    }
}
}
