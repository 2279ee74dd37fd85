"""A study resumes its own search alone."""

from pathlib import Path
from typing import Any

import pytest
from loop_runs import FLOATS, sweep, with_result

from spectral.errors import UserError


@pytest.mark.parametrize(
    ("space", "options", "message"),
    [
        ({"x": {"low": 0.0, "high": 2.0}}, {}, "x: high was 1.0 and is 2.0"),
        ({"x": {"low": 0.0, "high": 1.0}, "y": [1, 2]}, {}, "y is new"),
        (FLOATS, {"direction": "maximize"}, "it was to minimize, now to maximize"),
        (FLOATS, {"objective": "loss"}, "objectives were score, now loss"),
        (FLOATS, {"seeds": 3}, "sweep.seeds was [10,11], now [10,11,12]"),
        (FLOATS, {"seeds": 1}, "sweep.seeds was [10,11], now 1"),
        (FLOATS, {"seeds": [10, 11], "seed_key": "model.seed"}, "sweep.seed_key was seed, now model.seed"),
        (FLOATS, {"search_overrides": []}, "sweep.search_overrides was ['score_test=false'], now []"),
        (FLOATS, {"constraints": {"x": {"at_most": 3}}}, "sweep.constraints: x: at_most was 2.0 and is 3.0"),
        (FLOATS, {"constraints": {}}, "sweep.constraints: x is gone"),
    ],
)
def test_another_search_under_the_same_name_is_refused(
    space: dict[str, Any], options: dict[str, Any], message: str, tmp_path: Path
) -> None:
    begun = {"seeds": 2, "search_overrides": ["score_test=false"], "constraints": {"x": {"at_most": 2}}}
    num_runs = len(sweep(tmp_path, FLOATS, with_result, num_trials=1, **begun).launcher.calls)
    assert num_runs == 4  # each seed, with the test split once more
    with pytest.raises(UserError, match="the study study was begun with another search") as raised:
        sweep(tmp_path, space, with_result, num_trials=2, **{**begun, **options})
    assert message in str(raised.value)
    assert str(raised.value).endswith("or another sweep.study_name, and with run_dir another folder too.")
    assert sweep(tmp_path, FLOATS, with_result, num_trials=1, **begun).launcher.calls == []


def test_the_way_a_study_is_searched_may_change(tmp_path: Path) -> None:
    """The same settings may also be written in another form."""
    free = {"free_keys": ["device"], "search_overrides": ["score_test=false", "device=cpu"]}
    sweep(tmp_path, FLOATS, with_result, num_trials=1, seeds=2, constraints={"x": {"at_most": 2}}, **free)
    ended = sweep(
        tmp_path,
        FLOATS,
        with_result,
        num_trials=3,
        seeds=[10, 11],
        constraints={"x": {"at_most": 2.0}},
        enqueue=[{"x": 0.5}],
        sampler="random",
        pruner="median",
        seed=5,
        free_keys=["device"],
        search_overrides=["score_test=false"],
    )
    assert len(ended.trials) == 3 and ended.trials[1].params == {"x": 0.5}


def test_a_study_without_a_condition_on_values_of_the_command_line_continues_without_it(tmp_path: Path) -> None:
    """Version 0.1 put such values in place of the whole axis of the yaml, with its condition."""
    begun = {"kind": ["a", "b"], "x": [1, 2]}
    named = {"kind": ["a", "b"], "x": {"low": 1, "high": 9, "when": {"kind": "a"}}}
    options: dict[str, Any] = {"sampler": "random", "num_slots": 1}
    sweep(tmp_path, begun, lambda _: 1.0, num_trials=1, **options)
    ended = sweep(tmp_path, named, lambda _: 1.0, arguments=["x=1,2"], num_trials=8, **options)
    assert [set(trial.params) for trial in ended.trials] == [{"kind", "x"}] * 8
    with pytest.raises(UserError, match=r'x: when was not given and is \{"kind":\["a"\]\}'):
        sweep(tmp_path, {**begun, "x": {"type": "choice", "values": [1, 2], "when": {"kind": ["a"]}}}, lambda _: 1.0)
