"""A run that has ended, and spectra to apply it to."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from applied_runs import NUM
from small_runs import OVERRIDES, arrays, run

from spectral.prediction import provenance
from spectral.prediction.work import Part, Work


@pytest.fixture(scope="session")
def finished(pack_folder: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A run on the small survey that has ended."""
    folder = tmp_path_factory.mktemp("finished") / "run"
    more = (
        "schedule.stages.0.epochs=5",
        "schedule.stages.0.steps=40",
        "model.width=8",
        "decision=macro_f1",
        "sampler=balanced",
    )
    run(["data=packed", f"data.folder={pack_folder}", f"run_dir={folder}", *OVERRIDES, *more])
    return folder


@pytest.fixture
def spectra(tmp_path: Path) -> Callable[..., Path]:
    """Write arrays as NPZ; leave out those that are None."""

    def write(**changes: Any) -> Path:
        content = arrays(num=NUM, seed=5) | changes
        np.savez(tmp_path / "new.npz", **{name: array for name, array in content.items() if array is not None})
        return tmp_path / "new.npz"

    return write


class FixedDate:
    @staticmethod
    def now(zone: Any) -> Any:
        return __import__("datetime").datetime(2026, 11, 28, tzinfo=zone)


@pytest.fixture
def fixed_date(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(provenance, "datetime", FixedDate)


@pytest.fixture
def count_parts(monkeypatch: pytest.MonkeyPatch) -> list[tuple[int, int]]:
    """The rows of each part that is written."""
    written: list[tuple[int, int]] = []
    write = Work.write

    def counted(self: Work, span: tuple[int, int], part: Part) -> None:
        write(self, span, part)
        written.append(span)

    monkeypatch.setattr(Work, "write", counted)
    return written
