"""Values that `sweep.*` accepts, and the error for others."""

import re
import sys
from pathlib import Path
from typing import Any

import optuna
import pytest
from hydra import compose, initialize_config_dir
from omegaconf import OmegaConf

import sweeps.config
from spectral.errors import UserError
from sweeps.planning.checks import (
    check_axes,
    check_constrained,
    directions,
    objective_names,
    seed_list,
    typed_sweep,
)
from sweeps.space import Space
from sweeps.study.pruner import build_pruner
from sweeps.study.sampler import build_sampler, names_for_several_objectives

CONF = Path(__file__).resolve().parents[3] / "conf"


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"sampler": "tpee"}, "sweep.sampler=tpee is not known: did you mean 'tpe'?"),
        ({"sampler": "bayes"}, "sweep.sampler=bayes is not known: allowed: cmaes, "),
        ({"pruner": "best"}, "sweep.pruner=best is not known"),
        ({"num_trials": 0}, "sweep.num_trials=0 is out of range: allowed is at least 1"),
        ({"num_trials": "many"}, "^sweep.num_trials=many has the wrong type: allowed is an integer.$"),
        ({"num_trails": 3}, "^sweep.num_trails is not a known key: did you mean 'num_trials'[?] allowed: "),
        ({"pruning": {"reduction_factor": 1}}, "sweep.pruning.reduction_factor=1 is out of range"),
        ({"seeds": 0}, "sweep.seeds=0 is not allowed"),
        ({"seeds": [1, 1]}, r"sweep.seeds=\[1, 1\] is not allowed"),
        ({"seeds": True}, "sweep.seeds=True is not allowed"),
        ({"seeds": [float("nan")]}, r"sweep.seeds=\[nan\] is not allowed"),
        ({"study_name": "a/b"}, "sweep.study_name=a/b cannot name a folder"),
        ({"lost_after_s": 5}, "sweep.lost_after_s=5.0 is out of range"),
        (
            {"storage": "postgresql://me:word@host/db"},
            "sweep.storage holds a password, which would be written into files",
        ),
        ({"storage": "postgresql://me:wo/rd@host/db"}, "sweep.storage holds a password"),
        ({"storage": "sqlite:///s.db?password=word"}, "sweep.storage holds a password"),
        (
            {"storage": "postgres://me@host/db"},
            "sweep.storage is not the URL of a database: allowed is postgresql://user@",
        ),
        ({"storage": "sqlite://me@host:port/s.db"}, "sweep.storage is not the URL of a database"),
        (
            {"storage": "postgresql+pg8000://me@host/db"},
            r"sweep.storage=.* cannot be opened \(No module named 'pg8000'\)",
        ),
        ({"storage": "sqlite://"}, "sweep.storage=sqlite:// is kept in memory, which ends with the command: allowed"),
        ({"storage": "sqlite:///:memory:"}, "is kept in memory"),
        ({"storage": "sqlite:///file:s?mode=memory&uri=true"}, "is kept in memory"),
        ({"storage": "sqlite:////tmp"}, "sweep.storage=sqlite:////tmp names no file: allowed"),
        ({"storage": "journal://"}, "sweep.storage=journal:// names no file: allowed is .*journal:///FILE"),
        ({"storage": "journal:///tmp"}, "sweep.storage=journal:///tmp names no file"),
        ({"storage": "journal:/tmp/s"}, "sweep.storage is not the URL of a database"),
        ({"enqueue": [3]}, "sweep.enqueue: 3 is not a mapping"),
        ({"enqueue": [{1: 2}]}, "sweep.enqueue: {1: 2} is not a mapping"),
        ({"study_name": "a" * 201}, r"sweep.study_name=aaaaaaaaaaaaaaaaaaaa\.\.\. is too long: allowed are 200 bytes"),
        (
            {"pruner": "wilcoxon", "pruning": {"p_threshold": 2}},
            "sweep.pruning.p_threshold=2.0 is out of range: allowed is above 0 and at most 1",
        ),
        (
            {"pruner": "hyperband", "pruning": {"min_steps": 9, "max_steps": 3}},
            "sweep.pruning.max_steps=3 is out of range: allowed is at least sweep.pruning.min_steps=9",
        ),
        (
            {"pruner": "wilcoxon"},
            "sweep.pruner=wilcoxon never prunes with 1 seed and .*: allowed is sweep.seeds=5 or more",
        ),
        ({"pruner": "wilcoxon", "seeds": [1, 2, 3, 4]}, "never prunes with 4 seeds and sweep.pruning.p_threshold=0.1"),
        (
            {"pruner": "wilcoxon", "seeds": 2, "pruning": {"p_threshold": 0.3}},
            "p_threshold=0.3: allowed is sweep.seeds=3 or more",
        ),
        ({"pruner": "wilcoxon", "seeds": 5, "pruning": {"min_steps": 5}}, "allowed is sweep.seeds=6 or more"),
        (
            {"pruner": "wilcoxon", "pruning": {"p_threshold": 0}},
            "sweep.pruning.p_threshold=0.0 is out of range: allowed is above 0 and at most 1",
        ),
        (5, "sweep=5 has the wrong type: allowed is a mapping"),
        ([1], r"sweep=\[1\] has the wrong type"),
        ({"num_trials": "${nope}"}, "^sweep.num_trials is not valid: Interpolation key 'nope' not found"),
    ],
)
def test_wrong_options_are_reported_in_one_sentence(options: Any, message: str) -> None:
    with pytest.raises(UserError, match=message) as raised:
        typed_sweep(OmegaConf.create({"sweep": options}).sweep)
    assert "\n" not in str(raised.value)


