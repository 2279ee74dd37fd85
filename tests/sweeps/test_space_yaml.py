"""The yaml form, what is wrong with it, and the spaces that come with the product."""

import math
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import optuna
import pytest
from hydra import compose, initialize_config_dir
from omegaconf import OmegaConf

import spectral.configs.root as root
from spectral.errors import UserError
from sweeps.config import SweepConfig
from sweeps.config_check import typed_sweep
from sweeps.space import Constraint, Space, check_enqueued, check_seeds, check_space, read_constraints
from sweeps.space.axis import Axis
from sweeps.space.domains.choice import Choice, Fixed
from sweeps.space.domains.list_of import ListOf
from sweeps.space.domains.numbers import Float, Int, stepped
from sweeps.space.domains.simplex import Simplex

optuna.logging.set_verbosity(optuna.logging.ERROR)

CONF = Path(__file__).parents[2] / "conf"
SPACES = sorted(path for path in (CONF / "sweep").glob("*.yaml") if path.stem not in ("default", "none"))


@pytest.fixture(scope="module")
def composed() -> Iterator[Callable[[list[str]], Any]]:
    """Checks a job's overrides as the sweep's own check does."""
    with initialize_config_dir(str(CONF), version_base="1.3"):
        yield lambda overrides: root.typed(compose("config", ["sweep=none", *overrides]))


@pytest.fixture
def named_sweep(composed: Callable[[list[str]], Any]) -> Callable[[str], SweepConfig]:
    """Takes the name of a sweep."""
    return lambda name: typed_sweep(OmegaConf.to_container(compose("config", [f"sweep={name}"]).sweep, resolve=True))


@pytest.mark.parametrize(
    ("yaml", "domain"),
    [
        ("{low: 8, high: 64}", Int(8, 64)),
        ("{low: 8, high: 64, log: true}", Int(8, 64, log=True)),
        ("{low: 0, high: 1.0}", Float(0.0, 1.0)),
        ("{low: 1e-4, high: 1e-2, log: true}", Float(1e-4, 1e-2, log=True)),
        ("{type: float, low: 1, high: 2}", Float(1.0, 2.0)),
        ("{type: int, low: 1.0, high: 1e3}", Int(1, 1000)),
        ("{low: 8, high: 32, step: 8}", stepped(8, 32, 8)),
        ("{low: 0, high: 1, step: 0.25}", stepped(0.0, 1.0, 0.25)),
        ("[a, 1, [1, 2], null]", Choice(("a", 1, [1, 2], None))),
        ("{type: choice, values: [a, b]}", Choice(("a", "b"))),
        ("[[1, 2, 4]]", Fixed([1, 2, 4])),
        ("{type: fixed, value: [1, 2, 4]}", Fixed([1, 2, 4])),
        ("fcn", Fixed("fcn")),
        ("null", Fixed(None)),
        ("{type: list, max_length: 3, element: [1, 2]}", ListOf(Choice((1, 2)), 1, 3)),
        ("{type: list, min_length: 2, max_length: 2, element: {low: 1, high: 9}}", ListOf(Int(1, 9), 2, 2)),
        ("{type: simplex, size: 3}", Simplex((0.0, 0.0, 0.0))),
        ("{type: simplex, size: 2, minimum: [0.1, 0.25]}", Simplex((0.1, 0.25))),
    ],
)
def test_each_form_gives_its_domain(yaml: str, domain: Any) -> None:
    node = OmegaConf.to_container(OmegaConf.create(f"key: {yaml}"))
    assert isinstance(node, dict)
    assert Space.read(node).axes == {"key": Axis("key", domain)}


