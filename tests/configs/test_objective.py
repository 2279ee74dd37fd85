"""Names of objectives: which are known, and whether higher or lower is better."""

import numpy as np
import pytest

from spectral.configs.objective import PLAIN, check_number, check_objective, objective_direction
from spectral.errors import UserError
from spectral.scoring.metrics import classification_metrics

NAMES = ["star", "qso"]


@pytest.mark.parametrize("name", [*PLAIN, "val/f1/qso", "val/precision/star", "val/recall/qso"])
def test_every_known_objective_is_accepted(name):
    check_objective(name)
    check_objective(name, NAMES)


def test_every_validation_metric_is_an_objective():
    for name in classification_metrics(np.array([0, 1]), np.array([0, 1]), np.eye(2), NAMES):
        check_objective(f"val/{name}", NAMES)


@pytest.mark.parametrize(
    ("name", "class_names", "message"),
    [
        ("val/macro_f", None, "did you mean 'val/macro_f1'"),
        ("macro_f1", NAMES, "did you mean 'val/macro_f1'"),
        ("val/f1/qos", NAMES, "did you mean 'val/f1/qso'"),
        ("val/f1/", None, "allowed: .*val/f1/CLASS"),
        ("time/epoch_s", None, "allowed: "),
        ("test/macro_f1", None, "refused: the test split is read once, at the end, .*val/macro_f1"),
        ("test/f1/qso", NAMES, "choose by val/f1/qso"),
    ],
)
def test_an_unknown_objective_is_refused_with_the_nearest_name(name, class_names, message):
    with pytest.raises(UserError, match=message):
        check_objective(name, class_names)


@pytest.mark.parametrize("name", [*PLAIN, "num_parameters", "receptive_field", "val/recall/qso", "time/train_s"])
def test_a_constraint_may_name_any_number_that_runs_report(name):
    check_number(name, "key")


@pytest.mark.parametrize(
    ("name", "message"),
    [
        ("num_params", "^key is not a number of a run: did you mean 'num_parameters'"),
        ("val/recall/", "^key is not a number of a run"),
        ("test/accuracy", "^key is refused: .* so bound val/accuracy"),
    ],
)
def test_a_constraint_on_another_number_is_refused(name, message):
    with pytest.raises(UserError, match=message):
        check_number(name, "key")


def test_directions():
    minimised = ["train/loss", "val/log_loss", "time/train_s"]
    maximised = ["val/macro_f1", "val/accuracy", "val/balanced_accuracy", "val/f1/qso"]
    maximised += ["val/f1/mass_loss", "val/decision/recall/mass_loss", "test/precision/loss"]  # scores of classes
    assert {objective_direction(name) for name in minimised} == {"minimize"}
    assert {objective_direction(name) for name in maximised} == {"maximize"}
