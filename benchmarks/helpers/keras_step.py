"""A training step or a prediction of the reference network in Keras 3 on TensorFlow, in another environment's Python.

    python keras_step.py train|predict KIND LENGTH NUM_THREADS  # 0: TensorFlow's own number

Each line of its standard input has a number of steps and the spectra in a batch. It answers with the seconds that they
took, and ends with its input.
"""

import os
import sys
import time
from collections.abc import Callable

os.environ["KERAS_BACKEND"] = "tensorflow"

import keras
import numpy as np
import tensorflow as tf
from keras import layers

WIDTHS = (16, 16, 32, 32, 64, 64, 128, 128)


def reference_network() -> keras.Model:
    """Logits of the reference network, as its author wrote it in Keras."""
    x = inputs = keras.Input((None, 1))
    for i, width in enumerate(WIDTHS):
        h = x
        for dilation in (1, 2, 4):
            h = layers.Conv1D(2 * width, 3, padding="same", dilation_rate=dilation, activation="relu")(h)
            h = h[:, :, :width] + h[:, :, width:]
        x = (x if x.shape[-1] == width else layers.Conv1D(width, 1)(x)) + h
        if i < len(WIDTHS) - 1:
            x = layers.MaxPooling1D(2)(x)
    x = layers.GlobalMaxPooling1D()(layers.Dropout(0.5, noise_shape=(None, None, 1))(x))
    return keras.Model(inputs, layers.Dense(4, dtype="float32")(layers.Dense(128, activation="relu")(x)))


def make_step(what: str, network: keras.Model, batch_size: int, length: int) -> Callable[[], object]:
    """A function that trains on one fixed batch, or predicts it."""
    rng = np.random.default_rng(0)
    flux, target = rng.standard_normal((batch_size, length, 1), np.float32), rng.integers(4, size=batch_size)
    if what == "predict":
        return lambda: network.predict_on_batch(flux)
    return lambda: network.train_on_batch(flux, target)


def main() -> None:
    what, kind, length, num_threads = sys.argv[1], sys.argv[2], *map(int, sys.argv[3:])
    tf.config.threading.set_intra_op_parallelism_threads(num_threads)
    tf.config.threading.set_inter_op_parallelism_threads(num_threads)
    if "bfloat16" in kind:
        keras.config.set_dtype_policy("mixed_bfloat16")
    network = reference_network()
    loss = keras.losses.SparseCategoricalCrossentropy(from_logits=True)
    network.compile(optimizer=keras.optimizers.Adam(1e-3), loss=loss, jit_compile="XLA" in kind)
    steps: dict[int, Callable[[], object]] = {}
    for line in sys.stdin:
        num_steps, batch_size = map(int, line.split())
        if batch_size not in steps:
            steps[batch_size] = make_step(what, network, batch_size, length)
        start = time.perf_counter()
        for _ in range(num_steps):
            steps[batch_size]()
        print(time.perf_counter() - start, flush=True)


main()