@pytest.mark.parametrize(
    ("yaml", "sentence"),
    [
        ("{low: 9, high: 9}", "sweep.space.key goes from 9 to 9: low must be below high."),
        ("{low: 1, high: .inf}", "sweep.space.key goes from 1.0 to inf: their distance must be finite."),
        ("{low: 0, high: 9, log: true}", "sweep.space.key is logarithmic from 0: low must be above 0."),
        ("{low: 1, high: 9, log: true, step: 2}", "step=2 and log=true, which exclude one another"),
        ("{low: 1, high: 9, log: 10}", "sweep.space.key.log=10 has the wrong type"),
        ("{low: 1, high: 10, step: 4}", "never reaches high=10 from 1 by 4: the last value is 9."),
        ("{low: 1, high: 10, step: 0}", "sweep.space.key.step=0 is out of range"),
        ("{low: 0.0, high: 1.0, step: 1e-9}", "too many values"),
        ("{low: one, high: 2}", "sweep.space.key.low=one has the wrong type: allowed is a number."),
        ("{low: true, high: 2}", "sweep.space.key.low=True has the wrong type"),
        ("{type: int, low: 0.5, high: 2}", "sweep.space.key.low=0.5 has the wrong type: allowed is an integer."),
        ("{low: 1}", "sweep.space.key needs high: an int has low, high, step, log."),
        ("{low: 1, high: 2, setp: 1}", "sweep.space.key.setp is not a field of an int: did you mean 'step'?"),
        ("{type: flaot, low: 1, high: 2}", "sweep.space.key.type=flaot is not known: did you mean 'float'?"),
        ("{foo: 1}", "sweep.space.key={'foo': 1} does not say what is searched"),
        ("[]", "sweep.space.key=[] is not a choice: allowed is a list of one value or more."),
        ("{values: 3}", "sweep.space.key=3 is not a choice"),
        ("[{two words: 1}, 2]", "cannot be written as an override"),
        ("{type: list, max_length: 0, element: [1]}", "sweep.space.key.max_length=0 is out of range"),
        ("{type: list, min_length: 3, max_length: 2, element: [1]}", "allowed is an integer from 3 to 1000."),
        ("{type: list, max_length: 2, element: {low: 2, high: 1}}", "sweep.space.key.element goes from 2 to 1"),
        ("{type: simplex, size: 1}", "sweep.space.key.size=1 is out of range"),
        ("{type: simplex, size: 4, minimum: 0.25}", "leaves nothing to search"),
        ("{type: simplex, size: 4, minimum: [0.1, 0.1]}", "it is one share, or 4 of them"),
        ("{type: simplex, size: 4, minimum: 0.00001}", "of at most 4 decimals"),
        ("{type: simplex, size: 4, minimum: -0.1}", "each at least 0"),
        ("{type: simplex, size: 4, minimum: .inf}", "below 1"),
        ("{type: simplex, size: 1000000000}", "sweep.space.key.size=1000000000 is out of range"),
        ("{type: [list], max_length: 3}", "sweep.space.key.type=['list'] is not known: did you mean 'list'?"),
        ("{type: list, min_length: a, max_length: 3, element: 1}", "sweep.space.key.min_length=a is out of range"),
        ("{type: list, max_length: true, element: 1}", "sweep.space.key.max_length=True is out of range"),
        ("{type: list, max_length: 1000000000, element: 1}", "allowed is an integer from 1 to 1000."),
        ("{low: null, high: 3}", "sweep.space.key.low=None has the wrong type: allowed is a number."),
        ("{low: -1e308, high: 1e308}", "their distance must be finite."),
        ("{low: 1.0, high: 2, step: .inf}", "sweep.space.key.step=inf is out of range: allowed is above 0 and finite."),
    ],
)
def test_a_mistake_is_named_with_its_key(yaml: str, sentence: str) -> None:
    node = OmegaConf.to_container(OmegaConf.create(f"key: {yaml}"))
    assert isinstance(node, dict)
    with pytest.raises(UserError) as error:
        Space.read(node)
    assert sentence in str(error.value)


def test_one_key_is_one_axis() -> None:
    with pytest.raises(UserError, match=r"sweep\.space holds a and \+a, which are one key"):
        Space.read({"a": [1, 2], "+a": [3, 4]})


def test_a_space_must_have_keys() -> None:
    space: Any = ["model.width"]
    with pytest.raises(UserError, match="has no keys"):
        Space.read(space)


@pytest.mark.parametrize("path", SPACES, ids=lambda path: path.stem)
def test_every_named_space_fits_the_experiment(
    path: Path, composed: Callable[[list[str]], Any], named_sweep: Callable[[str], SweepConfig]
) -> None:
    lines = path.read_text().splitlines()
    assert lines[0].startswith("# ") and any(f"run.py -m sweep={path.stem}" in line for line in lines if line[0] == "#")
    sweep = named_sweep(path.stem)
    space = Space.read(sweep.space)
    check_space(space, composed)
    read_constraints(sweep.constraints)
    study = optuna.create_study(sampler=optuna.samplers.TPESampler(seed=0))
    for enqueued in sweep.enqueue:
        study.enqueue_trial(space.params(enqueued))
        values = space.suggest(study.ask())
        assert values | enqueued == values
        composed(space.overrides(values))


def test_there_are_the_spaces_of_the_help() -> None:
    assert {"dilations", "fractions", "full", "loss", "reference", "widths"} <= {path.stem for path in SPACES}


def test_trial_0_of_the_reference_sweep_is_the_published_reference(
    composed: Callable[[list[str]], Any], named_sweep: Callable[[str], SweepConfig]
) -> None:
    sweep = named_sweep("reference")
    space = Space.read(sweep.space, ["experiment=reference"])
    study = optuna.create_study(sampler=optuna.samplers.RandomSampler(seed=0))
    study.enqueue_trial(space.params(sweep.enqueue[0]))
    overrides = space.overrides(space.suggest(study.ask()))
    reference = composed(["experiment=reference", "run_dir=same"])
    assert composed([*overrides, "run_dir=same"]) == reference


