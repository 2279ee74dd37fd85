"""A run without a result: the scores of its epochs so far, and how it ended."""

from collections.abc import Mapping
from typing import Any

from sweeps.results.kept_epoch import kept_row
from sweeps.results.run import Run
from sweeps.results.run_status import unfinished_status

ENDED = {"pruned": "was pruned", "paused": "is paused", "failed": "failed", "running": "still runs"}
STOPPED = "was stopped"
BEST_EPOCH = "best_epoch"


def scores_of_kept_epoch(run: Run) -> dict[str, Any]:
    """The scores of the epoch whose weights are kept so far, under the names of result.json.

    See `kept_row`; empty if no epoch has the objective.
    """
    best = kept_row(run.metrics, run.config, [_objective(run)], run.keeps_last)
    if best is None:
        return {}
    return {name: value for name, value in best.items() if name != "epoch"} | {BEST_EPOCH: best["epoch"]}


def ending_sentence(run: Run, name: str) -> str:
    """How the run ended, and which of its epochs is shown.

    Args:
        name: of the run, as it is shown.
    """
    ended, objective = ENDED.get(unfinished_status(run.path), STOPPED), _objective(run)
    best, rows = scores_of_kept_epoch(run), run.metrics
    if not rows:
        return f"{name} has no result: it {ended} before its first epoch had ended."
    if not best:
        return f"{name} has no result: it {ended} after epoch {rows[-1]['epoch']}, and no epoch has its objective."
    return (
        f"{name} has no result: it {ended} after epoch {rows[-1]['epoch']}{_score(rows[-1], objective)}; its scores "
        f"above are those of {'epoch' if run.keeps_last else 'its best epoch,'} {best[BEST_EPOCH]}."
    )


def _score(row: Mapping[str, Any], objective: str) -> str:
    return f" with {objective} {row[objective]:.4f}" if objective in row else ""


def _objective(run: Run) -> str:
    """The first objective of a run; empty if the config names none."""
    named = run.config.get("objective") or ""
    return str(named[0] if isinstance(named, list) else named)
