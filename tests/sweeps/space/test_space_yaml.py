"""The yaml form of a space, mistakes in it, and the spaces of the product."""

import shlex
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import optuna
import pytest
import small_runs
from hydra import compose, initialize_config_dir
from hydra.errors import HydraException
from omegaconf import OmegaConf

import spectral.configs.root as root
from spectral.configs.class_lists import in_class_order
from spectral.errors import UserError
from sweeps.config import SweepConfig
from sweeps.planning.checks import typed_sweep
from sweeps.space import Space, check_space, read_constraints
from sweeps.space.axis import Axis
from sweeps.space.domains.choice import Choice, Fixed
from sweeps.space.domains.list_of import ListOf
from sweeps.space.domains.numbers import Float, Int, stepped
from sweeps.space.domains.simplex import Simplex
from sweeps.space.messages import hydra_sentence

optuna.logging.set_verbosity(optuna.logging.ERROR)
CONF = Path(__file__).parents[3] / "conf"
SPACES = sorted(path for path in (CONF / "sweep").glob("*.yaml") if path.stem not in ("default", "none"))


@pytest.fixture(scope="module")
def composed() -> Iterator[Callable[[list[str]], Any]]:
    """Check a job's overrides as the sweep itself does."""
    small_runs.composed(["sweep=none"])  # its own state of Hydra is made, and gone, before this one begins
    with initialize_config_dir(str(CONF), version_base="1.3"):
        yield lambda overrides: root.typed(small_runs.composed(["sweep=none", *overrides]))


@pytest.fixture
def named_sweep(composed: Callable[[list[str]], Any]) -> Callable[[str], SweepConfig]:
    """Read the typed config of a sweep by its name."""
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
        ("{low: 1, high: 9, log: true, step: 2}", "step=2 and log=true, which exclude each other"),
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
        ("{deep: {foo: {low: 1, high: 2}}}", "or as '+sweep.space={key.deep.foo:{low:1,high:2}}'."),
        (
            "{deep: {low: 1, high: 2}, flat: [3, 4]}",
            "one key, dots included: on the command line write it without sweep.space, as in model.width=8,16, or as "
            "'+sweep.space={key.deep:{low:1,high:2},key.flat:[3,4]}'.",
        ),
        ("[]", "sweep.space.key=[] is not a choice: allowed is a list of one value or more."),
        ("{values: 3}", "sweep.space.key=3 is not a choice"),
        ("[{'b:c': 1}, 2]", "cannot be written as an override"),
        ("{type: list, max_length: 0, element: [1]}", "sweep.space.key.max_length=0 is out of range"),
        ("{type: list, min_length: 3, max_length: 2, element: [1]}", "allowed is an integer from 3 to 1000."),
        ("{type: list, max_length: 2, element: {low: 2, high: 1}}", "sweep.space.key.element goes from 2 to 1"),
        ("{type: simplex, size: 1}", "sweep.space.key.size=1 is out of range"),
        ("{type: simplex, size: 4, minimum: 0.25}", "leaves nothing to search"),
        ("{type: simplex, size: 4, minimum: [0.1, 0.1]}", "it is one share, or 4 of them"),
        ("{type: simplex, size: 4, minimum: 0.00001}", "of at most 4 decimals"),
        ("{type: simplex, size: 4, minimum: -0.1}", "each at least 0"),
        ("{type: simplex, size: 4, minimum: .inf}", "below 1"),
        ("{type: simplex, minimum: 0.1}", "sweep.space.key needs classes, a list of their names; or size"),
        ("{type: simplex, classes: [a, b], size: 3}", "sweep.space.key has size=3 and 2 classes: leave out size."),
        ("{type: simplex, classes: [a]}", "sweep.space.key.size=1 is out of range"),
        ("{type: simplex, classes: a}", "sweep.space.key.classes=a has the wrong type: allowed is a list of names"),
        ("{type: simplex, classes: [a, b, a]}", "has a name more than once."),
        ("{type: simplex, classes: [a, 'b:c']}", "classes holds b:c, which cannot be a key of an override: give size"),
        (
            "{type: simplex, classes: [star, qso], minimum: {qos: 0.1}}",
            "not a class of the search: did you mean 'qso'?",
        ),
        (
            "{type: simplex, size: 2, minimum: {qso: 0.1}}",
            "is not a class of the search: a minimum by name needs classes.",
        ),
        ("{type: simplex, classes: [a, b], minimum: {a: x}}", "it is one share, or 2 of them"),
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