@pytest.mark.parametrize(
    ("space", "sentence"),
    [
        ({"model.width": {"low": 0, "high": 8}}, "model.width=0 is out of range"),
        (
            {"model.width": {"low": 1.0, "high": 8.5}},
            "model.width=1.0 has the wrong type",
        ),
        (
            {"model.widht": [4, 8]},
            "model.widht is not a known key: did you mean 'width",
        ),
        ({"loss": ["focal", "focla"]}, "loss=focla is not known: did you mean 'focal'?"),
        (
            {"model.norm": ["none", "bacth"], "seed": [1, 2]},
            "model.norm=bacth is not known",
        ),
        (
            {"model.dilations": {"type": "list", "min_length": 0, "max_length": 2, "element": [1, 2]}},
            "model.dilations=[] is too short",
        ),
        (
            {"model": ["fcn", "reference"], "model.dropout": {"low": 0.5, "high": 1.0, "when": {"model": "fcn"}}},
            "model.dropout=1.0 is out of range",
        ),
    ],
)
def test_a_space_outside_the_typed_config_is_refused(
    space: dict[str, Any], sentence: str, composed: Callable[[list[str]], Any]
) -> None:
    with pytest.raises(UserError) as error:
        check_space(Space.read(space), composed)
    assert str(error.value).startswith(sentence)


def _refusing(is_refused: Callable[[dict[str, str]], bool], calls: list[list[str]]) -> Callable[[list[str]], None]:
    def compose_job(overrides: list[str]) -> None:
        calls.append(overrides)
        if is_refused(dict(item.split("=") for item in overrides)):
            raise UserError("refused.")

    return compose_job


def test_a_sound_space_costs_one_config_an_extreme() -> None:
    calls: list[list[str]] = []
    check_space(Space.read({f"k{i}": {"low": 1, "high": 9} for i in range(30)}), _refusing(lambda _: False, calls))
    assert len(calls) == 2


def test_a_sentence_that_names_no_axis_is_given_its_own() -> None:
    space = Space.read({"a": [1, 2], "b": [1, 2]})
    with pytest.raises(UserError, match=r"^b cannot be searched so: refused\.$"):
        check_space(space, _refusing(lambda job: job.get("b") == "2", []))


def test_two_axes_that_disagree_at_one_extreme_are_left_to_the_trials() -> None:
    space = Space.read({"a": [1, 2], "b": [1, 2]})
    check_space(space, _refusing(lambda job: job.get("a") == job.get("b") == "2", []))


def test_a_space_without_any_configuration_that_is_allowed_is_refused() -> None:
    space = Space.read({"a": [1, 2], "b": [1, 2]})
    with pytest.raises(UserError, match=r"sweep\.space holds no configuration that is allowed: refused\."):
        check_space(space, _refusing(lambda job: len(job) == 2, []))


def test_a_mistake_in_the_experiment_is_not_laid_on_an_axis() -> None:
    with pytest.raises(UserError, match=r"^refused\.$"):
        check_space(Space.read({"a": [1, 2]}), _refusing(lambda _: True, []))


@pytest.mark.parametrize(
    ("enqueue", "said"),
    [
        ([{"width": 4}, {"width": 99}], r"^width=99 cannot be enqueued, for it is outside the space"),
        ([{"width": 4}, {"widht": 4}], r"^widht=4 cannot be enqueued, for it is not searched: did you mean 'width'"),
        (
            [{"depth": 2, "model": "b"}],
            r"^depth=2 cannot be enqueued, for sweep\.space\.depth\.when searches it only with model=a; sweep\.enq",
        ),
        ([{"model": "a", "depth": 2, "width": 8}], r"^sweep\.enqueue holds .*, which cannot be run: refused\.$"),
        ([{"depth": 2, "width": 8}], r"^sweep\.enqueue holds {depth:2,width:8}, which cannot be run: refused\.$"),
    ],
)
def test_every_enqueued_configuration_is_checked(enqueue: list[dict[str, Any]], said: str) -> None:
    space = Space.read({"model": ["a", "b"], "width": [4, 8], "depth": {"low": 1, "high": 9, "when": {"model": "a"}}})
    compose_job = _refusing(lambda job: job.get("depth") == "2" and job.get("width") == "8", [])
    with pytest.raises(UserError, match=said):
        check_enqueued(space, enqueue, compose_job)


def test_what_an_enqueued_configuration_leaves_open_may_be_what_is_allowed() -> None:
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


def test_a_bug_met_in_the_check_is_no_mistake_of_the_users() -> None:
    def compose_job(overrides: list[str]) -> None:
        raise ZeroDivisionError

    with pytest.raises(ZeroDivisionError):
        check_space(Space.read({"a": [1, 2]}), compose_job)


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
def test_a_constraint_that_is_none_is_refused(node: dict[str, Any], sentence: str) -> None:
    with pytest.raises(UserError) as error:
        read_constraints(node)
    assert sentence in str(error.value)


def test_no_constraints_is_an_empty_list() -> None:
    assert read_constraints(None) == []
