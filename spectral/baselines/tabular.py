"""Methods of scikit-learn on the channels as a table. n spectra, F = C * L numbers of each."""

from collections.abc import Iterator
from typing import Any

from spectral.baselines.channels import Channels
from spectral.baselines.contract import Features, Labels, Method, Probabilities


class Tabular(Method):
    """A method that is an estimator of scikit-learn, of rows [n, C * L]."""

    estimator: Any = None

    def make(self, table: Features, labels: Labels) -> Any:
        """The estimator, unfitted, for a table [n, F] and its labels [n]."""
        raise NotImplementedError

    def fit(self, channels: Channels, labels: Labels) -> None:
        table = channels.matrix()
        self.estimator = self.make(table, labels)
        self.estimator.fit(table, labels)
        self.look_at(table)

    def look_at(self, table: Features) -> None:
        """What a fitted method finds out of its training table [n, F]; nothing by default."""

    def predict(self, channels: Channels) -> Iterator[tuple[Any, Probabilities]]:
        for span in channels.spans():
            yield self.estimator.classes_, self.estimator.predict_proba(span.reshape(len(span), -1))
