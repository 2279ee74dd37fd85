"""A trial without its sweep: overrides of a command that runs it by itself, on the same device with the same score."""

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from sweeps.errors import user_error_type
from sweeps.invocation import command
from sweeps.results.run import Run
from sweeps.results.seeds_or_folds import replicate_of
from sweeps.space.values import override_of_word
from sweeps.study.attributes import OVERRIDES, SEEDS
from sweeps.study.renamed import renamed_override

THREADS = "num_threads"


def overrides_alone(
    attributes: Mapping[str, Any], seed_key: str, runs: Sequence[Run], seeds: Sequence[Any] = ()
) -> list[str]:
    """The overrides of a trial, with the first of its seeds or folds, and the threads that its slot of the CPU had.

    Rounding depends on the threads. They are left out if the trial did not run on a CPU. The device is left to the
    machine, so a trial of `hydra.launcher.devices=cpu` needs `device=cpu` too where there is a GPU.

    Args:
        attributes: of the trial.
        seed_key: `sweep.seed_key`.
        runs: of the trial.
        seeds: of the study, for a trial that failed before one of them had a result.
    """
    found = [renamed_override(override) for override in attributes[OVERRIDES]]
    if seeds := attributes.get(SEEDS) or seeds:
        found = [override for override in found if _key(override) != seed_key] + [f"{seed_key}={seeds[0]}"]
    runtime = _runtime(runs)
    if runtime.get("device") == "cpu" and THREADS in runtime and THREADS not in map(_key, found):
        found.append(f"{THREADS}={runtime[THREADS]}")
    return found


def which_seed(attributes: Mapping[str, Any], seed_key: str) -> str:
    """A sentence on the seed or fold of that command; empty if the trial has a single run. Arguments as above."""
    if not (seeds := attributes.get(SEEDS)):
        return ""
    run_with = ",".join(map(str, seeds))
    return f"It runs {replicate_of(seed_key)} {seeds[0]}; the trial was scored with {seed_key}={run_with}."


def predict_command(run: Path) -> str:
    """The command that classifies new spectra by a run, less its data."""
    return command(["python", "-m", "spectral.predict"], [override_of_word("run", str(run)), "out=classes.csv"])


def _key(override: str) -> str:
    return override.partition("=")[0].lstrip("+")


def _runtime(runs: Sequence[Run]) -> Mapping[str, Any]:
    """What the first run says of its device and threads; empty if it says nothing, or cannot be read."""
    try:
        found = runs[0].result.get("runtime") if runs else None
    except user_error_type():
        return {}
    return found if isinstance(found, Mapping) else {}
