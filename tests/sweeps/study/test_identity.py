"""How the difference between a study's first search and another is reported."""

import json

import pytest

from sweeps.config import SweepConfig
from sweeps.space import Space
from sweeps.study.identity import changed, identity_of, up_to_date

BEGUN = ["model.width=8,16", "loss=focal", "seed=3", "optimizer.lr=0.1"]


def reported(*arguments: str) -> str | None:
    old, new = (identity_of(SweepConfig(), Space.read({}, a), ["score"], None) for a in (BEGUN, arguments))
    return changed(up_to_date(json.loads(json.dumps(old)), SweepConfig().free_keys), new)


@pytest.mark.parametrize(
    ("arguments", "expected"),
    [
        ([*BEGUN], None),
        ([*reversed(BEGUN)], None),
        (["model.width=8,16", "loss=focal", "seed=3"], "optimizer.lr=0.1 is gone"),
        ([*BEGUN, "data=arrays"], "data=arrays is new"),
        (["model.width=8,16", "loss=soft_f1", "optimizer.lr=0.1"], "loss was focal, now soft_f1; seed=3 is gone"),
        (["model.width=8,16", "loss=focal", "seed=3,4", "optimizer.lr=0.1"], "seed was 3, now it is searched"),
        (["model.width=8", "loss=focal", "seed=3", "optimizer.lr=0.1"], "model.width was searched, now it is 8"),
    ],
)
def test_only_the_differences_are_reported(arguments: list[str], expected: str | None) -> None:
    assert reported(*arguments) == expected


def test_keys_that_are_now_free_and_old_names_of_values_are_no_change() -> None:
    begun = ["precision=float32", "loss=soft_f1", "loss.form=mean_log", "schedule.stages=[{loss:{form:log_mean}}]"]
    now = [
        "precision=bfloat16",
        "loss=soft_f1",
        "loss.form=mean_of_logs",
        "schedule.stages=[{loss:{form:log_of_mean}}]",
    ]
    old, new = (identity_of(SweepConfig(), Space.read({}, ["x=1,2", *a]), ["score"], None) for a in (begun, now))
    assert changed(up_to_date(old, []), new) == "precision was float32, now bfloat16"
    del new["fixed"][0]
    assert changed(up_to_date(old, ["precision"]), new) is None


def test_an_axis_with_old_names_of_values_is_the_same_axis() -> None:
    old, new = (
        identity_of(SweepConfig(), Space.read({"loss.form": names, "loss.eps": eps}), ["score"], None)
        for names, eps in (
            (["log_mean", "mean_log"], {"low": 0.1, "high": 0.2, "when": {"loss.form": ["log_mean"]}}),
            (["log_of_mean", "mean_of_logs"], {"low": 0.1, "high": 0.2, "when": {"loss.form": ["log_of_mean"]}}),
        )
    )
    assert changed(up_to_date(old, []), new) is None
    assert changed(old, new) is not None
