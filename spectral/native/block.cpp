// A block of the reference network on the CPU, forward and backward, by products of float32 or bfloat16 numbers.
//
// A block is a chain of layers (dilated convolution to 2F filters, ReLU, first F + last F), a shortcut around the
// chain, and max pooling by two. See spectral/models/reference.py, which says the same in PyTorch.
//
// Spectra are independent of each other: a few at a time go through all layers while they are in the cache.
//
// Each thread sums weight gradients of its own share of the spectra, and the shares are added in order: results are the
// same from run to run at a given number of threads.

#include "backward.h"
#include "forward.h"

namespace {

// Call with a number of the type that activations are stored as.
template <class Call>
void by_precision(const Block* block, Call call) {
#if HAS_BFLOAT16
    if (block->is_bfloat16) return call(Bfloat16());
#endif
    call(0.0f);
}

}  // namespace

extern "C" {

// Whether is_bfloat16 is possible on this machine.
int has_bfloat16() {
#if HAS_BFLOAT16
    return may_multiply();
#else
    return 0;
#endif
}

void kept_sizes(const Block* block, int64_t* sizes) {
    by_precision(block, [=](auto number) { sizes_of_kept<decltype(number)>(block, sizes); });
}

void forward(const Block* block, const float* x, float* out, void* kept, int32_t* signs, int32_t* is_second) {
    by_precision(block, [=](auto number) {
        block_forward(block, x, out, static_cast<decltype(number)*>(kept), signs, is_second);
    });
}

void backward(const Block* block, const float* x, const void* kept, const int32_t* signs, const int32_t* is_second,
              const float* gradient, float* dx, float* const* weight_gradients, float* const* bias_gradients) {
    by_precision(block, [=](auto number) {
        block_backward(block, x, static_cast<const decltype(number)*>(kept), signs, is_second, gradient, dx,
                       weight_gradients, bias_gradients);
    });
}
}
