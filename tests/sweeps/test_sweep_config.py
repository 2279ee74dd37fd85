"""What `sweep.*` takes, and the sentence for what it does not."""

import sys
from pathlib import Path
from typing import Any

import pytest
from hydra import compose, initialize_config_dir
from omegaconf import OmegaConf

import sweeps.config
from spectral.errors import UserError
from sweeps.config_check import directions, objective_names, seed_list, typed_sweep

CONF = Path(__file__).resolve().parents[2] / "conf"


@pytest.mark.parametrize(
    ("options", "said"),
    [
        ({"sampler": "tpee"}, "sweep.sampler=tpee is not known: did you mean 'tpe'?"),
        ({"pruner": "best"}, "sweep.pruner=best is not known"),
        ({"num_trials": 0}, "sweep.num_trials=0 is out of range: allowed is at least 1"),
        ({"num_trials": "many"}, "sweep.num_trials"),
        ({"num_trails": 3}, "sweep.num_trails"),
        ({"pruning": {"reduction_factor": 1}}, "sweep.pruning.reduction_factor=1 is out of range"),
        ({"seeds": 0}, "sweep.seeds=0 is not allowed"),
        ({"seeds": [1, 1]}, r"sweep.seeds=\[1, 1\] is not allowed"),
        ({"seeds": True}, "sweep.seeds=True is not allowed"),
        ({"study_name": "a/b"}, "sweep.study_name=a/b cannot name a folder"),
        ({"lost_after_s": 5}, "sweep.lost_after_s=5.0 is out of range"),
        ({"storage": "postgresql://me:word@host/db"}, "sweep.storage holds a password, which would be kept in files"),
        ({"storage": "postgresql://me:wo/rd@host/db"}, "sweep.storage holds a password"),
        ({"storage": "sqlite:///s.db?password=word"}, "sweep.storage holds a password"),
        ({"storage": "postgres://me@host/db"}, "sweep.storage is no URL of a database: allowed is postgresql://user@"),
        ({"storage": "sqlite://me@host:port/s.db"}, "sweep.storage is no URL of a database"),
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
        ({"storage": "journal:/tmp/s"}, "sweep.storage is no URL of a database"),
        ({"enqueue": [3]}, "sweep.enqueue: 3 is no mapping"),
    ],
)
def test_mistakes_are_told_in_one_sentence(options: dict[str, Any], said: str) -> None:
    with pytest.raises(UserError, match=said) as raised:
        typed_sweep(options)
    assert "\n" not in str(raised.value)


def test_a_missing_driver_of_postgresql_is_told_with_its_cure(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "psycopg", None)
    with pytest.raises(UserError, match=r"cannot be opened \(.*psycopg.*\): pip install 'spectral\[postgresql\]'\."):
        typed_sweep({"storage": "postgresql://me@host/db"})


@pytest.mark.parametrize("node", [None, {}, OmegaConf.create({})])
def test_nothing_is_the_default(node: Any) -> None:
    assert typed_sweep(node) == sweeps.config.SweepConfig()


def test_it_may_refer_to_the_rest_of_the_config() -> None:
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


def test_several_objectives_cannot_be_pruned() -> None:
    with pytest.raises(UserError, match=r"sweep\.pruner=asha cannot judge 2 objectives"):
        objective_names(typed_sweep({"objective": ["a", "b"], "pruner": "asha"}))


@pytest.mark.parametrize(("seeds", "expected"), [(1, None), (3, [5, 6, 7]), ([2, 9], [2, 9])])
def test_seeds_count_up_from_the_experiments_own(seeds: Any, expected: list[int] | None) -> None:
    assert seed_list(typed_sweep({"seeds": seeds}), OmegaConf.create({"seed": 5})) == expected


@pytest.mark.parametrize("name", sorted(path.stem for path in (CONF / "sweep").glob("*.yaml")))
def test_every_search_of_the_product_is_read(name: str) -> None:
    with initialize_config_dir(version_base="1.3", config_dir=str(CONF)):
        config = typed_sweep(compose("config", [f"sweep={name}"]).get("sweep"))
    assert objective_names(config) == (["objective"] if name == "none" else ["val/macro_f1"])
