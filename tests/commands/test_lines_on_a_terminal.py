"""Lines with a path or a reason, which a terminal may break and a command may not: they are copied from there."""

from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
from applied_runs import command
from small_runs import OVERRIDES, arrays, composed, run

import spectral.configs.baseline_run  # noqa: F401  (puts the typed config where Hydra finds it)
from spectral import experiment
from spectral.baselines.run import run as run_baseline

SHARED = ("split.", "num_threads=", "seed=", "tracker=", "plots=")  # keys that a baseline has too


@pytest.fixture
def on_narrow_terminal(monkeypatch: pytest.MonkeyPatch) -> Callable[[], None]:
    """From the call on, what is printed goes to a terminal of 20 columns, as far as rich knows."""

    def begin() -> None:
        for name, value in {"FORCE_COLOR": "1", "TERM": "xterm", "COLUMNS": "20"}.items():
            monkeypatch.setenv(name, value)

    return begin


def test_a_finished_run_is_named_in_one_line(
    small: Callable[..., list[str]],
    tmp_path: Path,
    on_narrow_terminal: Callable[[], None],
    capsys: pytest.CaptureFixture[str],
) -> None:
    run(small())
    on_narrow_terminal()
    experiment.run(composed(small()))
    assert f"The run in {tmp_path / 'run'} is finished: its result is given again.\n" in capsys.readouterr().out


@pytest.mark.slow
def test_a_finished_baseline_is_named_in_one_line(
    pack_folder: Path,
    tmp_path: Path,
    on_narrow_terminal: Callable[[], None],
    capsys: pytest.CaptureFixture[str],
) -> None:
    given = ["data=packed", f"data.folder={pack_folder}", f"run_dir={tmp_path / 'run'}", "method=pls_da"]
    given += [override for override in OVERRIDES if override.startswith(SHARED)]
    run_baseline(composed(given, "baseline"))
    capsys.readouterr()
    on_narrow_terminal()
    run_baseline(composed(given, "baseline"))
    assert f"The run in {tmp_path / 'run'} is finished: its result is given again.\n" in capsys.readouterr().out


def test_a_reason_to_skip_spectra_is_one_line(
    tmp_path: Path, on_narrow_terminal: Callable[[], None], capsys: pytest.CaptureFixture[str]
) -> None:
    content = arrays()
    content["flux"][7, 3] = np.nan
    np.savez(tmp_path / "new.npz", **content)
    on_narrow_terminal()
    data = "data=arrays", f"data.path={tmp_path / 'new.npz'}", "data.num_workers=1", "data.nan=skip"
    command("pack", *data, f"out={tmp_path / 'pack'}")
    assert "skipped 1: flux not finite\n" in capsys.readouterr().out
