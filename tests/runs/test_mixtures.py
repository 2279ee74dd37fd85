"""Whether a run, or a member of an ensemble, was trained on mixtures of classes."""

import json
from pathlib import Path
from typing import Any

import pytest
from run_folders import scored_run

from spectral.runs.folder import RunFolder
from spectral.runs.mixtures import are_moved, trained_on_mixtures


@pytest.mark.parametrize(
    ("mixup", "is_mixed"),
    [("mixup_alpha: 0.2", True), ("mixup_alpha: 0.2\n  mixup_classes: within", False), ("mixup_alpha: null", False)],
)
def test_a_run_says_whether_it_was_trained_on_mixtures(mixup: str, is_mixed: bool, tmp_path: Path) -> None:
    (tmp_path / "config.yaml").write_text(f"schedule:\n  {mixup}\n")
    assert trained_on_mixtures(RunFolder(tmp_path)) is is_mixed


@pytest.mark.parametrize(
    ("members", "is_mixed"),
    [
        ([{"trained_on_mixtures": False}, {"trained_on_mixtures": True}], True),
        ([{"trained_on_mixtures": False}], False),
        ([{"run": "a"}], True),  # an earlier version says nothing of its members: the first candidate's config decides
        (None, True),
    ],
)
def test_of_an_ensemble_each_member_counts(members: Any, is_mixed: bool, tmp_path: Path) -> None:
    """The config is that of a first candidate with mixup, whose weight may be 0."""
    run = scored_run(tmp_path)
    run.config.write_text("schedule:\n  mixup_alpha: 0.2\n")
    content = json.loads(run.result.read_text())
    run.result.write_text(json.dumps(content | {"ensemble": {"members": members}}))
    assert trained_on_mixtures(run) is is_mixed


def test_shares_of_folds_that_differ_by_a_few_spectra_are_the_same() -> None:
    assert not are_moved([0.901, 0.098, 0.001], [0.9, 0.09895, 0.00105])
    assert are_moved([0.9, 0.1], [0.5, 0.5])
