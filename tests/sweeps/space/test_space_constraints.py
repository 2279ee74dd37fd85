"""Bounds on numbers that runs report: how they are read, and how far a value is outside."""

import math
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
from search_runs import REPOSITORY

from spectral.errors import UserError
from sweeps.space import Constraint, read_constraints
from sweeps.space.constraints import check_known, judge


@pytest.mark.parametrize(
    ("bounds", "value", "violation"),
    [
        ({"at_most": 2e6}, 748_324, 748_324 - 2e6),
        ({"at_most": 2e6}, 2e6, 0),
        ({"at_most": 2e6}, 2e6 + 5, 5),
        ({"at_least": 100}, 90, 10),
        ({"at_least": 100, "at_most": 200}, 150, -50),
        ({"at_least": 100, "at_most": 200}, 230, 30),
    ],
)
def test_a_violation_is_the_distance_outside(bounds: dict[str, float], value: float, violation: float) -> None:
    (constraint,) = read_constraints({"num_parameters": bounds})
    assert constraint == Constraint("num_parameters", bounds.get("at_least"), bounds.get("at_most"))
    assert constraint.violation(value) == violation


@pytest.mark.parametrize(
    ("bounds", "value", "text"),
    [
        ({"at_most": 1e5}, 11_728_133, "11,728,133, at most 100,000"),
        ({"at_most": 1e5}, 11_728_133.0, "11,728,133, at most 100,000"),
        ({"at_least": 0.25, "at_most": 0.5}, 0.12345678, "0.1234568, at least 0.25, at most 0.5"),
        ({"at_most": 1000}, math.inf, "without bound, at most 1,000"),
        ({"at_most": 1e300}, math.inf, "without bound, at most 1e+300"),
    ],
)
def test_violations_and_bounds_are_written_in_the_same_format(
    bounds: dict[str, float], value: float, text: str
) -> None:
    (constraint,) = read_constraints({"num_parameters": bounds})
    assert constraint.sentence(value) == f"outside the constraint on num_parameters: {text}"


def test_a_value_that_is_not_a_number_is_not_within_a_bound(tmp_path: Path) -> None:
    (tmp_path / "result.json").write_text('{"val/log_loss": NaN}')
    for bound in ("at_least", "at_most"):
        constraints = read_constraints({"val/log_loss": {bound: 0.5}})
        with pytest.raises(ValueError, match="val/log_loss cannot be checked: its value nan is not a number"):
            judge(constraints, [tmp_path])
        with pytest.raises(ValueError, match="is not a number"):
            check_known(constraints, {"val/log_loss": math.nan})


@pytest.mark.parametrize(
    ("node", "sentence"),
    [
        ({"n": {}}, "sweep.constraints.n={} has no bound"),
        ({"n": 3}, "sweep.constraints.n=3 has no bound"),
        ({"n": {"at_mots": 3}}, "sweep.constraints.n.at_mots is not a bound: did you mean 'at_most'?"),
        (
            {"n": {"at_most": math.nan}},
            "sweep.constraints.n.at_most=nan has the wrong type: allowed is a finite number.",
        ),
        ({"n": {"at_most": "many"}}, "sweep.constraints.n.at_most=many has the wrong type"),
        ({"n": {"at_least": 3, "at_most": 2}}, "sweep.constraints.n allows no value"),
    ],
)
def test_a_malformed_constraint_is_refused(node: dict[str, Any], sentence: str) -> None:
    with pytest.raises(UserError) as error:
        read_constraints(node)
    assert sentence in str(error.value)


def test_no_constraints_are_an_empty_list() -> None:
    assert read_constraints(None) == []


def test_results_are_utf_8_in_any_locale(tmp_path: Path) -> None:
    (tmp_path / "result.json").write_text('{"val/recall/β": 0.25}', "utf-8")
    code = (
        "import sys; from pathlib import Path; from sweeps.space.constraints import judge, read_constraints; "
        "print(judge(read_constraints({'val/recall/\\u03b2': {'at_least': 0.5}}), [Path(sys.argv[1])])[0].values())"
    )
    ascii_only = {**os.environ, "LC_ALL": "C", "PYTHONUTF8": "0", "PYTHONCOERCECLOCALE": "0"}
    ended = subprocess.run(
        [sys.executable, "-c", code, str(tmp_path)], cwd=REPOSITORY, env=ascii_only, capture_output=True, check=False
    )
    assert ended.stdout == b"dict_values([0.25])\n", ended.stderr
