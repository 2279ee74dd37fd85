"""The configurations of a space that are composed and checked before anything runs."""

from collections.abc import Callable
from typing import Any

import pytest

from spectral.errors import UserError
from sweeps.space import Space, check_enqueued, check_seeds, check_space


def _refusing(is_refused: Callable[[dict[str, str]], bool], calls: list[list[str]]) -> Callable[[list[str]], None]:
    def compose_job(overrides: list[str]) -> None:
        calls.append(overrides)
        if is_refused(dict(item.split("=") for item in overrides)):
            raise UserError("refused.")

    return compose_job


def test_checking_a_valid_space_composes_one_config_per_extreme() -> None:
    calls: list[list[str]] = []
    check_space(Space.read({f"k{i}": {"low": 1, "high": 9} for i in range(30)}), _refusing(lambda _: False, calls))
    assert len(calls) == 2


def test_a_message_that_names_no_axis_gets_the_name_of_its_axis() -> None:
    space = Space.read({"a": [1, 2], "b": [1, 2]})
    with pytest.raises(UserError, match=r"^b cannot be searched in these values: refused\.$"):
        check_space(space, _refusing(lambda job: job.get("b") == "2", []))


def test_two_axes_that_conflict_at_one_extreme_are_left_to_the_trials() -> None:
    space = Space.read({"a": [1, 2], "b": [1, 2]})
    check_space(space, _refusing(lambda job: job.get("a") == job.get("b") == "2", []))


def test_a_space_without_a_valid_configuration_is_refused() -> None:
    space = Space.read({"a": [1, 2], "b": [1, 2]})
    with pytest.raises(UserError, match=r"sweep\.space has no configuration that is allowed: refused\."):
        check_space(space, _refusing(lambda job: len(job) == 2, []))


def test_a_mistake_in_the_experiment_is_not_blamed_on_an_axis() -> None:
    with pytest.raises(UserError, match=r"^refused\.$"):
        check_space(Space.read({"a": [1, 2]}), _refusing(lambda _: True, []))


@pytest.mark.parametrize(
    ("enqueue", "message"),
    [
        ([{"width": 4}, {"width": 99}], r"^width=99 cannot be enqueued, because it is outside the space"),
        (
            [{"width": 4}, {"widht": 4}],
            r"^widht=4 cannot be enqueued, because it is not searched: did you mean 'width'",
        ),
        (
            [{"depth": 2, "model": "b"}],
            r"^depth=2 cannot be enqueued, because sweep\.space\.depth\.when searches it only with model=a; to enq",
        ),
        ([{"model": "a", "depth": 2, "width": 8}], r"^sweep\.enqueue holds .*, which cannot be run: refused\.$"),
        ([{"depth": 2, "width": 8}], r"^sweep\.enqueue holds {depth:2,width:8}, which cannot be run: refused\.$"),
    ],
)
def test_every_enqueued_configuration_is_checked(enqueue: list[dict[str, Any]], message: str) -> None:
    space = Space.read({"model": ["a", "b"], "width": [4, 8], "depth": {"low": 1, "high": 9, "when": {"model": "a"}}})
    compose_job = _refusing(lambda job: job.get("depth") == "2" and job.get("width") == "8", [])
    with pytest.raises(UserError, match=message):
        check_enqueued(space, enqueue, compose_job)


def test_an_enqueued_configuration_is_valid_if_its_open_axes_can_be() -> None:
    space = Space.read({"a": [1, 2], "b": [1, 2], "c": [1, 2]})
    calls: list[list[str]] = []
    allowed = check_enqueued(space, [{"a": 2, "b": 2}], _refusing(lambda job: "c" in job, calls))
    assert calls == [["a=2", "b=2", "c=1"], ["a=2", "b=2", "c=2"], ["a=2", "b=2"]]
    assert allowed == [{"a": 2, "b": 2}]
    calls.clear()
    check_enqueued(space, [{"a": 2, "b": 2, "c": 1}], _refusing(lambda _: False, calls))
    assert calls == [["a=2", "b=2", "c=1"]]


def test_seeds_that_jobs_cannot_have_are_refused() -> None:
    space = Space.read({"a": [1, 2]})
    with pytest.raises(UserError, match=r"^sweep\.seed_key=sed cannot be 3: refused\.$"):
        check_seeds(space, "sed", [3, 4], _refusing(lambda job: "sed" in job, []))
    with pytest.raises(UserError, match=r"^sweep\.seed_key=seed cannot be -1: refused\.$"):
        check_seeds(space, "seed", [3, -1], _refusing(lambda job: job.get("seed") == "-1", []))
    check_seeds(space, "seed", [3, 4], _refusing(lambda job: job["a"] == "1", []))


def test_a_bug_in_the_check_is_not_reported_as_a_mistake_of_the_user() -> None:
    def compose_job(overrides: list[str]) -> None:
        raise ZeroDivisionError

    with pytest.raises(ZeroDivisionError):
        check_space(Space.read({"a": [1, 2]}), compose_job)
