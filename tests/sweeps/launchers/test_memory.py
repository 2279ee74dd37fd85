"""The memory that is left within the limits of control groups; their files are made up."""

from pathlib import Path
from types import SimpleNamespace

import psutil
import pytest

from sweeps.launchers.memory import available_bytes

GIB = 2**30
NO_LIMIT_V1 = 9223372036854771712


@pytest.fixture(autouse=True)
def machine(monkeypatch: pytest.MonkeyPatch) -> None:
    """32 GiB are available, of which page cache is a part."""
    monkeypatch.setattr(psutil, "virtual_memory", lambda: SimpleNamespace(available=32 * GIB))


def available(tmp_path: Path, own: str, **files: object) -> int:
    """What is left if the process is in the groups `own`, and the control groups have these files.

    Args:
        files: content by path below the mount, with __ in the place of / and no `memory.` in front of the name.
    """
    for name, content in files.items():
        *folders, last = name.split("__")
        folder = tmp_path.joinpath("mount", *folders)
        folder.mkdir(parents=True, exist_ok=True)
        (folder / f"memory.{last}").write_text(f"{content}\n")
    (tmp_path / "cgroup").write_text(own)
    return available_bytes(tmp_path / "cgroup", tmp_path / "mount")


def test_without_control_groups_all_that_the_machine_has_available_counts(tmp_path: Path) -> None:
    assert available_bytes(tmp_path / "none", tmp_path) == 32 * GIB
    assert available(tmp_path, "0::/\n") == 32 * GIB


def test_a_limit_of_version_2_counts_pages_of_files_as_available(tmp_path: Path) -> None:
    stat = f"anon {2 * GIB}\nactive_file {GIB}\ninactive_file {4 * GIB}"
    left = available(tmp_path, "0::/job\n", job__max=8 * GIB, job__current=7 * GIB, job__stat=stat)
    assert left == (8 - 7 + 5) * GIB


def test_the_tightest_of_the_groups_around_the_process_counts(tmp_path: Path) -> None:
    files: dict[str, object] = {"user__max": 4 * GIB, "user__current": GIB, "user__stat": "active_file 0"}
    files |= {"user__job__max": "max", "user__job__current": GIB, "user__job__stat": "active_file 0"}
    assert available(tmp_path, "0::/user/job\n", **files) == 3 * GIB


def test_a_limit_of_version_1_is_read_too(tmp_path: Path) -> None:
    own = "5:cpu,cpuacct:/job\n4:memory:/job\n0::/\n"
    stat = f"cache {5 * GIB}\ntotal_active_file {GIB}\ntotal_inactive_file {2 * GIB}"
    job = {"limit_in_bytes": 8 * GIB, "usage_in_bytes": 6 * GIB, "stat": stat}
    outer = {"limit_in_bytes": NO_LIMIT_V1, "usage_in_bytes": 20 * GIB, "stat": "total_active_file 0"}
    files = {f"memory__job__{name}": value for name, value in job.items()}
    files |= {f"memory__{name}": value for name, value in outer.items()}
    assert available(tmp_path, own, **files) == (8 - 6 + 3) * GIB


def test_a_container_has_its_own_group_at_the_top(tmp_path: Path) -> None:
    """Its process knows the path on the host alone."""
    files = {"max": 2 * GIB, "current": GIB, "stat": "inactive_file 0"}
    assert available(tmp_path, "0::/docker/4f2a\n", **files) == GIB


def test_a_group_over_its_limit_has_nothing_left(tmp_path: Path) -> None:
    assert available(tmp_path, "0::/\n", max=GIB, current=2 * GIB, stat="inactive_file 0") == 0
