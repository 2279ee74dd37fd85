"""Which training rows make up each batch. K classes, n training rows.

A sampler produces positions in the training labels and nothing else. Every epoch's batches are a function of
(seed, epoch, number of steps) alone, so a resumed run needs no sampler state. Epochs count from 0 over the whole run.
"""

from collections.abc import Iterator, Sequence
from typing import Protocol

import numpy as np

from spectral.inputs.batches import Rows
from spectral.training.class_pools import ByClass, ClassPools, class_priors, floored_counts, systematic_counts


class Sampler(Protocol):
    def batches(self, epoch: int, num_steps: int) -> Iterator[Rows]:
        """Positions in the training labels, one array [batch] a step.

        Args:
            num_steps: steps in the epoch.
        """
        ...

    def fractions(self, epoch: int) -> ByClass:
        """The fraction [K] of each class in the epoch's batches."""
        ...


class NaturalSampler:
    """Every row once a pass, in random order: the classes come as often as the training split has them.

    All batches are full, and passes follow on across batches and across epochs of as many steps, so that every row is
    drawn equally often to within one.
    """

    def __init__(self, labels: Rows, num_classes: int, batch_size: int, seed: int) -> None:
        self.priors = class_priors(labels, num_classes)
        self.num_rows, self.batch_size, self.seed = len(labels), batch_size, seed

    def batches(self, epoch: int, num_steps: int) -> Iterator[Rows]:
        number, position = divmod(epoch * num_steps * self.batch_size, self.num_rows)
        waiting = self._pass(number)[position:]
        for _ in range(num_steps):
            while len(waiting) < self.batch_size:
                number += 1
                waiting = np.concatenate([waiting, self._pass(number)])
            batch, waiting = waiting[: self.batch_size], waiting[self.batch_size :]
            yield batch

    def fractions(self, epoch: int) -> ByClass:
        return self.priors.copy()

    def _pass(self, number: int) -> Rows:
        return np.random.default_rng([self.seed, number]).permutation(self.num_rows)


class FractionSampler:
    """The same number of rows of each class in every batch, drawn with replacement inside the class.

    Counts are floor(fraction * batch_size), and the first class with a fraction takes what remains, as in the
    reference system.

    Args:
        fractions: [K], >= 0, sum 1, in class order.
        labels: [n], class indices of the training rows.
        class_names: [K], for error sentences.

    Raises:
        UserError: a class with a fraction needs training spectra and at least one place in the batch.
    """

    def __init__(
        self,
        fractions: Sequence[float],
        labels: Rows,
        num_classes: int,
        batch_size: int,
        seed: int,
        class_names: Sequence[str] | None = None,
    ) -> None:
        wanted = np.asarray(fractions, dtype=np.float64)
        self.pools = ClassPools(labels, num_classes, class_names)
        self.pools.require(wanted)
        self.counts = floored_counts(wanted, batch_size, class_names)
        self.batch_size, self.seed = batch_size, seed

    def batches(self, epoch: int, num_steps: int) -> Iterator[Rows]:
        rng = np.random.default_rng([self.seed, epoch])
        for _ in range(num_steps):
            yield self.pools.draw(self.counts, rng)

    def fractions(self, epoch: int) -> ByClass:
        fractions: ByClass = self.counts / self.batch_size
        return fractions


def fraction_sampler(
    fractions: Sequence[float] | None,
    labels: Rows,
    num_classes: int,
    batch_size: int,
    seed: int,
    class_names: Sequence[str] | None = None,
) -> Sampler:
    """A FractionSampler, or natural sampling if no fractions are given."""
    if fractions is None:
        return NaturalSampler(labels, num_classes, batch_size, seed)
    return FractionSampler(fractions, labels, num_classes, batch_size, seed, class_names)


class ScheduleSampler:
    """Class fractions that move on a straight line from `start` at epoch 0 to `end` at the last epoch.

    Rows are drawn with replacement inside each class. A batch holds fraction * batch_size of a class rounded up or
    down at random, the whole batch by systematic sampling (Madow 1949), so that the expected counts are exact
    however rare a class is.

    Args:
        start, end: "natural" (the training split's priors), "balanced" (1/K each) or "fractions".
        start_fractions, end_fractions: [K], in class order; None unless that end is "fractions".
        labels: [n], class indices of the training rows.
        num_epochs: of the whole run.
        class_names: [K], for error sentences.

    Raises:
        UserError: a class with a fraction needs training spectra.
    """

    def __init__(
        self,
        start: str,
        end: str,
        start_fractions: Sequence[float] | None,
        end_fractions: Sequence[float] | None,
        labels: Rows,
        num_classes: int,
        batch_size: int,
        seed: int,
        num_epochs: int,
        class_names: Sequence[str] | None = None,
    ) -> None:
        self.pools = ClassPools(labels, num_classes, class_names)
        self.start = self._endpoint(start, start_fractions)
        self.end = self._endpoint(end, end_fractions)
        for key, kind, fractions in (("start", start, self.start), ("end", end, self.end)):
            self.pools.require(fractions, _instead(key, kind, is_balanced=start == end == "balanced"))
        self.batch_size, self.seed, self.num_epochs = batch_size, seed, num_epochs

    def batches(self, epoch: int, num_steps: int) -> Iterator[Rows]:
        rng = np.random.default_rng([self.seed, epoch])
        fractions = self.fractions(epoch)
        for _ in range(num_steps):
            yield self.pools.draw(systematic_counts(fractions, self.batch_size, rng), rng)

    def fractions(self, epoch: int) -> ByClass:
        done = min(epoch / max(self.num_epochs - 1, 1), 1.0)
        return (1 - done) * self.start + done * self.end

    def _endpoint(self, kind: str, fractions: Sequence[float] | None) -> ByClass:
        if kind == "natural":
            return self.pools.priors
        num_classes = len(self.pools.priors)
        if kind == "balanced" or fractions is None:
            return np.full(num_classes, 1 / num_classes)
        return np.asarray(fractions, dtype=np.float64)


def _instead(key: str, kind: str, is_balanced: bool) -> str:
    """How an end of a schedule, `start` or `end`, leaves a class out: the end of a sentence.

    Args:
        is_balanced: whether both ends are balanced, as with sampler=balanced.
    """
    if is_balanced:
        return "give sampler=power sampler.power=0, which draws the other classes equally often"
    if kind == "balanced":
        return f"give sampler.{key}=fractions, with 0 for it in sampler.{key}_fractions"
    return f"give it the fraction 0 in sampler.{key}_fractions"


def balanced_sampler(
    labels: Rows, num_classes: int, batch_size: int, seed: int, class_names: Sequence[str] | None = None
) -> ScheduleSampler:
    """Every class as often as the others, in every batch to within one."""
    return ScheduleSampler(
        "balanced", "balanced", None, None, labels, num_classes, batch_size, seed, num_epochs=1, class_names=class_names
    )


def power_sampler(
    power: float,
    labels: Rows,
    num_classes: int,
    batch_size: int,
    seed: int,
    class_names: Sequence[str] | None = None,
) -> ScheduleSampler:
    """Class fractions in proportion to prior^power (Kang et al. 2020, arXiv 1910.09217, eq. 1)."""
    priors = class_priors(labels, num_classes)
    raised = np.where(priors > 0, priors**power, 0.0)  # 0^0 is 1, but a class without spectra stays out
    fractions = (raised / raised.sum()).tolist()
    return ScheduleSampler(
        "fractions",
        "fractions",
        fractions,
        fractions,
        labels,
        num_classes,
        batch_size,
        seed,
        num_epochs=1,
        class_names=class_names,
    )
