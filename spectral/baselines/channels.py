"""The channels of some spectra as arrays, made some spectra at a time. n spectra, C channels, L pixels."""

from collections.abc import Callable, Iterator

import numpy as np
from numpy.typing import NDArray

from spectral.errors import UserError
from spectral.inference.logits import evaluating
from spectral.inputs.batches import BatchSource, Rows
from spectral.inputs.inputs import Inputs

SPAN = 256  # spectra at a time


class Channels:
    """What a network would be given of the survey rows [n]: float32, masked pixels filled, padding 0."""

    def __init__(self, source: BatchSource, inputs: Inputs, rows: Rows) -> None:
        self._source, self._inputs, self._rows = source, inputs, rows
        self.shape = (len(rows), inputs.num_channels, source.gather(rows[:1]).flux.shape[2])

    def __len__(self) -> int:
        return len(self._rows)

    def spans(self) -> Iterator[NDArray[np.float32]]:
        """The channels [b, C, L], span by span.

        Raises:
            UserError: a channel is not finite.
        """
        for start in range(0, len(self), SPAN):
            with evaluating(self._inputs):
                batch = self._source.gather(self._rows[start : start + SPAN])
                made = self._inputs(batch.flux, batch.ivar, batch.mask)[0].numpy()
            if not np.isfinite(made).all():
                raise UserError(
                    "the channels of a spectrum are not finite: its flux is too large for the transform; "
                    "transform=median or transform.clip=10 may help."
                )
            yield made

    def array(self) -> NDArray[np.float32]:
        """All of them [n, C, L]."""
        return features_of(self, lambda span: span)

    def matrix(self) -> NDArray[np.float32]:
        """All of them, a row for each spectrum [n, C * L]."""
        return self.array().reshape(len(self), -1)


def features_of(channels: Channels, make: Callable[[NDArray[np.float32]], NDArray[np.float32]]) -> NDArray[np.float32]:
    """What a function makes of all spans, [n, ...]; memory is taken once, and no span stays in it."""
    features, start = np.empty(0, dtype=np.float32), 0
    for span in channels.spans():
        made = make(span)
        if not start:
            features = np.empty((len(channels), *made.shape[1:]), dtype=np.float32)
        features[start : start + len(made)] = made
        start += len(made)
    return features
