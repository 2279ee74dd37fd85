"""Samplers by name, each trial's seeded by the search's seed and the trial's number.

So a search that was stopped and gone on with, or shared by machines, draws what it would have drawn anyhow, and never
the same twice, as a sampler would that is seeded anew by each controller.
"""

import warnings
import zlib
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from optuna.samplers import BaseSampler


def build_sampler(name: str, seed: int, trial_number: int, *, is_conditional: bool) -> "BaseSampler":
    """The sampler of `sweep.sampler` for one trial.

    Args:
        seed: of the search.
        trial_number: of the trial that is sampled.
        is_conditional: whether axes are missing from some configurations.
    """
    from optuna.exceptions import ExperimentalWarning

    with warnings.catch_warnings():
        warnings.simplefilter("ignore", ExperimentalWarning)
        return _build(name, seed, zlib.crc32(f"{seed}/{trial_number}".encode()), is_conditional)


def _build(name: str, seed: int, own: int, is_conditional: bool) -> "BaseSampler":
    from optuna import samplers

    if name == "tpe":
        return samplers.TPESampler(seed=own, multivariate=True, group=is_conditional, constant_liar=True)
    if name == "gp":
        return samplers.GPSampler(seed=own, warn_independent_sampling=False)
    if name == "cmaes":
        return samplers.CmaEsSampler(seed=own, warn_independent_sampling=False)
    if name == "qmc":
        # One scrambled Sobol sequence a study: its seed must stay the same.
        fallback = samplers.RandomSampler(seed=own)
        return samplers.QMCSampler(
            seed=seed, scramble=True, independent_sampler=fallback, warn_independent_sampling=False
        )
    if name == "nsga2":
        return samplers.NSGAIISampler(seed=own)
    return samplers.RandomSampler(seed=own)
