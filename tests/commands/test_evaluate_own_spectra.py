"""What `spectral.evaluate` says of scores on spectra that the run has seen."""

from collections.abc import Callable
from pathlib import Path

import pytest
from applied_runs import evaluate
from small_runs import arrays, result

OWN = "These spectra are the run's own: it was trained on some of them, so its scores are flattered."


def kept_doubt(run: Path, path: Path, *overrides: str) -> str | None:
    """Of result.json, after an evaluation on the spectra of a file."""
    out, cache = path.parent / "scores", path.parent / "cache"
    data = "data=arrays", f"data.path={path}", "data.num_workers=1", f"cache_dir={cache}"
    evaluate(run, *data, f"out={out}", *overrides)
    found: str | None = result(out)["survey"].get("doubt")
    return found


def test_that_all_spectra_are_the_runs_own_stays_in_the_result(
    finished: Path, spectra: Callable[..., Path], capsys: pytest.CaptureFixture[str]
) -> None:
    assert kept_doubt(finished, spectra(**arrays())) == OWN
    assert f"Note: {OWN}" in capsys.readouterr().out
