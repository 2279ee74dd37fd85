"""The command line has the same meaning as in Hydra: its own sweeper is the reference for every finite sweep."""

from typing import Any

import optuna
import pytest
from hydra._internal.core_plugins.basic_sweeper import BasicSweeper
from hydra.core.override_parser.overrides_parser import OverridesParser
from hypothesis import given, settings
from hypothesis import strategies as st

from spectral.errors import UserError
from sweeps.space import Space
from sweeps.space.domains.numbers import Float, Int

optuna.logging.set_verbosity(optuna.logging.ERROR)


def hydras_jobs(arguments: list[str]) -> list[dict[str, Any]]:
    """The jobs that Hydra's basic sweeper would run, each as key -> value."""
    parser = OverridesParser.create()
    batches = BasicSweeper.split_arguments(parser.parse_overrides(arguments), max_batch_size=None)
    return [_values(job) for job in batches[0]]


def our_jobs(arguments: list[str]) -> list[dict[str, Any]]:
    space = Space.read(None, arguments)
    assert space.is_grid
    return [_values(space.overrides(values)) for values in space.grid()]


def _values(job: list[str]) -> dict[str, Any]:
    return {o.get_key_element(): o.value() for o in OverridesParser.create().parse_overrides(list(job))}


@pytest.mark.parametrize(
    "arguments",
    [
        [],
        ["model.width=16"],
        ["model.width=16,32"],
        ["model.width=choice(8,16,32)"],
        ["model=fcn,resnet1d", "model.dropout=0,0.1"],
        ["model.dilations=choice([1,2,4],[1,3,9])", "seed=0,1"],
        ["model.dilations=[1,2],[1]"],
        ["seed=range(3)"],
        ["seed=range(1,10,3)"],
        ["seed=range(10,1,-3)"],
        ["seed=range(1,2)"],
        ["k=range(0,1,0.1)"],
        ["k=range(1,0,-0.1)"],
        ["k=range(0.5,3)"],
        ["k=float(range(1,4))"],
        ["k=int(range(1.0,4.0))"],
        ["k=int(1.5,2.5)"],
        ["k=sort(3,1,2)", "l=sort(range(5,1,-2))"],
        ["k=sort(choice(b,a),reverse=true)"],
        ["k=null,true,false", "l='a b',\"c,d\",plain"],
        ["k={a:1,b:[2]},{a:2}"],
        ["k={1:0.5,two words:0.5},{true:1}"],
        ["+new.key=1,2", "++other=a,b", "~gone"],
        ["experiment=debug", "k=1,2", "k=3,4"],
        ["k=1,2", "k=5"],
        ["k=int(3.7)", "l=[1,2]", "m=", "n='x y'"],
        ["db@source=a,b"],
    ],
)
def test_a_finite_sweep_runs_the_jobs_of_hydra_in_its_order(arguments: list[str]) -> None:
    hydra = hydras_jobs(arguments)
    assert repr([_sorted_items(job) for job in our_jobs(arguments)]) == repr([_sorted_items(job) for job in hydra])
    assert Space.read(None, arguments).num_configurations == len(hydra)


def _sorted_items(job: dict[str, Any]) -> list[tuple[str, Any]]:
    return sorted(job.items())


numbers = st.integers(-20, 20) | st.integers(-50, 50).map(lambda n: n / 10)
steps = numbers.filter(lambda step: step != 0)


@settings(max_examples=25, deadline=None)
@given(numbers, numbers, steps)
def test_ranges_have_the_values_and_types_of_hydra(start: float, stop: float, step: float) -> None:
    argument = f"k=range({start},{stop},{step})"
    expected = [job["k"] for job in hydras_jobs([argument])]
    if not expected:
        with pytest.raises(UserError, match="has no value"):
            Space.read(None, [argument])
        return
    found = [job["k"] for job in our_jobs([argument])]
    assert repr(found) == repr(expected)


