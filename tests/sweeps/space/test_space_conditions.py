"""Axes that are searched only together with some values of other axes."""

from typing import Any

import optuna
import pytest

from spectral.errors import UserError
from sweeps.space import Space, open_condition, unmet_condition
from sweeps.space.values import canonical

optuna.logging.set_verbosity(optuna.logging.ERROR)

CHAIN = {
    "c": {"low": 0.0, "high": 1.0, "when": {"b": 2}},
    "b": {"type": "choice", "values": [1, 2], "when": {"a": ["y", "z"]}},
    "a": ["x", "y", "z"],
}


def suggested(space: Space, enqueued: dict[str, Any]) -> dict[str, Any]:
    study = optuna.create_study(sampler=optuna.samplers.RandomSampler(seed=0))
    study.enqueue_trial(space.params(enqueued))
    return space.suggest(study.ask())


@pytest.mark.parametrize(
    ("chosen", "searched"),
    [
        ({"a": "x"}, ["a"]),
        ({"a": "y", "b": 1}, ["b", "a"]),
        ({"a": "y", "b": 2}, ["c", "b", "a"]),
        ({"a": "z", "b": 2}, ["c", "b", "a"]),
    ],
)
def test_conditions_may_depend_on_conditional_axes(chosen: dict[str, Any], searched: list[str]) -> None:
    assert list(suggested(Space.read(CHAIN), chosen)) == searched


def test_an_axis_that_depends_on_an_inactive_axis_is_inactive() -> None:
    space = Space.read(CHAIN, ["a=x"])
    assert suggested(space, {}) == {"a": "x"}


def test_a_condition_on_two_axes_needs_both() -> None:
    space = Space.read({"a": [1, 2], "b": [1, 2], "c": {"type": "fixed", "value": 0, "when": {"a": 1, "b": 1}}})
    assert space.grid() == [{"a": 1, "b": 1, "c": 0}, {"a": 1, "b": 2}, {"a": 2, "b": 1}, {"a": 2, "b": 2}]


def test_a_condition_may_name_what_the_command_line_fixes() -> None:
    space = {"model.width": {"low": 4, "high": 8, "when": {"model": "reference"}}}
    assert list(Space.read(space, ["model=reference"]).extremes()[0]) == ["model.width", "model"]
    assert Space.read(space, ["model=fcn"]).extremes() == [{"model": "fcn"}]


def test_conditions_hold_by_type_as_well_as_value() -> None:
    space = Space.read({"a": [1, True], "b": {"type": "fixed", "value": 0, "when": {"a": True}}})
    assert space.grid() == [{"a": 1}, {"a": True, "b": 0}]


def test_a_number_in_a_condition_may_be_written_without_a_point() -> None:
    dropout = {"low": 0.0, "high": 0.5, "step": 0.1}
    space = {"dropout": dropout, "x": {"type": "fixed", "value": 7, "when": {"dropout": [0, 0.5]}}}
    searched = Space.read(space)
    assert [values["dropout"] for values in searched.grid() if "x" in values] == [0.0, 0.5]
    assert any("x" in values for values in searched.extremes())
    for zero in (0, 0.0):
        assert suggested(searched, {"dropout": zero, "x": 7}) == {"dropout": 0.0, "x": 7}
    for zero in ("0", "0.0"):
        fixed = Space.read(space, [f"dropout={zero}"])
        assert suggested(fixed, {"dropout": 0.0}) == {"dropout": 0, "x": 7}


WHOLE: list[Any] = [{"low": 1, "high": 4}, {"low": 1, "high": 4, "step": 1}, [1, 2, 4], [1.0, 2.0]]


@pytest.mark.parametrize("written", [2, 2.0])
@pytest.mark.parametrize("numbers", WHOLE, ids=str)
def test_a_whole_number_in_a_condition_may_be_written_with_a_point(numbers: Any, written: float) -> None:
    space = Space.read({"n": numbers, "x": {"type": "fixed", "value": 7, "when": {"n": written}}})
    assert [values["n"] for values in space.grid() if "x" in values] == [2]
    assert any(values.get("x") == 7 for values in space.extremes())
    with pytest.raises(UserError, match=r"^sweep\.space\.x\.when\.n=2\.5 never holds"):
        Space.read({"n": numbers, "x": {"type": "fixed", "value": 7, "when": {"n": 2.5}}})


