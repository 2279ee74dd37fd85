"""Pruners and samplers by name: one file adds one, and each has its own options."""

from pathlib import Path
from typing import Any

import optuna
import pytest
from loop_runs import FLOATS, Call, sweep

import sweeps.job.progress
import sweeps.study.pruners
import sweeps.study.samplers
from spectral.errors import UserError
from sweeps.planning.checks import typed_sweep
from sweeps.study.pruner import build_pruner, pruners
from sweeps.study.sampler import build_sampler, samplers

TOY_PRUNER = """
from dataclasses import dataclass
from sweeps.options import number
from sweeps.study.pruner import Pruner

@dataclass
class ToyPruner(Pruner):
    limit: float = number(0.5, above=0)

    def build(self):
        import optuna

        class Limit(optuna.pruners.BasePruner):
            def prune(inner, study, trial):
                return max(trial.intermediate_values.values()) > self.limit

        return Limit()
"""
TOY_SAMPLER = """
from dataclasses import dataclass
from sweeps.study.sampler import Sampler

@dataclass
class ToySampler(Sampler):
    def build(self, draw):
        import optuna

        class Half(optuna.samplers.RandomSampler):
            def sample_independent(inner, study, trial, name, distribution):
                return 0.25 if trial.number % 2 else 0.75

        return Half()
"""