def test_a_missing_driver_of_postgresql_is_reported_with_the_command_to_install_it(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setitem(sys.modules, "psycopg", None)
    cure = r"python -m pip install -e '\.\[postgresql\]'"
    with pytest.raises(UserError, match=rf"cannot be opened \(.*psycopg.*\): {cure}\."):
        typed_sweep({"storage": "postgresql://me@host/db"})


@pytest.mark.parametrize("node", [None, {}, OmegaConf.create({})])
def test_an_empty_config_is_the_default(node: Any) -> None:
    assert typed_sweep(node) == sweeps.config.SweepConfig()


def test_sweep_options_may_refer_to_the_rest_of_the_config() -> None:
    config = OmegaConf.create({"objective": ["a", "b"], "sweep": {"objective": "${objective}"}})
    assert objective_names(typed_sweep(config.sweep)) == ["a", "b"]


@pytest.mark.parametrize(
    ("options", "expected"),
    [
        ({"objective": "val/macro_f1"}, ["maximize"]),
        ({"objective": ["val/macro_f1", "val/log_loss", "time/train_s"]}, ["maximize", "minimize", "minimize"]),
        ({"objective": "val/macro_f1", "direction": "minimize"}, ["minimize"]),
        ({"objective": ["a", "b"], "direction": "minimize"}, ["minimize", "minimize"]),
        ({"objective": ["a", "b"], "direction": ["minimize", "maximize"]}, ["minimize", "maximize"]),
    ],
)
def test_directions(options: dict[str, Any], expected: list[str]) -> None:
    config = typed_sweep(options)
    assert directions(config, objective_names(config)) == expected


@pytest.mark.parametrize("objective", [5, [], "", ["a", "a"], ["a", None], {"a": 1}, [["a"]]])
def test_a_name_that_is_not_an_objective_is_refused(objective: Any) -> None:
    with pytest.raises(
        UserError, match=r"^sweep\.objective=.* is not allowed: give a name, or a list of different names\.$"
    ):
        objective_names(typed_sweep({"objective": objective}))


def test_only_samplers_of_several_objectives_search_for_them(tmp_path: Path) -> None:
    with pytest.raises(
        UserError, match=r"^sweep\.sampler=cmaes cannot search for 2 objectives: allowed are gp, grid, "
    ):
        objective_names(typed_sweep({"objective": ["a", "b"], "sampler": "cmaes"}))
    for sampler in names_for_several_objectives():
        study = optuna.create_study(
            directions=["minimize"] * 2, sampler=build_sampler(sampler, 0, 0, is_conditional=False)
        )
        study.optimize(lambda trial: [trial.suggest_float("x", 0, 1), trial.suggest_float("y", 0, 1)], n_trials=12)


@pytest.mark.parametrize("num_seeds", [4, 5])
def test_wilcoxon_can_prune_from_its_smallest_allowed_number_of_seeds(num_seeds: int) -> None:
    """Pruned by Optuna itself, if each seed is worse than that of the best configuration."""
    pruner = build_pruner("wilcoxon", {"min_steps": 1, "p_threshold": 0.1})
    study = optuna.create_study(pruner=pruner)
    study.add_trial(optuna.create_trial(value=0.0, intermediate_values=dict.fromkeys(range(num_seeds), 0.0)))
    trial = study.ask()
    pruned = []
    for seed_index in range(num_seeds - 1):  # after the last one there is nothing left to prune
        trial.report(1.0 + 0.1 * seed_index, seed_index)
        pruned.append(trial.should_prune())
    assert any(pruned) == (num_seeds == 5)


@pytest.mark.parametrize("key", ["", "sweep", "name", "flag"])
def test_seeds_count_up_from_an_integer_only(key: str) -> None:
    config = OmegaConf.create({"name": "a", "flag": True, "sweep": {"a": 1}})
    with pytest.raises(UserError, match=rf"^sweep\.seed_key={key} cannot count up from "):
        seed_list(typed_sweep({"seeds": 2, "seed_key": key}), config)


@pytest.mark.parametrize(
    ("key", "options", "message"),
    [
        ("seed", {"seeds": 2}, r"seed cannot be searched together with sweep\.seeds=2, which sets it for all jobs"),
        ("other", {"seeds": [1, 2], "seed_key": "other"}, "other cannot be searched together"),
        ("objective", {}, "objective cannot be searched"),
        ("run_dir", {}, "run_dir cannot be searched: it has one value for all jobs of a sweep"),
        ("sweep.sampler", {}, "sweep.sampler cannot be searched"),
    ],
)
def test_a_key_that_all_jobs_share_cannot_be_an_axis(key: str, options: dict[str, Any], message: str) -> None:
    with pytest.raises(UserError, match=message):
        check_axes(Space.read({}, [f"{key}=1,2"]), typed_sweep(options))
    check_axes(Space.read({}, ["seed=1,2", "x=3"]), typed_sweep({}))


def test_several_objectives_cannot_be_pruned() -> None:
    with pytest.raises(UserError, match=r"sweep\.pruner=asha cannot judge 2 objectives"):
        objective_names(typed_sweep({"objective": ["a", "b"], "pruner": "asha"}))


@pytest.mark.parametrize("pruner", ["none", "median", "hyperband", "wilcoxon"])
def test_only_a_pruner_with_rungs_can_promote(pruner: str) -> None:
    with pytest.raises(
        UserError, match=rf"sweep\.promote=true cannot be used with sweep\.pruner={pruner}: allowed is asha\."
    ):
        typed_sweep({"pruner": pruner, "promote": True, "seeds": 5})
    assert typed_sweep({"pruner": "asha", "promote": True}).promote


@pytest.mark.parametrize(("seeds", "expected"), [(1, None), (3, [5, 6, 7]), ([2, 9], [2, 9])])
def test_seeds_count_up_from_the_experiments_own(seeds: Any, expected: list[int] | None) -> None:
    assert seed_list(typed_sweep({"seeds": seeds}), OmegaConf.create({"seed": 5})) == expected


@pytest.mark.parametrize(
    ("name", "message"),
    [
        ("num_params", "sweep.constraints.num_params is not a number of a run: did you mean 'num_parameters'?"),
        ("val/macro_f", "did you mean 'val/macro_f1'?"),
        ("test/macro_f1", "is refused: the test split is read once, at the end, so bound val/macro_f1."),
    ],
)
def test_a_constraint_on_a_number_that_no_run_of_the_product_reports_is_refused(name: str, message: str) -> None:
    product = sweeps.config.SweepConfig(check="spectral.configs.root:typed")
    check_constrained(["num_parameters", "receptive_field", "val/recall/qso", "time/train_s"], product)
    with pytest.raises(UserError, match=re.escape(message)):
        check_constrained([name], product)
    check_constrained([name], sweeps.config.SweepConfig())


@pytest.mark.parametrize("name", sorted(path.stem for path in (CONF / "sweep").glob("*.yaml")))
def test_every_named_search_of_the_product_is_valid(name: str) -> None:
    with initialize_config_dir(version_base="1.3", config_dir=str(CONF)):
        config = typed_sweep(compose("config", [f"sweep={name}"]).get("sweep"))
    assert objective_names(config) == (["objective"] if name == "none" else ["val/macro_f1"])
