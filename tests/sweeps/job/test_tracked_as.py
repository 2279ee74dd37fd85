"""The name of a sweep's run in a tracker, by the trial.json in its folder."""

import json
from pathlib import Path
from typing import Any

import pytest

from spectral.tracking.backends.contract import TrackedAs
from sweeps.job.tracked_as import tracked_as


@pytest.mark.parametrize(
    ("trial", "expected"),
    [
        (
            {"study": "s", "kind": "trial", "number": 1, "varied": ["lr=0.00123456", "width=8"], "seeds": None},
            TrackedAs("lr=0.001235 width=8", "s", "trial", True),
        ),
        (
            {"study": "s", "kind": "grid", "number": 1, "varied": ["width=8"], "seeds": [5, 6]},
            TrackedAs("width=8 seed=5", "s", "grid", True),
        ),
        ({"study": "s", "kind": "final", "number": 3, "varied": []}, TrackedAs("trial 3", "s", "final", False)),
        ({"number": 2}, TrackedAs("trial 2", "", "trial", True)),
    ],
)
def test_a_run_is_named_after_the_values_that_vary_in_its_study(
    trial: dict[str, Any], expected: TrackedAs, tmp_path: Path
) -> None:
    (tmp_path / "trial.json").write_text(json.dumps(trial))
    assert tracked_as(tmp_path, seed=5) == expected


@pytest.mark.parametrize("content", [None, "", "[1]", "{}", "{"])
def test_a_folder_without_a_trial_is_a_run_of_its_own(content: str | None, tmp_path: Path) -> None:
    if content is not None:
        (tmp_path / "trial.json").write_text(content)
    assert tracked_as(tmp_path, seed=5) is None