LOSSES: dict[str, Any] = {
    "loss": ["cross_entropy", "focal", "logit_adjusted", "soft_f1"],
    "loss.gamma": {"low": 0.5, "high": 4.0, "when": {"loss": "focal"}},
    "loss.tau": {"low": 0.5, "high": 4.0, "when": {"loss": ["focal", "logit_adjusted"]}},
    "loss.eps": {"low": 0.5, "high": 4.0, "when": {"loss": ["soft_f1", "logit_adjusted"]}},
}
WHOLE_NUMBER: dict[str, Any] = {"n": {"low": 1, "high": 8}, "x": {"low": 0, "high": 1, "when": {"n": 2.0}}}


@pytest.mark.parametrize(
    ("space", "enqueued", "needed"),
    [
        (Space.read(LOSSES), {"loss.gamma": 3.0}, {"loss": "focal"}),
        (Space.read(LOSSES), {"loss.tau": 1.0, "loss.eps": 2.0}, {"loss": "logit_adjusted"}),
        (Space.read(LOSSES, ["loss=focal,soft_f1"]), {"loss.tau": 1.0}, {"loss": "focal"}),
        (Space.read(CHAIN), {"c": 0.5, "a": "y"}, {"b": 2}),
        (Space.read(CHAIN, ["a=x,y"]), {"c": 0.5}, {"b": 2, "a": "y"}),
        (Space.read(WHOLE_NUMBER), {"x": 1}, {"n": 2}),
    ],
)
def test_an_enqueued_value_brings_the_only_value_that_its_condition_needs(
    space: Space, enqueued: dict[str, Any], needed: dict[str, Any]
) -> None:
    assert space.params(enqueued) == enqueued | needed
    assert suggested(space, enqueued) == space.in_order(suggested(space, enqueued) | enqueued | needed)
    assert open_condition(space, [enqueued]) == ""


def test_an_axis_need_not_be_enqueued_if_each_of_its_values_will_do() -> None:
    space = Space.read(LOSSES, ["loss=focal,logit_adjusted"])
    assert set(space.needed({"loss.tau": 1.0})["loss"]) == {"focal", "logit_adjusted"}
    assert open_condition(space, [{"loss.tau": 1.0}]) == ""


def test_an_axis_of_the_command_line_is_refused_only_if_no_configuration_has_it() -> None:
    """The first value that each condition allows is not enough: here b=1 rules out c, and b=2 does not."""
    space = {
        "b": [1, 2],
        "c": {"values": ["x", "y"], "when": {"b": 2}},
        "a": {"values": [3, 4], "when": {"b": [1, 2], "c": "x"}},
    }
    assert unmet_condition(Space.read(space, ["a=3,4"])) == ""
    assert unmet_condition(Space.read(space, ["a=3,4", "c=y"])).startswith("a cannot be given")


@pytest.mark.parametrize(
    ("space", "enqueued", "sentence"),
    [
        (
            Space.read(LOSSES),
            {"loss.tau": 1.0},
            "sweep.enqueue holds {loss.tau:1.0}, which needs loss=focal or logit_adjusted: enqueue one of them with "
            "it.",
        ),
        (
            Space.read(CHAIN),
            {"c": 0.5},
            "sweep.enqueue holds {c:0.5}, which needs a=y or z: enqueue one of them with it.",
        ),
        (
            Space.read(LOSSES, ["loss=cross_entropy,soft_f1"]),
            {"loss.gamma": 3.0},
            "sweep.enqueue holds {loss.gamma:3.0}, which needs a value of loss that no configuration of this search "
            "has: leave it out.",
        ),
    ],
)
def test_an_enqueued_value_that_may_be_dropped_is_named(space: Space, enqueued: dict[str, Any], sentence: str) -> None:
    assert open_condition(space, [{}, enqueued]) == sentence
    assert space.params(enqueued).keys() >= enqueued.keys()  # as earlier versions enqueued it


def test_configurations_are_counted_as_they_are_listed() -> None:
    finite = {**CHAIN, "c": {"low": 1, "high": 3, "when": {"b": 2}}, "d": [1, 2, 3]}
    space = Space.read(finite)
    listed = space.grid()
    # x alone; y and z each with b=1, or with b=2 and three of c; all times three of d.
    assert len(listed) == space.num_configurations == (1 + 2 * (1 + 3)) * 3
    assert len(set(map(canonical, listed))) == len(listed)