def report_x(call: Call) -> float:
    """As a job does that reports one step."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(sweeps.job.progress.TrialLink, "of_job", lambda: call.link)
        sweeps.job.progress.report_progress(1, call.values["x"])
    return float(call.values["x"])


def states_and_values(folder: Path, **options: Any) -> list[tuple[str, float]]:
    ended = sweep(folder, FLOATS, report_x, num_slots=1, num_trials=4, **options)
    return [(trial.state.name, trial.params["x"]) for trial in ended.trials]


def test_one_file_in_its_package_adds_a_pruner_or_a_sampler(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    for package, name, text in (
        (sweeps.study.pruners, "toy_limit", TOY_PRUNER),
        (sweeps.study.samplers, "toy_half", TOY_SAMPLER),
    ):
        folder = tmp_path / package.__name__
        folder.mkdir()
        (folder / f"{name}.py").write_text(text)
        monkeypatch.setattr(package, "__path__", [*package.__path__, str(folder)])
    assert "toy_limit" in pruners.names and "toy_half" in samplers.names
    results = states_and_values(tmp_path / "default", sampler="toy_half", pruner="toy_limit")
    assert results == [("PRUNED", 0.75), ("COMPLETE", 0.25)] * 2
    results = states_and_values(
        tmp_path / "higher", sampler="toy_half", pruner="toy_limit", pruning={"limit": 0.8, "min_steps": None}
    )
    assert results == [("COMPLETE", 0.75), ("COMPLETE", 0.25)] * 2
    with pytest.raises(UserError, match=r"sweep\.pruning\.limit=-1\.0 is out of range: allowed is above 0"):
        typed_sweep({"pruner": "toy_limit", "pruning": {"limit": -1}})


def test_a_users_own_module_can_add_a_pruner_or_a_sampler(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "my_package").mkdir()
    (tmp_path / "my_package" / "search.py").write_text(TOY_PRUNER + TOY_SAMPLER)
    monkeypatch.syspath_prepend(str(tmp_path))
    own = {"sampler": "my_package.search:ToySampler", "pruner": "my_package.search:ToyPruner"}
    results = states_and_values(tmp_path / "study", **own, pruning={"limit": 0.3})
    assert results == [("PRUNED", 0.75), ("COMPLETE", 0.25)] * 2


@pytest.mark.parametrize(
    ("name", "message"),
    [
        ("no_such_module:Pruner", "cannot be imported: No module named 'no_such_module'."),
        ("optuna.pruners:MedianPruner", "names no subclass of sweeps.study.pruner.Pruner."),
        ("sweeps.study.pruner:Pruner", "names no subclass of"),
        (":Pruner", "cannot be imported: Empty module name."),
    ],
)
def test_a_module_without_a_pruner_is_refused(name: str, message: str) -> None:
    with pytest.raises(UserError) as raised:
        typed_sweep({"pruner": name})
    assert str(raised.value).startswith(f"sweep.pruner={name} ") and message in str(raised.value)


def test_an_own_file_that_imports_what_is_not_there_is_named(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "my_import.py").write_text("from optuna.pruners import Nothing\n")
    monkeypatch.syspath_prepend(str(tmp_path))
    with pytest.raises(
        UserError, match=r"^sweep\.pruner=my_import:MyPruner cannot be imported: cannot import name 'No"
    ):
        typed_sweep({"pruner": "my_import:MyPruner"})


def test_an_option_without_a_default_that_is_not_given_is_named(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "my_needs.py").write_text(TOY_PRUNER.replace(" = number(0.5, above=0)", ""))
    monkeypatch.syspath_prepend(str(tmp_path))
    with pytest.raises(UserError, match=r"^sweep\.pruning\.limit needs a value\.$"):
        typed_sweep({"pruner": "my_needs:ToyPruner"})


def test_an_own_file_that_python_cannot_read_is_named_with_its_line(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "my_typo.py").write_text("\nclass MyPruner(\n")
    monkeypatch.syspath_prepend(str(tmp_path))
    for key in ("pruner", "sampler"):
        with pytest.raises(UserError) as raised:
            typed_sweep({key: "my_typo:MyPruner"})
        said = "cannot be imported: '(' was never closed (my_typo.py, line 2)."
        assert str(raised.value) == f"sweep.{key}=my_typo:MyPruner {said}"


@pytest.mark.parametrize(
    ("pruner", "pruning", "message"),
    [
        (
            "asha",
            {"p_threshold": 0.2},
            "p_threshold=0.2 is an option of wilcoxon; sweep.pruner=asha has min_steps, reduction_factor.",
        ),
        ("median", {"reduction_factor": 2}, "is an option of asha, hyperband; sweep.pruner=median has min_steps, "),
        ("asha", {"min_step": 2}, "sweep.pruning.min_step is not known: did you mean 'min_steps'?"),
        ("none", {"min_step": 2}, "sweep.pruning.min_step is not known: did you mean 'min_steps'?"),
        ("asha", {"min_steps": "few"}, "sweep.pruning.min_steps=few has the wrong type: allowed is an integer."),
        ("asha", {"min_steps": 1.5}, "sweep.pruning.min_steps=1.5 has the wrong type: allowed is an integer."),
        ("asha", {"min_steps": 0}, "sweep.pruning.min_steps=0 is out of range: allowed is at least 1."),
    ],
)
def test_each_pruner_has_its_own_options(pruner: str, pruning: dict[str, Any], message: str) -> None:
    with pytest.raises(UserError) as raised:
        typed_sweep({"pruner": pruner, "pruning": pruning})
    assert message in str(raised.value)


EARLIER = {"min_steps": 1, "max_steps": None, "startup_trials": 5, "reduction_factor": 3, "p_threshold": 0.1}


@pytest.mark.parametrize("pruner", ["none", "asha", "hyperband", "median"])
def test_a_yaml_with_all_options_at_their_defaults_fits_every_pruner(pruner: str) -> None:
    """As conf/sweep/default.yaml of earlier versions did."""
    found = typed_sweep({"pruner": pruner, "pruning": EARLIER | {"min_steps": 4}})
    expected = {name: value for name, value in (EARLIER | {"min_steps": 4}).items() if name in found.pruning}
    assert found.pruning == expected and len(expected) == {"none": 0, "hyperband": 3}.get(pruner, 2)


def test_options_without_a_pruner_are_allowed_and_reported(
    caplog: pytest.LogCaptureFixture,
) -> None:
    assert typed_sweep({"pruner": "none", "pruning": {"min_steps": 7, "p_threshold": 0.1}}).pruning == {}
    assert caplog.messages == ["sweep.pruning.min_steps=7 has no effect with sweep.pruner=none."]


PRUNERS = {
    "asha": optuna.pruners.SuccessiveHalvingPruner,
    "hyperband": optuna.pruners.HyperbandPruner,
    "median": optuna.pruners.MedianPruner,
    "none": optuna.pruners.NopPruner,
    "wilcoxon": optuna.pruners.WilcoxonPruner,
}
SAMPLERS = {
    "cmaes": optuna.samplers.CmaEsSampler,
    "gp": optuna.samplers.GPSampler,
    "grid": optuna.samplers.RandomSampler,  # its combinations are enqueued
    "nsga2": optuna.samplers.NSGAIISampler,
    "qmc": optuna.samplers.QMCSampler,
    "random": optuna.samplers.RandomSampler,
    "tpe": optuna.samplers.TPESampler,
}


def test_every_pruner_and_sampler_builds_that_of_its_name() -> None:
    assert (pruners.names, samplers.names) == (sorted(PRUNERS), sorted(SAMPLERS))
    for name, kind in PRUNERS.items():
        assert isinstance(build_pruner(name, {}), kind)
    for name, other in SAMPLERS.items():
        assert isinstance(build_sampler(name, 1, 2, is_conditional=True), other)
