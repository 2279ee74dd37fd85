"""With `sweep.promote` a sampler learns from paused trials as it does from those that a pruner ends."""

from pathlib import Path

import optuna
from loop_runs import open_study

from sweeps.study.attributes import REASON
from sweeps.study.shared_study import SharedStudy

SPACE = {"x": {"low": 0.0, "high": 100.0}, "kind": ["a", "b", "c"]}
NUM_TRIALS = 16


def draw(study: SharedStudy, *, is_paused: bool) -> list[dict[str, float | str]]:
    """Claim trials, and end each at its first step, the better the lower x is; returns what was drawn."""
    drawn = []
    for _ in range(NUM_TRIALS):
        trial = study.claim()
        assert trial is not None
        study.configure(trial)
        study.report(trial, {1: float(trial.params["x"])})
        if is_paused:
            study.pause(trial, {REASON: "paused"})
        else:
            study.finish(trial, optuna.trial.TrialState.PRUNED)
        drawn.append(dict(trial.params))
    study.close()
    return drawn


def test_trials_are_drawn_as_if_the_paused_ones_were_pruned(tmp_path: Path) -> None:
    options = {"num_trials": 3 * NUM_TRIALS, "seed": 3}
    paused = draw(open_study(tmp_path / "paused", SPACE, **options, pruner="asha", promote=True), is_paused=True)
    pruned = draw(open_study(tmp_path / "pruned", SPACE, **options, pruner="asha"), is_paused=False)
    assert paused == pruned


def test_tpe_learns_from_paused_trials(tmp_path: Path) -> None:
    options = {"num_trials": 3 * NUM_TRIALS, "seed": 3, "pruner": "asha", "promote": True}
    drawn = {
        sampler: draw(open_study(tmp_path / sampler, SPACE, **options, sampler=sampler), is_paused=True)
        for sampler in ("tpe", "random")
    }
    assert drawn["tpe"][:10] == drawn["random"][:10]
    assert all(tpe != random for tpe, random in zip(drawn["tpe"][10:], drawn["random"][10:], strict=True))


def test_gp_keeps_away_from_paused_trials_as_from_running_ones(tmp_path: Path) -> None:
    """It learns nothing from pruned trials: if paused ones were such, it would draw them again and again."""
    space = {name: {"low": 0, "high": 9} for name in ("x", "y")}
    study = open_study(tmp_path, space, sampler="gp", num_trials=20, seed=3, pruner="asha", promote=True)
    drawn = []
    for number in range(13):
        trial = study.claim()
        assert trial is not None
        study.configure(trial)
        value = float(trial.params["x"])
        study.report(trial, {1: value})
        if number < 10:  # only then does it begin to learn
            study.finish(trial, optuna.trial.TrialState.COMPLETE, [value])
        else:
            study.pause(trial, {REASON: "paused"})
            drawn.append(tuple(trial.params.values()))
    study.close()
    assert len(set(drawn)) == 3
