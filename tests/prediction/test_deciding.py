"""What is said of how a catalog's classes are decided on."""

from pathlib import Path
from typing import Any

import numpy as np
import pytest
from rich.console import Console
from small_runs import composed

from spectral.configs.commands import PredictConfig, typed_command
from spectral.prediction.applied_run import AppliedRun
from spectral.prediction.deciding import Deciding, given_shares, prepare_deciding
from spectral.prediction.finished import print_record
from spectral.prediction.validation import Validation
from spectral.scoring.decision import Decision

SURE = np.float32(0.9999987)


class TwoClasses:
    class_names = ("star", "qso")
    output_prior = (0.5, 0.5)


def deciding(*, is_mixed: bool = False, is_out_of_fold: bool = False, **asked: Any) -> Deciding:
    """Of a run whose validation has 4 stars, of which the surest two are right, and 4 quasars, all right and sure."""
    p = np.array([SURE, SURE, 0.4, 0.3, 0, 0, 0, 0], np.float64)
    labels, decided = np.repeat([0, 1], 4), np.array([0, 0, 1, 1, 1, 1, 1, 1])
    validation = Validation(np.stack([p, 1 - p], 1), labels, decided, is_out_of_fold=is_out_of_fold)
    classifier: Any = TwoClasses()
    run = AppliedRun(Path("run"), classifier, Decision(2), validation, None, is_mixed=is_mixed)
    return prepare_deciding(PredictConfig(**asked), run, lambda: validation.probabilities)


def test_a_threshold_close_to_1_is_shown_with_all_its_digits() -> None:
    assert deciding(reject_below=0.8).sentences == [
        "rejected: predictions of a probability below 0.8; on validation 6 are kept (75 %), 100 % of them right"
    ]
    assert "of a probability below 0.9999987;" in deciding(reject_below=float(SURE)).sentences[0]


def test_shares_of_validation_that_are_weighted_say_so() -> None:
    """Two of four stars and all quasars are kept: weighted to 0.8 and 0.2, 0.4 + 0.2."""
    sentence = deciding(reject_below=0.8, priors={"star": 0.8, "qso": 0.2}).sentences[-1]
    assert sentence.endswith(
        "6 are kept (60 %, weighted to these class shares), 100 % of them right, weighted to these class shares"
    )


def test_shares_of_classes_that_are_numbers() -> None:
    """Hydra reads their names in a mapping as numbers."""
    given = composed(["run=run", "out=cat.csv", "priors={2: 0.2, 1: 0.5, 10.5: 0.3}"], "predict")
    shares = given_shares(typed_command(given, PredictConfig, "").priors, ["1", "2", "10.5"])
    assert shares is not None and shares.tolist() == [0.5, 0.2, 0.3]


def test_a_warning_stands_before_what_it_speaks_against(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    found = deciding(priors="estimate")
    assert [doubt.startswith("priors=estimate is not to be trusted") for doubt in found.doubts] == [True]
    counts = {"num_rows": 8, "num_predicted": 7, "num_by_class": {"star": 2, "qso": 5}, "num_rejected": None}
    said = {"warnings": found.doubts, "sentences": found.sentences, "notes": ["of something else"], "skipped": {}}
    print_record(Console(), counts | said, tmp_path / "cat.csv")
    lines = capsys.readouterr().out.splitlines()
    assert lines[0].endswith("cat.csv, 7 with a class") and lines[1].startswith("Warning: priors=estimate is not to be")
    assert [line for line in lines if line.startswith("Note")] == ["Note: of something else"]


def test_shares_of_a_run_that_was_trained_on_mixtures_are_warned_of() -> None:
    (doubt,) = deciding(is_mixed=True, priors={"star": 0.8, "qso": 0.2}).doubts
    assert doubt.startswith("run=run was trained on mixtures (schedule.mixup_alpha)") and "leave priors out" in doubt
    assert not deciding(is_mixed=True).doubts


@pytest.mark.parametrize("asked", [{"reject_below": 0.8}, {"reject": 0.9}, {"priors": {"star": 0.8, "qso": 0.2}}])
def test_what_rests_on_the_validation_of_an_ensemble_of_folds_is_warned_of(asked: dict[str, Any]) -> None:
    (doubt,) = deciding(is_out_of_fold=True, **asked).doubts
    assert doubt.startswith("run=run is an ensemble of folds")
    assert not deciding(**asked).doubts and not deciding(is_out_of_fold=True).doubts
