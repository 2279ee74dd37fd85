"""Members and teachers that were trained on mixtures, whose probabilities are too small to be moved to other shares."""

import logging
import shutil
from collections.abc import Callable
from pathlib import Path

import pytest
from small_runs import run

from spectral.ensembling.make import EnsembleOptions, make_ensemble
from spectral.prediction.applied_run import AppliedRun

EQUAL = EnsembleOptions(select="all")
SENTENCE = "trained on mixtures (schedule.mixup_alpha), after which probabilities are too small to be moved"


def mixed(run_folder: Path, copy: Path) -> Path:
    """A copy of a run whose config says that it was trained with mixup."""
    shutil.copytree(run_folder, copy)
    config = (copy / "config.yaml").read_text()
    assert "  mixup_alpha: null\n" in config
    (copy / "config.yaml").write_text(config.replace("  mixup_alpha: null\n", "  mixup_alpha: 0.2\n"))
    return copy


def test_a_member_is_named_whose_probabilities_are_moved_and_predict_knows_of_it(
    members: list[Path], tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    """Its class shares in training were equal ones, those of the other not."""
    member, out = mixed(members[1], tmp_path / "mixed"), tmp_path / "out"
    made = make_ensemble([members[0], member], out, EQUAL)["ensemble"]
    assert f"{member} was {SENTENCE} to other class shares, as they are here" in caplog.text
    assert [one["trained_on_mixtures"] for one in made["members"]] == [False, True]
    assert AppliedRun.open(out).is_mixed and not AppliedRun.open(members[0]).is_mixed


def test_nothing_is_said_if_nothing_is_moved(
    members: list[Path], tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    member = mixed(members[2], tmp_path / "mixed")
    with caplog.at_level(logging.WARNING):
        make_ensemble([members[0], member], tmp_path / "out", EQUAL)
    assert not caplog.text and AppliedRun.open(tmp_path / "out").is_mixed


@pytest.mark.parametrize(("sampler", "is_moved"), [("natural", True), ("balanced", False)])
def test_a_teacher_is_named_whose_probabilities_are_moved(
    sampler: str,
    is_moved: bool,
    members: list[Path],
    small: Callable[..., list[str]],
    tmp_path: Path,
    caplog: pytest.LogCaptureFixture,
) -> None:
    teacher = mixed(members[1], tmp_path / "mixed")
    short = ("schedule.stages.0.epochs=1", "schedule.stages.0.steps=1")
    run(small(*short, f"distill={teacher}", f"sampler={sampler}"))
    assert (f"distill={teacher} was {SENTENCE} to other class shares" in caplog.text) == is_moved
