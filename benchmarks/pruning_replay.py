"""Replay pruners on the curves of trainings that were all run to their end: is the best lost, and when is it found?

    python benchmarks/pruning_replay.py --folder build/curves          # train 2 x 40 networks once, then replay
    python benchmarks/pruning_replay.py --folder build/curves --num-configurations 8 --num-epochs 6     # to see it work

Trainings that the folder has already are not repeated. A replay takes them in a random order on two slots, where an
epoch costs one unit of time. Optuna's own pruners decide, and for `sweep.promote` the product's rule of which trial
continues. Prints a Markdown table.
"""

import argparse
import heapq
import json
import random
import sys
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from statistics import fmean
from typing import Any

import optuna
from helpers.sweep_commands import RUN, listed, ours
from helpers.sweep_training import OBJECTIVE, draw_configurations, training_values
from optuna.trial import TrialState

from sweeps.study.attributes import PAUSED
from sweeps.study.pruner import build_pruner, pruners

Curve = list[float]  # the score after each epoch
NUM_ORDERS, NUM_SLOTS = 60, 2


@dataclass(frozen=True)
class Rule:
    """A pruner as a row of the table."""

    name: str
    pruner: str
    options: dict[str, Any] = field(default_factory=dict)
    promote: bool = False


RULES = [
    Rule("none", "none"),
    *(
        Rule(f"asha, from epoch {first}, one in {kept}{', promoted' * promote}", "asha", options, promote)
        for first, kept in ((1, 2), (1, 3), (2, 2), (3, 2), (3, 3))
        for options in [{"min_steps": first, "reduction_factor": kept}]
        for promote in (False, True)
    ),
    Rule("median, from epoch 3 after 5 trials", "median", {"min_steps": 3, "startup_trials": 5}),
]


class Replay:
    """One search on curves that are known, on slots where an epoch costs one unit of time."""

    def __init__(self, rule: Rule, curves: list[Curve]) -> None:
        self._rule, self._curves, self._left = rule, curves, iter(range(len(curves)))
        self._study = optuna.create_study(
            direction="maximize", pruner=build_pruner(rule.pruner, rule.options, rule.promote)
        )
        self._slots: list[tuple[float, int]] = []  # when the epoch of a trial ends
        self.ended: dict[int, float] = {}  # when a trial was trained to its end

    def run(self) -> float:
        """Run the search; returns when its last job ends."""
        now = 0.0
        self._fill(now)
        while self._slots:
            now, number = heapq.heappop(self._slots)
            if self._continues(number, now):
                heapq.heappush(self._slots, (now + 1, number))
            self._fill(now)
        return now

    def _fill(self, now: float) -> None:
        while len(self._slots) < NUM_SLOTS and (number := self._next()) is not None:
            heapq.heappush(self._slots, (now + 1, number))

    def _next(self) -> int | None:
        trials = self._study.get_trials(deepcopy=False)
        if self._rule.promote:
            is_last_call = len(trials) == len(self._curves) and not self._slots
            pruner = pruners.typed(self._rule.pruner, self._rule.options)
            found = pruner.to_promote(trials, self._study.direction, is_last_call=is_last_call)
            if found is not None:
                optuna.Trial(self._study, found._trial_id).set_user_attr(PAUSED, False)
                return found.number
        return self._study.ask().number if next(self._left, None) is not None else None

    def _continues(self, number: int, now: float) -> bool:
        """Report the epoch of a trial that ends now; returns whether its next epoch begins."""
        trial, curve = optuna.Trial(self._study, number), self._curves[number]
        step = len(self._study.trials[number].intermediate_values) + 1
        trial.report(curve[step - 1], step)
        stops = trial.should_prune()
        if step == len(curve):
            self.ended[number] = now
            self._study.tell(number, max(curve))
            return False
        if stops and self._rule.promote:
            trial.set_user_attr(PAUSED, True)
        elif stops:
            self._study.tell(number, state=TrialState.PRUNED)
        return not stops


def table(draws: list[list[Curve]]) -> Iterator[str]:
    """A row for each pruner: a number for each draw of configurations."""
    yield f"| pruner | best lost, of {NUM_ORDERS} orders | time to the best score | whole search |\n|---|---|---|---|"
    whole = [_replays(RULES[0], curves) for curves in draws]
    for rule in RULES:
        lost, to_best, in_all = [], [], []
        for curves, (_, all_best, all_whole) in zip(draws, whole, strict=True):
            found, best, took = _replays(rule, curves)
            both = [k for k in range(NUM_ORDERS) if found[k]]
            lost.append(str(NUM_ORDERS - len(both)))
            to_best.append(f"{fmean(best[k] for k in both) / fmean(all_best[k] for k in both):.2f}" if both else "-")
            in_all.append(f"{fmean(took) / fmean(all_whole):.2f}")
        yield f"| {rule.name} | {', '.join(lost)} | {', '.join(to_best)} | {', '.join(in_all)} |"


def _replays(rule: Rule, curves: list[Curve]) -> tuple[list[bool], list[float], list[float]]:
    """By order: whether the best curve was trained to its end, when, and when the search ended."""
    best = max(range(len(curves)), key=lambda k: max(curves[k]))  # a run keeps the weights of its best epoch
    found, when, whole = [], [], []
    for seed in range(NUM_ORDERS):
        order = random.Random(seed).sample(range(len(curves)), len(curves))
        replay = Replay(rule, [curves[k] for k in order])
        whole.append(replay.run())
        when.append(replay.ended.get(order.index(best), 0.0))
        found.append(order.index(best) in replay.ended)
    return found, when, whole


def _curves(folder: Path, draw: int, num_configurations: int, num_epochs: int) -> list[Curve]:
    """The scores by epoch of one draw of configurations; trains those that the folder lacks."""
    trials = folder / f"draw-{draw}"
    values = [*training_values(folder, num_epochs), "sweep.search_overrides=[]", "sweep.report=false"]
    ours(RUN, trials, *listed(draw_configurations(num_configurations, draw)), *values)
    rows = [(trials / str(k) / "metrics.jsonl").read_text().splitlines() for k in range(num_configurations)]
    return [[json.loads(row)[OBJECTIVE] for row in trial] for trial in rows]


def main() -> None:
    """Print the table."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--folder", type=Path, required=True, help="for the trainings, which a later call uses again")
    parser.add_argument("--num-draws", type=int, default=2)
    parser.add_argument("--num-configurations", type=int, default=40)
    parser.add_argument("--num-epochs", type=int, default=24)
    given = parser.parse_args()
    optuna.logging.set_verbosity(optuna.logging.WARNING)
    given.folder.mkdir(parents=True, exist_ok=True)
    sizes = given.num_configurations, given.num_epochs
    draws = [_curves(given.folder.resolve(), draw, *sizes) for draw in range(given.num_draws)]
    for line in table(draws):
        sys.stdout.write(f"{line}\n")
        sys.stdout.flush()


if __name__ == "__main__":
    main()
