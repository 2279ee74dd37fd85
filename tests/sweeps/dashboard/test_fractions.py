"""Optuna's dashboard shows the fractions of a trial, not the variables that they are drawn by."""

from pathlib import Path

import pytest
from loop_runs import Call, sweep

from sweeps.dashboard.artifacts import PlotArtifacts
from sweeps.dashboard.joined_storage import JoinedStorage
from sweeps.dashboard.sources import StudySources
from sweeps.storage.connect import open_storage

SIMPLEX = {"type": "simplex", "minimum": [0.5, 0.1, 0.0]}


def score(call: Call) -> float:
    return float(call.values["x"])


@pytest.mark.parametrize(
    ("axis", "names"),
    [
        (SIMPLEX | {"classes": ["star", "qso", "galaxy"]}, ["f.star", "f.qso", "f.galaxy"]),
        (SIMPLEX | {"size": 3}, ["f[0]", "f[1]", "f[2]"]),
    ],
)
def test_fractions_are_shown_by_their_names(axis: dict[str, object], names: list[str], tmp_path: Path) -> None:
    open_storage.cache_clear()
    sweep(tmp_path / "sweeps" / "a", {"f": axis, "x": {"low": 0.0, "high": 1.0}}, score, num_trials=2)
    studies = JoinedStorage(StudySources(tmp_path / "sweeps", None), PlotArtifacts())
    assert len(studies.get_all_studies()) == 1
    for trial in studies.get_all_trials(0):
        assert list(trial.params) == list(trial.distributions) == [*names, "x"]
        shares = [trial.params[name] for name in names]
        assert sum(shares) == pytest.approx(1) and shares[0] >= 0.5
        assert all(trial.distributions[name]._contains(trial.params[name]) for name in names)
        bounds = [(trial.distributions[name].low, trial.distributions[name].high) for name in names]  # type: ignore[attr-defined]  # numbers, with bounds
        assert bounds == [pytest.approx(pair) for pair in ((0.5, 0.9), (0.1, 0.5), (0, 0.4))]