def test_a_key_cannot_be_two_axes() -> None:
    with pytest.raises(UserError, match=r"sweep\.space holds a and \+a, which are the same key"):
        Space.read({"a": [1, 2], "+a": [3, 4]})


def test_a_space_must_have_keys() -> None:
    space: Any = ["model.width"]
    with pytest.raises(UserError, match="has no keys"):
        Space.read(space)


@pytest.mark.parametrize("path", SPACES, ids=[path.stem for path in SPACES])
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


def test_the_spaces_named_in_the_help_exist() -> None:
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
    trial = composed([*overrides, "run_dir=same"])
    # The experiment has a list in class order, the search a mapping by name.
    trial.sampler = in_class_order(trial.sampler, "sampler", trial.data.class_names)
    assert trial == reference


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


@pytest.mark.parametrize(
    ("search", "given", "suggested", "domain"),
    [
        (
            "fractions",
            "sweep.space.sampler.fractions.minimum=0.05",
            "+sweep.space={sampler.fractions:{minimum:0.05}}",
            Simplex((0.05,) * 4, ("star", "unknown", "galaxy", "qso")),
        ),
        pytest.param(
            "fractions",
            "sweep.space={model.width:{low:4,high:8}}",
            "+sweep.space={model.width:{low:4,high:8}}",
            Int(4, 8),
            marks=pytest.mark.slow,
        ),
        (
            "default",
            "sweep.space.model.dropout=[0.1,0.5]",
            "+sweep.space={model.dropout:[0.1,0.5]}",
            Choice((0.1, 0.5)),
        ),
        pytest.param(
            "default",
            "sweep.space={model.dilations:{type:list,max_length:2,element:[1,2]}}",
            "+sweep.space={model.dilations:{type:list,max_length:2,element:[1,2]}}",
            ListOf(Choice((1, 2)), 1, 2),
            marks=pytest.mark.slow,
        ),
        ("reference", "sweep.space.model.width=[4,8]", "model.width=4,8", Choice((4, 8))),
    ],
)
def test_the_form_suggested_for_a_wrong_key_gives_that_axis(
    composed: Callable[[list[str]], Any], search: str, given: str, suggested: str, domain: Any
) -> None:
    with pytest.raises(HydraException) as raised:
        compose("config", [f"sweep={search}", given])
    found = hydra_sentence(raised.value)
    assert found.endswith(f" is not a known key: give the whole axis, as in {shlex.quote(suggested)}.")
    merged, arguments = ([suggested], []) if suggested.startswith("+") else ([], [suggested])
    config = compose("config", [f"sweep={search}", *merged])
    space = Space.read(OmegaConf.to_container(config.sweep.space), arguments)
    assert domain in [axis.domain for axis in space.axes.values()]


@pytest.mark.parametrize(
    ("overrides", "message"),
    [
        (["sweep=loss", "+sweep.space.loss.gamma.low=4"], "as in '+sweep.space={loss.gamma:{low:4}}'."),
        (
            ["sweep=reference", "sweep.space.model.widht.low=4"],
            "known key: did you mean 'model.width'? give",
        ),
        (["sweep=reference", "+sweep.space={model.width:[4,8]}"], "cannot be merged into the search's axes: "),
        (["sweep.space=[1]"], "sweep.space=[1] has the wrong type: allowed is a mapping"),
        (["sweep=loss", "loss.gamma=2.0"], "because loss.gamma needs loss=focal: give it as 'loss.gamma=choice(2.0)'."),
        (["sweep=loss", "loss.gama=2.0"], "loss.gama is not a known key: "),
    ],
)
def test_axes_that_cannot_be_merged_are_reported_in_one_sentence(
    composed: Callable[[list[str]], Any], overrides: list[str], message: str
) -> None:
    with pytest.raises(HydraException) as raised:
        compose("config", overrides)
    assert message in hydra_sentence(raised.value)
