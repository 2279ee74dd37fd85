"""Whatever an axis holds comes back the same: from a trial, through Hydra's parser, and through enqueued parameters."""

import math
from typing import Any

import optuna
import pytest
from hydra.core.override_parser.overrides_parser import OverridesParser
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from spectral.errors import UserError
from sweeps.space import Space
from sweeps.space.values import canonical, override

optuna.logging.set_verbosity(optuna.logging.ERROR)

words = st.from_regex(r"[a-z_][a-z0-9_]{0,6}", fullmatch=True)
scalars = st.one_of(
    st.none(), st.booleans(), st.integers(), st.floats(allow_nan=False), words, st.text(st.characters(codec="utf-8"))
)
plain_values = st.recursive(
    scalars, lambda inner: st.lists(inner, max_size=3) | st.dictionaries(words, inner, max_size=3)
)


def parsed(key_and_value: str) -> Any:
    return OverridesParser.create().parse_override(key_and_value).value()


@settings(max_examples=25, deadline=None)
@given(plain_values)
def test_the_parser_of_hydra_reads_an_override_back(value: Any) -> None:
    assert canonical(parsed(override("model.key", value))) == canonical(value)


@pytest.mark.parametrize(
    ("value", "text"),
    [
        ([1, 2, 4], "k=[1,2,4]"),
        (None, "k=null"),
        (True, "k=true"),
        (1e-5, "k=1e-05"),
        ("fcn", "k=fcn"),
        ("null", "k='null'"),
        ("8", "k='8'"),
        ("two words", "k='two words'"),
        ("val/macro_f1", "k=val/macro_f1"),
        ("", "k=''"),
        ({"name": "focal", "gamma": 1.5}, "k={name:focal,gamma:1.5}"),
    ],
)
def test_overrides_are_written_as_a_user_would_write_them(value: Any, text: str) -> None:
    assert override("k", value) == text


@st.composite
def numbers(draw: st.DrawFn) -> dict[str, Any]:
    if draw(st.booleans()):
        low, log = draw(st.integers(1, 100)), draw(st.booleans())
        node: dict[str, Any] = {"low": low, "high": low + draw(st.integers(1, 1000)), "log": log}
    else:
        places = draw(st.integers(1, 4))
        low_units, log = draw(st.integers(1, 10**5)), draw(st.booleans())
        unit = 10.0**-places
        node = {"low": low_units * unit, "high": (low_units + draw(st.integers(1, 10**5))) * unit, "log": log}
    return node


@st.composite
def stepped_numbers(draw: st.DrawFn) -> dict[str, Any]:
    step, low, count = draw(st.integers(1, 50)), draw(st.integers(-500, 500)), draw(st.integers(1, 40))
    scale = draw(st.sampled_from([1, 100]))
    if scale == 1:
        return {"low": low, "high": low + count * step, "step": step}
    return {"type": "float", "low": low / 100, "high": (low + count * step) / 100, "step": step / 100}


choices = st.lists(plain_values, min_size=1, max_size=5).map(lambda values: {"type": "choice", "values": values})
elements = st.one_of(choices, numbers(), stepped_numbers())
lists = st.builds(
    lambda shortest, extra, element: {
        "type": "list",
        "min_length": shortest,
        "max_length": max(1, shortest + extra),
        "element": element,
    },
    st.integers(0, 3),
    st.integers(0, 3),
    elements,
)


