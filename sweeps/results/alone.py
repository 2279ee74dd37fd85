"""A trial without its sweep: the overrides of a command that runs it by itself, with the score that it has."""

from collections.abc import Mapping, Sequence
from typing import Any

from sweeps.errors import user_error_type
from sweeps.results.run import Run
from sweeps.study.attributes import OVERRIDES
from sweeps.study.renamed import renamed_override

THREADS = "num_threads"


def overrides_alone(attributes: Mapping[str, Any], runs: Sequence[Run]) -> list[str]:
    """The overrides of a trial and, if it ran on a CPU, the threads that its slot had: rounding depends on them.

    Args:
        attributes: of the trial.
        runs: of the trial.
    """
    found = [renamed_override(override) for override in attributes[OVERRIDES]]
    runtime = _runtime(runs)
    is_given = any(override.lstrip("+").startswith(f"{THREADS}=") for override in found)
    if runtime.get("device") == "cpu" and THREADS in runtime and not is_given:
        found.append(f"{THREADS}={runtime[THREADS]}")
    return found


def _runtime(runs: Sequence[Run]) -> Mapping[str, Any]:
    """What the first run says of its device and threads; empty if it says nothing, or cannot be read."""
    try:
        found = runs[0].result.get("runtime") if runs else None
    except user_error_type():
        return {}
    return found if isinstance(found, Mapping) else {}
