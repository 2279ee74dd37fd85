"""Pruners by name. A job and its controller build the same one."""

import warnings
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from optuna.pruners import BasePruner


def build_pruner(name: str, options: Mapping[str, Any]) -> "BasePruner":
    """The pruner of `sweep.pruner` with the fields of PruningConfig.

    asha: asynchronous successive halving, Li et al. 2020. hyperband: its brackets, Li et al. 2018. median: below the
    median of what others had at the same step. wilcoxon: signed-rank test over seeds against the best configuration.
    """
    from optuna.exceptions import ExperimentalWarning

    with warnings.catch_warnings():
        warnings.simplefilter("ignore", ExperimentalWarning)
        return _build(name, options)


def _build(name: str, options: Mapping[str, Any]) -> "BasePruner":
    from optuna import pruners

    min_steps, factor = options["min_steps"], options["reduction_factor"]
    if name == "asha":
        return pruners.SuccessiveHalvingPruner(min_resource=min_steps, reduction_factor=factor)
    if name == "hyperband":
        longest = options["max_steps"] or "auto"
        return pruners.HyperbandPruner(min_resource=min_steps, max_resource=longest, reduction_factor=factor)
    if name == "median":
        return pruners.MedianPruner(n_startup_trials=options["startup_trials"], n_warmup_steps=min_steps)
    if name == "wilcoxon":
        return pruners.WilcoxonPruner(p_threshold=options["p_threshold"], n_startup_steps=max(min_steps, 2))
    return pruners.NopPruner()
