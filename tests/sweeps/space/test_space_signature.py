"""The space that a study stores, and how a change of it is reported."""

import json
import os
import subprocess
import sys
from typing import Any

import pytest

from sweeps.space import Space, difference

SPACE: dict[str, Any] = {
    "model.width": {"low": 4, "high": 24, "log": True},
    "optimizer.lr": {"low": 1e-4, "high": 1e-2, "log": True},
    "model.dropout": {"low": 0.0, "high": 0.5, "step": 0.1},
    "model.dilations": {"type": "list", "min_length": 1, "max_length": 4, "element": [1, 2, 4]},
    "sampler.fractions": {"type": "simplex", "size": 4, "minimum": 0.02},
    "loss": ["focal", "soft_f1"],
    "loss.gamma": {"low": 0.5, "high": 4.0, "when": {"loss": "focal"}},
    "seed": 3,
}


def test_the_same_space_has_no_difference() -> None:
    stored = json.loads(json.dumps(Space.read(SPACE).signature()))
    assert difference(stored, Space.read(dict(reversed(SPACE.items()))).signature()) is None


def test_the_signature_is_the_same_in_every_process() -> None:
    script = (
        "import json, sys; from sweeps.space import Space;"
        "print(json.dumps(Space.read(json.loads(sys.argv[1])).signature(), sort_keys=True))"
    )
    printed = {
        subprocess.run(
            [sys.executable, "-c", script, json.dumps(SPACE)],
            env={**os.environ, "PYTHONHASHSEED": seed},
            capture_output=True,
            text=True,
            check=True,
        ).stdout
        for seed in ("1", "2")
    }
    assert printed == {json.dumps(Space.read(SPACE).signature(), sort_keys=True) + "\n"}


def test_importing_the_space_needs_neither_torch_nor_optuna_nor_spectral() -> None:
    heavy = "torch", "optuna", "spectral", "pandas", "numpy"
    script = f"import sys, sweeps.space; print([name for name in {heavy} if name in sys.modules])"
    found = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, check=True)
    assert found.stdout == "[]\n"


@pytest.mark.parametrize(
    ("key", "node", "sentence"),
    [
        ("model.width", {"low": 4, "high": 32, "log": True}, "model.width: high was 24 and is 32."),
        ("model.width", {"low": 4, "high": 24}, "model.width: log was true and is false."),
        ("model.width", {"type": "float", "low": 4, "high": 24, "log": True},
         'model.width: type was "int" and is "float", low was 4 and is 4.0, high was 24 and is 24.0.'),
        ("model.dropout", {"low": 0.0, "high": 0.5, "step": 0.25},
         "model.dropout: values was [0.0,0.1,0.2,0.3,0.4,0.5] and is [0.0,0.25,0.5]."),
        ("model.dilations", {"type": "list", "min_length": 2, "max_length": 4, "element": [1, 2, 4]},
         "model.dilations: min_length was 1 and is 2."),
        ("model.dilations", {"type": "list", "min_length": 1, "max_length": 4, "element": [1, 2, 8]},
         'model.dilations: element was {"type":"choice","values":[1,2,4]} and is {"type":"choice","values":[1,2,8]}.'),
        ("sampler.fractions", {"type": "simplex", "size": 4, "minimum": [0.02, 0.02, 0.02, 0.1]},
         "minimum was [0.02,0.02,0.02,0.02] and is [0.02,0.02,0.02,0.1]."),
        ("sampler.fractions", {"type": "simplex", "classes": ["a", "b", "c", "d"], "minimum": 0.02},
         'sampler.fractions: classes was not given and is ["a","b","c","d"].'),
        ("loss", ["soft_f1", "focal"], 'loss: values was ["focal","soft_f1"] and is ["soft_f1","focal"].'),
        ("loss.gamma", {"low": 0.5, "high": 4.0}, 'loss.gamma: when was {"loss":["focal"]} and is not given.'),
        ("seed", 4, "seed: value was 3 and is 4."),
        ("model.norm", ["none", "batch"], "model.norm is new."),
    ],
)  # fmt: skip
def test_any_change_is_named(key: str, node: Any, sentence: str) -> None:
    old = json.loads(json.dumps(Space.read(SPACE).signature()))
    message = difference(old, Space.read({**SPACE, key: node}).signature())
    assert message is not None
    assert sentence in message


def test_several_changes_are_named_in_one_sentence() -> None:
    changed = {key: node for key, node in SPACE.items() if key != "seed"} | {"model.norm": ["none", "batch"]}
    assert (
        difference(Space.read(SPACE).signature(), Space.read(changed).signature()) == "model.norm is new; seed is gone."
    )