@settings(max_examples=50, deadline=None)
@given(numbers, numbers, steps, st.integers(0, 1000))
def test_a_range_in_a_study_gives_the_values_of_hydra(start: float, stop: float, step: float, seed: int) -> None:
    argument = f"k=range({start},{stop},{step})"
    expected = [job["k"] for job in hydras_jobs([argument])]
    if not expected:
        return
    space = Space.read({"other": {"low": 0.0, "high": 1.0}}, [argument])
    for value in {expected[0], expected[len(expected) // 2], expected[-1]}:
        study = optuna.create_study(sampler=optuna.samplers.RandomSampler(seed=seed))
        study.enqueue_trial(space.params({"k": value}))
        assert repr(space.suggest(study.ask())["k"]) == repr(value)
    assert repr(space.suggest(study.ask())["k"]) in map(repr, expected)


def test_text_that_looks_like_a_number_stays_text() -> None:
    assert our_jobs(["k=str(1,2)"]) == [{"k": "1"}, {"k": "2"}]
    assert our_jobs(["k=choice('8',16)"]) == [{"k": "8"}, {"k": 16}]


def test_repeated_values_run_once() -> None:
    assert [job["k"] for job in our_jobs(["k=1,2,1"])] == [1, 2]


def test_a_shuffled_sweep_has_the_values_of_hydra_in_a_fixed_order() -> None:
    arguments = ["k=shuffle(range(20))", "l=shuffle(a,b,c)"]
    first, second = our_jobs(arguments), our_jobs(arguments)
    assert first == second
    assert sorted(map(repr, first)) == sorted(repr({"k": k, "l": letter}) for k in range(20) for letter in "abc")
    assert [job["k"] for job in first[::3]] != list(range(20))
    unshuffled = Space.read(None, ["k=range(20)", "l=a,b,c"])
    assert Space.read(None, arguments).signature() == unshuffled.signature()


def test_a_shuffled_list_is_one_value_for_all_jobs() -> None:
    space = Space.read(None, ["k=shuffle([1,2,3,4,5,6,7,8])", "seed=0,1"])
    assert len({space.overrides(values)[0] for values in space.grid()}) == 1


@pytest.mark.parametrize(
    ("argument", "domain"),
    [
        ("k=interval(1,50)", Int(1, 50)),
        ("k=interval(1.0,50)", Float(1.0, 50.0)),
        ("k=interval(0.0,1.0)", Float(0.0, 1.0)),
        ("k=tag(log, interval(1e-4,1e-2))", Float(1e-4, 1e-2, log=True)),
        ("k=tag(log,interval(8,64))", Int(8, 64, log=True)),
        ("k=tag(int,interval(1.0,50.0))", Int(1, 50)),
        ("k=tag(int,log,interval(1e0,1e3))", Int(1, 1000, log=True)),
        ("k=tag(float,interval(1,50))", Float(1.0, 50.0)),
        ("k=int(interval(1.0,50.0))", Int(1, 50)),
        ("k=float(interval(1,50))", Float(1.0, 50.0)),
    ],
)
def test_intervals_keep_the_type_of_their_ends(argument: str, domain: Any) -> None:
    space = Space.read(None, [argument])
    assert space.axes["k"].domain == domain
    assert not space.is_grid


@pytest.mark.parametrize(
    ("argument", "sentence"),
    [
        ("k=interval(5,1)", "k=interval(5,1) goes from 5 to 1: low must be below high"),
        ("k=tag(log,interval(0,1))", "is logarithmic from 0: low must be above 0."),
        ("k=tag(int,interval(0.5,3))", "has the tag int: its ends must be integers."),
        ("k=tag(int,float,interval(0,3))", "has the tags int and float: give one of the two."),
        ("k=tag(lgo,interval(0,3))", "has the tag lgo, which is not allowed here: did you mean 'log'?"),
        ("k=tag(log,choice(1,2))", "has the tag log, which is not allowed here: only an interval can have tags."),
        ("k=range(3,3)", "k=range(3,3) has no value"),
        ("k=range(0,3,0)", "k=range(0,3,0) never ends"),
        ("k=range(0,1e9)", "k=range(0,1e9) has too many values"),
        ("k=range(0,inf)", "has too many values"),
        ("model=glob(*)", "model=glob(*) cannot be listed"),
        ("~model=a,b", "~model=a,b cannot be swept over"),
    ],
)
def test_values_that_cannot_be_searched_are_reported_in_one_sentence(argument: str, sentence: str) -> None:
    with pytest.raises(UserError) as error:
        Space.read(None, [argument])
    assert sentence in str(error.value)
    assert "\n" not in str(error.value)


def test_glob_lists_the_names_of_a_group() -> None:
    class Loader:
        def get_group_options(self, group: str, results_filter: Any = None) -> list[str]:
            return {"model": ["fcn", "reference", "resnet1d"]}[group]

    loader: Any = Loader()
    space = Space.read(None, ["model=glob([f*,r*],exclude=reference)"], loader)
    assert [values["model"] for values in space.grid()] == ["fcn", "resnet1d"]


def test_arguments_extend_a_named_space() -> None:
    space = Space.read(
        {"model.width": {"low": 4, "high": 24}, "loss": ["focal", "soft_f1"], "loss.gamma": 2.0},
        ["loss=focal", "model.width=choice(8,16)", "seed=1,2", "experiment=debug"],
    )
    assert space.common == ["experiment=debug"]
    assert list(space.axes) == ["model.width", "loss", "loss.gamma", "seed"]
    assert space.grid() == [
        {"model.width": width, "loss": "focal", "loss.gamma": 2.0, "seed": seed} for width in (8, 16) for seed in (1, 2)
    ]
    assert not space.is_grid
    assert space.overrides(space.grid()[0]) == [
        "experiment=debug", "model.width=8", "loss=focal", "loss.gamma=2.0", "seed=1",
    ]  # fmt: skip


@pytest.mark.parametrize("gammas", [[2.0], [1.0, 2.0]])
def test_values_of_the_command_line_keep_the_condition_of_their_axis(gammas: list[float]) -> None:
    axes = {"loss": ["focal", "soft_f1"], "loss.gamma": {"low": 0.5, "high": 4.0, "when": {"loss": "focal"}}}
    argument = f"loss.gamma=choice({','.join(map(str, gammas))})"
    space = Space.read(axes, [argument])
    assert space.grid() == [*({"loss": "focal", "loss.gamma": gamma} for gamma in gammas), {"loss": "soft_f1"}]
    # If the command meets the condition too, the study is the same as in version 0.1.
    assert "when" not in Space.read(axes, ["loss=focal", argument]).signature()["loss.gamma"]


def test_an_interval_on_the_command_line_makes_a_study() -> None:
    space = Space.read(None, ["model.width=8,16", "optimizer.lr=tag(log,interval(1e-4,1e-2))"])
    assert not space.is_grid
    assert space.num_configurations is None
    with pytest.raises(UserError, match=r"optimizer.lr cannot be part of a grid"):
        space.grid()
