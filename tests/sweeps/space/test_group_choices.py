"""The combinations of parts that are composed before a search begins."""

from itertools import combinations, product
from typing import Any

import pytest

from spectral.errors import UserError
from sweeps.space import Space, check_space
from sweeps.space.group_choices import MOST_COMPOSED, MOST_LOOKED_AT, group_choices, least_refused

GROUPS = {"model", "loss", "optimizer", "a", "b", "c", "d"}


def choices(space: dict[str, Any]) -> list[dict[str, Any]]:
    return group_choices(Space.read(space).ordered, GROUPS.__contains__)


def test_every_combination_of_parts_is_composed_once_and_values_are_left_out() -> None:
    found = choices({"model": ["fcn", "compact"], "model.width": [4, 8], "loss": ["focal", "soft_f1"]})
    assert found == [{"model": m, "loss": lo} for m, lo in product(("fcn", "compact"), ("focal", "soft_f1"))]


def test_a_part_under_a_condition_is_chosen_where_that_holds() -> None:
    found = choices({"model": ["fcn", "compact"], "loss": {"values": ["x", "y"], "when": {"model": "fcn"}}})
    assert found == [{"model": "fcn", "loss": "x"}, {"model": "fcn", "loss": "y"}, {"model": "compact"}]


@pytest.mark.parametrize("num_values", [3, 9])  # 81 combinations, and more than are looked at
def test_of_many_combinations_few_are_composed_that_contain_every_pair(num_values: int) -> None:
    values = [f"p{k}" for k in range(num_values)]
    found = choices(dict.fromkeys("abcd", values))
    pairs = {frozenset(pair) for choice in found for pair in combinations(choice.items(), 2)}
    assert len(pairs) == 6 * num_values**2 and num_values**4 > MOST_COMPOSED
    assert len(found) < 4 * num_values**2 < MOST_LOOKED_AT


def test_the_fewest_parts_that_are_never_allowed_are_named() -> None:
    allowed, refused = [{"a": "p", "b": "p"}], [{"a": "q", "b": "p"}, {"a": "q", "b": "q"}]
    assert least_refused(refused, allowed) == "a=q"
    assert least_refused([{"a": "q", "b": "p"}], [{"a": "q", "b": "q"}, {"a": "p", "b": "p"}]) == "a=q b=p"


def test_parts_with_which_some_values_are_allowed_are_left_to_the_trials() -> None:
    def compose(overrides: list[str]) -> None:
        if {"model=fcn", "width=8"} <= set(overrides):
            raise UserError("refused.")

    space = Space.read({"model": ["fcn", "compact"], "width": [4, 8]})
    check_space(space, compose, is_group=GROUPS.__contains__)


def test_parts_that_no_value_is_allowed_with_are_refused() -> None:
    def compose(overrides: list[str]) -> None:
        if "model=fcn" in overrides and any(override.startswith("width") for override in overrides):
            raise UserError("width is not a known key.")

    space = Space.read({"model": ["fcn", "compact"], "width": [4, 8]})
    with pytest.raises(UserError, match=r"^model=fcn cannot be run with the other keys of this search: width is not"):
        check_space(space, compose, is_group=GROUPS.__contains__)