@st.composite
def simplexes(draw: st.DrawFn) -> dict[str, Any]:
    size = draw(st.integers(2, 12))
    minimum = draw(st.lists(st.integers(0, 10_000 // size - 1), min_size=size, max_size=size))
    return {"type": "simplex", "size": size, "minimum": [units / 10_000 for units in minimum]}


@settings(max_examples=25, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(st.one_of(elements, lists, simplexes()), st.integers(0, 2**31))
def test_suggested_values_survive_hydra_and_enqueueing(node: dict[str, Any], seed: int) -> None:
    space = Space.read({"model.key": node})
    values = space.suggest(_trial(seed))
    assert canonical(parsed(space.overrides(values)[0])) == canonical(values["model.key"])
    again = space.suggest(_trial(0, space.params(values)))
    assert canonical(again) == canonical(values)


def _trial(seed: int, params: dict[str, Any] | None = None) -> optuna.Trial:
    """A configuration as the engine gets it: asked of a study, with its parameters enqueued if there are any."""
    study = optuna.create_study(sampler=optuna.samplers.RandomSampler(seed=seed))
    if params is not None:
        study.enqueue_trial(params)
    return study.ask()


@settings(max_examples=25, deadline=None)
@given(st.lists(plain_values, min_size=2, max_size=5))
def test_every_option_of_a_choice_can_be_enqueued(values: list[Any]) -> None:
    space = Space.read({"model.key": values})
    for value in values:
        assert canonical(space.suggest(_trial(0, space.params({"model.key": value})))["model.key"]) == canonical(value)


def test_choices_that_optuna_considers_equal_stay_distinct() -> None:
    space = Space.read({"k": [1, True, 1.0, "1", "[1]", [1]]})
    assert space.num_configurations == 6
    for value in [1, True, 1.0, "1", "[1]", [1]]:
        assert canonical(space.suggest(_trial(0, space.params({"k": value})))["k"]) == canonical(value)


@pytest.mark.parametrize("kind", ["memory", pytest.param("sqlite", marks=pytest.mark.slow), "journal"])
def test_a_choice_of_lists_is_read_back_from_every_storage(kind: str, tmp_path: Any) -> None:
    space = Space.read({"model.dilations": [[1, 2, 4], [1, 3, 9]], "model.key": [None, 1.0, True, "word"]})
    storage: Any = {
        "memory": lambda: None,
        "sqlite": lambda: f"sqlite:///{tmp_path}/study.db",
        "journal": lambda: optuna.storages.JournalStorage(
            optuna.storages.journal.JournalFileBackend(str(tmp_path / "journal"))
        ),
    }[kind]()
    study = optuna.create_study(storage=storage, sampler=optuna.samplers.TPESampler(seed=0, n_startup_trials=2))
    seen = []
    for _ in range(8):
        trial = study.ask()
        values = space.suggest(trial)
        study.tell(trial, len(seen))
        seen.append(canonical(space.suggest(optuna.trial.FixedTrial(study.trials[-1].params))))
        assert seen[-1] == canonical(values)
    assert study.trials[0].params["model.dilations"] in ("[1,2,4]", "[1,3,9]")


def test_float_steps_keep_the_decimals_they_were_written_with() -> None:
    space = Space.read({"k": {"low": 0.0, "high": 0.6, "step": 0.1}})
    assert [values["k"] for values in space.grid()] == [0.0, 0.1, 0.2, 0.3, 0.4, 0.5, 0.6]
    assert {space.suggest(_trial(seed))["k"] for seed in range(60)} == {0.0, 0.1, 0.2, 0.3, 0.4, 0.5, 0.6}


def test_helper_parameters_never_become_overrides() -> None:
    space = Space.read(
        {
            "sampler.fractions": {"type": "simplex", "size": 3},
            "model.dilations": {"type": "list", "max_length": 3, "element": [1, 2]},
        }
    )
    trial = _trial(0)
    values = space.suggest(trial)
    assert list(values) == ["sampler.fractions", "model.dilations"]
    assert len(trial.params) == 3 + 1 + 3
    assert len(space.overrides(values)) == 2


def test_every_trial_has_the_same_parameters_however_long_its_list() -> None:
    space = Space.read({"k": {"type": "list", "max_length": 4, "element": [1, 2]}})
    study = optuna.create_study(sampler=optuna.samplers.RandomSampler(seed=0))
    trials = [study.ask() for _ in range(10)]
    assert len({len(space.suggest(trial)["k"]) for trial in trials}) > 1
    assert len({tuple(trial.distributions) for trial in trials}) == 1


def test_values_missing_from_an_enqueued_configuration_are_left_to_the_sampler() -> None:
    space = Space.read({"a": {"low": 1, "high": 9}, "b": {"low": 0.0, "high": 1.0}})
    values = space.suggest(_trial(3, space.params({"a": 7})))
    assert values["a"] == 7
    assert 0 <= values["b"] <= 1


@pytest.mark.parametrize(
    ("values", "sentence"),
    [
        (
            {"a": 10},
            "a=10 cannot be enqueued, because it is outside the space: allowed is an integer from 1 to 9",
        ),
        ({"a": 2.5}, "a=2.5 cannot be enqueued, because it is outside the space"),
        ({"b": True}, "b=True cannot be enqueued, because it is outside the space: allowed is a number from 0 to 1;"),
        ({"d": [1, 5]}, "a list of 1 to 2 elements, each one of 1, 2"),
        ({"d": [1, 2, 1]}, "is outside the space"),
        ({"f": [0.5, 0.4]}, "2 shares that sum to 1 and are at least 0.1, 0.1"),
        ({"f": [0.95, 0.05]}, "is outside the space"),
        ({"c": 1}, "c=1 cannot be enqueued, because it is not searched"),
        ({"g": 3, "fixed": 4}, "g=3 cannot be enqueued, because it is outside the space: allowed is one of 1, 2;"),
        ({"fixed": 4}, "fixed=4 cannot be enqueued, because it is outside the space: allowed is 3 alone;"),
    ],
)
def test_values_outside_the_space_cannot_be_enqueued(values: dict[str, Any], sentence: str) -> None:
    space = Space.read(
        {
            "a": {"low": 1, "high": 9},
            "b": {"low": 0.0, "high": 1.0},
            "d": {"type": "list", "max_length": 2, "element": [1, 2]},
            "f": {"type": "simplex", "size": 2, "minimum": 0.1},
            "g": [1, 2],
            "fixed": 3,
        }
    )
    with pytest.raises(UserError) as error:
        space.params(values)
    assert sentence in str(error.value)


def test_nan_is_written_as_hydra_reads_it() -> None:
    assert math.isnan(parsed(override("k", float("nan"))))
