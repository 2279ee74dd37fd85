"""What is logged about a study whose failed trials are run again: no step that was logged is logged again."""

from pathlib import Path
from typing import Any

import pytest
from loop_runs import Call, sweep
from omegaconf import OmegaConf

from sweeps.tracking import track_study


def test_steps_of_a_study_never_shrink(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    logged: list[tuple[int, int]] = []

    class Recorder:
        def __init__(self, *arguments: Any) -> None: ...

        def log(self, row: dict[str, Any], step: int) -> None:
            logged.append((step, row["trial"]))

        def finish(self, ending: Any) -> None:
            (table,) = ending.tables.values()
            logged.append((0, len(table.rows)))

    def task(call: Call) -> float:
        if call.values["x"] == 1 and is_broken:
            raise ArithmeticError("one")
        return float(call.values["x"])

    monkeypatch.setattr("spectral.tracking.client.Tracking", Recorder)
    tracker = OmegaConf.create({"name": "wandb", "mode": "offline"})
    is_broken = True
    first = sweep(tmp_path, {"x": [1, 2, 3]}, task, num_slots=1, sampler="grid")
    track_study(first.study, tmp_path, tracker)
    before = logged.copy()
    assert before == [(2, 1), (3, 2), (0, 3)]
    logged.clear()
    is_broken = False
    again = sweep(tmp_path, {"x": [1, 2, 3]}, task, num_slots=1, sampler="grid", retry_failed=True)
    track_study(again.study, tmp_path, tracker)
    assert logged == [(2, 1), (3, 2), (4, 3), (0, 3)]  # the table has each configuration once