def test_counting_does_not_go_through_axes_one_by_one() -> None:
    space = Space.read({f"k{i}": {"low": 1, "high": 1000} for i in range(20)})
    assert space.num_configurations == 1000**20
    with pytest.raises(UserError, match="allowed are 100000"):
        space.grid()


@pytest.mark.parametrize(
    ("space", "sentence"),
    [
        ({"a": [1, 2], "b": {"low": 1, "high": 2, "when": {"model": 1}}},
         "sweep.space.b.when names model, which is neither searched nor fixed: allowed: a, b."),
        ({"loss": ["focal", "soft_f1"], "b": {"low": 1, "high": 2, "when": {"loss": "focla"}}},
         "sweep.space.b.when.loss=focla never holds: loss is one of focal, soft_f1."),
        ({"a": {"low": 1, "high": 2, "when": {"b": 1}}, "b": {"low": 1, "high": 2, "when": {"a": 1}}},
         "sweep.space has conditions in a circle"),
        ({"a": {"low": 1, "high": 2, "when": "b"}}, "sweep.space.a.when=b is not a condition"),
        ({"a": {"low": 1, "high": 2, "when": {"a": 1}}}, "sweep.space has conditions in a circle: a needs a."),
    ],
)  # fmt: skip
def test_conditions_that_make_no_sense_are_refused(space: dict[str, Any], sentence: str) -> None:
    with pytest.raises(UserError) as error:
        Space.read(space)
    assert sentence in str(error.value)


def test_every_extreme_that_can_be_reached_is_in_few_configurations() -> None:
    space = Space.read(
        {
            "model": ["reference", "fcn"],
            "model.width": {"low": 4, "high": 24, "when": {"model": "reference"}},
            "model.dilations": {
                "type": "list", "min_length": 1, "max_length": 2, "element": [1, 2, 4], "when": {"model": "reference"},
            },
            "model.dropout": {"low": 0.0, "high": 0.5, "when": {"model": "fcn"}},
            "optimizer.lr": {"low": 1e-4, "high": 1e-2, "log": True},
            "seed": [0, 1, 2],
        }
    )  # fmt: skip
    extremes = space.extremes()
    for name, axis in space.axes.items():
        for value in axis.domain.extremes():
            assert any(name in values and canonical(values[name]) == canonical(value) for values in extremes)
    for values in extremes:
        space.params(values)
        assert all((name in values) == axis.when.holds(values) for name, axis in space.axes.items())
    # 3 dilations with the reference and 2 dropouts with the fcn; all else fits in next to them.
    assert len(extremes) == 5


def test_extremes_share_their_groups_so_that_few_configs_are_composed() -> None:
    space = Space.read(
        {
            "transform": ["standardize", "l2"],
            "loss": ["cross_entropy", "focal"],
            "loss.gamma": {"type": "simplex", "size": 4, "when": {"loss": "focal"}},
            "optimizer": ["adam", "adamw"],
            "optimizer.weight_decay": {"low": 0.0, "high": 0.1, "when": {"optimizer": "adamw"}},
            "seed": [0, 1, 2, 3, 4],
        }
    )
    chosen = [tuple(values[name] for name in ("transform", "loss", "optimizer")) for values in space.extremes()]
    assert set(chosen) == {("standardize", "cross_entropy", "adam"), ("l2", "focal", "adamw")}


def test_every_element_of_a_list_is_among_the_extremes() -> None:
    space = Space.read({"k": {"type": "list", "min_length": 0, "max_length": 3, "element": [1, 2, 3, 4]}})
    assert [values["k"] for values in space.extremes()] == [[], [1, 2, 3], [4, 1, 2]]


def test_extremes_in_an_enqueued_configuration_are_not_repeated() -> None:
    space = Space.read({"transform": ["standardize", "l2", "median"], "width": {"low": 1, "high": 9}})
    enqueued = {"transform": "standardize", "width": 1}
    assert space.extremes([enqueued]) == [{"transform": "l2", "width": 9}, {"transform": "median", "width": 1}]
    whole = Space.read({"transform": ["standardize"]})
    assert whole.extremes([{"transform": "standardize"}]) == []
