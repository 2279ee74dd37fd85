"""How many cores a process may use, and which processes run; see also the tests of those who ask."""

import builtins
import io
import os
import subprocess
import sys
from collections.abc import Mapping
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

from spectral.data.packing.workers import make_parts
from spectral.processes import is_running, num_cores, started

V2 = "/sys/fs/cgroup/cpu.max"
V1 = "/sys/fs/cgroup/cpu/cpu.cfs_quota_us", "/sys/fs/cgroup/cpu/cpu.cfs_period_us"


def allow(patch: pytest.MonkeyPatch, files: Mapping[str, str]) -> None:
    """Three of eight cores, and a container's quota of their time as the system shows it."""
    exists, opened = os.path.exists, builtins.open
    patch.delenv("LOKY_MAX_CPU_COUNT", raising=False)
    patch.setattr(os, "cpu_count", lambda: 8)
    patch.setattr(os, "sched_getaffinity", lambda _process: {0, 3, 5}, raising=False)
    patch.setattr(os.path, "exists", lambda path: path in files if path in (V2, *V1) else exists(path))
    patch.setattr(
        builtins, "open", lambda path, *a, **k: io.StringIO(files[path]) if path in files else opened(path, *a, **k)
    )


@pytest.mark.parametrize(("quota", "num"), [("max 100000", 3), ("200000 100000", 2), ("50000 100000", 1)])
def test_the_cores_are_those_that_the_process_may_use(quota: str, num: int, monkeypatch: pytest.MonkeyPatch) -> None:
    allow(monkeypatch, {V2: quota})
    assert num_cores() == num


@pytest.mark.parametrize(("quota", "num"), [("-1", 3), ("200000", 2), ("50000", 1)])
def test_an_older_system_shows_the_quota_in_two_files(quota: str, num: int, monkeypatch: pytest.MonkeyPatch) -> None:
    allow(monkeypatch, dict(zip(V1, (quota, "100000"), strict=True)))
    assert num_cores() == num


def test_packing_keeps_to_the_quota_of_its_container(monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(*_: Any, **__: Any) -> None:
        raise AssertionError("a process was started")

    allow(monkeypatch, {V2: "100000 100000"})
    monkeypatch.setattr("spectral.data.packing.workers.ProcessPoolExecutor", refuse)
    job: Any = SimpleNamespace(folder=None, make=lambda span, ids: span)
    spans = [(0, 2), (2, 4)]
    assert list(make_parts(job, spans, ["a", "b", "c", "d"], None)) == spans


@pytest.mark.skipif(not Path("/proc/self/comm").exists(), reason="Linux shows names of processes there")
def test_the_name_of_a_process_may_end_within_a_letter() -> None:
    """The kernel keeps 15 bytes of it."""
    code = "open('/proc/self/comm', 'wb').write(b'a' * 14 + b'\\xc3\\xa9'); print(flush=True); input()"
    process = subprocess.Popen([sys.executable, "-c", code], stdin=subprocess.PIPE, stdout=subprocess.PIPE)
    assert process.stdout and process.stdout.readline()
    assert is_running(process.pid) and started(process.pid)
    process.communicate(b"\n")
    assert not is_running(process.pid)
