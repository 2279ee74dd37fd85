"""Which metrics are shown when runs are compared."""

import json
from pathlib import Path

from sweeps.compare.differences import metric_rows
from sweeps.compare.subjects import Subject, find_subject


def finished(folder: Path, **metrics: float) -> Subject:
    """A finished run with these metrics; two underscores stand for a slash."""
    folder.mkdir()
    (folder / "config.yaml").write_text("seed: 0\n")
    (folder / "result.json").write_text(json.dumps({name.replace("__", "/"): x for name, x in metrics.items()}))
    return find_subject(str(folder))


def test_pretrainings_which_have_no_scores_are_compared_by_their_losses(tmp_path: Path) -> None:
    subjects = [finished(tmp_path / "a", val__loss=0.5), finished(tmp_path / "b", val__loss=0.25)]
    assert metric_rows(subjects, show_all=False) == [["val/loss", "0.5000", "0.2500", "-0.2500"]]


def test_runs_with_scores_are_compared_by_these(tmp_path: Path) -> None:
    subjects = [finished(tmp_path / name, val__loss=0.5, val__macro_f1=0.75) for name in ("a", "b")]
    assert [row[0] for row in metric_rows(subjects, show_all=False)] == ["val/macro_f1"]
