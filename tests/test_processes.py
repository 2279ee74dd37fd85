"""How many cores a process may use; its other questions are asked by the tests of those who ask them."""

import os
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

from spectral.data.packing.workers import make_parts
from spectral.processes import num_cores


def allow(patch: pytest.MonkeyPatch, quota: str) -> None:
    """Three cores, and a container's quota of their time."""
    patch.setattr(os, "sched_getaffinity", lambda _process: {0, 3, 5}, raising=False)
    patch.setattr(Path, "read_text", lambda _path: quota)


@pytest.mark.parametrize(("quota", "num"), [("max 100000", 3), ("200000 100000", 2), ("50000 100000", 1)])
def test_the_cores_are_those_that_the_process_may_use(quota: str, num: int, monkeypatch: pytest.MonkeyPatch) -> None:
    allow(monkeypatch, quota)
    assert num_cores() == num


def test_packing_keeps_to_the_quota_of_its_container(monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(*_: Any, **__: Any) -> None:
        raise AssertionError("a process was started")

    allow(monkeypatch, "100000 100000")
    monkeypatch.setattr("spectral.data.packing.workers.ProcessPoolExecutor", refuse)
    job: Any = SimpleNamespace(folder=None, make=lambda span, ids: span)
    spans = [(0, 2), (2, 4)]
    assert list(make_parts(job, spans, ["a", "b", "c", "d"], None)) == spans
